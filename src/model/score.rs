//! The compiled classifier: terms to weights by one look-up, weights to probabilities.

use super::features::{Document, Terms};
use super::fit::Weights;
use crate::text::{Key, term_key};

/// Weights of one task in one language, ready to score.
#[derive(Clone, Debug)]
pub struct Scorer {
    terms: Terms,
    labels: usize,
    slots: Slots,
    weights: Vec<f32>,
}

/// What a text weighs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// Sum of the weights of its known terms, by label; natural logarithms.
    pub evidence: Vec<f32>,
    /// Terms that have weights, repetitions included.
    pub known: u32,
    /// All terms.
    pub total: u32,
}

impl Scorer {
    /// Compiles `weights`, whose rows are those of `vocabulary`.
    pub fn new(vocabulary: &[String], weights: &Weights, labels: usize, terms: Terms) -> Self {
        let mut slots = Slots::with_capacity(weights.rows.len());
        for (id, row) in weights.rows.iter().enumerate() {
            slots.insert(term_key(&vocabulary[*row as usize]), id as u32);
        }
        Self { terms, labels, slots, weights: weights.table.clone() }
    }

    /// The weights of a term, by label.
    #[inline]
    pub fn weights(&self, key: Key) -> Option<&[f32]> {
        let id = self.slots.get(key)? as usize;
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
        let mut score = Score { evidence: vec![0.0; self.labels], known: 0, total: 0 };
        document.terms(self.terms, |key, _, _| {
            score.total += 1;
            if let Some(weights) = self.weights(key) {
                score.known += 1;
                for (sum, weight) in score.evidence.iter_mut().zip(weights) {
                    *sum += weight;
                }
            }
        });
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

/// Open addressing with linear probing, at most half full: a miss costs one cache line.
#[derive(Clone, Debug)]
struct Slots {
    table: Vec<(Key, u32)>,
    shift: u32,
}

impl Slots {
    /// Key of an empty slot: no word packs to zero.
    const EMPTY: Key = 0;

    fn with_capacity(terms: usize) -> Self {
        let size = (terms * 2).next_power_of_two().max(2);
        Self { table: vec![(Self::EMPTY, 0); size], shift: 64 - size.trailing_zeros() }
    }

    #[inline]
    fn home(&self, key: Key) -> usize {
        // Fibonacci hashing (Knuth, TAOCP 3, 6.4)
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    fn insert(&mut self, key: Key, id: u32) {
        let mut at = self.home(key);
        while self.table[at].0 != Self::EMPTY && self.table[at].0 != key {
            at = (at + 1) & (self.table.len() - 1);
        }
        self.table[at] = (key, id);
    }

    #[inline]
    fn get(&self, key: Key) -> Option<u32> {
        let mut at = self.home(key);
        loop {
            let (found, id) = self.table[at];
            if found == key {
                return Some(id);
            }
            if found == Self::EMPTY {
                return None;
            }
            at = (at + 1) & (self.table.len() - 1);
        }
    }
}
