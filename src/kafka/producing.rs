//! The producer: its callbacks, its transactions' beginning, and its replacement when it hangs.

use super::delivery::{Delivery, ended, failure};
use super::{figures, log};
use crate::metrics::Metrics;
use crate::pipeline::PipelineError;
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{Producer, ProducerContext, ThreadedProducer};
use rdkafka::statistics::Statistics;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::oneshot;

pub(super) type Threaded = ThreadedProducer<Context>;

/// How long the coordinator may take to take a producer in; then it is asked again.
const READY_WAIT: Duration = Duration::from_secs(10);
/// Pause before that.
const PAUSE: Duration = Duration::from_millis(500);

/// A producer that can be replaced by another with the same settings.
pub(super) struct Producing {
    config: ClientConfig,
    metrics: Metrics,
    current: RwLock<Arc<Threaded>>,
    /// Whether it has a transactional id.
    pub(super) transactional: bool,
    /// After this time the broker itself aborts a transaction.
    pub(super) transaction_timeout: Duration,
}

impl Producing {
    pub(super) fn open(
        config: ClientConfig,
        metrics: Metrics,
        transactional: bool,
    ) -> Result<Self, KafkaError> {
        let timeout = config.get("transaction.timeout.ms").and_then(|value| value.parse().ok());
        let context = Context::new(&metrics, transactional);
        let current = RwLock::new(Arc::new(config.create_with_context(context)?));
        let transaction_timeout = Duration::from_millis(timeout.unwrap_or(60_000));
        Ok(Self { config, metrics, current, transactional, transaction_timeout })
    }

    pub(super) fn current(&self) -> Arc<Threaded> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the coordinator has taken the producer in.
    pub(super) async fn ready(self: Arc<Self>) -> Result<(), PipelineError> {
        if !self.transactional {
            return Ok(());
        }
        on_thread(move || self.init()).await
    }

    fn init(&self) -> Result<(), PipelineError> {
        let current = self.current();
        loop {
            match current.init_transactions(READY_WAIT) {
                Ok(()) => return Ok(()),
                Err(KafkaError::Transaction(error)) if error.is_retriable() => {
                    tracing::warn!(%error, "the transaction coordinator does not answer; trying again");
                    std::thread::sleep(PAUSE);
                }
                Err(error) => return Err(ended(&error)),
            }
        }
    }

    /// Replaces the producer. The broker aborts what the old one left open and fences it.
    pub(super) fn reopen(&self) -> Result<(), PipelineError> {
        let context = Context::new(&self.metrics, self.transactional);
        let opened = self.config.create_with_context(context);
        let opened = opened.map_err(|error: KafkaError| PipelineError::Sink(error.to_string()))?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(opened);
        self.init()
    }

    pub(super) fn close(&self, timeout: Duration) {
        let current = self.current();
        if let Err(error) = current.flush(timeout) {
            tracing::warn!(%error, "closing with records queued");
        }
        if self.transactional {
            // nothing open is an error too; what is, would keep readers waiting until it times out
            let _ = current.abort_transaction(timeout);
        }
    }
}

/// Callbacks of the producer.
pub(super) struct Context {
    metrics: Metrics,
    transactional: bool,
    /// Why a transaction failed last; its records are only told that they were purged.
    cause: Mutex<Option<String>>,
}

impl Context {
    fn new(metrics: &Metrics, transactional: bool) -> Self {
        Self { metrics: metrics.clone(), transactional, cause: Mutex::default() }
    }

    fn cause(&self) -> MutexGuard<'_, Option<String>> {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility == "TXNERR" {
            *self.cause() = Some(message.to_owned());
        }
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "kafka producer");
    }

    fn stats(&self, statistics: Statistics) {
        self.metrics.client("producer", &figures(&statistics));
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Self::DeliveryOpaque) {
        let failed = result.as_ref().err().map(|(error, _)| {
            let mut failure = failure(error, &delivery, self.transactional);
            if let Some(Code::PurgeQueue | Code::PurgeInflight) = error.rdkafka_error_code()
                && let Some(cause) = &*self.cause()
            {
                failure.message.clone_from(cause);
            }
            failure
        });
        delivery.batch.resolve(failed);
    }
}

/// Runs what blocks on a thread of its own: one that hangs keeps neither the loop nor the end of the
/// process waiting.
pub(super) async fn on_thread<T: Send + 'static, E: From<PipelineError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let (sender, receiver) = oneshot::channel();
    let started = std::thread::Builder::new().name("rasid-commit".to_owned()).spawn(move || {
        // nobody waits any more when it took too long
        let _ = sender.send(work());
    });
    let failed = |message: String| Err(PipelineError::Internal(message).into());
    match started {
        Err(error) => failed(error.to_string()),
        Ok(_) => receiver.await.unwrap_or_else(|error| failed(error.to_string())),
    }
}
