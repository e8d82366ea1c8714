//! Dead letters back to the input: reads the dead-letter topic to its end as seen at the start, and
//! publishes what passes the filter as the records that they were.

use super::source::envelope;
use super::stretch::{Edge, Stretch, assignment, stretches};
use super::topics::{Quiet, missing};
use super::{apply, base};
use crate::config::Connection;
use crate::pipeline::replay::DeadLetter;
use crate::pipeline::{Envelope, Header};
use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header as KafkaHeader, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use thiserror::Error;

/// How long nothing may come before reading is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the broker may take to acknowledge a record.
const DELIVERY: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// Which dead letters.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Rejected for one of these: metric labels or class names; empty for all.
    pub reasons: Vec<String>,
    /// With this timestamp (milliseconds since 1970) or a later one.
    pub since: Option<i64>,
    /// With this key.
    pub key: Option<String>,
}

impl Filter {
    fn takes(&self, envelope: &Envelope, letter: &DeadLetter<'_>) -> bool {
        let reason = self.reasons.is_empty() || self.reasons.iter().any(|reason| letter.is(reason));
        let since = self.since.is_none_or(|since| envelope.timestamp.is_some_and(|time| time >= since));
        let key = self.key.as_ref().is_none_or(|key| envelope.key.as_deref() == Some(key.as_bytes()));
        reason && since && key
    }
}

/// What is done.
#[derive(Clone, Debug)]
pub struct Replay {
    /// How the brokers are reached, and the dead-letter topic.
    pub connection: Connection,
    /// Topic that the records go back to.
    pub to: String,
    /// Which dead letters.
    pub filter: Filter,
    /// A record that was replayed so often already stays.
    pub max_replays: u32,
    /// Publish nothing.
    pub dry_run: bool,
}

/// Dead letters of one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Published and acknowledged; with a dry run, what would be published.
    pub replayed: u64,
    /// Not asked for.
    pub filtered: u64,
    /// Replayed too often already.
    pub exhausted: u64,
    /// Without their value.
    pub omitted: u64,
    /// Not taken by the broker.
    pub failed: u64,
}

/// What became of the dead letters.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// By class name of the reason.
    pub reasons: BTreeMap<String, Tally>,
    /// Each record that stays though it was asked for, and why.
    pub kept: Vec<String>,
}

/// A replay that ended early.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// A topic is not there.
    #[error("topic `{topic}`: {reason}")]
    Topic {
        /// Which one.
        topic: String,
        /// The broker's words.
        reason: String,
    },
    /// The brokers do not answer, or do not take the credentials.
    #[error("{0}")]
    Away(String),
    /// The client failed.
    #[error("{0}")]
    Kafka(#[from] KafkaError),
    /// Reading stands still.
    #[error("nothing came from `{topic}` for {} s: {left} records are left", PATIENCE.as_secs())]
    Stalled {
        /// Which topic.
        topic: String,
        /// Offsets not read yet.
        left: i64,
    },
}

impl Replay {
    /// Replays; `progress` is told offsets done and offsets in all.
    ///
    /// # Errors
    /// [`ReplayError`]; what was published until then is published.
    pub fn run(&self, progress: impl Fn(usize, usize)) -> Result<Summary, ReplayError> {
        let topic = &self.connection.dead_letters;
        let consumer = self.consumer()?;
        for topic in [topic, &self.to] {
            let answer = missing(&consumer, topic)
                .map_err(|error| ReplayError::Away(consumer.context().words(&consumer, &error)))?;
            if let Some(reason) = answer {
                return Err(ReplayError::Topic { topic: topic.clone(), reason });
            }
        }
        let from = self.filter.since.map_or(Edge::Earliest, Edge::Time);
        let stretches = stretches(&consumer, topic, from, Edge::Latest)?;
        consumer.assign(&assignment(topic, &stretches)?)?;
        let work = Work { replay: self, done: Arc::default(), now: jiff::Timestamp::now().to_string() };
        let producer = if self.dry_run { None } else { Some(self.producer(work.done.clone())?) };
        read(&consumer, topic, &stretches, &progress, |record| work.take(&record, producer.as_ref()))?;
        if let Some(producer) = producer {
            // each record has its own deadline; what is not delivered by then has failed
            producer.flush(DELIVERY + Duration::from_secs(5))?;
        }
        let done = std::mem::take(&mut *lock(&work.done));
        Ok(done)
    }

    fn consumer(&self) -> Result<BaseConsumer<Quiet>, KafkaError> {
        let mut config = base(&self.connection.brokers);
        config
            .set("statistics.interval.ms", "0")
            // no group is joined and nothing committed
            .set("group.id", "rasid-replay")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("allow.auto.create.topics", "false");
        apply(&mut config, &self.connection.kafka, &super::PRODUCER_ONLY);
        config.create_with_context(Quiet::default())
    }

    fn producer(&self, done: Arc<Mutex<Summary>>) -> Result<ThreadedProducer<Deliveries>, KafkaError> {
        let mut config = base(&self.connection.brokers);
        config
            .set("statistics.interval.ms", "0")
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("message.max.bytes", "104857600")
            .set("partitioner", "murmur2_random");
        apply(&mut config, &self.connection.kafka, &super::CONSUMER_ONLY);
        config.set("message.timeout.ms", DELIVERY.as_millis().to_string());
        config.create_with_context(Deliveries(done))
    }
}

/// Calls `take` for every record of the stretches.
fn read(
    consumer: &BaseConsumer<Quiet>,
    topic: &str,
    stretches: &[Stretch],
    progress: &impl Fn(usize, usize),
    mut take: impl FnMut(Envelope),
) -> Result<(), ReplayError> {
    let name: Arc<str> = topic.into();
    let total: i64 = stretches.iter().map(|stretch| stretch.until - stretch.from).sum();
    // offsets left by partition; an offset need not be a record, so not each is met
    let mut left: HashMap<i32, i64> = stretches.iter().map(|s| (s.partition, s.until - s.from)).collect();
    let until: HashMap<i32, i64> = stretches.iter().map(|s| (s.partition, s.until)).collect();
    let mut last = Instant::now();
    loop {
        let remaining: i64 = left.values().sum();
        progress((total - remaining) as usize, total as usize);
        if remaining == 0 {
            return Ok(());
        }
        match consumer.poll(POLL) {
            Some(Ok(message)) => {
                let Some(end) = until.get(&message.partition()) else { continue };
                if message.offset() < *end {
                    take(envelope(&message, &name));
                }
                left.insert(message.partition(), (end - message.offset() - 1).max(0));
                last = Instant::now();
            }
            // the end by now is not before the end at the start
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                left.insert(partition, 0);
            }
            Some(Err(error)) if is_final(&error) => return Err(error.into()),
            // the client goes on by itself
            Some(Err(_)) | None if last.elapsed() < PATIENCE => {}
            _ => return Err(ReplayError::Stalled { topic: topic.to_owned(), left: remaining }),
        }
    }
}

/// Errors that no waiting mends.
fn is_final(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::Fatal
                | Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::UnknownTopicOrPartition
                | Code::UnknownTopic
        )
    )
}

fn lock(summary: &Mutex<Summary>) -> MutexGuard<'_, Summary> {
    summary.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What happens to each record.
struct Work<'a> {
    replay: &'a Replay,
    done: Arc<Mutex<Summary>>,
    now: String,
}

impl Work<'_> {
    fn take(&self, record: &Envelope, producer: Option<&ThreadedProducer<Deliveries>>) {
        let letter = DeadLetter::of(record);
        let reason = match letter.failure.reason.as_str() {
            "" => "no reason given".to_owned(),
            reason => reason.to_owned(),
        };
        let place = format!("{} {} {}", record.topic, record.partition, record.offset);
        let count =
            |change: fn(&mut Tally)| change(lock(&self.done).reasons.entry(reason.clone()).or_default());
        let keep = |why: String| lock(&self.done).kept.push(format!("{place}: {why}"));
        if !self.replay.filter.takes(record, &letter) {
            count(|tally| tally.filtered += 1);
        } else if letter.omitted {
            count(|tally| tally.omitted += 1);
            let past = &letter.failure;
            keep(format!(
                "its value was left out; it stands in {} {} {}",
                past.topic, past.partition, past.offset
            ));
        } else if letter.replays >= self.replay.max_replays {
            count(|tally| tally.exhausted += 1);
            keep(format!("replayed {} times already", letter.replays));
        } else if let Some(producer) = producer {
            let opaque = Box::new(Delivery { reason: reason.clone(), place: place.clone() });
            send(producer, &self.replay.to, &letter.restored(&self.now), opaque);
        } else {
            count(|tally| tally.replayed += 1);
        }
    }
}

/// Hands one record to the client, waiting while its queue is full.
fn send(producer: &ThreadedProducer<Deliveries>, to: &str, record: &Envelope, opaque: Box<Delivery>) {
    let mut message: BaseRecord<'_, [u8], [u8], _> = BaseRecord::with_opaque_to(to, opaque);
    if let Some(value) = &record.value {
        message = message.payload(value);
    }
    if let Some(key) = &record.key {
        message = message.key(key);
    }
    if let Some(timestamp) = record.timestamp {
        message = message.timestamp(timestamp);
    }
    let headers = OwnedHeaders::new_with_capacity(record.headers.len());
    let add = |headers: OwnedHeaders, (key, value): &Header| {
        headers.insert(KafkaHeader { key, value: value.as_deref() })
    };
    message = message.headers(record.headers.iter().fold(headers, add));
    loop {
        match producer.send(message) {
            Ok(()) => return,
            Err((error, back)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) => {
                message = back;
                std::thread::sleep(Duration::from_millis(2));
            }
            Err((error, back)) => return producer.context().failed(&back.delivery_opaque, &error),
        }
    }
}

/// A record on its way.
struct Delivery {
    reason: String,
    place: String,
}

/// Counts what the broker says.
struct Deliveries(Arc<Mutex<Summary>>);

impl Deliveries {
    fn failed(&self, delivery: &Delivery, error: &KafkaError) {
        let mut done = lock(&self.0);
        done.reasons.entry(delivery.reason.clone()).or_default().failed += 1;
        done.kept.push(format!("{}: not taken: {error}", delivery.place));
    }
}

impl ClientContext for Deliveries {
    fn log(&self, _: rdkafka::config::RDKafkaLogLevel, _: &str, _: &str) {}
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Self::DeliveryOpaque) {
        match result {
            Ok(_) => lock(&self.0).reasons.entry(delivery.reason).or_default().replayed += 1,
            Err((error, _)) => self.failed(&delivery, error),
        }
    }
}
