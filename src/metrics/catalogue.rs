//! The catalogue: name, help text and labels of every metric, and the series that are there from the start.

use super::drift::Drift;
use super::registry::{counter, counters, gauge, gauges, histogram, reals};
use super::shadow::Shadow;
use super::{BREAKER, Metrics};
use prometheus::Registry;

const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];
const CLASSIFY_SECONDS: [f64; 10] =
    [0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.001, 0.01, 0.1, 1.0];
const RELOADS: [&str; 11] = [
    "loaded",
    "unchanged",
    "no_file",
    "unreadable",
    "corrupt",
    "normaliser",
    "canary",
    "labels",
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
            shadow: Shadow::new(r)?,
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
}
