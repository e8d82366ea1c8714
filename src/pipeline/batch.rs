//! One batch on its way: tagged, published until the broker has all of it, counted.

use super::breaker::{Breaker, Last};
use super::live::Drawn;
use super::ports::{Destination, Envelope, FailureKind, Output, PipelineError, Positions, Sink};
use super::process::{Outcome, Processed, Room, dead_letter, process};
use super::shadow::Agreement;
use super::spans::RecordSpan;
use super::{Models, Worker};
use crate::article::Rejection;
use bytes::Bytes;
use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Pause before publishing again what failed; doubles up to the other.
pub(super) const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Bytes of the largest record after which a thread keeps its room to tag in.
const LARGEST: usize = 256 << 10;

thread_local! {
    /// Room to tag in; none while a batch has it.
    static ROOM: Cell<Option<Room>> = const { Cell::new(None) };
}

/// Outputs that a topic did not take, by partition and offset of their record, with how much it takes.
pub(super) type Refused = HashMap<(i32, i64), Vec<(Destination, usize)>>;

/// A batch with what became of it.
pub(super) struct Batch {
    envelopes: Vec<Envelope>,
    outcomes: Vec<Outcome>,
    outputs: Vec<Output>,
    /// Outputs besides, with the index of their record.
    also: Vec<(usize, Output)>,
    /// Where to those went that had to be left out.
    dropped: Vec<Destination>,
    /// Spans of the records that are traced, with the index of their record.
    spans: Vec<(usize, RecordSpan)>,
    refused: Refused,
    /// Bytes of its input and, once they are [held](Batch::hold_outputs), of its outputs.
    pub(super) bytes: usize,
}

/// How publishing a batch ended.
pub(super) enum Settled {
    /// The broker has all of it; with the bytes that it held, and what was refused on the way.
    Done(Done, usize, Refused),
    /// The transaction has to be aborted, and why.
    Abort(String, Refused),
}

/// What is kept of a batch that the broker has, until it is committed.
pub(super) struct Done {
    /// Offsets behind it.
    pub(super) next: Positions,
    topic: Arc<str>,
    records: Vec<Record>,
    dropped: Vec<Destination>,
    spans: Vec<(usize, RecordSpan)>,
    drawn: Drawn,
}

struct Record {
    partition: i32,
    offset: i64,
    timestamp: Option<i64>,
    published: usize,
    outcome: Outcome,
}

impl Batch {
    /// Tags a batch on one core.
    pub(super) fn tag(worker: &Worker, models: &Models, envelopes: Vec<Envelope>, bytes: usize) -> Self {
        let start = Instant::now();
        let now = jiff::Timestamp::now().to_string();
        let mut room = ROOM.take().unwrap_or_default();
        let mut outcomes = Vec::with_capacity(envelopes.len());
        let mut outputs = Vec::with_capacity(envelopes.len());
        let mut also = Vec::new();
        let mut traced = Vec::new();
        for (index, envelope) in envelopes.iter().enumerate() {
            let span = worker.spans.as_ref().and_then(|spans| Some((spans, spans.begin(envelope)?)));
            let tagged = catch_unwind(AssertUnwindSafe(|| {
                let shadow = models.shadow.as_deref();
                process(envelope, &models.model, shadow, &worker.options, &mut room, &now)
            }));
            let mut done = tagged.unwrap_or_else(|_| {
                room = Room::default();
                Processed::rejected(envelope, Rejection::Internal)
            });
            if let Some((spans, mut span)) = span {
                let headers = spans.tagged(&mut span);
                // a dead letter keeps the headers that the record came with
                if done.output.destination == Destination::Tagged {
                    done.output.trace = headers;
                }
                traced.push((index, span));
            }
            outcomes.push(done.outcome);
            outputs.push(done.output);
            also.extend(done.also.into_iter().map(|output| (index, output)));
        }
        if envelopes.iter().all(|envelope| envelope.size() <= LARGEST) {
            ROOM.set(Some(room));
        }
        let mean = start.elapsed().as_secs_f64() / envelopes.len().max(1) as f64;
        let classify = worker.metrics.classify.local();
        for _ in &envelopes {
            classify.observe(mean);
        }
        classify.flush();
        Self {
            envelopes,
            outcomes,
            outputs,
            also,
            dropped: Vec::new(),
            spans: traced,
            refused: Refused::new(),
            bytes,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.envelopes.len()
    }

    /// Counts the outputs as bytes of the batch too; says how many they are.
    pub(super) fn hold_outputs(&mut self) -> usize {
        let outputs = self.outputs.iter().chain(self.also.iter().map(|(_, output)| output));
        let values = outputs.filter_map(|output| output.value.as_ref());
        let held = values.map(Bytes::len).sum();
        self.bytes += held;
        held
    }

    /// What was refused in a transaction that was aborted need not be tried again.
    pub(super) fn remember(&mut self, refused: &Refused) {
        if refused.is_empty() {
            return;
        }
        for index in 0..self.envelopes.len() {
            let envelope = &self.envelopes[index];
            for (to, limit) in refused.get(&(envelope.partition, envelope.offset)).into_iter().flatten() {
                if to.is_extra() {
                    self.also.retain(|(of, output)| *of != index || output.destination != *to);
                    self.dropped.push(*to);
                } else {
                    self.too_large(index, *limit);
                }
            }
        }
    }

    /// Leaves out what is published besides the records' own outputs.
    pub(super) fn leave_out(&mut self) {
        self.dropped.extend(self.also.drain(..).map(|(_, output)| output.destination));
    }

    /// What is published at an index: the records' own outputs come first, then those besides.
    fn at(&self, index: usize) -> (&Envelope, &Output) {
        match index.checked_sub(self.outputs.len()) {
            None => (&self.envelopes[index], &self.outputs[index]),
            Some(extra) => {
                let (of, output) = &self.also[extra];
                (&self.envelopes[*of], output)
            }
        }
    }

    /// Hands all outputs to the sink.
    pub(super) async fn publish<K: Sink>(&self, sink: &K) -> Result<K::Acknowledged, PipelineError> {
        let also = self.also.iter().map(|(of, output)| (&self.envelopes[*of], output));
        let records: Vec<_> = self.envelopes.iter().zip(&self.outputs).chain(also).collect();
        sink.publish(&records).await
    }

    /// Waits for the broker and deals with what it refused, until everything is acknowledged.
    pub(super) async fn settle<K: Sink>(
        mut self,
        worker: &Worker,
        sink: &K,
        acknowledged: K::Acknowledged,
    ) -> Result<Settled, PipelineError> {
        let mut failures = acknowledged.await;
        let mut indices: Vec<usize> = (0..self.outputs.len() + self.also.len()).collect();
        let mut pause = BACKOFF.0;
        while !failures.is_empty() {
            let mut again = Vec::with_capacity(failures.len());
            let mut wait = false;
            let mut abort = None;
            for failure in failures {
                let index = indices[failure.index];
                worker.metrics.publish_failed(failure.kind.name());
                let (envelope, output) = self.at(index);
                let (place, to) = ((envelope.partition, envelope.offset), output.destination);
                match failure.kind {
                    FailureKind::TooLarge(_) | FailureKind::Refused if to.is_extra() => {
                        let (topic, (partition, offset), error) = (&envelope.topic, place, failure.message);
                        tracing::warn!(%topic, partition, offset, to = to.name(), error, "left out: its topic does not take it");
                        self.dropped.push(to);
                        self.refused.entry(place).or_default().push((to, 0));
                        continue;
                    }
                    FailureKind::Fatal | FailureKind::Refused => {
                        return Err(PipelineError::Sink(failure.message));
                    }
                    FailureKind::Abort => abort = Some(failure.message),
                    FailureKind::Retriable => {
                        if !wait {
                            let Envelope { topic, partition, offset, .. } = envelope;
                            tracing::warn!(%topic, partition, offset, error = %failure.message, "publishing failed; trying again");
                            worker.health.hinder(format!("publishing fails: {}", failure.message));
                        }
                        wait = true;
                        worker.metrics.publish_retries.inc();
                    }
                    FailureKind::TooLarge(_) if self.is_bare(index) => {
                        return Err(PipelineError::Sink(format!(
                            "key and headers alone are larger than the dead-letter topic takes: {}",
                            failure.message
                        )));
                    }
                    FailureKind::TooLarge(limit) => {
                        self.refused.entry(place).or_default().push((to, limit));
                        self.too_large(index, limit);
                    }
                }
                again.push(index);
            }
            if let Some(reason) = abort {
                return Ok(Settled::Abort(reason, self.refused));
            }
            if wait {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(BACKOFF.1);
            }
            if again.is_empty() {
                break;
            }
            let records: Vec<_> = again.iter().map(|index| self.at(*index)).collect();
            failures = sink.publish(&records).await?.await;
            indices = again;
        }
        let (bytes, refused) = (self.bytes, std::mem::take(&mut self.refused));
        Ok(Settled::Done(self.done(worker), bytes, refused))
    }

    /// Whether the output is a dead letter that has lost its value already.
    fn is_bare(&self, index: usize) -> bool {
        let output = &self.outputs[index];
        output.destination == Destination::DeadLetter && output.value.is_none()
    }

    /// An output was refused for its size: the article becomes a dead letter, a dead letter loses its value.
    fn too_large(&mut self, index: usize, limit: usize) {
        let output = &mut self.outputs[index];
        let size = output.value.as_ref().map_or(0, Bytes::len);
        let rejection = match &self.outcomes[index] {
            Outcome::Rejected(rejection) => rejection.clone(),
            _ => Rejection::TooLarge { size, limit },
        };
        let keep = output.destination == Destination::Tagged;
        *output = dead_letter(&self.envelopes[index], &rejection, keep);
        self.outcomes[index] = Outcome::Rejected(rejection);
    }

    /// Lets go of keys and values.
    fn done(self, worker: &Worker) -> Done {
        let done = self.envelopes.iter().zip(&self.outcomes).zip(&self.outputs);
        let drawn = worker.live.draw(done, &worker.options);
        let mut next = Positions::new();
        let topic = self.envelopes.first().map_or_else(|| "".into(), |envelope| envelope.topic.clone());
        let outputs = self.outputs.iter();
        let records =
            self.envelopes.iter().zip(outputs).zip(self.outcomes).map(|((envelope, output), outcome)| {
                next.insert(envelope.partition, envelope.offset + 1);
                Record {
                    partition: envelope.partition,
                    offset: envelope.offset,
                    timestamp: envelope.timestamp,
                    published: output.value.as_ref().map_or(0, Bytes::len),
                    outcome,
                }
            });
        let records = records.collect();
        Done { next, topic, records, dropped: self.dropped, spans: self.spans, drawn }
    }
}

impl Done {
    /// Counts a batch that is committed.
    pub(super) fn count(self, worker: &Worker, breaker: &mut Breaker) -> Result<(), PipelineError> {
        let time = SystemTime::now();
        let now = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64;
        for (index, span) in self.spans {
            span.end(&self.records[index].outcome, time);
        }
        let metrics = &worker.metrics;
        let end_to_end = metrics.end_to_end.local();
        let rejected: Vec<bool> =
            self.records.iter().map(|record| matches!(record.outcome, Outcome::Rejected(_))).collect();
        self.dropped.iter().for_each(|to| metrics.dropped(to.name()));
        let mut last = None;
        for record in self.records {
            if let Some(timestamp) = record.timestamp {
                end_to_end.observe((now - timestamp).max(0) as f64 / 1000.0);
            }
            metrics.published_bytes.inc_by(record.published as u64);
            match record.outcome {
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
                    if let Some(agreement) = summary.agreement {
                        let Record { partition, offset, .. } = record;
                        if agreement == Agreement::Failed {
                            tracing::error!(topic = %self.topic, partition, offset, "the shadow model panicked on an article; it is published as ever");
                        }
                        metrics.compared(topic.map(|(code, _)| &**code), agreement.name());
                    }
                    if let Some(reason) = summary.abstained {
                        metrics.abstained(reason.reason());
                    }
                }
                Outcome::Rejected(rejection) => {
                    metrics.rejected(rejection.reason());
                    let Record { partition, offset, .. } = record;
                    tracing::debug!(topic = %self.topic, partition, offset, reason = rejection.reason(), "dead letter");
                    last = Some((partition, offset, rejection.reason()));
                }
            }
        }
        end_to_end.flush();
        metrics.in_flight.sub(rejected.len() as i64);
        worker.health.done();
        worker.live.show(self.drawn);
        let last = last.map(|(partition, offset, reason)| Last {
            place: format!("{} {partition} {offset}", self.topic),
            reason,
        });
        worker.judge(breaker, &rejected, last.unwrap_or_default())
    }
}
