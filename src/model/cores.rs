//! Work that falls into parts, on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many threads have work at once.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What `each` makes of the numbers below `parts`, in their order.
pub fn on_all_cores<T: Send>(parts: usize, each: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= parts {
                return done;
            }
            done.push((part, each(part)));
        }
    };
    let mut all: Vec<(usize, T)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..cores().min(parts)).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_by_key(|(part, _)| *part);
    all.into_iter().map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_in_their_order() {
        for parts in [0, 1, 2, 100] {
            assert_eq!(
                on_all_cores(parts, |part| part * part),
                (0..parts).map(|n| n * n).collect::<Vec<_>>()
            );
        }
    }
}
