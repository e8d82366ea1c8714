//! The circuit breaker: when too many records are rejected, reading pauses, and one batch is tried
//! now and then until it can be read again.
//!
//! ```text
//! closed --(too many in a row, too high a share)--> open --(wait is over)--> half-open: one batch
//!    ^                                               ^                           |
//!    |                                               +---- cannot be read -------+
//!    +--------------------------------------- can be read ------------------------+
//! ```

use super::{PipelineError, Worker};
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// When the breaker opens, and what it does then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerLimits {
    /// Rejected records in a row that open it; 0 for never.
    pub in_a_row: u64,
    /// Share of the last `window` records above which it opens; 1 for never.
    pub share: f64,
    /// Records that the share is taken of; it is not asked before there were so many.
    pub window: usize,
    /// How long it stays open before a batch is tried.
    pub wait: Duration,
    /// End the worker instead of pausing.
    pub stop: bool,
}

/// Why the breaker opened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cause {
    /// So many rejected records in a row.
    InARow(u64),
    /// So many of so many.
    Share(usize, usize),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InARow(count) => write!(f, "{count} records in a row could not be read"),
            Self::Share(rejected, window) => {
                write!(f, "{rejected} of the last {window} records could not be read")
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Closed,
    Open(Instant),
    HalfOpen,
}

/// What a batch changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// Reading pauses from now on.
    Opened(Cause),
    /// The batch that was tried cannot be read either.
    StaysOpen,
    /// It can be read: reading goes on.
    Closed,
}

/// Sees every record that is done, and says whether more may be read.
#[derive(Debug)]
pub struct Breaker {
    limits: BreakerLimits,
    state: State,
    in_a_row: u64,
    /// The last records, true where rejected, and how many of them are.
    last: VecDeque<bool>,
    rejected: usize,
}

impl Breaker {
    /// Closed.
    pub fn new(limits: BreakerLimits) -> Self {
        Self { limits, state: State::Closed, in_a_row: 0, last: VecDeque::new(), rejected: 0 }
    }

    /// Whether a batch may be read; `idle` where none is on its way.
    pub fn lets_read(&self, idle: bool) -> bool {
        match self.state {
            State::Closed => true,
            State::Open(_) => false,
            // what was read before it opened says nothing of what comes now
            State::HalfOpen => idle,
        }
    }

    /// Whether reading pauses, but for a try.
    pub fn is_open(&self) -> bool {
        self.state != State::Closed
    }

    /// Whether it is open, and no batch is tried yet.
    pub fn waits(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Resolves when a batch may be tried; never while there is nothing to wait for.
    pub async fn half_open(&mut self) {
        match self.state {
            State::Open(until) => {
                tokio::time::sleep_until(until).await;
                self.state = State::HalfOpen;
            }
            State::Closed | State::HalfOpen => std::future::pending().await,
        }
    }

    /// Takes the outcomes of a batch in order, true where rejected.
    pub fn record(&mut self, rejections: impl Iterator<Item = bool>) -> Option<Change> {
        match self.state {
            State::Closed => self.watch(rejections),
            // on its way when the breaker opened
            State::Open(_) => None,
            State::HalfOpen => Some(self.judge(rejections)),
        }
    }

    fn watch(&mut self, rejections: impl Iterator<Item = bool>) -> Option<Change> {
        for rejected in rejections {
            self.in_a_row = if rejected { self.in_a_row + 1 } else { 0 };
            self.last.push_back(rejected);
            self.rejected += usize::from(rejected);
            if self.last.len() > self.limits.window {
                self.rejected -= usize::from(self.last.pop_front().unwrap_or_default());
            }
            let window = self.last.len();
            let full = window > 0 && window >= self.limits.window;
            let cause = if self.limits.in_a_row > 0 && self.in_a_row >= self.limits.in_a_row {
                Cause::InARow(self.in_a_row)
            } else if full && self.rejected as f64 > self.limits.share * window as f64 {
                Cause::Share(self.rejected, window)
            } else {
                continue;
            };
            self.open();
            return Some(Change::Opened(cause));
        }
        None
    }

    fn judge(&mut self, rejections: impl Iterator<Item = bool>) -> Change {
        let (mut rejected, mut all) = (0_usize, 0_usize);
        for one in rejections {
            rejected += usize::from(one);
            all += 1;
        }
        if rejected < all && rejected as f64 <= self.limits.share * all as f64 {
            self.state = State::Closed;
            return Change::Closed;
        }
        self.open();
        Change::StaysOpen
    }

    /// Opens, and forgets what it saw.
    fn open(&mut self) {
        *self = Self { state: State::Open(Instant::now() + self.limits.wait), ..Self::new(self.limits) };
    }
}

/// The last rejected record of a batch.
#[derive(Default)]
pub(super) struct Last {
    /// Topic, partition and offset.
    pub(super) place: String,
    /// Why it was rejected.
    pub(super) reason: &'static str,
}

impl Worker {
    /// Lets the breaker see a batch that is done; health, metrics and log say what that changed.
    ///
    /// # Errors
    /// [`PipelineError::TooManyRejected`] where the settings want the worker to end.
    pub(super) fn judge(
        &self,
        breaker: &mut Breaker,
        rejected: &[bool],
        last: Last,
    ) -> Result<(), PipelineError> {
        let Some(change) = breaker.record(rejected.iter().copied()) else { return Ok(()) };
        if change == Change::Closed {
            self.health.resume();
            self.metrics.breaker("closed");
            tracing::info!("records can be read again: reading goes on");
            return Ok(());
        }
        let Last { place, reason } = last;
        let cause = match change {
            Change::Opened(cause) => cause.to_string(),
            _ => "the batch that was tried could not be read either".to_owned(),
        };
        if self.breaker.stop {
            return Err(PipelineError::TooManyRejected { cause, place, reason: reason.to_owned() });
        }
        let wait = self.breaker.wait.as_secs_f64();
        self.metrics.breaker("open");
        self.health.pause(format!(
            "reading pauses: {cause}, the last at {place} ({reason}); a batch is tried every {wait} s"
        ));
        tracing::error!(record = place, reason, "{cause}: reading pauses for {wait} s; see the dead letters");
        Ok(())
    }

    /// Says that a batch is tried.
    pub(super) fn tries(&self) {
        self.metrics.breaker("half_open");
        tracing::info!("reading one batch to see whether records can be read again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BreakerLimits =
        BreakerLimits { in_a_row: 5, share: 0.5, window: 10, wait: Duration::from_millis(30), stop: false };

    fn record(breaker: &mut Breaker, pattern: &str) -> Option<Change> {
        breaker.record(pattern.chars().map(|c| c == 'x'))
    }

    #[test]
    fn opens_on_a_run_and_on_a_share_and_on_nothing_less() {
        let opened = |pattern: &str| record(&mut Breaker::new(LIMITS), pattern);
        assert_eq!(opened("xxxx.xxxx."), Some(Change::Opened(Cause::Share(8, 10))));
        assert_eq!(opened("x.x.x.x.x.x.x.x.x."), None, "half is not above a half");
        assert_eq!(opened("x.x.x.x.xx."), Some(Change::Opened(Cause::Share(6, 10))));
        assert_eq!(opened("..xxxxx"), Some(Change::Opened(Cause::InARow(5))));
        assert_eq!(opened("xx.xx.xx."), None, "too few for a share");
        let never = BreakerLimits { in_a_row: 0, share: 1.0, ..LIMITS };
        assert_eq!(record(&mut Breaker::new(never), &"x".repeat(100)), None);
    }

    #[tokio::test]
    async fn a_try_that_can_be_read_closes_it() {
        let mut breaker = Breaker::new(LIMITS);
        record(&mut breaker, "xxxxx");
        assert!(!breaker.lets_read(true));
        assert_eq!(record(&mut breaker, "....."), None, "it was on its way already");
        let opened = Instant::now();
        breaker.half_open().await;
        assert!(opened.elapsed() >= LIMITS.wait);
        assert!(breaker.lets_read(true) && !breaker.lets_read(false) && breaker.is_open());
        assert_eq!(record(&mut breaker, "xx."), Some(Change::StaysOpen));
        assert!(!breaker.lets_read(true));
        breaker.half_open().await;
        assert_eq!(record(&mut breaker, "x."), Some(Change::Closed));
        assert!(breaker.lets_read(false) && !breaker.is_open());
        assert_eq!(record(&mut breaker, "xxxx"), None, "what was before is forgotten");
    }
}
