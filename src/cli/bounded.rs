//! `rasid run --until`: a bounded run, its edges, its progress and its end; and where a live run begins.

use super::progress::Bar;
use super::{Usage, time};
use crate::config::Settings;
use crate::kafka::{Bounded, Come, Edge, begin_at};
use anyhow::Context;
use std::convert::Infallible;
use std::time::{Duration, Instant};

/// Time between two log lines of progress, where there is no terminal.
const TELL: Duration = Duration::from_secs(10);
/// Time between two looks at it.
const LOOK: Duration = Duration::from_millis(200);

/// Where reading begins and ends.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Reach {
    /// Where to begin: earliest, latest, a time, an age such as 7d, or offset:N. Without --until only
    /// for a group that has no offsets yet
    #[arg(long, value_name = "earliest|latest|TIME|offset:N", value_parser = bound)]
    from: Option<Bound>,
    /// Tag what is there up to now, to a time, or to offset:N, then stop; the group is left alone
    #[arg(long, value_name = "now|TIME|offset:N", value_parser = bound)]
    until: Option<Bound>,
}

/// An edge and how it was written.
#[derive(Clone, Debug)]
struct Bound {
    written: String,
    edge: Edge,
}

fn bound(text: &str) -> Result<Bound, String> {
    let edge = match (text, text.strip_prefix("offset:")) {
        ("earliest", _) => Edge::Earliest,
        ("latest" | "now", _) => Edge::Latest,
        (_, Some(offset)) => {
            let offset = offset.parse::<u32>().map_err(|_| "write an offset such as offset:1200")?;
            Edge::Offset(offset.into())
        }
        _ => Edge::Time(time::parse(text).map_err(|said| {
            format!(
                "write earliest, latest, now, or an offset such as offset:1200; or {}",
                said.trim_start_matches("write ")
            )
        })?),
    };
    Ok(Bound { written: text.to_owned(), edge })
}

/// A bounded run that was stopped before its end.
#[derive(Debug, thiserror::Error)]
#[error(
    "stopped before the end: {done} of {all} offsets are done and committed; the same command goes on from there"
)]
pub struct Interrupted {
    done: i64,
    all: i64,
}

impl Reach {
    /// Whether it has an end.
    pub fn is_bounded(&self) -> bool {
        self.until.is_some()
    }

    /// Refuses what has nothing in it.
    pub fn check(&self) -> anyhow::Result<()> {
        let (from, until) = (self.from.as_ref(), self.until.as_ref());
        let (Some(until), from) = (until, from.map_or(Edge::Earliest, |from| from.edge)) else {
            return Ok(());
        };
        let empty = match (from, until.edge) {
            (Edge::Latest, _) | (_, Edge::Earliest) => true,
            (Edge::Time(from), Edge::Time(until)) => from >= until,
            (Edge::Offset(from), Edge::Offset(until)) => from >= until,
            _ => false,
        };
        if empty {
            return Err(Usage("--from, --until: nothing is between them".into()).into());
        }
        Ok(())
    }

    /// The settings that a run with the model `sha256` has. A bounded one has a group of its own, named
    /// after what it does: how far it has come is committed there.
    pub fn settings(&self, settings: Settings, sha256: &str) -> Settings {
        let Some(until) = &self.until else { return settings };
        let from = self.from.as_ref().map_or("earliest", |from| &from.written);
        let model = sha256.get(..8).unwrap_or(sha256);
        let group = format!("{}.until.{}.{from}.{}.{model}", settings.group, settings.output, until.written);
        settings.alone(group)
    }

    /// Asks the brokers where a bounded run begins and ends; for another one, sees to it that a group
    /// without offsets begins where it should.
    pub async fn find(&self, settings: &Settings) -> anyhow::Result<Option<Bounded>> {
        let (from, until) = (self.from.as_ref().map(|bound| bound.edge), self.until.as_ref());
        let (asked, until) = (settings.clone(), until.map(|until| until.edge));
        let find = move || match (from, until) {
            (from, Some(until)) => Bounded::find(&asked, from.unwrap_or(Edge::Earliest), until).map(Some),
            (Some(from), None) => {
                let begun = begin_at(&asked, from)?;
                tracing::info!(
                    partitions = begun,
                    "partitions that begin at --from; the others have offsets"
                );
                Ok(None)
            }
            (None, None) => Ok(None),
        };
        let found = tokio::task::spawn_blocking(find).await?;
        let found = found.with_context(|| format!("topic `{}`: where to begin and end", settings.input))?;
        if let Some(bounded) = &found {
            let (offsets, done_before) = (bounded.offsets, bounded.done_before);
            let group = &settings.group;
            tracing::info!(offsets, done_before, partitions = bounded.partitions(), group, "bounded run");
        }
        Ok(found)
    }
}

/// Shows how far a bounded run has come, for as long as it is polled.
pub async fn report(come: Option<Come>, all: i64) -> Infallible {
    let Some(come) = come else { return std::future::pending().await };
    let bar = Bar::new("tag");
    let (start, before) = (Instant::now(), come.offsets());
    let mut told = start;
    loop {
        tokio::time::sleep(LOOK).await;
        let done = come.offsets();
        bar.at(done as usize, all as usize);
        if !bar.is_shown() && told.elapsed() >= TELL {
            told = Instant::now();
            let rate = (done - before) as f64 / start.elapsed().as_secs_f64();
            let left = (rate > 0.0).then(|| ((all - done) as f64 / rate).round());
            let percent = 100 * done / all.max(1);
            tracing::info!(done, all, percent, rate = rate.round(), seconds_left = left, "progress");
        }
    }
}

/// Ends a bounded run whose records are all committed: its group is deleted once everything is done.
pub async fn end(settings: &Settings, ended: bool, done: i64, all: i64) -> anyhow::Result<()> {
    if !ended {
        return Err(Interrupted { done, all }.into());
    }
    tracing::info!(offsets = all, "everything between --from and --until is tagged");
    if let Err(error) = Bounded::forget(settings).await {
        let group = &settings.group;
        tracing::warn!(%error, group, "the group of this run could not be deleted; until it is, the same command has nothing to do");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_read_and_empty_ones_refused() {
        let edge = |text: &str| bound(text).map(|bound| bound.edge);
        assert_eq!(edge("earliest"), Ok(Edge::Earliest));
        assert_eq!(edge("now"), Ok(Edge::Latest));
        assert_eq!(edge("offset:12"), Ok(Edge::Offset(12)));
        assert_eq!(edge("1970-01-01T00:00:01Z"), Ok(Edge::Time(1000)));
        for wrong in ["", "soon", "offset:", "offset:-1"] {
            assert!(edge(wrong).unwrap_err().contains("offset:1200"), "{wrong}");
        }
        let reach = |from: Option<&str>, until: Option<&str>| Reach {
            from: from.map(|text| bound(text).unwrap()),
            until: until.map(|text| bound(text).unwrap()),
        };
        for (from, until) in [("latest", "now"), ("2026-01-02", "2026-01-01"), ("offset:5", "offset:5")] {
            assert!(reach(Some(from), Some(until)).check().is_err(), "{from} {until}");
        }
        assert!(reach(None, Some("earliest")).check().is_err());
        for (from, until) in [(Some("7d"), Some("now")), (None, Some("offset:1")), (Some("latest"), None)] {
            assert!(reach(from, until).check().is_ok(), "{from:?} {until:?}");
        }
    }
}
