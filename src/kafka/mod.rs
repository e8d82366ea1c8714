//! Kafka: client settings, what the clients report, and whether the topics are there.

mod age;
mod bounded;
mod delivery;
mod gaps;
mod group;
mod producing;
mod read;
mod reader;
mod replay;
mod sink;
mod source;
mod stored;
mod stretch;
mod topics;
mod transaction;

pub use bounded::{Bounded, Come, begin_at};
pub use read::{ReadError, TopicReader};
pub use replay::{Filter, Replay, Summary, Tally};
pub use sink::KafkaSink;
pub use source::KafkaSource;
pub use stored::StoredOffsets;
pub use stretch::Edge;
pub use topics::{ClientError, is_refused, missing_topics};
pub use transaction::Transactions;

use crate::config::{Guarantee, Settings, TRANSACTION_TIMEOUT_MS};
use crate::metrics::ClientFigures;
use rdkafka::ClientConfig;
use rdkafka::statistics::Statistics;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a broker may take to say which topics it has.
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);

/// Defaults of both clients, under the user's properties.
fn base(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("client.id", "rasid")
        // for lag, queues and round trips; costs well under a millisecond each time
        .set("statistics.interval.ms", "1000")
        .set("socket.keepalive.enable", "true")
        // a broker that comes back is met again within a second
        .set("reconnect.backoff.max.ms", "1000");
    config
}

/// Properties that a consumer would warn of.
const PRODUCER_ONLY: [&str; 7] =
    ["queue.buffering", "linger", "batch.", "compression", "delivery.", "message.timeout", "transaction"];
/// Properties that a producer would warn of.
const CONSUMER_ONLY: [&str; 11] = [
    "fetch.",
    "queued.",
    "auto.",
    "session.",
    "heartbeat.",
    "max.poll",
    "max.partition",
    "partition.assignment",
    "group.",
    "isolation",
    "check.crcs",
];

/// The user's properties, but for those that only the other client knows.
fn apply(config: &mut ClientConfig, kafka: &BTreeMap<String, String>, foreign: &[&str]) {
    for (name, value) in kafka {
        if !foreign.iter().any(|prefix| name.starts_with(prefix)) {
            config.set(name, value);
        }
    }
}

/// Settings of the consumer.
fn consumer_config(settings: &Settings) -> ClientConfig {
    let mut config = base(&settings.brokers);
    config
        .set("group.id", &settings.group)
        .set("auto.offset.reset", "earliest")
        .set("partition.assignment.strategy", "cooperative-sticky")
        // offsets are stored once the broker has acknowledged their outputs, see the pipeline;
        // with transactions the producer commits them
        .set("enable.auto.offset.store", "false")
        .set("enable.auto.commit", (settings.guarantee == Guarantee::AtLeastOnce).to_string())
        .set("auto.commit.interval.ms", "1000")
        // small queues keep memory down; refilled at once they cost no speed (measured: with the
        // default of 1000 ms a small queue starves the consumer)
        .set("queued.max.messages.kbytes", "1024")
        // an answer is in memory until its last record is taken: with the default of 1 MB a partition
        // they hold several times the queue
        .set("max.partition.fetch.bytes", "524288")
        .set("fetch.max.bytes", "2097152")
        .set("fetch.queue.backoff.ms", "2")
        .set("fetch.wait.max.ms", "100")
        .set("allow.auto.create.topics", "false");
    apply(&mut config, &settings.kafka, &PRODUCER_ONLY);
    config
}

/// Room in the producer's queue: several batches, and the largest record that is published.
const QUEUE_KBYTES: usize = 16 << 10;

/// What every producer of ours is, under the user's properties.
fn producer_base(brokers: &str) -> ClientConfig {
    let mut config = base(brokers);
    config
        // one acknowledgement a record, in order, whatever is retried on the way
        .set("enable.idempotence", "true")
        .set("acks", "all")
        // the broker's limit decides, not the client's
        .set("message.max.bytes", "104857600")
        // keys meet the partition that Java's producers give them
        .set("partitioner", "murmur2_random");
    config
}

/// Settings of the worker's producer.
fn producer_config(settings: &Settings) -> ClientConfig {
    let mut config = producer_base(&settings.brokers);
    config
        .set("queue.buffering.max.kbytes", QUEUE_KBYTES.to_string())
        .set("queue.buffering.max.messages", "50000")
        .set("linger.ms", "2")
        // an idempotent producer has one request of a partition under way; while more of it waits past
        // `linger.ms`, librdkafka's thread asks without a pause whether it may go, unless the connection has no room
        // for it: then it sleeps. A broker handles one produce request of a connection at a time, so no more are needed
        .set("max.in.flight.requests.per.connection", "1")
        // values are sent from where they lie: not one copy more
        .set("message.copy.max.bytes", "1024")
        .set("compression.type", "none");
    match settings.guarantee {
        // librdkafka tries for ever; the loop waits, and the metrics show it
        Guarantee::AtLeastOnce => config.set("message.timeout.ms", "0"),
        // it may not be longer than a transaction, which is what librdkafka takes by itself
        Guarantee::ExactlyOnce => config
            .set("transactional.id", transactional_id(settings))
            .set("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS.to_string()),
    };
    apply(&mut config, &settings.kafka, &CONSUMER_ONLY);
    config
}

/// One id a worker: the group's name where it is alone in it; else that of a static member of the group, so that a restart ends at once what the last
/// run left open; else one of its own. Two workers never share one, and which of them may commit what
/// is for the group to say (KIP-447).
fn transactional_id(settings: &Settings) -> String {
    use std::hash::{BuildHasher, Hasher};
    if settings.alone {
        return settings.group.clone();
    }
    match settings.kafka.get("group.instance.id") {
        Some(instance) => format!("{}-{instance}", settings.group),
        None => {
            // seeded by the operating system
            let random = std::hash::RandomState::new().build_hasher().finish();
            format!("{}-{random:016x}", settings.group)
        }
    }
}

/// What matters of a client's statistics.
fn figures(statistics: &Statistics) -> ClientFigures {
    let brokers = || statistics.brokers.values();
    let slowest = brokers().filter_map(|broker| broker.rtt.as_ref()).map(|rtt| rtt.avg).max();
    ClientFigures {
        queued: statistics.msg_cnt as i64,
        queued_bytes: statistics.msg_size as i64,
        errors: brokers().map(|broker| (broker.txerrs + broker.rxerrs + broker.req_timeouts) as i64).sum(),
        round_trip_seconds: slowest.unwrap_or(0) as f64 / 1e6,
    }
}

/// librdkafka's log lines, through tracing. They name topics and brokers, never articles.
fn log(level: rdkafka::config::RDKafkaLogLevel, facility: &str, message: &str) {
    use rdkafka::config::RDKafkaLogLevel as Level;
    match level {
        Level::Emerg | Level::Alert | Level::Critical | Level::Error => {
            tracing::error!(target: "librdkafka", facility, "{message}");
        }
        Level::Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
        Level::Notice | Level::Info => tracing::info!(target: "librdkafka", facility, "{message}"),
        Level::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
    }
}
