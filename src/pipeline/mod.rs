//! The one loop: batches in, tags out, positions committed in order once the broker has acknowledged.
//!
//! Four stages run at once: reading, tagging (spread over the cores, order kept), waiting for
//! acknowledgements, and the commit. Nothing is committed past an article whose output is not
//! acknowledged. The guarantees differ in the port [`Commit`] alone.

mod batch;
mod breaker;
mod health;
mod live;
mod ports;
mod process;
mod reload;
pub mod replay;
mod shadow;
mod spans;
mod unit;

pub use breaker::{Breaker, BreakerLimits, Cause, Change};
pub use health::Health;
pub use live::{Labelled, Letter, Live, Named, PublishedTags, Shown, Term};
pub use ports::{
    Commit, Commitment, Destination, Envelope, Failure, FailureKind, Header, Output, PipelineError,
    Positions, Sink, Source, Span,
};
pub use process::{Options, Outcome, Processed, Room, Summary, dead_letter, process, read_article};
pub use reload::{Reload, ReloadError, Reloader, Requests, Running, ShadowFile, read_canary, reloads};
pub use shadow::Agreement;
pub use spans::Spans;

use crate::metrics::Metrics;
use crate::model::Classifier;
use batch::{BACKOFF, Batch, Refused, Settled};
use futures_util::StreamExt;
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use std::collections::VecDeque;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use unit::Units;

/// Bytes of records that are read and not yet acknowledged, with their outputs; more are not read. With half as
/// much it was a twentieth to a tenth slower, waiting for the broker; with twice as much it was hardly faster.
const IN_FLIGHT_BYTES: usize = 10 << 20;
/// Batches in flight.
const IN_FLIGHT_BATCHES: usize = 32;
/// Records that are tagged and wait for the next transaction: as many as are tagged while one is committed, and few
/// enough for a slow broker to take before the worker stops.
const WAITING_RECORDS: usize = 2_000;
/// Aborts in a row after which a transaction is tried without outputs besides the records' own: it may be their
/// topic that does not let it be committed.
const SPARING: u32 = 3;
/// How long the answers to an aborted transaction's records are waited for.
const ANSWERS: Duration = Duration::from_secs(1);

/// All that the loop needs besides its ports.
#[derive(Clone, Debug)]
pub struct Worker {
    /// The model; a reload replaces it between two batches.
    pub model: Running,
    /// A model that tags too and is only compared; it rests while it is the same as the first.
    pub shadow: Option<Running>,
    /// How records are read.
    pub options: Options,
    /// What is counted.
    pub metrics: Metrics,
    /// Whether it is well.
    pub health: Arc<Health>,
    /// What the live page shows of single records.
    pub live: Arc<Live>,
    /// When too many rejected records pause reading.
    pub breaker: BreakerLimits,
    /// Where spans of records go, if anywhere.
    pub spans: Option<Arc<Spans>>,
}

/// The models of one batch.
struct Models {
    model: Arc<Classifier>,
    shadow: Option<Arc<Classifier>>,
}

/// Transactions that were aborted since the last commit.
#[derive(Default)]
struct Aborts {
    count: u32,
    /// What they taught.
    refused: Refused,
}

impl Worker {
    /// Runs until `shutdown` turns true and everything read is committed, or until an error.
    ///
    /// # Errors
    /// [`PipelineError`]; nothing past the failed article is committed.
    pub async fn run<S: Source, K: Sink, C: Commit>(
        &self,
        source: &mut S,
        sink: &K,
        commit: &C,
        mut shutdown: watch::Receiver<bool>,
    ) -> Result<(), PipelineError> {
        let lanes = std::thread::available_parallelism().map_or(2, usize::from) + 1;
        let mut processing = FuturesOrdered::new();
        // waiting while the transaction before them is committed
        let mut tagged: VecDeque<Batch> = VecDeque::new();
        let mut publishing = FuturesUnordered::new();
        let mut units = Units::new(commit.span());
        let mut committing = FuturesUnordered::new();
        let (mut bytes, mut reading, mut stopping) = (0, true, false);
        let mut breaker = Breaker::new(self.breaker);
        let mut aborts = Aborts::default();
        while reading || !processing.is_empty() || !tagged.is_empty() || !units.is_empty() {
            let unpublished = !processing.is_empty() || !tagged.is_empty();
            if !reading && !unpublished {
                units.close();
            }
            if committing.is_empty()
                && let Some(next) = units.ready()
            {
                committing.push(commit.commit(next));
            }
            let room = processing.len() < lanes
                && publishing.len() < IN_FLIGHT_BATCHES
                && bytes < IN_FLIGHT_BYTES
                && tagged.iter().map(Batch::len).sum::<usize>() < WAITING_RECORDS
                && breaker.lets_read(!unpublished && units.is_empty());
            let due = units.due();
            let aborted = tokio::select! {
                biased;
                () = stopped(&mut shutdown), if !stopping => {
                    stopping = true;
                    reading &= !breaker.is_open();
                    source.stop();
                    None
                }
                Some(commitment) = committing.next(), if !committing.is_empty() => match commitment? {
                    Commitment::Abort(reason) => Some(reason),
                    Commitment::Done => {
                        aborts = Aborts::default();
                        if units.transactional() {
                            self.metrics.transaction("commit");
                        }
                        for done in units.pop() {
                            done.count(self, &mut breaker)?;
                        }
                        None
                    }
                },
                Some(settled) = publishing.next(), if !publishing.is_empty() => {
                    let (place, settled): (_, Result<_, _>) = settled;
                    match settled? {
                        Settled::Done(done, size, refused) => {
                            // with a transaction, what was refused may keep it from being committed
                            aborts.learn(refused);
                            bytes -= size;
                            units.acknowledged(place, done);
                            None
                        }
                        Settled::Abort(reason, refused) => {
                            aborts.learn(refused);
                            Some(reason)
                        }
                    }
                }
                () = breaker.half_open(), if breaker.waits() => {
                    self.tries();
                    None
                }
                () = until(due), if due.is_some() => {
                    units.close();
                    None
                }
                () = ready(()), if !tagged.is_empty() && units.admits() => {
                    let Some(mut batch) = tagged.pop_front() else { continue };
                    batch.remember(&aborts.refused);
                    if aborts.count >= SPARING {
                        batch.leave_out();
                    }
                    if units.opens() {
                        commit.begin()?;
                    }
                    let place = units.enter(batch.len());
                    let acknowledged = batch.publish(sink).await?;
                    publishing.push(async move { (place, batch.settle(self, sink, acknowledged).await) });
                    None
                }
                Some(batch) = processing.next(), if !processing.is_empty() => {
                    let mut batch: Batch = joined(batch)?;
                    bytes += batch.hold_outputs();
                    tagged.push_back(batch);
                    None
                }
                batch = source.next(), if reading && room => {
                    match batch? {
                        None => reading = false,
                        Some(batch) => {
                            let size: usize = batch.iter().map(Envelope::size).sum();
                            bytes += size;
                            self.metrics.consumed.inc_by(batch.len() as u64);
                            self.metrics.consumed_bytes.inc_by(size as u64);
                            self.metrics.in_flight.add(batch.len() as i64);
                            let (worker, models) = (self.clone(), self.models());
                            let tag = move || Batch::tag(&worker, &models, batch, size);
                            processing.push_back(tokio::task::spawn_blocking(tag));
                        }
                    }
                    None
                },
                () = commit.urged(), if due.is_some() && !unpublished => {
                    units.close();
                    None
                }
            };
            if let Some(reason) = aborted {
                tracing::warn!(reason, "transaction aborted; reading its records again");
                self.metrics.transaction("abort");
                commit.abort().await?;
                // by now every record is answered for; what was too large is worth knowing
                let rest = async {
                    while let Some((_, settled)) = publishing.next().await {
                        if let Settled::Abort(_, refused) = settled? {
                            aborts.learn(refused);
                        }
                    }
                    Ok(())
                };
                tokio::time::timeout(ANSWERS, rest).await.unwrap_or(Ok(()))?;
                aborts.count += 1;
                processing.clear();
                tagged.clear();
                publishing.clear();
                units.clear();
                bytes = 0;
                self.metrics.in_flight.set(0);
                source.rewind().await?;
                // one that had ended has something to give again
                reading = true;
                if aborts.count > 1 {
                    self.health
                        .hinder(format!("{} transactions in a row were aborted: {reason}", aborts.count));
                    aborts.pause().await;
                }
            }
        }
        Ok(())
    }
}

impl Worker {
    /// Those of the next batch.
    fn models(&self) -> Models {
        let model = self.model.borrow().clone();
        let shadow = self.shadow.as_ref().map(|shadow| shadow.borrow().clone());
        let shadow = shadow.filter(|shadow| shadow.tag().sha256 != model.tag().sha256);
        Models { model, shadow }
    }
}

impl Aborts {
    /// Records that the broker found too large: the next time they go to the dead letters at once.
    fn learn(&mut self, refused: Refused) {
        if !refused.is_empty() {
            self.count = 0;
        }
        for (place, limits) in refused {
            self.refused.entry(place).or_default().extend(limits);
        }
    }

    /// Each time longer; the first is tried again at once.
    async fn pause(&self) {
        let doubled = BACKOFF.0 * 2u32.saturating_pow(self.count.saturating_sub(2).min(16));
        tokio::time::sleep(doubled.min(BACKOFF.1)).await;
    }
}

async fn until(time: Option<Instant>) {
    if let Some(time) = time {
        tokio::time::sleep_until(time).await;
    }
}

/// Resolves once `shutdown` is true, or nobody is left who could say so.
pub async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

fn joined(batch: Result<Batch, tokio::task::JoinError>) -> Result<Batch, PipelineError> {
    batch.map_err(|error| PipelineError::Internal(error.to_string()))
}
