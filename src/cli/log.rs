//! The log on stderr: text on a terminal, JSON elsewhere; `RUST_LOG` says how much. A place in the code that
//! repeats itself is cut short, so that a broker that is away for a day does not fill a disk.

use std::collections::HashMap;
use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::{Event, Metadata, Subscriber, callsite::Identifier};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, format};
use tracing_subscriber::registry::LookupSpan;

/// Lines that one place in the code may write in one window; more are counted.
const LINES: u64 = 10;
const WINDOW: Duration = Duration::from_secs(10);

/// Starts the log; `worker` is `rasid run`, the others say only what is wrong.
pub fn start(worker: bool) {
    // librdkafka's own lines come through our contexts; rdkafka's are of the demo's helpers
    let level = if worker { "info" } else { "warn,rdkafka=off,librdkafka=off" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Stderr);
    if worker && !std::io::stderr().is_terminal() {
        let json = format().json().flatten_event(true);
        lines.json().event_format(Limited { inner: json, json: true, seen: Mutex::default() }).init();
    } else {
        lines.event_format(Limited { inner: format(), json: false, seen: Mutex::default() }).init();
    }
    // the message of a panic may quote the text it was about; its place is enough
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "internal error: panic");
    }));
}

/// Standard error, above a progress bar that may be there.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // a line comes whole
        super::progress::above(|| std::io::stderr().write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

/// A format of which each place in the code writes at most [`LINES`] in a [`WINDOW`].
struct Limited<F> {
    inner: F,
    json: bool,
    seen: Mutex<HashMap<Identifier, Seen>>,
}

/// What a place wrote in its window.
struct Seen {
    since: Instant,
    lines: u64,
}

impl<F> Limited<F> {
    /// Whether a line may be written; if it opens a new window, with how many were left out in the last one.
    fn admit(&self, place: Identifier, now: Instant) -> Option<u64> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.entry(place).or_insert(Seen { since: now, lines: 0 });
        let mut left_out = 0;
        if now.duration_since(seen.since) >= WINDOW {
            left_out = seen.lines.saturating_sub(LINES);
            *seen = Seen { since: now, lines: 0 };
        }
        seen.lines += 1;
        (seen.lines <= LINES).then_some(left_out)
    }

    fn tell(&self, writer: &mut Writer<'_>, left_out: u64, metadata: &Metadata<'_>) -> fmt::Result {
        let target = metadata.target();
        if self.json {
            let level = metadata.level();
            let message = "lines like the next one were left out";
            writeln!(
                writer,
                r#"{{"level":"{level}","message":"{message}","lines":{left_out},"target":"{target}"}}"#
            )
        } else {
            writeln!(writer, "{left_out} lines of {target} like the next one were left out")
        }
    }
}

impl<S, N, F> FormatEvent<S, N> for Limited<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        match self.admit(metadata.callsite(), Instant::now()) {
            None => return Ok(()),
            Some(0) => {}
            Some(left_out) => self.tell(&mut writer, left_out, metadata)?,
        }
        self.inner.format_event(context, writer, event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_place_that_repeats_itself_is_cut_short_and_others_are_not() {
        let kept = Kept::default();
        let writer = kept.clone();
        let json = format().json().flatten_event(true);
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_writer(move || writer.clone())
            .event_format(Limited { inner: json, json: true, seen: Mutex::default() })
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..1000 {
                tracing::warn!(number, "again");
            }
            tracing::info!("once");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len() as u64, LINES + 1, "{text}");
        assert_eq!(lines.last().unwrap()["message"], "once");
    }

    #[test]
    fn what_was_left_out_is_told_with_the_next_line() {
        let limited = Limited { inner: (), json: true, seen: Mutex::default() };
        let place = || tracing::callsite::Identifier(&PLACE);
        static PLACE: tracing::callsite::DefaultCallsite = {
            static METADATA: Metadata<'static> = tracing::metadata! {
                name: "", target: "", level: tracing::Level::WARN, fields: &[],
                callsite: &PLACE, kind: tracing::metadata::Kind::EVENT
            };
            tracing::callsite::DefaultCallsite::new(&METADATA)
        };
        let start = Instant::now();
        for _ in 0..LINES {
            assert_eq!(limited.admit(place(), start), Some(0));
        }
        for _ in 0..7 {
            assert_eq!(limited.admit(place(), start), None);
        }
        assert_eq!(limited.admit(place(), start + WINDOW), Some(7));
        assert_eq!(limited.admit(place(), start + WINDOW), Some(0));
    }
}
