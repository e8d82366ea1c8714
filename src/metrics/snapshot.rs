//! The numbers of the live page, out of the same counters that Prometheus scrapes.

use super::Metrics;
use std::collections::BTreeMap;

/// The counters at one moment, since the worker started.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Snapshot {
    /// Records read.
    pub consumed: u64,
    /// Articles tagged.
    pub tagged: u64,
    /// Articles tagged, by first topic, stance and language; `none` where there is no topic or stance.
    #[serde(skip)]
    pub cells: BTreeMap<[String; 3], u64>,
    /// Articles that the shadow model tagged too, by published topic and in what both agree.
    #[serde(skip)]
    pub shadow: BTreeMap<[String; 2], u64>,
    /// Articles without a topic, by reason.
    pub abstained: BTreeMap<String, u64>,
    /// Records in the dead letters, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Records not done yet, over all partitions.
    pub lag: i64,
    /// Age of the oldest of them, in seconds.
    pub lag_seconds: f64,
    /// Partitions assigned.
    pub assigned: i64,
    /// Records in flight.
    pub in_flight: i64,
}

impl Metrics {
    /// The numbers of the live page. Its cost follows from the number of labels, not of articles.
    pub fn snapshot(&self) -> Snapshot {
        let mut shown = Snapshot {
            consumed: self.consumed.get(),
            abstained: counts(&self.abstained, ["reason"]).map(|([reason], count)| (reason, count)).collect(),
            rejected: counts(&self.rejected, ["reason"]).map(|([reason], count)| (reason, count)).collect(),
            shadow: counts(&self.shadow.articles, ["topic", "agreement"]).collect(),
            assigned: self.assigned.get(),
            in_flight: self.in_flight.get(),
            ..Snapshot::default()
        };
        for (cell, count) in counts(&self.tagged, ["topic", "stance", "language"]) {
            shown.tagged += count;
            shown.cells.insert(cell, count);
        }
        shown.lag = values(&self.lag).sum::<f64>() as i64;
        shown.lag_seconds = values(&self.lag_seconds).fold(0.0, f64::max);
        shown
    }
}

/// What a gauge says, whatever its labels.
fn values(gauges: &impl prometheus::core::Collector) -> impl Iterator<Item = f64> {
    let families = gauges.collect();
    families
        .into_iter()
        .flat_map(|mut family| family.take_metric())
        .map(|metric| metric.get_gauge().get_value())
}

/// The counts that are not zero, with the values of these labels.
fn counts<const N: usize>(
    counters: &impl prometheus::core::Collector,
    labels: [&'static str; N],
) -> impl Iterator<Item = ([String; N], u64)> {
    let families = counters.collect();
    families.into_iter().flat_map(|mut family| family.take_metric()).filter_map(move |metric| {
        let count = metric.get_counter().get_value() as u64;
        let value = |name| {
            let label = metric.get_label().iter().find(|label| label.name() == name);
            label.map_or_else(String::new, |label| label.value().to_owned())
        };
        (count > 0).then(|| (labels.map(value), count))
    })
}
