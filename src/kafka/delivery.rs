//! What the broker says of each record, gathered by batch.

use crate::pipeline::{Destination, Failure, FailureKind, PipelineError};
use rdkafka::error::{KafkaError, RDKafkaError, RDKafkaErrorCode};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Deliveries of one batch that are still open.
pub(super) struct Batch {
    open: AtomicUsize,
    failures: Mutex<Vec<Failure>>,
    sender: Mutex<Option<oneshot::Sender<Vec<Failure>>>>,
}

impl Batch {
    /// With the future that resolves to its failures.
    pub(super) fn open(records: usize) -> (Arc<Self>, impl Future<Output = Vec<Failure>>) {
        let (sender, receiver) = oneshot::channel();
        let batch = Arc::new(Self {
            // one more than there are, so that it does not end before all are sent
            open: AtomicUsize::new(records + 1),
            failures: Mutex::default(),
            sender: Mutex::new(Some(sender)),
        });
        (batch, async move { receiver.await.unwrap_or_default() })
    }

    /// One record is answered for.
    pub(super) fn resolve(&self, failure: Option<Failure>) {
        if let Some(failure) = failure {
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
        }
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            let mut failures =
                std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner));
            failures.sort_by_key(|failure| failure.index);
            if let Some(sender) = self.sender.lock().unwrap_or_else(PoisonError::into_inner).take() {
                // the loop is gone only when the process ends
                let _ = sender.send(failures);
            }
        }
    }
}

/// Goes with a record through the client.
pub(super) struct Delivery {
    pub(super) batch: Arc<Batch>,
    /// Index in it.
    pub(super) index: usize,
    /// Bytes that the topic takes.
    pub(super) limit: usize,
    /// Which topic it is.
    pub(super) destination: Destination,
}

/// What a failed delivery means. Permanent errors end the worker: trying for ever would hide them. In a
/// transaction the rest leaves a gap that only an abort mends. Without an extra output it goes on.
pub(super) fn failure(error: &KafkaError, delivery: &Delivery, transactional: bool) -> Failure {
    use RDKafkaErrorCode as Code;
    let kind = match error.rdkafka_error_code() {
        Some(Code::MessageSizeTooLarge | Code::InvalidMessageSize) => FailureKind::TooLarge(delivery.limit),
        Some(
            Code::InvalidRecord
            | Code::TopicAuthorizationFailed
            | Code::UnknownTopicOrPartition
            | Code::UnknownTopic
            | Code::UnknownPartition,
        ) if delivery.destination.is_extra() => FailureKind::Refused,
        Some(Code::InvalidRecord | Code::ClusterAuthorizationFailed) => FailureKind::Fatal,
        _ if transactional => FailureKind::Abort,
        Some(Code::Fatal | Code::OutOfOrderSequenceNumber | Code::InvalidProducerEpoch) => FailureKind::Fatal,
        _ => FailureKind::Retriable,
    };
    Failure { index: delivery.index, kind, message: error.to_string() }
}

/// What a failed call means that no abort mends.
pub(super) fn ended(error: &KafkaError) -> PipelineError {
    match error {
        KafkaError::Transaction(error) => fatal(error),
        error => PipelineError::Sink(error.to_string()),
    }
}

pub(super) fn fatal(error: &RDKafkaError) -> PipelineError {
    match error.code() {
        RDKafkaErrorCode::Fenced
        | RDKafkaErrorCode::ProducerFenced
        | RDKafkaErrorCode::InvalidProducerEpoch => PipelineError::Fenced(error.string()),
        _ => PipelineError::Sink(error.string()),
    }
}
