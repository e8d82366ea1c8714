//! Which fold of the cross-validation an example stands in.

use super::examples::Example;
use super::labels::second_level;
use std::collections::BTreeMap;

/// Folds of the cross-validation that calibrates.
pub const FOLDS: usize = 10;

/// The folds of one language and task, given out in the order of the examples.
#[derive(Debug, Default)]
pub struct Folds(BTreeMap<String, usize>);

impl Folds {
    /// The number of the next example's group; one event or second-level concept is never parted.
    pub fn group(&mut self, example: &Example) -> usize {
        // whole second-level concepts are held out: texts of a sub-field that was never seen are
        // the nearest thing to another outlet's, and make calibration honest
        let concept = example.concept.as_deref().map(second_level);
        let group = example.event.as_deref().or(concept).unwrap_or(&example.id);
        let next = self.0.len();
        *self.0.entry(group.to_owned()).or_insert(next)
    }

    /// The fold that the next example stands in when a model is trained.
    pub fn fold(&mut self, example: &Example) -> usize {
        self.group(example) % FOLDS
    }
}
