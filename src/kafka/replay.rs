//! Dead letters back to the input: reads the dead-letter topic to its end as seen at the start, and
//! publishes what passes the filter as the records that they were.

use super::read::{ReadError, TopicReader};
use super::stretch::Edge;
use super::{CONSUMER_ONLY, apply, producer_base};
use crate::config::Connection;
use crate::pipeline::replay::DeadLetter;
use crate::pipeline::{Envelope, Header};
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header as KafkaHeader, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the broker may take to acknowledge a record.
const DELIVERY: Duration = Duration::from_secs(60);

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
    /// How the brokers are reached.
    pub connection: Connection,
    /// Topic with the dead letters.
    pub dead_letters: String,
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

impl Replay {
    /// Replays; `progress` is told offsets done and offsets in all.
    ///
    /// # Errors
    /// [`ReadError`]; what was published until then is published.
    pub fn run(&self, progress: impl Fn(usize, usize)) -> Result<Summary, ReadError> {
        let topic = &self.dead_letters;
        let reader = TopicReader::open(&self.connection, "rasid-replay")?;
        reader.require(topic)?;
        reader.require(&self.to)?;
        let work = Work { replay: self, done: Arc::default(), now: jiff::Timestamp::now().to_string() };
        let producer = if self.dry_run { None } else { Some(self.producer(work.done.clone())?) };
        let from = self.filter.since.map_or(Edge::Earliest, Edge::Time);
        reader.read(topic, from, Edge::Latest, progress, |record| work.take(&record, producer.as_ref()))?;
        if let Some(producer) = producer {
            // each record has its own deadline; what is not delivered by then has failed
            producer.flush(DELIVERY + Duration::from_secs(5))?;
        }
        let done = std::mem::take(&mut *lock(&work.done));
        Ok(done)
    }

    fn producer(&self, done: Arc<Mutex<Summary>>) -> Result<ThreadedProducer<Deliveries>, KafkaError> {
        let mut config = producer_base(&self.connection.brokers);
        config.set("statistics.interval.ms", "0");
        apply(&mut config, &self.connection.kafka, &CONSUMER_ONLY);
        config.set("message.timeout.ms", DELIVERY.as_millis().to_string());
        config.create_with_context(Deliveries(done))
    }
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
