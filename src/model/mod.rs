//! The classifier: text to tags, and all it takes to train, store and judge it.
//!
//! Knows nothing of tokio or Kafka; linfa is seen in `fit` alone.

mod adapt;
mod artifact;
mod calibrate;
mod counts;
mod cross;
mod duplicates;
mod evaluate;
mod examples;
mod explain;
mod features;
mod fit;
mod folds;
mod labels;
mod lint;
mod outlet;
mod score;
mod train;
mod tune;

pub use adapt::{Adaptation, FEWEST_ARTICLES, Options, TopicShift, adapt};
pub use artifact::{Figures, Head, Info, Model, sha256};
pub use calibrate::Calibration;
pub use counts::{Bag, Counts, UNIT};
pub use cross::{Validated, validate};
pub use evaluate::{Bin, Outcome, PerLabel, Report};
pub use examples::{Example, ExamplesError, read_all, read_examples, read_labelled};
pub use features::{Document, Stem, Terms};
pub use fit::{Fitting, Method, Weights, fit};
pub use folds::FOLDS;
pub use labels::{Label, LabelSet, Task, labels, second_level};
pub use lint::{Check, Finding, Lint, Set, Severity, lint};
pub use score::{Score, Scorer, argmax};
pub use train::{Plan, Progress, Recipe, Text, taught, texts, train, unknown_language};
pub use tune::{Trial, tune};

use crate::article::{Abstained, ModelTag, StanceTag, Tags, TopicTag};
use crate::text::Language;
use std::sync::Arc;
use thiserror::Error;

/// A model that cannot be made or read.
#[derive(Debug, Error)]
pub enum ModelError {
    /// Training failed.
    #[error("training: {0}")]
    Fit(String),
    /// The file is damaged or is no model.
    #[error("model file: {0}")]
    File(String),
    /// The file was trained with other text rules.
    #[error(
        "model file: trained for normaliser version {model}, this Rasid has {}; train it again",
        crate::text::NORMALISER_VERSION
    )]
    Normaliser {
        /// Version in the file.
        model: u32,
    },
}

/// The model that ships inside the binary.
static BUNDLED: &[u8] = include_bytes!("../../models/rasid-news.safetensors");

impl Model {
    /// The model that ships with Rasid, with its counts.
    ///
    /// # Errors
    /// As [`Classifier::bundled`].
    pub fn bundled() -> Result<Self, ModelError> {
        Self::from_bytes(BUNDLED)
    }
}

/// A model compiled for tagging. Shared between threads; each brings its own [`Document`].
#[derive(Debug)]
pub struct Classifier {
    tag: ModelTag,
    info: Info,
    /// Topic code, English and Arabic name, by column.
    topics: Vec<(Arc<str>, Arc<str>, Arc<str>)>,
    stances: Vec<Arc<str>>,
    heads: Vec<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    language: Language,
    task: Task,
    scorer: Scorer,
    calibration: Calibration,
    thresholds: Vec<f32>,
}

/// The answer to one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// By label; they sum to one.
    pub probabilities: Vec<f32>,
    /// Index of the likeliest label.
    pub best: usize,
    /// Whether its probability is below the label's threshold.
    pub abstained: bool,
    /// The evidence behind it.
    pub score: Score,
}

impl Classifier {
    /// Reads and compiles a model file.
    ///
    /// # Errors
    /// As [`Model::from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        Ok(Self::new(Model::from_bytes(bytes)?, sha256(bytes)))
    }

    /// The model that ships with Rasid.
    ///
    /// # Errors
    /// [`ModelError`] only in a binary built from a tree whose model was not retrained.
    pub fn bundled() -> Result<Self, ModelError> {
        Self::from_bytes(BUNDLED)
    }

    /// Compiles `model`, whose file has the digest `sha256`.
    pub fn new(model: Model, sha256: String) -> Self {
        let heads = model.heads.iter().map(|((language, task), head)| Compiled {
            language: *language,
            task: *task,
            scorer: Scorer::new(&head.counts.terms, &head.weights, head.counts.labels(), head.terms),
            calibration: head.calibration,
            thresholds: head.thresholds.clone(),
        });
        Self {
            heads: heads.collect(),
            tag: ModelTag { name: model.info.name.clone(), version: model.info.version.clone(), sha256 },
            topics: (model.info.topics.iter())
                .map(|label| {
                    (label.code.as_str().into(), label.name.as_str().into(), label.name_ar.as_str().into())
                })
                .collect(),
            stances: model.info.stances.iter().map(|label| label.code.as_str().into()).collect(),
            info: model.info,
        }
    }

    /// What output records say of the model.
    pub fn tag(&self) -> &ModelTag {
        &self.tag
    }

    /// What the model is.
    pub fn info(&self) -> &Info {
        &self.info
    }

    fn head(&self, language: Language, task: Task) -> Option<&Compiled> {
        self.heads.iter().find(|head| head.language == language && head.task == task)
    }

    /// Answers `task` for a document; `allowed` (by label, empty for all) says which labels compete.
    /// `None` in a language that the model does not know.
    pub fn predict(&self, document: &Document, task: Task, allowed: &[bool]) -> Option<Prediction> {
        self.predict_in(document, document.language()?, task, allowed)
    }

    fn predict_in(
        &self,
        document: &Document,
        language: Language,
        task: Task,
        allowed: &[bool],
    ) -> Option<Prediction> {
        let head = self.head(language, task)?;
        let score = head.scorer.score(document);
        let probabilities = head.calibration.probabilities(&score, allowed);
        let best = argmax(&probabilities);
        let abstained = score.known == 0 || probabilities[best] < head.thresholds[best];
        Some(Prediction { probabilities, best, abstained, score })
    }

    /// Tags the pieces of one text (title, body); with `explain`, says which terms carried the tag.
    pub fn classify(&self, document: &mut Document, pieces: &[&str], explain: bool) -> Tags {
        document.read(pieces);
        let language = document.language();
        let mut tags = Tags { language: language.map_or("und", Language::code), ..Tags::default() };
        let Some(language) = language else {
            tags.abstained = Some(Abstained::Language);
            return tags;
        };
        if let Some(topic) = self.predict_in(document, language, Task::Topic, &[]) {
            tags.topics = self.topics_above(language, &topic);
            if explain
                && !tags.topics.is_empty()
                && let Some(head) = self.head(language, Task::Topic)
            {
                tags.explain = explain::explain(&head.scorer, document, pieces, &topic, head.calibration);
            }
        }
        if tags.topics.is_empty() {
            let known = self.head(language, Task::Topic).is_some();
            tags.abstained = Some(if known { Abstained::LowConfidence } else { Abstained::Language });
        }
        tags.stance = self.predict_in(document, language, Task::Stance, &[]).map(|stance| StanceTag {
            label: self.stances[stance.best].clone(),
            confidence: stance.probabilities[stance.best],
        });
        tags
    }

    fn topics_above(&self, language: Language, topic: &Prediction) -> Vec<TopicTag> {
        let Some(head) = self.head(language, Task::Topic) else { return Vec::new() };
        if topic.score.known == 0 {
            return Vec::new();
        }
        let mut above: Vec<usize> = (0..topic.probabilities.len())
            .filter(|label| topic.probabilities[*label] >= head.thresholds[*label])
            .collect();
        above.sort_by(|a, b| topic.probabilities[*b].total_cmp(&topic.probabilities[*a]));
        above
            .into_iter()
            .map(|label| {
                let (code, name, name_ar) = self.topics[label].clone();
                TopicTag { code, name, name_ar, confidence: topic.probabilities[label] }
            })
            .collect()
    }
}
