//! How often each term stands in texts of each label: all that naive Bayes learns from.
//!
//! Counts are whole numbers of 1/[`UNIT`], so that adding them is exact in any order: training on
//! old and new examples at once or one after the other gives the same bytes.

use super::features::{Document, Terms};
use super::vocabulary::Vocabulary;
use crate::text::{Key, Slots, Word, term_key};
use std::sync::Arc;

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

impl Bag {
    fn of(
        document: &Document,
        terms: Terms,
        mut row: impl FnMut(Key, (Word, Option<Word>)) -> Option<u32>,
    ) -> Self {
        let mut rows = Vec::with_capacity(document.stems.len());
        let mut bag = Self::default();
        document.terms(terms, |key, words, index| {
            bag.total += 1;
            let Some(row) = row(key, words) else { return };
            rows.push(row);
            if document.halves(terms, words, index) {
                bag.halves.push(row);
            }
        });
        rows.sort_unstable();
        bag.terms.extend(rows.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)));
        bag.total -= (bag.halves.len() as u32).div_ceil(2);
        bag
    }
}

/// Counts of one task in one language.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    labels: usize,
    /// One more than the row; shared with copies that have the same terms.
    rows: Arc<Slots<u32>>,
    /// The terms, by row.
    pub terms: Arc<Vocabulary>,
    /// Texts that a term stands in, by row.
    pub texts: Vec<u32>,
    /// Counts by row, `labels` columns each.
    pub table: Vec<u32>,
    /// Texts by label, in [`UNIT`]s.
    pub documents: Vec<u32>,
    /// By row: the number of the text that counted last, from one on.
    last: Vec<u32>,
    /// Number of the text that is counted now.
    number: u32,
}

impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        self.labels == other.labels
            && self.terms == other.terms
            && self.texts == other.texts
            && self.table == other.table
            && self.documents == other.documents
    }
}

impl Counts {
    /// No counts for `labels` labels.
    pub fn new(labels: usize) -> Self {
        Self { labels, documents: vec![0; labels], ..Self::default() }
    }

    /// Puts stored counts together again.
    pub fn from_parts(terms: Vocabulary, texts: Vec<u32>, table: Vec<u32>, documents: Vec<u32>) -> Self {
        let mut rows = Slots::with_capacity(terms.len());
        for (row, term) in (1..).zip(terms.iter()) {
            let key = term_key(term);
            // a damaged file may have a term of no letters
            if key != Slots::<u32>::EMPTY {
                *rows.entry(key) = row;
            }
        }
        let (rows, terms) = (Arc::new(rows), Arc::new(terms));
        Self { labels: documents.len(), rows, terms, texts, table, documents, ..Self::default() }
    }

    /// Counts one text for `shares`: labels with their share of it in [`UNIT`]s.
    pub fn add(&mut self, document: &Document, terms: Terms, shares: &[(usize, u32)]) {
        if self.number == u32::MAX {
            self.number = 0;
            self.last.clear();
        }
        self.number += 1;
        self.last.resize(self.texts.len(), 0);
        document.terms(terms, |key, words, _| {
            let row = self.row(key, words) as usize;
            if row == self.last.len() {
                self.last.push(0);
            }
            if self.last[row] != self.number {
                self.last[row] = self.number;
                self.texts[row] += 1;
            }
            for (label, share) in shares {
                let count = &mut self.table[row * self.labels + label];
                *count = count.saturating_add(*share);
            }
        });
        for (label, share) in shares {
            self.documents[*label] = self.documents[*label].saturating_add(*share);
        }
    }

    /// The terms of a text by row; terms not met before get rows, but nothing is counted.
    pub fn bag(&mut self, document: &Document, terms: Terms) -> Bag {
        Bag::of(document, terms, |key, words| Some(self.row(key, words)))
    }

    /// The terms of a text by row; those not met before are left out.
    pub fn known_bag(&self, document: &Document, terms: Terms) -> Bag {
        Bag::of(document, terms, |key, _| self.row_of(key))
    }

    /// Counts a text that [`Counts::bag`] made.
    pub fn add_bag(&mut self, bag: &Bag, shares: &[(usize, u32)]) {
        for (row, times) in &bag.terms {
            let row = *row as usize;
            self.texts[row] += 1;
            for (label, share) in shares {
                let count = &mut self.table[row * self.labels + label];
                *count = count.saturating_add(times.saturating_mul(*share));
            }
        }
        for (label, share) in shares {
            self.documents[*label] = self.documents[*label].saturating_add(*share);
        }
    }

    /// Takes back what [`Counts::add_bag`] added.
    pub fn take_bag(&mut self, bag: &Bag, shares: &[(usize, u32)]) {
        for (row, times) in &bag.terms {
            let row = *row as usize;
            self.texts[row] -= 1;
            for (label, share) in shares {
                let count = &mut self.table[row * self.labels + label];
                *count = count.saturating_sub(times.saturating_mul(*share));
            }
        }
        for (label, share) in shares {
            self.documents[*label] = self.documents[*label].saturating_sub(*share);
        }
    }

    /// Leaves `share` of every count, rounded to a whole [`UNIT`]th.
    pub fn fade(&mut self, share: f64) {
        let counts = self.table.iter_mut().chain(&mut self.documents);
        counts.for_each(|count| *count = (f64::from(*count) * share).round() as u32);
    }

    /// By label, whether any text was counted for it: one without texts cannot be answered.
    pub fn taught(&self) -> Vec<bool> {
        self.documents.iter().map(|texts| *texts > 0).collect()
    }

    #[inline]
    fn row(&mut self, key: Key, words: (Word, Option<Word>)) -> u32 {
        self.row_of(key).unwrap_or_else(|| {
            let (first, second) = words;
            self.new_row(
                key,
                &match second {
                    None => first.to_string(),
                    Some(second) => format!("{first} {second}"),
                },
            )
        })
    }

    #[cold]
    fn new_row(&mut self, key: Key, term: &str) -> u32 {
        let row = self.terms.len() as u32;
        // a damaged file may have a term of no letters
        if key != Slots::<u32>::EMPTY {
            *Arc::make_mut(&mut self.rows).entry(key) = row + 1;
        }
        Arc::make_mut(&mut self.terms).push(term);
        self.texts.push(0);
        self.table.resize(self.table.len() + self.labels, 0);
        row
    }

    /// The row of a term.
    #[inline]
    pub fn row_of(&self, key: Key) -> Option<u32> {
        self.rows.get(key).checked_sub(1)
    }

    /// The sum of these counts and `other`, which are of the same labels, in the order of their spelling;
    /// and for both where each of their rows stands in it. Sums stop at the largest number; terms that no
    /// text was counted for are left out.
    pub(super) fn plus(self, other: Self) -> (Self, [Vec<u32>; 2]) {
        let labels = self.labels;
        let mut sum = self.documents.clone();
        add(&mut sum, &other.documents);
        let mut places = [vec![0; self.terms.len()], vec![0; other.terms.len()]];
        let sides = [self, other].map(Self::without_rows);
        let all = |side: usize| (0..sides[side].terms.len()).map(move |row| (side as u8, row as u32));
        let term = |(side, row): (u8, u32)| &sides[usize::from(side)].terms[row as usize];
        // two runs that are in order already are merged
        let mut rows: Vec<(u8, u32)> = all(0).chain(all(1)).collect();
        rows.sort_by(|a, b| term(*a).cmp(term(*b)));
        let (mut terms, mut texts, mut table) = (Vocabulary::default(), Vec::new(), Vec::new());
        for same in rows.chunk_by(|a, b| term(*a) == term(*b)) {
            let of = |(side, row): &(u8, u32)| (&sides[usize::from(*side)], *row as usize);
            let in_texts = same.iter().map(of).map(|(side, row)| side.texts[row]);
            let in_texts = in_texts.fold(0, u32::saturating_add);
            if in_texts == 0 {
                continue;
            }
            for (side, row) in same {
                places[usize::from(*side)][*row as usize] = terms.len() as u32;
            }
            let start = table.len();
            table.resize(start + labels, 0);
            same.iter().map(of).for_each(|(side, row)| add(&mut table[start..], side.of(row)));
            terms.push(term(same[0]));
            texts.push(in_texts);
        }
        drop((rows, sides));
        (Self::from_parts(terms, texts, table, sum), places)
    }

    /// Without what rows are found by, which takes as much memory as the rest and is of no use to who is
    /// about to be taken apart.
    fn without_rows(self) -> Self {
        Self { rows: Arc::default(), last: Vec::new(), ..self }
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
    pub fn sorted(self) -> Self {
        self.moved().0
    }

    /// As [`Counts::sorted`], and where each row stands now; `None` where all stand where they did.
    pub(super) fn moved(self) -> (Self, Option<Vec<u32>>) {
        if self.terms.iter().is_sorted() && self.texts.iter().all(|texts| *texts > 0) {
            return (self, None);
        }
        let old = self.without_rows();
        let used = (0..old.terms.len() as u32).filter(|row| old.texts[*row as usize] > 0);
        let (counts, order) = old.ordered(used.collect());
        let place = places(&order, old.terms.len());
        (counts, Some(place))
    }

    /// The counts of some rows, in the order of their spelling, and these rows in that order.
    pub fn ordered(&self, mut rows: Vec<u32>) -> (Self, Vec<u32>) {
        rows.sort_by(|a, b| self.terms[*a as usize].cmp(&self.terms[*b as usize]));
        let mut table = Vec::with_capacity(rows.len() * self.labels);
        rows.iter().for_each(|row| table.extend_from_slice(self.of(*row as usize)));
        let counts = Self::from_parts(
            rows.iter().map(|row| &self.terms[*row as usize]).collect(),
            rows.iter().map(|row| self.texts[*row as usize]).collect(),
            table,
            self.documents.clone(),
        );
        (counts, rows)
    }
}

/// Where each of so many rows stands in `order`; zero for those that it lacks.
pub(super) fn places(order: &[u32], rows: usize) -> Vec<u32> {
    let mut places = vec![0; rows];
    (0..).zip(order).for_each(|(new, old)| places[*old as usize] = new);
    places
}

/// Adds `more`, number by number, up to the largest.
fn add(counts: &mut [u32], more: &[u32]) {
    counts.iter_mut().zip(more).for_each(|(count, more)| *count = count.saturating_add(*more));
}
