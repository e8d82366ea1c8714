//! Whether the brokers answer, take the credentials, and have what a worker needs; and what is wrong in words.

use super::sink::topic_of;
use super::{METADATA_TIMEOUT, PRODUCER_ONLY, apply, base};
use crate::config::Settings;
use crate::pipeline::Destination;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::topic_partition_list::TopicPartitionList;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use thiserror::Error;

/// How long the client's own words are waited for after a failure.
const WORDS: Duration = Duration::from_millis(500);

/// Why the brokers cannot be used at all.
#[derive(Debug, Error)]
pub enum ClientError {
    /// librdkafka refused a property, which no waiting mends.
    #[error("{0}; check the librdkafka properties")]
    Refused(KafkaError),
    /// No broker answers, or none takes the credentials.
    #[error("{0}")]
    Away(String),
}

/// Asks the brokers for the topics and the group. The answers, one line for each that cannot
/// be used; nothing where all can.
///
/// # Errors
/// [`ClientError`] when no broker answers or the settings are refused.
pub fn missing_topics(settings: &Settings) -> Result<Vec<String>, ClientError> {
    let mut config = base(&settings.brokers);
    config.set("statistics.interval.ms", "0").set("group.id", &settings.group);
    config.set("allow.auto.create.topics", "false").set("enable.auto.commit", "false");
    apply(&mut config, &settings.kafka, &PRODUCER_ONLY);
    let client: BaseConsumer<Quiet> =
        config.create_with_context(Quiet::default()).map_err(ClientError::Refused)?;
    let mut missing = Vec::new();
    let written = Destination::ALL.into_iter().filter_map(|to| Some((topic_of(settings, to)?, "Write")));
    for (topic, operation) in std::iter::once((&*settings.input, "Read")).chain(written) {
        match self::missing(&client, topic) {
            Ok(None) => {}
            Ok(Some(reason)) if reason.contains(DENIED) => {
                missing.push(format!("topic `{topic}`: {reason}: {}", grant(operation)));
            }
            Ok(Some(reason)) => missing.push(format!("topic `{topic}`: {reason}")),
            Err(error) => return Err(ClientError::Away(client.context().words(&client, &error))),
        }
    }
    if is_denied(&client, &settings.input) {
        missing.push(format!("group `{}`: {DENIED}: {}", settings.group, grant("Read")));
    }
    Ok(missing)
}

/// Whether the group may not be used. Asking for its offsets then only times out; a poll says why.
fn is_denied(client: &BaseConsumer<Quiet>, input: &str) -> bool {
    let is_denial = |error: KafkaError| error.rdkafka_error_code() == Some(Code::GroupAuthorizationFailed);
    let mut asked = TopicPartitionList::new();
    asked.add_partition(input, 0);
    client.committed_offsets(asked, METADATA_TIMEOUT).is_err_and(|error| {
        is_denial(error)
            || (0..10).any(|_| client.poll(WORDS / 10).is_some_and(|said| said.is_err_and(is_denial)))
    })
}

const DENIED: &str = "not authorized";

fn grant(operation: &str) -> String {
    format!("the user needs an ACL that allows {operation}")
}

/// Why `topic` cannot be used; `None` where it is there.
pub(super) fn missing<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
) -> Result<Option<String>, KafkaError> {
    let metadata = client.fetch_metadata(Some(topic), METADATA_TIMEOUT)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    Ok(match found.map(|found| (found.error().map(Code::from), found.partitions().len())) {
        Some((None, 1..)) => None,
        Some((Some(Code::TopicAuthorizationFailed), _)) => Some(DENIED.to_owned()),
        Some((Some(Code::UnknownTopicOrPartition | Code::UnknownTopic), _)) => {
            Some("there is no such topic".to_owned())
        }
        Some((Some(code), _)) => Some(code.to_string()),
        None | Some((None, 0)) => Some("it has no partitions".to_owned()),
    })
}

/// Whether librdkafka refused a property, which no waiting mends.
pub fn is_refused(error: &KafkaError) -> bool {
    matches!(error, KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_))
}

/// A client that keeps the reason of its last error instead of logging each.
#[derive(Default)]
pub(super) struct Quiet(Mutex<Option<String>>);

impl Quiet {
    /// What the client said of a failure; `error` alone is mostly that time was up.
    pub(super) fn words(&self, client: &BaseConsumer<Self>, error: &KafkaError) -> String {
        let start = Instant::now();
        loop {
            // errors come in polls
            let _ = client.poll(Duration::from_millis(50));
            if let Some(reason) = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone() {
                return reason;
            }
            if start.elapsed() > WORDS {
                // a listener that speaks another protocol closes without a word
                return format!("{error}; do `brokers` and `security.protocol` fit the listener?");
            }
        }
    }
}

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        // that all brokers are down follows from what is wrong with them
        if error.rdkafka_error_code() != Some(Code::AllBrokersDown) {
            let reason = if reason.is_empty() { error.to_string() } else { reason.to_owned() };
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        }
    }
}

impl ConsumerContext for Quiet {}
