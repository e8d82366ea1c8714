//! How old the oldest record of a partition is that is not done.
//!
//! Of records that were read the timestamps are known. Of those that still wait at the broker only their
//! number is: then they are at most as old as the last record that was done, and no older than the moment
//! at which the partition was first seen to be behind.

use std::collections::VecDeque;

/// The records of one partition that were read and are not done, as runs of neighbouring offsets.
/// Times are milliseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    runs: VecDeque<Run>,
    last_done: Option<i64>,
    behind_since: Option<i64>,
}

/// A run of records.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Run {
    /// Offset after the last one.
    pub(super) next: i64,
    /// Their oldest timestamp; producers need not write in the order of time.
    pub(super) oldest: i64,
}

impl Unfinished {
    /// The pipeline has these records now.
    pub(super) fn given(&mut self, run: Run) {
        self.runs.push_back(run);
    }

    /// Every record before `next` is done.
    pub(super) fn done(&mut self, next: i64) {
        let last = self.runs.iter().filter(|run| run.next <= next).map(|run| run.oldest).max();
        self.last_done = last.or(self.last_done);
        self.runs.retain(|run| run.next > next);
    }

    /// Age in seconds at `now`, where the broker counts `lag` records that are not done; 0 where there are none.
    pub(super) fn age(&mut self, now: i64, lag: i64) -> f64 {
        let since = match self.runs.iter().map(|run| run.oldest).min() {
            Some(oldest) => {
                self.behind_since = None;
                oldest
            }
            None if lag <= 0 => {
                self.behind_since = None;
                now
            }
            None => {
                let seen = *self.behind_since.get_or_insert(now);
                self.last_done.map_or(seen, |done| done.max(seen))
            }
        };
        (now - since).max(0) as f64 / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_record_that_was_read_counts() {
        let mut partition = Unfinished::default();
        partition.given(Run { next: 10, oldest: 5_000 });
        partition.given(Run { next: 20, oldest: 4_000 });
        assert_eq!(partition.age(10_000, 20), 6.0);
        partition.done(20);
        assert_eq!(partition.age(10_000, 0), 0.0);
        // a rewind gives the same records again, out of turn
        partition.given(Run { next: 40, oldest: 9_000 });
        partition.given(Run { next: 30, oldest: 8_000 });
        partition.done(30);
        assert_eq!(partition.age(10_000, 10), 1.0);
    }

    #[test]
    fn a_record_after_a_quiet_day_is_not_a_day_old() {
        let day = 86_400_000;
        let mut partition = Unfinished::default();
        partition.given(Run { next: 1, oldest: 0 });
        partition.done(1);
        assert_eq!(partition.age(1_000, 0), 0.0);
        // one record has come and is not read yet
        assert_eq!(partition.age(day, 1), 0.0);
        // nor three seconds later: that is its age
        assert_eq!(partition.age(day + 3_000, 1), 3.0);
    }

    #[test]
    fn nothing_was_read_yet() {
        let mut partition = Unfinished::default();
        assert_eq!(partition.age(7_000, 5), 0.0);
        assert_eq!(partition.age(9_000, 5), 2.0);
    }

    #[test]
    fn a_clock_that_is_ahead_makes_no_negative_age() {
        let mut partition = Unfinished::default();
        partition.given(Run { next: 1, oldest: 9_000 });
        assert_eq!(partition.age(7_000, 1), 0.0);
    }
}
