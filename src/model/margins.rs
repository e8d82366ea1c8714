//! What the terms of a text add to a tag, and the heaviest of them.

use crate::text::Slots;

/// Terms that are named.
const TERMS: usize = 8;

/// What the terms of a text add to a tag. Made to be used again.
#[derive(Clone, Debug)]
pub struct Margins {
    /// Mentions that speak for the tag, of so many that were gathered.
    kept: Vec<u32>,
    gathered: usize,
    /// By row: one more than the index of its term.
    rows: Slots<u32>,
    terms: Vec<Margin>,
}

/// What one term adds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Margin {
    pub row: u32,
    /// Against the runner-up, in steps.
    pub weight: i32,
    pub mentions: i32,
    /// Indices of the first and last word of the first mention.
    pub words: [u32; 2],
}

impl Default for Margins {
    fn default() -> Self {
        Self { kept: Vec::new(), gathered: 0, rows: Slots::with_capacity(256), terms: Vec::new() }
    }
}

impl Margins {
    /// Forgets all mentions.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.gathered = 0;
    }

    /// Takes those of the next mentions that speak for the tag, by the weight of each.
    pub fn gather(&mut self, weights: impl ExactSizeIterator<Item = i32>) {
        let (mut kept, first) = (self.kept.len(), self.gathered);
        self.gathered += weights.len();
        self.kept.resize(kept + weights.len(), 0);
        // about half of them do, and nobody can foretell which: no branch
        for (mention, weight) in (first..).zip(weights) {
            self.kept[kept] = mention as u32;
            kept += usize::from(weight > 0);
        }
        self.kept.truncate(kept);
    }

    /// Puts the mentions of a term together; `margin` says what one adds.
    pub fn join(&mut self, margin: impl Fn(usize) -> Margin) {
        self.rows.clear();
        self.terms.clear();
        for mention in &self.kept {
            let mention = margin(*mention as usize);
            let index = self.rows.entry(u64::from(mention.row));
            if *index == 0 {
                self.terms.push(mention);
                *index = self.terms.len() as u32;
            } else {
                let term = &mut self.terms[*index as usize - 1];
                term.weight += mention.weight;
                term.mentions += 1;
            }
        }
    }

    /// The heaviest, in falling order; what weighs the same, in the order of the text.
    pub fn heaviest(&mut self) -> &[Margin] {
        // the first so many places hold the heaviest that were seen
        let heavier = |a: &Margin, b: &Margin| (b.weight, a.words) < (a.weight, b.words);
        let mut held = 0;
        for at in 0..self.terms.len() {
            let term = self.terms[at];
            if held == TERMS && !heavier(&term, &self.terms[TERMS - 1]) {
                continue;
            }
            let place = self.terms[..held].partition_point(|other| heavier(other, &term));
            held = TERMS.min(held + 1);
            self.terms[place..held].rotate_right(1);
            self.terms[place] = term;
        }
        self.terms.truncate(held);
        &self.terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn the_heaviest_are_those_of_a_sort(mentions in proptest::collection::vec((1u32..40, -3i32..9), 0..200)) {
            let margin = |mention: usize| Margin {
                row: mentions[mention].0,
                weight: mentions[mention].1,
                mentions: 1,
                words: [mention as u32; 2],
            };
            let mut terms = BTreeMap::new();
            for mention in (0..mentions.len()).map(margin).filter(|mention| mention.weight > 0) {
                let (weight, count, _) = terms.entry(mention.row).or_insert((0, 0, mention.words));
                *weight += mention.weight;
                *count += 1;
            }
            let mut expected: Vec<_> = terms.into_iter().map(|(row, (weight, count, words))| (-weight, words, count, row)).collect();
            expected.sort_unstable();
            expected.truncate(TERMS);
            let mut margins = Margins::default();
            let (some, more) = mentions.split_at(mentions.len() / 3);
            margins.gather(some.iter().map(|mention| mention.1));
            margins.gather(more.iter().map(|mention| mention.1));
            margins.join(margin);
            let found = margins.heaviest().iter();
            let found: Vec<_> = found.map(|term| (-term.weight, term.words, term.mentions, term.row)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
