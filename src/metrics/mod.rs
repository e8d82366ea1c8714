//! What the worker counts: an explicit Prometheus registry, one method an event.

mod drift;
mod registry;
mod snapshot;

pub use snapshot::Snapshot;

use crate::article::{ModelTag, TermCounts};
use drift::Drift;
use prometheus::{
    Encoder, GaugeVec, Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, TextEncoder,
};
use registry::{counter, counters, gauge, gauges, histogram, reals};
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

const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];
const CLASSIFY_SECONDS: [f64; 10] =
    [0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.001, 0.01, 0.1, 1.0];
/// States of the circuit breaker, by the number that its gauge shows.
const BREAKER: [&str; 3] = ["closed", "half_open", "open"];
const RELOADS: [&str; 10] = [
    "loaded",
    "unchanged",
    "no_file",
    "unreadable",
    "corrupt",
    "normaliser",
    "canary",
    "less_accurate",
    "disagrees",
    "internal",
];

impl Metrics {
    /// All metrics at zero.
    ///
    /// # Errors
    /// Never with the names given here; prometheus checks them.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let r = &registry;
        let metrics = Self {
            consumed: counter(r, "rasid_records_consumed_total", "Records read from the input topic")?,
            consumed_bytes: counter(r, "rasid_consumed_bytes_total", "Bytes of the keys and values read")?,
            skipped: counter(
                r,
                "rasid_records_skipped_total",
                "Records that the broker deleted before they were read",
            )?,
            read_errors: counters(
                r,
                "rasid_read_errors_total",
                "Errors of reading, after each of which it is tried again, by librdkafka's name",
                &["error"],
            )?,
            published_bytes: counter(
                r,
                "rasid_published_bytes_total",
                "Bytes of the record values published and acknowledged",
            )?,
            tagged: counters(
                r,
                "rasid_articles_tagged_total",
                "Articles tagged, published and acknowledged",
                &["topic", "stance", "language"],
            )?,
            rejected: counters(
                r,
                "rasid_records_rejected_total",
                "Records sent to the dead letters and acknowledged",
                &["reason"],
            )?,
            abstained: counters(
                r,
                "rasid_articles_abstained_total",
                "Articles published without a topic",
                &["reason"],
            )?,
            tombstones: counter(r, "rasid_tombstones_total", "Records without a value, passed through")?,
            publish_retries: counter(
                r,
                "rasid_publish_retries_total",
                "Records whose publishing failed and was tried again",
            )?,
            end_to_end: histogram(
                r,
                "rasid_end_to_end_seconds",
                "From the timestamp of the record to the acknowledgement of its output",
                &SECONDS,
            )?,
            classify: histogram(
                r,
                "rasid_classify_seconds",
                "Reading and tagging one record, mean of its batch",
                &CLASSIFY_SECONDS,
            )?,
            drift: Drift::new(r)?,
            publish_errors: counters(
                r,
                "rasid_publish_errors_total",
                "Records that the broker or the client refused",
                &["kind"],
            )?,
            dropped: counters(
                r,
                "rasid_extra_outputs_dropped_total",
                "Outputs besides the tagged article that their topic did not take",
                &["output"],
            )?,
            lag: gauges(
                r,
                "rasid_consumer_lag_records",
                "Records in the partition that the group has not done yet",
                &["topic", "partition"],
            )?,
            lag_seconds: reals(
                r,
                "rasid_consumer_lag_seconds",
                "Age of the oldest record in the partition that the group has not done yet",
                &["topic", "partition"],
            )?,
            offset: gauges(
                r,
                "rasid_consumer_offset",
                "Next offset of the partition: every record before it is done",
                &["topic", "partition"],
            )?,
            consumer_info: gauges(
                r,
                "rasid_consumer_info",
                "Consumer group and input topic, in its labels",
                &["group", "topic"],
            )?,
            assigned: gauge(
                r,
                "rasid_assigned_partitions",
                "Partitions of the input assigned to this worker",
            )?,
            rebalances: counters(r, "rasid_rebalances_total", "Assignments and revocations", &["kind"])?,
            in_flight: gauge(r, "rasid_in_flight_records", "Records read and not yet acknowledged")?,
            transactions: counters(
                r,
                "rasid_transactions_total",
                "Kafka transactions that ended, by how: commit or abort",
                &["result"],
            )?,
            ready: gauge(r, "rasid_ready", "1 when the worker has its topics and its group")?,
            client_queue: gauges(
                r,
                "rasid_kafka_client_queue_records",
                "Records in the queues of the Kafka client",
                &["client"],
            )?,
            client_queue_bytes: gauges(
                r,
                "rasid_kafka_client_queue_bytes",
                "Bytes in the queues of the Kafka client",
                &["client"],
            )?,
            client_errors: counters(
                r,
                "rasid_kafka_client_request_errors_total",
                "Requests of the Kafka client that failed or timed out",
                &["client"],
            )?,
            client_round_trip: reals(
                r,
                "rasid_kafka_client_round_trip_seconds",
                "Mean round trip of the slowest broker in the last statistics interval",
                &["client"],
            )?,
            model_info: gauges(
                r,
                "rasid_model_info",
                "The model in use, in its labels",
                &["name", "version", "sha256"],
            )?,
            breaker: gauge(
                r,
                "rasid_circuit_breaker_state",
                "0 closed, 1 half-open: one batch is tried, 2 open: reading pauses",
            )?,
            breaker_changes: counters(
                r,
                "rasid_circuit_breaker_transitions_total",
                "Changes of the circuit breaker, by the new state",
                &["state"],
            )?,
            model_reloads: counters(
                r,
                "rasid_model_reloads_total",
                "Reloads of the model, by what became of them",
                &["result"],
            )?,
            model_reload_successful: gauge(
                r,
                "rasid_model_last_reload_successful",
                "0 when the last reload of the model failed and the old one goes on",
            )?,
            model_reload_success_time: gauge(
                r,
                "rasid_model_last_reload_success_timestamp_seconds",
                "When the model was last loaded, at the start or by a reload",
            )?,
            registry: registry.clone(),
        };
        let build = gauges(&registry, "rasid_build_info", "The build, in its labels", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        for reason in crate::article::Rejection::REASONS {
            metrics.rejected.with_label_values(&[reason]);
        }
        for reason in ["language", "low_confidence"] {
            metrics.abstained.with_label_values(&[reason]);
        }
        for state in BREAKER {
            metrics.breaker_changes.with_label_values(&[state]);
        }
        for result in RELOADS {
            metrics.model_reloads.with_label_values(&[result]);
        }
        for kind in ["assign", "revoke"] {
            metrics.rebalances.with_label_values(&[kind]);
        }
        for kind in ["retriable", "too_large", "refused", "abort", "fatal"] {
            metrics.publish_errors.with_label_values(&[kind]);
        }
        for client in ["consumer", "producer"] {
            metrics.client_errors.with_label_values(&[client]);
        }
        for result in ["commit", "abort"] {
            metrics.transactions.with_label_values(&[result]);
        }
        metrics.model_reload_successful.set(1);
        metrics.model_loaded_now();
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(metrics)
    }

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
