//! How far a shadow model agrees with the one that publishes.

use super::Metrics;
use super::registry::{counters, gauges};
use crate::article::ModelTag;
use prometheus::{IntCounterVec, IntGaugeVec, Registry};

/// What becomes of a reload; no canary is asked.
const RELOADS: [&str; 6] = ["loaded", "unchanged", "unreadable", "corrupt", "normaliser", "internal"];

/// The metrics of a shadow model; without one they have no series.
#[derive(Clone, Debug)]
pub(super) struct Shadow {
    pub(super) articles: IntCounterVec,
    info: IntGaugeVec,
    reloads: IntCounterVec,
}

impl Shadow {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self {
            articles: counters(
                registry,
                "rasid_shadow_articles_total",
                "Articles that the shadow model tagged too, by the published topic and in what both agree",
                &["topic", "agreement"],
            )?,
            info: gauges(
                registry,
                "rasid_shadow_model_info",
                "The shadow model, in its labels",
                &["name", "version", "sha256"],
            )?,
            reloads: counters(
                registry,
                "rasid_shadow_model_reloads_total",
                "Reloads of the shadow model, by what became of them",
                &["result"],
            )?,
        })
    }
}

impl Metrics {
    /// An article that the shadow tagged too is done; `topic` is the first one that was published.
    pub fn compared(&self, topic: Option<&str>, agreement: &str) {
        self.shadow.articles.with_label_values(&[topic.unwrap_or("none"), agreement]).inc();
    }

    /// The shadow model in use.
    pub fn shadow_model(&self, tag: &ModelTag) {
        self.shadow.info.reset();
        self.shadow.info.with_label_values(&[&tag.name, &tag.version, &tag.sha256]).set(1);
        for result in RELOADS {
            self.shadow.reloads.with_label_values(&[result]);
        }
    }

    /// A reload of the shadow model ended; `result` is one of the labels in the README.
    pub fn shadow_reloaded(&self, result: &str) {
        self.shadow.reloads.with_label_values(&[result]).inc();
    }
}
