//! What a model is made of. How it becomes a file: `artifact.rs`.

use super::calibrate::Calibration;
use super::counts::Counts;
use super::evaluate::Report;
use super::features::Terms;
use super::fit::{Fitting, Weights};
use super::kept::Kept;
use super::labels::{Label, Task};
use crate::text::Language;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that training found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What the model is.
    pub info: Info,
    /// By language and task.
    pub heads: BTreeMap<(Language, Task), Head>,
}

/// What the model is and how it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// [`NORMALISER_VERSION`](crate::text::NORMALISER_VERSION) at training.
    pub normaliser: u32,
    /// Topics, in the order of the columns.
    pub topics: Vec<Label>,
    /// Stances, in the order of the columns.
    pub stances: Vec<Label>,
    /// Number of examples, keyword lists included.
    pub examples: usize,
    /// Digest of the examples.
    pub examples_sha256: String,
    /// The newest date among the examples, or the one that forgetting reckoned from, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// Measured by cross-validation while training.
    pub figures: Vec<Figures>,
    /// What adaptation to an outlet did, by language; empty for a model that was only trained.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adaptation: Vec<Adaptation>,
}

impl Info {
    /// The labels of a task.
    pub fn labels(&self, task: Task) -> &[Label] {
        match task {
            Task::Topic => &self.topics,
            Task::Stance => &self.stances,
        }
    }
}

/// What cross-validation on the training examples measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Which language.
    pub language: Language,
    /// Which task.
    pub task: Task,
    /// Examples.
    pub examples: usize,
    /// Share right, folds parted by concept or event.
    pub accuracy: f64,
    /// Mean F1.
    pub macro_f1: f64,
    /// Calibration error.
    pub ece: f64,
    /// Share kept silent.
    pub abstained: f64,
}

impl Figures {
    /// Of a report.
    pub fn of(language: Language, task: Task, examples: usize, report: &Report) -> Self {
        let round = |value: f64| (value * 1e4).round() / 1e4;
        Self {
            language,
            task,
            examples,
            accuracy: round(report.accuracy),
            macro_f1: round(report.macro_f1),
            ece: round(report.ece),
            abstained: round(report.abstained),
        }
    }
}

/// One task in one language.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Which terms count.
    pub terms: Terms,
    /// How the weights came from the counts.
    pub fitting: Fitting,
    /// Evidence to probabilities.
    pub calibration: Calibration,
    /// By label: the least probability with which it is given.
    pub thresholds: Vec<f32>,
    /// What was counted.
    pub counts: Counts,
    /// What it weighs.
    pub weights: Weights,
    /// How many texts a word of a keyword list stands for.
    pub keyword_weight: u32,
    /// Texts that are kept, so that training can go on.
    pub kept: Vec<Kept>,
    /// Groups from this number on are not kept; `None` where all are.
    pub kept_below: Option<u64>,
    /// Texts that were counted.
    pub texts: usize,
}

/// What adaptation did to one language; stands in the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adaptation {
    /// The language.
    pub language: Language,
    /// Its articles.
    pub articles: usize,
    /// Rounds that were done.
    pub rounds: usize,
    /// Why there were no more.
    pub stopped: String,
    /// How many labelled occurrences the outlet stood for where it took weight from a term.
    #[serde(default)]
    pub weight: f32,
    /// Topics that alone competed; none where all did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub among: Vec<String>,
    /// Share of articles that the starting model expected to be wrong about: one minus its mean confidence.
    pub expected_errors: f64,
    /// Share of articles whose label changed.
    pub changed: f64,
    /// Share of articles that no topic is sure enough for, after adaptation.
    pub unsure: f64,
    /// By topic.
    pub topics: Vec<TopicShift>,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopicShift {
    /// The topic.
    pub code: String,
    /// Articles with this label at first.
    pub before: usize,
    /// Articles with it at last.
    pub after: usize,
    /// Articles with it both times.
    pub kept: usize,
}

impl TopicShift {
    /// Whether the outlet hardly has the topic, so that nothing was learnt of it.
    pub fn is_absent(&self) -> bool {
        self.after < 5
    }

    /// Whether the topic is another one than before: most of its articles left, or are new.
    pub fn is_drifted(&self) -> bool {
        2 * self.kept < self.before || 2 * self.kept < self.after
    }
}
