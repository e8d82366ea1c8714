//! A progress bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::cell::Cell;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

/// The bar that is shown, for what is written above it.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Writes something to the terminal without tearing the bar that may be there.
pub fn above<T>(write: impl FnOnce() -> T) -> T {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match shown {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Progress of long work, on stderr.
pub struct Bar {
    bar: Option<ProgressBar>,
    done: Cell<usize>,
    name: &'static str,
}

impl Bar {
    /// A bar for `name`; its length comes with the steps.
    pub fn new(name: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {msg} {eta}") {
                bar.set_style(style);
            }
            bar.set_prefix(name);
            *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
            bar
        });
        Self { bar, done: Cell::new(0), name }
    }

    /// Whether there is a terminal to show it on.
    pub fn is_shown(&self) -> bool {
        self.bar.is_some()
    }

    /// Sets how much there is to do.
    pub fn total(&self, total: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(total as u64);
        }
    }

    /// `done` of `all` are done.
    pub fn at(&self, done: usize, all: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        }
    }

    /// One more is done.
    pub fn advance(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
            bar.finish_and_clear();
        }
    }
}

impl crate::model::Progress for Bar {
    fn step(&self, step: &str, steps: usize) {
        self.done.set(self.done.get() + 1);
        match &self.bar {
            Some(bar) => {
                bar.set_length(steps as u64);
                bar.set_position(self.done.get() as u64 - 1);
                bar.set_message(step.to_owned());
            }
            None => eprintln!("{}: {step} ({}/{steps})", self.name, self.done.get()),
        }
    }
}
