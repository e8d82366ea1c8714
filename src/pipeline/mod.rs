//! The one loop: batches in, tags out, offsets stored in order once the broker has acknowledged.
//!
//! Three stages run at once: reading, tagging (spread over the cores, order kept) and waiting for
//! acknowledgements. Nothing is stored past an article whose output is not acknowledged.

mod health;
mod live;
mod ports;
mod process;
mod reload;
pub mod replay;

pub use health::Health;
pub use live::{Labelled, Letter, Live, Named, PublishedTags, Shown, Term};
pub use ports::{Destination, Envelope, Failure, FailureKind, Header, Output, PipelineError, Sink, Source};
pub use process::{Options, Outcome, Summary, dead_letter, process};
pub use reload::{Reload, ReloadError, Reloader, Requests, Running, read_canary, reloads};

use crate::article::Rejection;
use crate::metrics::Metrics;
use crate::model::{Classifier, Document};
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Bytes of records that are read and not yet acknowledged; more are not read.
const IN_FLIGHT_BYTES: usize = 12 << 20;
/// Batches in flight.
const IN_FLIGHT_BATCHES: usize = 32;
/// Pause before publishing again what failed; doubles up to the other.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// All that the loop needs besides its ports.
#[derive(Clone, Debug)]
pub struct Worker {
    /// The model; a reload replaces it between two batches.
    pub model: Running,
    /// How records are read.
    pub options: Options,
    /// What is counted.
    pub metrics: Metrics,
    /// Whether it is well.
    pub health: Arc<Health>,
    /// What the live page shows of single records.
    pub live: Arc<Live>,
    /// Dead letters in a row that stop the worker; 0 for never.
    pub max_rejected_in_a_row: u64,
}

/// A batch with what became of it.
struct Processed {
    envelopes: Vec<Envelope>,
    outcomes: Vec<Outcome>,
    outputs: Vec<Output>,
    bytes: usize,
}

impl Worker {
    /// Runs until `shutdown` turns true and everything read is done, or until an error.
    ///
    /// # Errors
    /// [`PipelineError`]; nothing past the failed article is stored.
    pub async fn run<S: Source, K: Sink>(
        &self,
        source: &mut S,
        sink: &K,
        mut shutdown: watch::Receiver<bool>,
    ) -> Result<(), PipelineError> {
        let lanes = std::thread::available_parallelism().map_or(2, usize::from) + 1;
        let mut processing = FuturesOrdered::new();
        let mut publishing = FuturesOrdered::new();
        let (mut bytes, mut reading, mut stopping) = (0, true, false);
        let mut rejected_in_a_row = 0;
        while reading || !processing.is_empty() || !publishing.is_empty() {
            let room =
                processing.len() < lanes && publishing.len() < IN_FLIGHT_BATCHES && bytes < IN_FLIGHT_BYTES;
            tokio::select! {
                biased;
                () = stopped(&mut shutdown), if !stopping => {
                    stopping = true;
                    source.stop();
                }
                Some(done) = publishing.next(), if !publishing.is_empty() => {
                    let done: Processed = done?;
                    bytes -= done.bytes;
                    source.store(&done.envelopes);
                    self.count(&done, &mut rejected_in_a_row)?;
                }
                Some(processed) = processing.next(), if !processing.is_empty() => {
                    let processed = joined(processed)?;
                    let acknowledged = publish_all(sink, &processed).await?;
                    publishing.push_back(self.settle(sink, processed, acknowledged));
                }
                batch = source.next(), if reading && room => match batch? {
                    None => reading = false,
                    Some(batch) => {
                        let size: usize = batch.iter().map(Envelope::size).sum();
                        bytes += size;
                        self.metrics.consumed.inc_by(batch.len() as u64);
                        self.metrics.consumed_bytes.inc_by(size as u64);
                        self.metrics.in_flight.add(batch.len() as i64);
                        let (worker, model) = (self.clone(), self.model.borrow().clone());
                        let tag = move || worker.tag(batch, size, &model);
                        processing.push_back(tokio::task::spawn_blocking(tag));
                    }
                },
            }
        }
        Ok(())
    }

    /// Tags a batch on one core.
    fn tag(&self, envelopes: Vec<Envelope>, bytes: usize, model: &Classifier) -> Processed {
        let start = Instant::now();
        let now = jiff::Timestamp::now().to_string();
        let mut document = Document::default();
        let mut processed = Processed {
            outcomes: Vec::with_capacity(envelopes.len()),
            outputs: Vec::with_capacity(envelopes.len()),
            envelopes: Vec::new(),
            bytes,
        };
        for envelope in &envelopes {
            let tagged = catch_unwind(AssertUnwindSafe(|| {
                process(envelope, model, &self.options, &mut document, &now)
            }));
            let (outcome, output) = tagged.unwrap_or_else(|_| {
                let output = dead_letter(envelope, &Rejection::Internal, true);
                (Outcome::Rejected(Rejection::Internal), output)
            });
            processed.outcomes.push(outcome);
            processed.outputs.push(output);
        }
        let mean = start.elapsed().as_secs_f64() / envelopes.len().max(1) as f64;
        let classify = self.metrics.classify.local();
        for _ in &envelopes {
            classify.observe(mean);
        }
        classify.flush();
        processed.envelopes = envelopes;
        processed
    }

    /// Waits for the broker and deals with what it refused, until everything is acknowledged.
    async fn settle<K: Sink>(
        &self,
        sink: &K,
        mut batch: Processed,
        acknowledged: K::Acknowledged,
    ) -> Result<Processed, PipelineError> {
        let mut failures = acknowledged.await;
        let mut indices: Vec<usize> = (0..batch.envelopes.len()).collect();
        let mut pause = BACKOFF.0;
        while !failures.is_empty() {
            let mut again = Vec::with_capacity(failures.len());
            let mut wait = false;
            for failure in failures {
                let index = indices[failure.index];
                self.metrics.publish_failed(failure.kind.name());
                match failure.kind {
                    FailureKind::Fatal => return Err(PipelineError::Sink(failure.message)),
                    FailureKind::Retriable => {
                        if !wait {
                            let Envelope { topic, partition, offset, .. } = &batch.envelopes[index];
                            tracing::warn!(%topic, partition, offset, error = %failure.message, "publishing failed; trying again");
                        }
                        wait = true;
                        self.metrics.publish_retries.inc();
                    }
                    FailureKind::TooLarge(_) if batch.is_bare(index) => {
                        return Err(PipelineError::Sink(format!(
                            "key and headers alone are larger than the dead-letter topic takes: {}",
                            failure.message
                        )));
                    }
                    FailureKind::TooLarge(limit) => batch.too_large(index, limit),
                }
                again.push(index);
            }
            if wait {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(BACKOFF.1);
            }
            let records: Vec<_> =
                again.iter().map(|index| (&batch.envelopes[*index], &batch.outputs[*index])).collect();
            failures = sink.publish(&records).await?.await;
            indices = again;
        }
        Ok(batch)
    }

    /// Counts a batch that is done.
    fn count(&self, batch: &Processed, rejected_in_a_row: &mut u64) -> Result<(), PipelineError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64;
        let metrics = &self.metrics;
        let end_to_end = metrics.end_to_end.local();
        for (index, outcome) in batch.outcomes.iter().enumerate() {
            let envelope = &batch.envelopes[index];
            if let Some(timestamp) = envelope.timestamp {
                end_to_end.observe((now - timestamp).max(0) as f64 / 1000.0);
            }
            let published = batch.outputs[index].value.as_ref().map_or(0, Vec::len);
            metrics.published_bytes.inc_by(published as u64);
            if !matches!(outcome, Outcome::Rejected(_)) {
                *rejected_in_a_row = 0;
            }
            match outcome {
                Outcome::Tombstone => metrics.tombstones.inc(),
                Outcome::Tagged(summary) => {
                    let topic = summary.topic.as_ref();
                    metrics.tagged(
                        topic.map(|(code, _)| &**code),
                        summary.stance.as_deref(),
                        summary.language,
                    );
                    let confidence = topic.map(|(_, confidence)| *confidence);
                    metrics.drift(summary.language, confidence, summary.terms);
                    if let Some(reason) = summary.abstained {
                        metrics.abstained(reason.reason());
                    }
                }
                Outcome::Rejected(rejection) => {
                    metrics.rejected(rejection.reason());
                    *rejected_in_a_row += 1;
                    let place = format!("{} {} {}", envelope.topic, envelope.partition, envelope.offset);
                    let Envelope { topic, partition, offset, .. } = envelope;
                    tracing::debug!(%topic, partition, offset, reason = rejection.reason(), "dead letter");
                    if *rejected_in_a_row == self.max_rejected_in_a_row {
                        return Err(PipelineError::TooManyRejected {
                            count: *rejected_in_a_row,
                            place,
                            reason: rejection.reason().to_owned(),
                        });
                    }
                }
            }
        }
        end_to_end.flush();
        metrics.in_flight.sub(batch.envelopes.len() as i64);
        self.health.progress();
        self.live.draw(batch, &self.options);
        Ok(())
    }
}

impl Processed {
    /// Whether the output is a dead letter that has lost its value already.
    fn is_bare(&self, index: usize) -> bool {
        let output = &self.outputs[index];
        output.destination == Destination::DeadLetter && output.value.is_none()
    }

    /// An output was refused for its size: the article becomes a dead letter, a dead letter loses its value.
    fn too_large(&mut self, index: usize, limit: usize) {
        let output = &mut self.outputs[index];
        let size = output.value.as_ref().map_or(0, Vec::len);
        let rejection = match &self.outcomes[index] {
            Outcome::Rejected(rejection) => rejection.clone(),
            _ => Rejection::TooLarge { size, limit },
        };
        let keep = output.destination == Destination::Tagged;
        *output = dead_letter(&self.envelopes[index], &rejection, keep);
        self.outcomes[index] = Outcome::Rejected(rejection);
    }
}

/// Resolves once `shutdown` is true, or nobody is left who could say so.
pub async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

fn joined(processed: Result<Processed, tokio::task::JoinError>) -> Result<Processed, PipelineError> {
    processed.map_err(|error| PipelineError::Internal(error.to_string()))
}

async fn publish_all<K: Sink>(sink: &K, batch: &Processed) -> Result<K::Acknowledged, PipelineError> {
    let records: Vec<_> = batch.envelopes.iter().zip(&batch.outputs).collect();
    sink.publish(&records).await
}
