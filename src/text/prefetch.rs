//! Loads what will be read soon while something else is done.

/// Asks the processor to load the cache line of `value`.
#[inline(always)]
pub fn prefetch<T>(value: &T) {
    load(value);
}

/// Where values of one size stand in a row.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    first: *const u8,
    size: usize,
}

impl Places {
    /// Those of `values`.
    pub fn of<T>(values: &[T]) -> Self {
        Self { first: values.as_ptr().cast(), size: size_of::<T>() }
    }

    /// Asks the processor to load the value at `index`; nothing happens where there is none.
    #[inline(always)]
    pub fn prefetch(self, index: usize) {
        load(self.first.wrapping_add(index.wrapping_mul(self.size)));
    }
}

/// Asks the processor to load a cache line. A hint: nothing but time depends on it.
///
/// `unsafe` for a reason that was measured (docs/PERFORMANCE.md, Classifier): a look-up in a
/// table waits for memory longer than it takes to cut a word, and reading the line instead holds up
/// all that comes after.
#[inline(always)]
#[expect(unsafe_code, reason = "std has no safe prefetch on stable")]
fn load<T>(line: *const T) {
    // SAFETY: a prefetch neither reads nor writes what a program sees, and of an address that is none it does nothing
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
