//! One setting of the C library's allocator: how many heaps it keeps.

/// Lets threads share as many heaps as there are cores; a user's own setting stands.
///
/// glibc gives nearly every thread a heap of its own, up to eight a core, and what is freed in one of them serves no
/// other: records are read, tagged, published and freed by different threads. Measured (docs/PERFORMANCE.md, Memory):
/// 8 MB of 68 under a backlog, at no cost in speed. To be called before there are threads.
pub fn share() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if !["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"].iter().any(|name| std::env::var_os(name).is_some()) {
        let cores = std::thread::available_parallelism().map_or(2, usize::from).max(2);
        at_most(cores.try_into().unwrap_or(libc::c_int::MAX));
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the C library has no safe way to be told")]
fn at_most(heaps: libc::c_int) {
    // SAFETY: any numbers do; what it does not understand it refuses
    unsafe { libc::mallopt(libc::M_ARENA_MAX, heaps) };
}
