//! The numbers of the live page, out of the same counters that Prometheus scrapes.

use super::Metrics;
use prometheus::core::Collector;
use std::collections::BTreeMap;

/// What the live page shows, out of the same numbers that Prometheus scrapes.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Snapshot {
    /// Records read.
    pub consumed: u64,
    /// Articles tagged.
    pub tagged: u64,
    /// Records in the dead letters, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Articles by first topic.
    pub topics: BTreeMap<String, u64>,
    /// Articles by stance.
    pub stances: BTreeMap<String, u64>,
    /// Articles by language.
    pub languages: BTreeMap<String, u64>,
    /// Records not done yet, over all partitions.
    pub lag: i64,
    /// Partitions assigned.
    pub assigned: i64,
    /// Records in flight.
    pub in_flight: i64,
}

impl Metrics {
    /// The numbers of the live page.
    pub fn snapshot(&self) -> Snapshot {
        let mut shown = Snapshot {
            consumed: self.consumed.get(),
            assigned: self.assigned.get(),
            in_flight: self.in_flight.get(),
            ..Snapshot::default()
        };
        for family in self.tagged.collect() {
            for metric in family.get_metric() {
                let count = metric.get_counter().get_value() as u64;
                shown.tagged += count;
                for label in metric.get_label() {
                    let by = match label.name() {
                        "topic" => &mut shown.topics,
                        "stance" => &mut shown.stances,
                        _ => &mut shown.languages,
                    };
                    *by.entry(label.value().to_owned()).or_default() += count;
                }
            }
        }
        for metric in self.rejected.collect().iter().flat_map(|family| family.get_metric()) {
            let count = metric.get_counter().get_value() as u64;
            if let Some(label) = metric.get_label().first().filter(|_| count > 0) {
                shown.rejected.insert(label.value().to_owned(), count);
            }
        }
        let lags = self.lag.collect();
        let lags = lags.iter().flat_map(|family| family.get_metric());
        shown.lag = lags.map(|metric| metric.get_gauge().get_value() as i64).sum();
        shown
    }
}
