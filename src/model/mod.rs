//! The classifier: text to tags, and all it takes to train, store and judge it.
//!
//! Knows nothing of tokio or Kafka; linfa is seen in `fit` alone.

mod adapt;
mod artifact;
mod calibrate;
mod canary;
mod choose;
mod classifier;
mod compiled;
mod cores;
mod corpus;
mod counts;
mod cross;
mod diff;
mod duplicates;
mod evaluate;
mod examples;
mod explain;
mod features;
mod fit;
mod folds;
mod kept;
mod labels;
mod learner;
mod learning;
mod lint;
mod margins;
mod mcnemar;
mod memo;
mod near;
mod outlet;
mod pairs;
mod parts;
mod recipe;
mod rows;
mod score;
mod shards;
mod sources;
mod tallies;
mod tally;
mod targets;
mod texts;
mod train;
mod tune;
mod vocabulary;

pub use adapt::{FEWEST_ARTICLES, Options, adapt};
pub use artifact::{Written, read_file, sha256};
pub use calibrate::Calibration;
pub use canary::{Canary, CanaryError, Comparison, Limits, LostLabels, keeps_labels};
pub use choose::{Candidate, choose};
pub use classifier::Classifier;
pub use counts::{Bag, Counts, UNIT};
pub use cross::{Validated, validate};
pub use diff::{Change, Diff, LabelChange, Moved, Shift, TEXT};
pub use evaluate::{Bin, Coverage, Outcome, PerLabel, Report};
pub use examples::{Example, ExamplesError, check_labels};
pub use features::{Document, Stem, Terms, Times};
pub use fit::{Fitting, Method, Weights, estimate, fit};
pub use folds::FOLDS;
pub use labels::{Label, LabelSet, Task, labels, second_level};
pub use learner::{Doubts, Learner};
pub use learning::{Learning, Learnt, TopTerm, learning};
pub use lint::{Check, Finding, Lint, Scope, Set, Severity, lint};
pub use mcnemar::McNemar;
pub use near::is_near;
pub use parts::{Adaptation, Figures, Head, Info, Model, TopicShift};
pub use recipe::{Plan, Progress, Recipe};
pub use score::{Prediction, Score, Scorer, allows, argmax};
pub use shards::{Idle, count};
pub use sources::{
    Columns, Reading, Source, Sources, Unused, moment, read_all, read_examples, read_labelled,
};
pub use tallies::{Tallies, nothing_to_tell, train};
pub use tally::faded;
pub use targets::{WatchList, WatchListError};
pub use texts::{Sample, Text, read as read_text};
pub use tune::{Trial, tune};
pub use vocabulary::Vocabulary;

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

// `BUNDLED_LENGTH`, `BUNDLED_SHA256`, and the file in compressed pieces, `BUNDLED_TAGGING` and `BUNDLED_REST`: from
// `build.rs`
include!(concat!(env!("OUT_DIR"), "/model.rs"));

/// The file of the model that ships inside the binary; zeros in place of what is not in `parts`.
///
/// # Errors
/// [`ModelError::File`] only in a binary that is damaged: `build.rs` packed it.
fn bundled_file(parts: &[&[(std::ops::Range<usize>, &[u8])]]) -> Result<Vec<u8>, ModelError> {
    let broken = |error: std::io::Error| ModelError::File(format!("the one inside this program: {error}"));
    let mut file = vec![0; BUNDLED_LENGTH];
    let mut zstd = zstd::bulk::Decompressor::new().map_err(broken)?;
    for (place, packed) in parts.iter().copied().flatten() {
        zstd.decompress_to_buffer(packed, &mut file[place.clone()]).map_err(broken)?;
    }
    Ok(file)
}

impl Model {
    /// The model that ships with Rasid, with its counts.
    ///
    /// # Errors
    /// As [`Classifier::bundled`].
    pub fn bundled() -> Result<Self, ModelError> {
        Self::from_bytes(&bundled_file(&[BUNDLED_TAGGING, BUNDLED_REST])?)
    }
}
