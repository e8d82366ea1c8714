//! The exact classifier that training uses: terms to weights by one look-up.

use super::features::{Document, Terms};
use super::fit::Weights;
use super::vocabulary::Vocabulary;
use crate::text::{Key, Slots, term_key};
use smallvec::{SmallVec, smallvec};

/// Weights of one task in one language, ready to score.
#[derive(Clone, Debug)]
pub struct Scorer {
    terms: Terms,
    labels: usize,
    /// One more than the row.
    slots: Slots<u32>,
    weights: Vec<f32>,
}

/// A number for each label; of as many as models have, without memory of its own.
pub type ByLabel = SmallVec<[f32; 24]>;

/// What a text weighs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// Sum of the weights of its known terms, by label; natural logarithms.
    pub evidence: ByLabel,
    /// Terms that have weights, repetitions included.
    pub known: u32,
    /// All terms.
    pub total: u32,
}

/// Whether a label competes among those `allowed`, all where it is empty.
pub fn allows(allowed: &[bool], label: usize) -> bool {
    allowed.is_empty() || allowed.get(label).copied().unwrap_or(false)
}

/// The answer to one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// By label; they sum to one.
    pub probabilities: ByLabel,
    /// Index of the likeliest label.
    pub best: usize,
    /// Whether its probability is below the label's threshold.
    pub abstained: bool,
    /// The evidence behind it.
    pub score: Score,
}

impl Score {
    /// The label with the most evidence among those `allowed` (all where it is empty); the first of
    /// equal ones.
    pub fn best(&self, allowed: &[bool]) -> Option<usize> {
        let mut best: Option<usize> = None;
        for label in (0..self.evidence.len()).filter(|label| allows(allowed, *label)) {
            if best.is_none_or(|best| self.evidence[label] > self.evidence[best]) {
                best = Some(label);
            }
        }
        best
    }
}

impl Scorer {
    /// Compiles `weights`, whose rows are those of `vocabulary`.
    pub fn new(vocabulary: &Vocabulary, weights: &Weights, labels: usize, terms: Terms) -> Self {
        let mut slots = Slots::with_capacity(weights.rows.len());
        for (id, row) in weights.rows.iter().enumerate() {
            let key = term_key(&vocabulary[*row as usize]);
            if key != Slots::<u32>::EMPTY {
                *slots.entry(key) = id as u32 + 1;
            }
        }
        Self { terms, labels, slots, weights: weights.table.clone() }
    }

    /// The weights of a term, by label.
    #[inline]
    pub fn weights(&self, key: Key) -> Option<&[f32]> {
        let id = (self.slots.get(key) as usize).checked_sub(1)?;
        self.weights.get(id * self.labels..(id + 1) * self.labels)
    }

    /// Which terms count.
    pub fn terms(&self) -> Terms {
        self.terms
    }

    /// Number of labels.
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// Weighs a text.
    pub fn score(&self, document: &Document) -> Score {
        let mut score = Score { evidence: smallvec![0.0; self.labels], known: 0, total: 0 };
        let mut quoted = 0u32;
        document.terms(self.terms, |key, words, index| {
            let half = document.halves(self.terms, words, index);
            score.total += 1;
            quoted += u32::from(half);
            if let Some(weights) = self.weights(key) {
                score.known += 1;
                for (sum, weight) in score.evidence.iter_mut().zip(weights) {
                    *sum += if half { 0.5 * weight } else { *weight };
                }
            }
        });
        score.total -= quoted.div_ceil(2);
        score
    }
}

/// Index of the largest value; the first of equal ones.
pub fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}
