//! How often each term stands in texts of each label: all that naive Bayes learns from.
//!
//! Counts are whole numbers of 1/[`UNIT`], so that adding them is exact in any order: training on
//! old and new examples at once or one after the other gives the same bytes.

use super::features::{Document, Terms};
use crate::text::{Key, Word, term_key};
use std::collections::HashMap;

/// One occurrence of a term in a text with one label.
pub const UNIT: u32 = 64;

/// A text as rows of [`Counts`] with how often each stands in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bag {
    /// Row and times, rows rising.
    pub terms: Vec<(u32, u32)>,
    /// Rows of the terms that count half when the text is judged (not when it teaches), repetitions
    /// included.
    pub halves: Vec<u32>,
    /// All terms, repetitions included, halves as such.
    pub total: u32,
}

/// Counts of one task in one language.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    labels: usize,
    rows: HashMap<Key, u32>,
    /// The terms, by row.
    pub terms: Vec<String>,
    /// Texts that a term stands in, by row.
    pub texts: Vec<u32>,
    /// Counts by row, `labels` columns each.
    pub table: Vec<u32>,
    /// Texts by label, in [`UNIT`]s.
    pub documents: Vec<u32>,
}

impl Counts {
    /// No counts for `labels` labels.
    pub fn new(labels: usize) -> Self {
        Self { labels, documents: vec![0; labels], ..Self::default() }
    }

    /// Puts stored counts together again.
    pub fn from_parts(terms: Vec<String>, texts: Vec<u32>, table: Vec<u32>, documents: Vec<u32>) -> Self {
        let rows = terms.iter().zip(0..).map(|(term, row)| (term_key(term), row)).collect();
        Self { labels: documents.len(), rows, terms, texts, table, documents }
    }

    /// Counts one text for `shares`: labels with their share of it in [`UNIT`]s.
    pub fn add(&mut self, document: &Document, terms: Terms, shares: &[(usize, u32)]) {
        let bag = self.bag(document, terms);
        self.add_bag(&bag, shares);
    }

    /// The terms of a text by row; terms not met before get rows, but nothing is counted.
    pub fn bag(&mut self, document: &Document, terms: Terms) -> Bag {
        let mut times: HashMap<u32, u32> = HashMap::new();
        let mut halves = Vec::new();
        let mut total = 0;
        document.terms(terms, |key, words, index| {
            let row = self.row(key, words);
            total += 1;
            *times.entry(row).or_insert(0) += 1;
            if document.halves(terms, words, index) {
                halves.push(row);
            }
        });
        let mut terms: Vec<(u32, u32)> = times.into_iter().collect();
        terms.sort_unstable();
        total -= (halves.len() as u32).div_ceil(2);
        Bag { terms, halves, total }
    }

    /// Counts a text that [`Counts::bag`] made.
    pub fn add_bag(&mut self, bag: &Bag, shares: &[(usize, u32)]) {
        for (row, times) in &bag.terms {
            let row = *row as usize;
            self.texts[row] += 1;
            for (label, share) in shares {
                self.table[row * self.labels + label] += times * share;
            }
        }
        for (label, share) in shares {
            self.documents[*label] += share;
        }
    }

    /// Takes back what [`Counts::add_bag`] added.
    pub fn take_bag(&mut self, bag: &Bag, shares: &[(usize, u32)]) {
        for (row, times) in &bag.terms {
            let row = *row as usize;
            self.texts[row] -= 1;
            for (label, share) in shares {
                self.table[row * self.labels + label] -= times * share;
            }
        }
        for (label, share) in shares {
            self.documents[*label] -= share;
        }
    }

    /// By label, whether any text was counted for it: one without texts cannot be answered.
    pub fn taught(&self) -> Vec<bool> {
        self.documents.iter().map(|texts| *texts > 0).collect()
    }

    fn row(&mut self, key: Key, (first, second): (Word, Option<Word>)) -> u32 {
        let next = self.terms.len() as u32;
        *self.rows.entry(key).or_insert_with(|| {
            self.terms.push(match second {
                None => first.to_string(),
                Some(second) => format!("{first} {second}"),
            });
            self.texts.push(0);
            self.table.resize(self.table.len() + self.labels, 0);
            next
        })
    }

    /// The rows of the terms by their keys.
    pub fn rows_by_key(&self) -> HashMap<Key, u32> {
        self.rows.clone()
    }

    /// The keys of the terms, by row.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        self.terms.iter().map(|term| term_key(term))
    }

    /// The sum of these counts and `other`, which are of the same labels; terms in the order of
    /// their spelling. Sums stop at the largest number.
    pub fn plus(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        for (row, (term, key)) in other.terms.iter().zip(other.keys()).enumerate() {
            let next = sum.terms.len() as u32;
            let at = *sum.rows.entry(key).or_insert(next);
            if at == next {
                sum.terms.push(term.clone());
                sum.texts.push(0);
                sum.table.resize(sum.table.len() + sum.labels, 0);
            }
            let at = at as usize;
            sum.texts[at] = sum.texts[at].saturating_add(other.texts[row]);
            for (count, more) in sum.table[at * sum.labels..].iter_mut().zip(other.of(row)) {
                *count = count.saturating_add(*more);
            }
        }
        for (count, more) in sum.documents.iter_mut().zip(&other.documents) {
            *count = count.saturating_add(*more);
        }
        sum.sorted()
    }

    /// Number of labels.
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// The counts of one term, by label.
    pub fn of(&self, row: usize) -> &[u32] {
        &self.table[row * self.labels..][..self.labels]
    }

    /// The same counts with the terms in the order of their spelling, so that files are equal byte
    /// for byte; terms that no text was counted for are left out.
    pub fn sorted(&self) -> Self {
        self.ordered((0..self.terms.len() as u32).filter(|row| self.texts[*row as usize] > 0).collect()).0
    }

    /// The counts of some rows, in the order of their spelling, and these rows in that order.
    pub fn ordered(&self, mut rows: Vec<u32>) -> (Self, Vec<u32>) {
        rows.sort_by(|a, b| self.terms[*a as usize].cmp(&self.terms[*b as usize]));
        let counts = Self::from_parts(
            rows.iter().map(|row| self.terms[*row as usize].clone()).collect(),
            rows.iter().map(|row| self.texts[*row as usize]).collect(),
            rows.iter().flat_map(|row| self.of(*row as usize)).copied().collect(),
            self.documents.clone(),
        );
        (counts, rows)
    }
}
