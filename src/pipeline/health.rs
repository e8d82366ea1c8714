//! Whether the worker is ready and alive.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Shared between the loop, the Kafka clients and HTTP.
#[derive(Debug)]
pub struct Health {
    stall_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// What keeps the worker from being ready.
    waiting_for: Option<String>,
    /// Why reading pauses.
    paused: Option<String>,
    /// What keeps records from being done.
    hindered: Option<String>,
    lagging: HashSet<i32>,
    brokers_up: bool,
    last_progress: Instant,
}

impl Health {
    /// Not ready yet.
    pub fn new(stall_timeout: Duration) -> Self {
        Self {
            stall_timeout,
            state: Mutex::new(State {
                waiting_for: Some("starting".to_owned()),
                paused: None,
                hindered: None,
                lagging: HashSet::new(),
                brokers_up: false,
                last_progress: Instant::now(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // the state stays true whatever thread panicked
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ready from now on.
    pub fn ready(&self) {
        self.state().waiting_for = None;
    }

    /// Not ready, and why.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.state().waiting_for = Some(reason.into());
    }

    /// Why the worker is not ready; `None` when it is.
    pub fn waiting_for(&self) -> Option<String> {
        let state = self.state();
        [&state.waiting_for, &state.paused, &state.hindered].into_iter().find_map(Clone::clone)
    }

    /// Reading pauses, whatever the group does; not ready until [`Health::resume`].
    pub fn pause(&self, reason: String) {
        self.state().paused = Some(reason);
    }

    /// Reading goes on.
    pub fn resume(&self) {
        let mut state = self.state();
        state.paused = None;
        state.last_progress = Instant::now();
    }

    /// Records cannot be published or committed now, and why; not ready until [`Health::done`].
    pub fn hinder(&self, reason: String) {
        self.state().hindered = Some(reason);
    }

    /// Records were committed.
    pub fn done(&self) {
        let mut state = self.state();
        state.hindered = None;
        state.last_progress = Instant::now();
    }

    /// There is a reason to wait: a rebalance.
    pub fn progress(&self) {
        self.state().last_progress = Instant::now();
    }

    /// What the client's statistics say.
    pub fn observe(&self, lagging: HashSet<i32>, brokers_up: bool) {
        let mut state = self.state();
        if lagging.is_empty() || !brokers_up {
            state.last_progress = Instant::now();
        }
        state.lagging = lagging;
        state.brokers_up = brokers_up;
    }

    /// Why the worker should be restarted: partitions with lag and no progress for the stall
    /// timeout. Never while the input is idle, the broker is away or reading pauses.
    pub fn stalled(&self) -> Option<String> {
        let state = self.state();
        let idle = state.last_progress.elapsed();
        let ought = state.brokers_up && !state.lagging.is_empty() && state.paused.is_none();
        (ought && idle > self.stall_timeout).then(|| {
            format!("no progress for {} s with lag on {} partitions", idle.as_secs(), state.lagging.len())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stalls_only_with_lag_and_brokers() {
        let health = Health::new(Duration::ZERO);
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(health.stalled(), None);
        health.observe(HashSet::from([1]), false);
        assert_eq!(health.stalled(), None);
        health.observe(HashSet::from([1]), true);
        std::thread::sleep(Duration::from_millis(5));
        assert!(health.stalled().is_some());
        health.pause("too many".to_owned());
        assert_eq!((health.stalled(), health.waiting_for().is_some()), (None, true));
        health.ready();
        assert_eq!(health.waiting_for().as_deref(), Some("too many"), "a rebalance does not resume");
        health.resume();
        assert_eq!(health.waiting_for(), None);
        health.hinder("no such topic".to_owned());
        health.progress();
        assert_eq!(health.waiting_for().as_deref(), Some("no such topic"), "nor does it bring a topic back");
        health.done();
        assert_eq!(health.waiting_for(), None);
        health.observe(HashSet::new(), true);
        assert_eq!(health.stalled(), None);
    }
}
