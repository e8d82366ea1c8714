//! A labelled example, wherever it came from, and what can be wrong with it.

use super::counts::UNIT;
use super::labels::{Label, LabelSet, Task, labels};
use super::near::nearest;
use crate::text::Language;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::path::PathBuf;
use thiserror::Error;

/// One labelled text.
#[derive(Clone, Debug)]
pub struct Example {
    /// Unique within the set; made of title and text where the source gives none.
    pub id: String,
    /// Title, may be empty.
    pub title: String,
    /// The text, may be empty where there is a title.
    pub text: String,
    /// Topic codes, the main one first; empty where only the stance is labelled.
    pub topics: Vec<String>,
    /// Stance label.
    pub stance: Option<String>,
    /// What the stance is toward.
    pub target: Option<String>,
    /// Examples of one event never stand on both sides of a fold.
    pub event: Option<String>,
    /// The second- or third-level concept that the example illustrates.
    pub concept: Option<String>,
    /// The language, where the set says it; otherwise the text does.
    pub lang: Option<Language>,
    /// How the text speaks: report, editorial, quote, post.
    pub form: Option<String>,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// Whether this is a keyword list and no running text.
    pub keywords: bool,
    /// How much it counts, in [`UNIT`]s.
    pub weight: u32,
    /// Where it was read, for messages.
    pub place: String,
}

/// What an id that was made of the text begins with.
pub const DERIVED: &str = "sha256:";

impl Example {
    /// A text that has no label yet.
    pub fn new(id: String, title: String, text: String, place: String) -> Self {
        Self {
            id,
            title,
            text,
            topics: Vec::new(),
            stance: None,
            target: None,
            event: None,
            concept: None,
            lang: None,
            form: None,
            published: None,
            keywords: false,
            weight: UNIT,
            place,
        }
    }

    /// The labels for `task`, main one first.
    pub fn labels(&self, task: Task) -> &[String] {
        match task {
            Task::Topic => &self.topics,
            Task::Stance => self.stance.as_slice(),
        }
    }
}

impl LabelSet {
    /// Labels that are called by their codes; IPTC's or the three stances where there are none.
    pub fn of_codes(topics: &BTreeSet<String>, stances: &BTreeSet<String>) -> Self {
        let label = |code: &String| Label { code: code.clone(), name: code.clone(), name_ar: code.clone() };
        // a model file has labels for both tasks
        let of = |task, codes: &BTreeSet<String>| {
            if codes.is_empty() { labels(task) } else { codes.iter().map(label).collect() }
        };
        Self { topics: of(Task::Topic, topics), stances: of(Task::Stance, stances) }
    }

    /// The labels that occur in `examples`, called by their codes.
    pub fn of_examples(examples: &[Example]) -> Self {
        let of = |task| examples.iter().flat_map(|example| example.labels(task)).cloned().collect();
        Self::of_codes(&of(Task::Topic), &of(Task::Stance))
    }
}

/// Examples that cannot be read.
#[derive(Debug, Error)]
pub enum ExamplesError {
    /// A file or folder cannot be opened.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is no example.
    #[error("{place}: {message}")]
    Line {
        /// File and line.
        place: String,
        /// What is wrong and what to write.
        message: String,
    },
    /// A label that is none of the task's.
    #[error("{place}: {message}")]
    Label {
        /// File and line.
        place: String,
        /// What is wrong and what to write.
        message: String,
    },
    /// Nothing there.
    #[error(
        "no examples under {0}: expected .jsonl, .csv or .tsv files, .txt articles in folders named after their topics, or .txt lists of keywords"
    )]
    None(String),
}

/// Whether the labels of an example are out of `set`, or any where there is none.
///
/// # Errors
/// The first one that is not, by place.
pub fn check_labels(example: &Example, set: Option<&LabelSet>) -> Result<(), ExamplesError> {
    for task in Task::ALL {
        for label in example.labels(task) {
            let (name, place) = (task.name(), example.place.clone());
            if label.trim().is_empty() {
                return Err(ExamplesError::Label {
                    place,
                    message: format!("an empty {name}: give a label"),
                });
            }
            let Some(known) = set.map(|set| set.of(task)) else { continue };
            if !known.iter().any(|one| one.code == *label) {
                let instead = match (nearest(label, known), known.first()) {
                    (Some(near), _) if near.name == near.code => format!("did you mean `{}`?", near.code),
                    (Some(near), _) => format!("did you mean `{}` ({})?", near.code, near.name),
                    (None, Some(first)) => format!("write one such as `{}`", first.code),
                    (None, None) => "the label set has none".into(),
                };
                let message = format!("unknown {name} `{label}`: {instead}");
                return Err(ExamplesError::Label { place, message });
            }
        }
    }
    Ok(())
}
