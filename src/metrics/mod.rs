//! What the worker counts: an explicit Prometheus registry, one method an event.

mod catalogue;
mod drift;
mod registry;
mod shadow;
mod snapshot;

pub use snapshot::Snapshot;

use crate::article::{ModelTag, TermCounts};
use drift::Drift;
use prometheus::{
    Encoder, GaugeVec, Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, TextEncoder,
};
use shadow::Shadow;
use std::time::{SystemTime, UNIX_EPOCH};

/// Every metric of a worker.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    /// Records taken from the input.
    pub consumed: IntCounter,
    /// Bytes of their keys and values.
    pub consumed_bytes: IntCounter,
    /// Records that the broker deleted before they were read.
    pub skipped: IntCounter,
    read_errors: IntCounterVec,
    /// Bytes of the values published and acknowledged.
    pub published_bytes: IntCounter,
    /// Articles tagged and acknowledged, by first topic, stance and language.
    tagged: IntCounterVec,
    /// Dead letters acknowledged, by reason.
    rejected: IntCounterVec,
    /// Articles without a topic, by reason.
    abstained: IntCounterVec,
    /// Tombstones passed through.
    pub tombstones: IntCounter,
    /// Publishing attempts that failed and were made again.
    pub publish_retries: IntCounter,
    /// Record timestamp to acknowledged.
    pub end_to_end: Histogram,
    /// Reading and tagging one record.
    pub classify: Histogram,
    drift: Drift,
    shadow: Shadow,
    publish_errors: IntCounterVec,
    dropped: IntCounterVec,
    lag: IntGaugeVec,
    lag_seconds: GaugeVec,
    offset: IntGaugeVec,
    consumer_info: IntGaugeVec,
    /// Partitions assigned.
    pub assigned: IntGauge,
    rebalances: IntCounterVec,
    /// Records read and not yet acknowledged.
    pub in_flight: IntGauge,
    transactions: IntCounterVec,
    /// Whether `/readyz` says yes.
    pub ready: IntGauge,
    client_queue: IntGaugeVec,
    client_queue_bytes: IntGaugeVec,
    client_errors: IntCounterVec,
    client_round_trip: GaugeVec,
    model_info: IntGaugeVec,
    breaker: IntGauge,
    breaker_changes: IntCounterVec,
    model_reloads: IntCounterVec,
    model_reload_successful: IntGauge,
    model_reload_success_time: IntGauge,
}

/// What librdkafka's statistics say of one client.
#[derive(Clone, Debug, Default)]
pub struct ClientFigures {
    /// Messages in its queues.
    pub queued: i64,
    /// Their bytes.
    pub queued_bytes: i64,
    /// Failed and timed-out requests since it started.
    pub errors: i64,
    /// Mean round trip of the slowest broker.
    pub round_trip_seconds: f64,
}

/// How far a partition is behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lag {
    /// Records that are not done.
    pub records: Option<i64>,
    /// Age of the oldest of them; 0 where there is none.
    pub seconds: Option<f64>,
    /// Every record before this offset is done.
    pub offset: Option<i64>,
}

/// States of the circuit breaker, by the number that its gauge shows.
const BREAKER: [&str; 3] = ["closed", "half_open", "open"];

impl Metrics {
    /// An article was tagged and acknowledged; `topic` is the first one.
    pub fn tagged(&self, topic: Option<&str>, stance: Option<&str>, language: &str) {
        let labels = [topic.unwrap_or("none"), stance.unwrap_or("none"), language];
        self.tagged.with_label_values(&labels).inc();
    }

    /// A dead letter was acknowledged.
    pub fn rejected(&self, reason: &str) {
        self.rejected.with_label_values(&[reason]).inc();
    }

    /// Reading failed and is tried again; `error` is librdkafka's name.
    pub fn read_failed(&self, error: &str) {
        self.read_errors.with_label_values(&[error]).inc();
    }

    /// An article was published without a topic.
    pub fn abstained(&self, reason: &str) {
        self.abstained.with_label_values(&[reason]).inc();
    }

    /// The group changed: `assign` or `revoke`.
    pub fn rebalanced(&self, kind: &str, assigned: usize) {
        self.rebalances.with_label_values(&[kind]).inc();
        self.assigned.set(assigned as i64);
    }

    /// A transaction ended: `commit` or `abort`.
    pub fn transaction(&self, result: &str) {
        self.transactions.with_label_values(&[result]).inc();
    }

    /// What a tagged article tells of the data: how sure the model is of its first topic, and how many
    /// of its terms the model knows.
    pub fn drift(&self, language: &str, confidence: Option<f32>, terms: TermCounts) {
        self.drift.observe(language, confidence, terms);
    }

    /// A record was refused: `retriable`, `too_large`, `refused`, `abort` or `fatal`.
    pub fn publish_failed(&self, kind: &str) {
        self.publish_errors.with_label_values(&[kind]).inc();
    }

    /// An output besides a record's own was not taken by its topic, and was left out.
    pub fn dropped(&self, output: &str) {
        self.dropped.with_label_values(&[output]).inc();
    }

    /// Consumer group and input topic, by which dashboards find their workers.
    pub fn consumer(&self, group: &str, topic: &str) {
        self.consumer_info.with_label_values(&[group, topic]).set(1);
    }

    /// How far one partition is behind; what is not known is left out.
    pub fn lag(&self, topic: &str, partition: i32, lag: &Lag) {
        let partition = partition.to_string();
        let labels = [topic, &partition];
        if let Some(records) = lag.records {
            self.lag.with_label_values(&labels).set(records);
        }
        if let Some(seconds) = lag.seconds {
            self.lag_seconds.with_label_values(&labels).set(seconds);
        }
        if let Some(offset) = lag.offset {
            self.offset.with_label_values(&labels).set(offset);
        }
    }

    /// A partition is no longer ours.
    pub fn forget_partition(&self, topic: &str, partition: i32) {
        let partition = partition.to_string();
        let labels = [topic, &partition];
        // what was never known is not there
        let _ = self.lag.remove_label_values(&labels);
        let _ = self.lag_seconds.remove_label_values(&labels);
        let _ = self.offset.remove_label_values(&labels);
    }

    /// Statistics of one librdkafka client: `consumer` or `producer`.
    pub fn client(&self, client: &str, figures: &ClientFigures) {
        self.client_queue.with_label_values(&[client]).set(figures.queued);
        self.client_queue_bytes.with_label_values(&[client]).set(figures.queued_bytes);
        let errors = self.client_errors.with_label_values(&[client]);
        errors.inc_by(u64::try_from(figures.errors).unwrap_or(0).saturating_sub(errors.get()));
        self.client_round_trip.with_label_values(&[client]).set(figures.round_trip_seconds);
    }

    /// The model in use, with the share of each topic among its training examples (language, code, share).
    pub fn model<'a>(&self, tag: &ModelTag, priors: impl IntoIterator<Item = (&'static str, &'a str, f64)>) {
        self.model_info.reset();
        self.model_info.with_label_values(&[&tag.name, &tag.version, &tag.sha256]).set(1);
        self.drift.priors(priors);
    }

    /// The circuit breaker is `closed`, `half_open` or `open` now.
    pub fn breaker(&self, state: &str) {
        let number = BREAKER.iter().position(|one| *one == state).unwrap_or_default();
        self.breaker.set(number as i64);
        self.breaker_changes.with_label_values(&[state]).inc();
    }

    /// A reload of the model ended; `result` is one of the labels in the README.
    pub fn reloaded(&self, result: &str, successful: bool) {
        self.model_reloads.with_label_values(&[result]).inc();
        self.model_reload_successful.set(i64::from(successful));
        if successful {
            self.model_loaded_now();
        }
    }

    fn model_loaded_now(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.model_reload_success_time.set(now.as_secs() as i64);
    }

    /// The Prometheus text format.
    ///
    /// # Errors
    /// As the encoder, which fails on no metric of ours.
    pub fn text(&self) -> prometheus::Result<Vec<u8>> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}
