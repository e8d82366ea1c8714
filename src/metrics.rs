//! What the worker counts: an explicit Prometheus registry, one method an event.

mod snapshot;

pub use snapshot::Snapshot;

use prometheus::core::Collector;
use prometheus::{
    Encoder, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

/// Every metric of a worker.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    /// Records taken from the input.
    pub consumed: IntCounter,
    /// Bytes of their keys and values.
    pub consumed_bytes: IntCounter,
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
    /// Confidence of the first topic.
    pub confidence: Histogram,
    lag: IntGaugeVec,
    /// Partitions assigned.
    pub assigned: IntGauge,
    rebalances: IntCounterVec,
    /// Records read and not yet acknowledged.
    pub in_flight: IntGauge,
    /// Whether `/readyz` says yes.
    pub ready: IntGauge,
    client_queue: IntGaugeVec,
    client_queue_bytes: IntGaugeVec,
    client_errors: IntGaugeVec,
    client_round_trip: GaugeVec,
    model_info: IntGaugeVec,
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

const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];
const CLASSIFY_SECONDS: [f64; 10] =
    [0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.001, 0.01, 0.1, 1.0];
const CONFIDENCE: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

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
            confidence: histogram(r, "rasid_confidence_ratio", "Confidence of the first topic", &CONFIDENCE)?,
            lag: gauges(
                r,
                "rasid_consumer_lag_records",
                "Records in the partition that the group has not done yet",
                &["topic", "partition"],
            )?,
            assigned: gauge(
                r,
                "rasid_assigned_partitions",
                "Partitions of the input assigned to this worker",
            )?,
            rebalances: counters(r, "rasid_rebalances_total", "Assignments and revocations", &["kind"])?,
            in_flight: gauge(r, "rasid_in_flight_records", "Records read and not yet acknowledged")?,
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
            client_errors: gauges(
                r,
                "rasid_kafka_client_request_errors",
                "Requests of the Kafka client that failed or timed out since it started",
                &["client"],
            )?,
            client_round_trip: register(
                r,
                GaugeVec::new(
                    Opts::new(
                        "rasid_kafka_client_round_trip_seconds",
                        "Mean round trip of the slowest broker in the last statistics interval",
                    ),
                    &["client"],
                )?,
            )?,
            model_info: gauges(
                r,
                "rasid_model_info",
                "The model in use, in its labels",
                &["name", "version", "sha256"],
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
        for kind in ["assign", "revoke"] {
            metrics.rebalances.with_label_values(&[kind]);
        }
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

    /// An article was published without a topic.
    pub fn abstained(&self, reason: &str) {
        self.abstained.with_label_values(&[reason]).inc();
    }

    /// The group changed: `assign` or `revoke`.
    pub fn rebalanced(&self, kind: &str, assigned: usize) {
        self.rebalances.with_label_values(&[kind]).inc();
        self.assigned.set(assigned as i64);
    }

    /// Lag of one partition.
    pub fn lag(&self, topic: &str, partition: i32, records: i64) {
        self.lag.with_label_values(&[topic, &partition.to_string()]).set(records);
    }

    /// A partition is no longer ours.
    pub fn forget_partition(&self, topic: &str, partition: i32) {
        // one that never had a lag is not there
        let _ = self.lag.remove_label_values(&[topic, &partition.to_string()]);
    }

    /// Statistics of one librdkafka client: `consumer` or `producer`.
    pub fn client(&self, client: &str, figures: &ClientFigures) {
        self.client_queue.with_label_values(&[client]).set(figures.queued);
        self.client_queue_bytes.with_label_values(&[client]).set(figures.queued_bytes);
        self.client_errors.with_label_values(&[client]).set(figures.errors);
        self.client_round_trip.with_label_values(&[client]).set(figures.round_trip_seconds);
    }

    /// The model in use.
    pub fn model(&self, tag: &crate::article::ModelTag) {
        self.model_info.reset();
        self.model_info.with_label_values(&[&tag.name, &tag.version, &tag.sha256]).set(1);
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

fn register<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> prometheus::Result<C> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

fn counter(registry: &Registry, name: &str, help: &str) -> prometheus::Result<IntCounter> {
    register(registry, IntCounter::new(name, help)?)
}

fn counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> prometheus::Result<IntCounterVec> {
    register(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

fn gauge(registry: &Registry, name: &str, help: &str) -> prometheus::Result<IntGauge> {
    register(registry, IntGauge::new(name, help)?)
}

fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
    register(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
}

fn histogram(registry: &Registry, name: &str, help: &str, buckets: &[f64]) -> prometheus::Result<Histogram> {
    register(registry, Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))?)
}
