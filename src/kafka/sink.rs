//! Publishes outputs and reports what the broker said of each.

use super::{QUEUE_KBYTES, figures, log, producer_config};
use crate::config::Settings;
use crate::metrics::Metrics;
use crate::pipeline::{Destination, Envelope, Failure, FailureKind, Output, PipelineError, Sink};
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::statistics::Statistics;
use rdkafka::{ClientContext, util::Timeout};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Kafka's default of `max.message.bytes`, for brokers that do not say theirs.
const DEFAULT_LIMIT: usize = 1_048_588;
/// Most that the broker adds to key, value and headers: of the record and of its batch.
const OVERHEAD: usize = 128;
/// The client's queue must have room for the largest record, else it would be full for ever.
const MOST: usize = QUEUE_KBYTES * 1024 - OVERHEAD;
/// Pause while the queue of the client is full.
const FULL: Duration = Duration::from_millis(2);

/// The output and the dead-letter topic as a [`Sink`].
pub struct KafkaSink {
    producer: ThreadedProducer<Context>,
    output: Topic,
    dead_letters: Topic,
}

struct Topic {
    name: String,
    limit: usize,
}

impl KafkaSink {
    /// Connects, and asks the broker how large records may be.
    ///
    /// # Errors
    /// When librdkafka refuses a property.
    pub async fn open(settings: &Settings, metrics: Metrics) -> Result<Self, KafkaError> {
        let mut config = producer_config(settings);
        let (output, dead_letters) = limits(&config, settings).await;
        // a batch larger than the topic takes would be refused whole
        let batch = output.limit.min(dead_letters.limit).min(1_000_000);
        config.set("batch.size", batch.saturating_sub(OVERHEAD).max(1).to_string());
        let producer = config.create_with_context(Context { metrics })?;
        Ok(Self { producer, output, dead_letters })
    }

    /// Waits, bounded, until nothing is queued.
    pub fn close(&self, timeout: Duration) {
        if let Err(error) = self.producer.flush(Timeout::After(timeout)) {
            tracing::warn!(%error, "closing with records queued");
        }
    }

    fn topic(&self, destination: Destination) -> &Topic {
        match destination {
            Destination::Tagged => &self.output,
            Destination::DeadLetter => &self.dead_letters,
        }
    }

    /// Hands one record to the client; `Ok(false)` when its queue is full.
    fn send(
        &self,
        envelope: &Envelope,
        output: &Output,
        delivery: &Arc<Batch>,
        index: usize,
    ) -> Result<bool, Failure> {
        let topic = self.topic(output.destination);
        let size = size(envelope, output);
        if size + OVERHEAD > topic.limit {
            let message = format!("{size} bytes for {}", topic.name);
            return Err(Failure { index, kind: FailureKind::TooLarge(topic.limit), message });
        }
        let opaque = Box::new(Delivery { batch: delivery.clone(), index, limit: topic.limit });
        let mut record: BaseRecord<'_, [u8], [u8], _> = BaseRecord::with_opaque_to(&topic.name, opaque);
        if let Some(value) = &output.value {
            record = record.payload(value);
        }
        if let Some(key) = &envelope.key {
            record = record.key(key);
        }
        if let Some(timestamp) = envelope.timestamp {
            record = record.timestamp(timestamp);
        }
        if !envelope.headers.is_empty() || !output.headers.is_empty() {
            let all = envelope.headers.iter().chain(&output.headers);
            let headers = OwnedHeaders::new_with_capacity(envelope.headers.len() + output.headers.len());
            record = record.headers(all.fold(headers, |headers, (key, value)| {
                headers.insert(Header { key, value: value.as_deref() })
            }));
        }
        match self.producer.send(record) {
            Ok(()) => Ok(true),
            Err((error, _)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) => Ok(false),
            Err((error, _)) => Err(failure(&error, index, topic.limit)),
        }
    }
}

impl Sink for KafkaSink {
    type Acknowledged = Pin<Box<dyn Future<Output = Vec<Failure>> + Send>>;

    async fn publish(&self, records: &[(&Envelope, &Output)]) -> Result<Self::Acknowledged, PipelineError> {
        let (sender, receiver) = oneshot::channel();
        let batch = Arc::new(Batch {
            // one more than there are, so that it does not end before all are sent
            open: AtomicUsize::new(records.len() + 1),
            failures: Mutex::default(),
            sender: Mutex::new(Some(sender)),
        });
        for (index, (envelope, output)) in records.iter().enumerate() {
            loop {
                match self.send(envelope, output, &batch, index) {
                    Ok(true) => break,
                    Ok(false) => tokio::time::sleep(FULL).await,
                    Err(failure) => {
                        batch.resolve(Some(failure));
                        break;
                    }
                }
            }
        }
        batch.resolve(None);
        Ok(Box::pin(async move { receiver.await.unwrap_or_default() }))
    }
}

fn size(envelope: &Envelope, output: &Output) -> usize {
    let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
    let headers = envelope.headers.iter().chain(&output.headers);
    length(&envelope.key)
        + length(&output.value)
        + headers.map(|(name, value)| name.len() + length(value) + 4).sum::<usize>()
}

/// Deliveries of one batch that are still open.
struct Batch {
    open: AtomicUsize,
    failures: Mutex<Vec<Failure>>,
    sender: Mutex<Option<oneshot::Sender<Vec<Failure>>>>,
}

impl Batch {
    fn resolve(&self, failure: Option<Failure>) {
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

struct Delivery {
    batch: Arc<Batch>,
    index: usize,
    limit: usize,
}

struct Context {
    metrics: Metrics,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
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
        let failed = result.as_ref().err().map(|(error, _)| failure(error, delivery.index, delivery.limit));
        delivery.batch.resolve(failed);
    }
}

/// Permanent errors end the worker: trying for ever would hide them.
fn failure(error: &KafkaError, index: usize, limit: usize) -> Failure {
    use RDKafkaErrorCode as Code;
    let kind = match error.rdkafka_error_code() {
        Some(Code::MessageSizeTooLarge | Code::InvalidMessageSize) => FailureKind::TooLarge(limit),
        Some(
            Code::Fatal
            | Code::OutOfOrderSequenceNumber
            | Code::InvalidProducerEpoch
            | Code::InvalidRecord
            | Code::TopicAuthorizationFailed
            | Code::ClusterAuthorizationFailed,
        ) => FailureKind::Fatal,
        _ => FailureKind::Retriable,
    };
    Failure { index, kind, message: error.to_string() }
}

/// `max.message.bytes` of the output and the dead-letter topic; the default where the broker does not say.
async fn limits(config: &ClientConfig, settings: &Settings) -> (Topic, Topic) {
    let names = [&settings.output, &settings.dead_letters];
    let mut limits = [DEFAULT_LIMIT; 2];
    let asked = async {
        let mut config = config.clone();
        config.set("statistics.interval.ms", "0");
        let admin: AdminClient<DefaultClientContext> = config.create()?;
        let topics = names.map(|name| ResourceSpecifier::Topic(name));
        let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(5)));
        admin.describe_configs(&topics, &options).await
    };
    match asked.await {
        Ok(answers) => {
            for (limit, answer) in limits.iter_mut().zip(answers) {
                let value = answer.ok().and_then(|resource| {
                    resource.get("max.message.bytes").and_then(|entry| entry.value.clone())
                });
                *limit = value.and_then(|value| value.parse().ok()).unwrap_or(DEFAULT_LIMIT).min(MOST);
            }
        }
        Err(error) => {
            tracing::info!(%error, "the broker does not say how large records may be; taking {DEFAULT_LIMIT} bytes");
        }
    }
    let [output, dead_letters] = limits;
    let topic = |name: &String, limit| Topic { name: name.clone(), limit };
    (topic(names[0], output), topic(names[1], dead_letters))
}
