//! Loads what will be read soon while something else is done.

/// Asks the processor to load the cache line of `value`. A hint: nothing but time depends on it.
///
/// The one place of `unsafe`, for a reason that was measured (docs/PERFORMANCE.md, Classifier): a look-up in a
/// table waits for memory longer than it takes to cut a word, and reading the line instead holds up
/// all that comes after.
#[inline(always)]
#[expect(unsafe_code, reason = "std has no safe prefetch on stable")]
pub fn prefetch<T>(value: &T) {
    let line = std::ptr::from_ref(value);
    // SAFETY: the address is that of a reference, and a prefetch neither reads nor writes what a program sees
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(line.cast());
    }
    // SAFETY: the same; the instruction changes no register and no flag
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) line, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = line;
}
