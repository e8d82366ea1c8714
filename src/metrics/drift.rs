//! Whether the articles still look like those that the model was trained on: by language, how sure it is,
//! how many terms it knows, and the mix of topics that it was trained with.

use super::registry::{counters, histograms, reals};
use crate::article::TermCounts;
use crate::text::Language;
use prometheus::{GaugeVec, Histogram, IntCounter, Registry};

const CONFIDENCE: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// The metrics of drift.
#[derive(Clone, Debug)]
pub(super) struct Drift {
    languages: Vec<InLanguage>,
    prior: GaugeVec,
}

/// The metrics of one language, looked up once: they change with every article.
#[derive(Clone, Debug)]
struct InLanguage {
    code: &'static str,
    confidence: Histogram,
    known: IntCounter,
    unknown: IntCounter,
}

impl Drift {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let confidence = histograms(
            registry,
            "rasid_confidence_ratio",
            "Confidence of the first topic",
            &CONFIDENCE,
            &["language"],
        )?;
        let terms = counters(
            registry,
            "rasid_terms_total",
            "Terms of the tagged articles, by whether the model has a weight for them",
            &["language", "vocabulary"],
        )?;
        let languages = Language::ALL.map(|language| InLanguage {
            code: language.code(),
            confidence: confidence.with_label_values(&[language.code()]),
            known: terms.with_label_values(&[language.code(), "known"]),
            unknown: terms.with_label_values(&[language.code(), "unknown"]),
        });
        let prior = reals(
            registry,
            "rasid_model_topic_prior_ratio",
            "Share of the topic among the examples that the model was trained on",
            &["topic", "language"],
        )?;
        Ok(Self { languages: languages.into(), prior })
    }

    pub(super) fn observe(&self, language: &str, confidence: Option<f32>, terms: TermCounts) {
        // in a language that the model does not know there is neither
        let Some(language) = self.languages.iter().find(|known| known.code == language) else { return };
        if let Some(confidence) = confidence {
            language.confidence.observe(f64::from(confidence));
        }
        language.known.inc_by(u64::from(terms.known));
        language.unknown.inc_by(u64::from(terms.total.saturating_sub(terms.known)));
    }

    pub(super) fn priors<'a>(&self, priors: impl IntoIterator<Item = (&'static str, &'a str, f64)>) {
        self.prior.reset();
        for (language, topic, share) in priors {
            self.prior.with_label_values(&[topic, language]).set(share);
        }
    }
}
