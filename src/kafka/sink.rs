//! Publishes outputs and reports what the broker said of each.

use super::delivery::{Batch, Delivery, failure};
use super::producing::{Producing, Threaded};
use super::{QUEUE_KBYTES, producer_config};
use crate::config::{Guarantee, Settings};
use crate::metrics::Metrics;
use crate::pipeline::{Destination, Envelope, Failure, FailureKind, Output, PipelineError, Sink};
use bytes::Bytes;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::BaseRecord;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Kafka's default of `max.message.bytes`, for brokers that do not say theirs.
const DEFAULT_LIMIT: usize = 1_048_588;
/// Most that the broker adds to key, value and headers: of the record and of its batch.
const OVERHEAD: usize = 128;
/// The client's queue must have room for the largest record, else it would be full for ever.
const MOST: usize = QUEUE_KBYTES * 1024 - OVERHEAD;
/// Pause while the queue of the client is full.
const FULL: Duration = Duration::from_millis(2);

/// The topics that a worker writes to as a [`Sink`].
///
/// One producer, and so one connection to each broker that leads a partition. A second one, for every other partition of
/// the input, took a tenth more processor time and was no faster.
pub struct KafkaSink {
    pub(super) producing: Arc<Producing>,
    /// By destination; those that are set.
    topics: [Option<Topic>; Destination::ALL.len()],
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
        let topics = topics(&config, settings).await;
        // a batch larger than the topic takes would be refused whole
        let batch = topics.iter().flatten().fold(1_000_000, |least, topic| topic.limit.min(least));
        config.set("batch.size", batch.saturating_sub(OVERHEAD).max(1).to_string());
        let transactional = settings.guarantee == Guarantee::ExactlyOnce;
        let producing = Arc::new(Producing::open(config, metrics, transactional)?);
        Ok(Self { producing, topics })
    }

    /// Waits until the brokers let transactions begin, which ends what an earlier run with the same
    /// transactional id left open; at once without transactions.
    ///
    /// # Errors
    /// When they never will.
    pub async fn ready(&self) -> Result<(), PipelineError> {
        self.producing.clone().ready().await
    }

    /// Waits, bounded, until nothing is queued; ends a transaction that is still open.
    pub fn close(&self, timeout: Duration) {
        self.producing.close(timeout);
    }

    /// Hands one record to the client; `Ok(false)` when its queue is full.
    fn send(
        &self,
        producer: &Threaded,
        envelope: &Envelope,
        output: &Output,
        delivery: &Arc<Batch>,
        index: usize,
    ) -> Result<bool, Failure> {
        let destination = output.destination;
        let Some(topic) = &self.topics[destination as usize] else {
            let message = format!("no topic is set for a {}", destination.name());
            return Err(Failure { index, kind: FailureKind::Refused, message });
        };
        let size = size(envelope, output);
        if size + OVERHEAD > topic.limit {
            let message = format!("{size} bytes for {}", topic.name);
            return Err(Failure { index, kind: FailureKind::TooLarge(topic.limit), message });
        }
        let opaque = Box::new(Delivery { batch: delivery.clone(), index, limit: topic.limit, destination });
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
        let count = output.published_headers(envelope).count();
        if count > 0 {
            let headers = OwnedHeaders::new_with_capacity(count);
            record =
                record.headers(output.published_headers(envelope).fold(headers, |headers, (key, value)| {
                    headers.insert(Header { key, value: value.as_deref() })
                }));
        }
        match producer.send(record) {
            Ok(()) => Ok(true),
            Err((error, _)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) => Ok(false),
            Err((error, record)) => {
                Err(failure(&error, &record.delivery_opaque, self.producing.transactional))
            }
        }
    }
}

impl Sink for KafkaSink {
    type Acknowledged = Pin<Box<dyn Future<Output = Vec<Failure>> + Send>>;

    async fn publish(&self, records: &[(&Envelope, &Output)]) -> Result<Self::Acknowledged, PipelineError> {
        let (batch, acknowledged) = Batch::open(records.len());
        let producer = self.producing.current();
        for (index, (envelope, output)) in records.iter().enumerate() {
            loop {
                match self.send(&producer, envelope, output, &batch, index) {
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
        Ok(Box::pin(acknowledged))
    }
}

fn size(envelope: &Envelope, output: &Output) -> usize {
    let length = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
    let headers = output.published_headers(envelope);
    length(&envelope.key)
        + length(&output.value)
        + headers.map(|(name, value)| name.len() + value.as_ref().map_or(0, Vec::len) + 4).sum::<usize>()
}

/// The topic of a destination, where one is set.
pub(super) fn topic_of(settings: &Settings, destination: Destination) -> Option<&str> {
    match destination {
        Destination::Tagged => Some(&settings.output),
        Destination::DeadLetter => Some(&settings.dead_letters),
        Destination::Disagreement => settings.shadow_disagreements.as_deref(),
        Destination::Review => settings.review_topic.as_deref(),
    }
}

/// The topics that are set, with their `max.message.bytes`; the default where the broker does not say.
async fn topics(config: &ClientConfig, settings: &Settings) -> [Option<Topic>; Destination::ALL.len()] {
    let mut topics = Destination::ALL.map(|destination| {
        topic_of(settings, destination).map(|name| Topic { name: name.to_owned(), limit: DEFAULT_LIMIT })
    });
    let asked = async {
        let mut config = config.clone();
        config.set("statistics.interval.ms", "0");
        let admin: AdminClient<DefaultClientContext> = config.create()?;
        let names = topics.iter().flatten().map(|topic| ResourceSpecifier::Topic(&topic.name));
        let names: Vec<_> = names.collect();
        let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(5)));
        admin.describe_configs(&names, &options).await
    };
    match asked.await {
        Ok(answers) => {
            for (topic, answer) in topics.iter_mut().flatten().zip(answers) {
                let value = answer.ok().and_then(|resource| {
                    resource.get("max.message.bytes").and_then(|entry| entry.value.clone())
                });
                let limit = value.and_then(|value| value.parse().ok());
                topic.limit = limit.unwrap_or(DEFAULT_LIMIT).min(MOST);
            }
        }
        Err(error) => {
            tracing::info!(%error, "the broker does not say how large records may be; taking {DEFAULT_LIMIT} bytes");
        }
    }
    topics
}
