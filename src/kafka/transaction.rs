//! Exactly once: outputs and offsets in one Kafka transaction.

use super::delivery::{ended, fatal};
use super::group::Consumed;
use super::producing::{Producing, on_thread};
use super::stored::{offsets, store};
use super::{KafkaSink, KafkaSource};
use crate::pipeline::{Commit, Commitment, PipelineError, Positions, Span};
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::producer::Producer;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one call of librdkafka may take; then it is made again, which resumes it.
const CALL: Duration = Duration::from_secs(5);
/// Pause before a call that failed is made again.
const PAUSE: Duration = Duration::from_millis(50);
/// How long an abort may take before the producer is replaced.
const ABORT: Duration = Duration::from_secs(20);

/// Commits what a [`KafkaSink`] published and a [`KafkaSource`] read, together.
pub struct Transactions {
    producer: Arc<Producing>,
    consumer: Arc<Consumed>,
    span: Span,
}

impl Transactions {
    /// For records that go from `source` to `sink`.
    pub fn new(source: &KafkaSource, sink: &KafkaSink, span: Span) -> Self {
        Self { producer: sink.producing.clone(), consumer: source.consumer.clone(), span }
    }
}

impl Commit for Transactions {
    type Committed = Pin<Box<dyn Future<Output = Result<Commitment, PipelineError>> + Send>>;

    fn span(&self) -> Option<Span> {
        Some(self.span)
    }

    fn begin(&self) -> Result<(), PipelineError> {
        self.producer.current().begin_transaction().map_err(|error| ended(&error))
    }

    fn commit(&self, next: Positions) -> Self::Committed {
        let (producer, consumer) = (self.producer.clone(), self.consumer.clone());
        // beyond the life of a transaction there is nothing left to commit
        let limit = producer.transaction_timeout + 2 * CALL;
        let done = on_thread(move || commit(&producer, &consumer, &next));
        Box::pin(async move {
            match tokio::time::timeout(limit, done).await {
                Ok(done) => done,
                Err(_) => Ok(Commitment::Abort(format!("no answer for {} s", limit.as_secs()))),
            }
        })
    }

    async fn abort(&self) -> Result<(), PipelineError> {
        let producer = self.producer.clone();
        let abort = on_thread(move || {
            let current = producer.current();
            until(Instant::now() + ABORT, || current.abort_transaction(CALL))
        });
        // a call that hangs holds the producer for ever; a new one with the same id ends its transaction
        match tokio::time::timeout(ABORT + 2 * CALL, abort).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(Stuck::Ended(error @ PipelineError::Fenced(_)))) => return Err(error),
            // where no partition could be added the broker knows of no transaction, which librdkafka takes for fatal
            Ok(Err(Stuck::Ended(error))) => tracing::warn!(%error, "abort failed; opening a new producer"),
            Ok(Err(Stuck::Waiting(reason))) => tracing::warn!(reason, "abort failed; opening a new producer"),
            Err(_) => tracing::warn!("abort hangs; opening a new producer"),
        }
        let producer = self.producer.clone();
        on_thread(move || producer.reopen()).await
    }

    async fn urged(&self) {
        self.consumer.context().leaving().await;
    }
}

fn commit(producer: &Producing, consumer: &Consumed, next: &Positions) -> Result<Commitment, PipelineError> {
    // the group's word on who may commit, taken before asking what has gone: a partition that goes
    // later raises the generation, and the broker refuses this one
    let Some(metadata) = consumer.group_metadata() else {
        return Ok(Commitment::Abort("not in the group".to_owned()));
    };
    if consumer.context().spoiled() {
        return Ok(Commitment::Abort("a partition went with records in flight".to_owned()));
    }
    let current = producer.current();
    let offsets = offsets(&consumer.context().input, next);
    let deadline = Instant::now() + producer.transaction_timeout;
    let sent = until(deadline, || current.send_offsets_to_transaction(&offsets, &metadata, CALL))
        .and_then(|()| until(deadline, || current.commit_transaction(CALL)));
    match sent {
        Ok(()) => {
            // for the lag; this consumer commits nothing
            store(consumer, next);
            Ok(Commitment::Done)
        }
        Err(Stuck::Ended(error @ PipelineError::Fenced(_))) => Err(error),
        // whether it was committed the committed offsets will tell
        Err(Stuck::Ended(error)) => Ok(Commitment::Abort(error.to_string())),
        Err(Stuck::Waiting(reason)) => Ok(Commitment::Abort(reason)),
    }
}

/// Why a call did not succeed.
enum Stuck {
    /// It cannot, though the producer lives.
    Waiting(String),
    /// The producer is dead.
    Ended(PipelineError),
}

/// Makes a call again until it succeeds, cannot succeed, or it is too late.
fn until(deadline: Instant, mut call: impl FnMut() -> Result<(), KafkaError>) -> Result<(), Stuck> {
    loop {
        let Err(error) = call() else { return Ok(()) };
        let again = match &error {
            KafkaError::Transaction(error) if error.is_fatal() => return Err(Stuck::Ended(fatal(error))),
            KafkaError::Transaction(error) => error.is_retriable(),
            // rdkafka flushes before it commits
            KafkaError::Flush(_) => true,
            _ => false,
        };
        if !again || Instant::now() > deadline {
            return Err(Stuck::Waiting(error.to_string()));
        }
        std::thread::sleep(PAUSE);
    }
}

impl From<PipelineError> for Stuck {
    fn from(error: PipelineError) -> Self {
        Self::Ended(error)
    }
}
