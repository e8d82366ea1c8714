//! Reads a bounded stretch of a topic with a client of its own, which joins no group and commits nothing.

use super::reader::envelope;
use super::stretch::{Edge, Left, Stretch, assignment, places, stretches};
use super::topics::{Quiet, missing};
use super::{PRODUCER_ONLY, apply, base};
use crate::config::Connection;
use crate::pipeline::Envelope;
use bytes::Bytes;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;

/// How long nothing may come before reading is given up.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);

/// Reading that ended early.
#[derive(Debug, Error)]
pub enum ReadError {
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

/// A client that reads topics from one edge to another.
pub struct TopicReader(BaseConsumer<Quiet>);

impl TopicReader {
    /// Connects. `group` is named to the broker, which may want an ACL for it.
    ///
    /// # Errors
    /// When librdkafka refuses a property.
    pub fn open(connection: &Connection, group: &str) -> Result<Self, ReadError> {
        let mut config = base(&connection.brokers);
        config
            .set("statistics.interval.ms", "0")
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("allow.auto.create.topics", "false");
        apply(&mut config, &connection.kafka, &PRODUCER_ONLY);
        Ok(Self(config.create_with_context(Quiet::default())?))
    }

    /// Whether `topic` is there.
    ///
    /// # Errors
    /// [`ReadError::Topic`] where it is not, [`ReadError::Away`] where nobody answers.
    pub fn require(&self, topic: &str) -> Result<(), ReadError> {
        let answer = missing(&self.0, topic)
            .map_err(|error| ReadError::Away(self.0.context().words(&self.0, &error)))?;
        answer.map_or(Ok(()), |reason| Err(ReadError::Topic { topic: topic.to_owned(), reason }))
    }

    /// Calls `take` for every record of `topic` between two edges, each partition in order; `progress`
    /// is told offsets done and offsets in all. An offset need not be a record: some are markers of
    /// transactions, or were compacted away.
    ///
    /// # Errors
    /// [`ReadError`]; `take` has had what came until then.
    pub fn read(
        &self,
        topic: &str,
        from: Edge,
        until: Edge,
        progress: impl Fn(usize, usize),
        take: impl FnMut(Envelope),
    ) -> Result<(), ReadError> {
        let stretches = stretches(&self.0, topic, from, until)?;
        self.follow(topic, &stretches, progress, take)
    }

    /// The last `most` records of `topic` that have a value, by their timestamps and in that order.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn last(
        &self,
        topic: &str,
        most: usize,
        progress: impl Fn(usize, usize),
    ) -> Result<Vec<Envelope>, ReadError> {
        let all = stretches(&self.0, topic, Edge::Earliest, Edge::Latest)?;
        let mut window = most as i64;
        loop {
            let tail = |whole: &Stretch| Stretch { from: whole.from.max(whole.until - window), ..*whole };
            let tails: Vec<Stretch> = all.iter().map(tail).collect();
            let mut newest = BTreeMap::new();
            let mut met: HashMap<i32, usize> = HashMap::new();
            self.follow(topic, &tails, &progress, |record| {
                if record.value.is_none() {
                    return;
                }
                *met.entry(record.partition).or_default() += 1;
                newest.insert((record.timestamp, record.partition, record.offset), record);
                if newest.len() > most {
                    newest.pop_first();
                }
            })?;
            // offsets without records may have left too few of a partition
            let enough = |(tail, whole): (&Stretch, &Stretch)| {
                tail.from == whole.from || met.get(&tail.partition).is_some_and(|met| *met >= most)
            };
            if tails.iter().zip(&all).all(enough) {
                return Ok(newest.into_values().collect());
            }
            window = window.saturating_mul(4);
        }
    }

    fn follow(
        &self,
        topic: &str,
        stretches: &[Stretch],
        progress: impl Fn(usize, usize),
        mut take: impl FnMut(Envelope),
    ) -> Result<(), ReadError> {
        let partitions: Vec<i32> = stretches.iter().map(|stretch| stretch.partition).collect();
        self.0.assign(&assignment(topic, stretches)?)?;
        // one that was read to its end before is paused
        self.0.resume(&places(topic, &partitions))?;
        let name: Arc<str> = topic.into();
        let mut left = Left::of(stretches);
        let total = left.offsets();
        let mut last = Instant::now();
        loop {
            let remaining = left.offsets();
            progress((total - remaining) as usize, total as usize);
            if remaining == 0 {
                return Ok(());
            }
            match self.0.poll(POLL) {
                Some(Ok(message)) => {
                    if left.takes(message.partition(), message.offset()) {
                        take(envelope(&message, &name, Bytes::copy_from_slice));
                        last = Instant::now();
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => left.ended(partition),
                Some(Err(error)) if is_final(&error) => return Err(error.into()),
                // the client goes on by itself
                Some(Err(_)) | None if last.elapsed() < PATIENCE => {}
                _ => return Err(ReadError::Stalled { topic: topic.to_owned(), left: remaining }),
            }
            let done = left.newly_done();
            if !done.is_empty() {
                self.0.pause(&places(topic, &done))?;
            }
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
