//! What the terms of a text add to a tag, and the heaviest of them.

use crate::text::Places;

/// Terms that are named.
const TERMS: usize = 8;

/// What the terms of a text add to a tag. Made to be used again.
#[derive(Clone, Debug, Default)]
pub struct Margins {
    /// What each mention of the text adds against the runner-up, in steps. All of a term add the same.
    pub weights: Vec<i32>,
    /// Which mentions speak for the tag, and room behind these.
    speaking: Vec<u32>,
    /// Their terms, and room behind these.
    terms: Vec<Margin>,
    /// By row: how many mentions were seen; zero between texts.
    seen: Vec<u32>,
}

/// What all mentions of a term add.
#[derive(Clone, Copy, Debug, Default)]
pub struct Margin {
    pub row: u32,
    /// Against the runner-up, in steps.
    pub weight: i32,
    pub mentions: i32,
    /// Indices of the first and last word of the first mention.
    pub words: [u32; 2],
}

impl Margins {
    /// The terms that speak most for the tag, in falling order; what weighs the same, in the order of the text.
    ///
    /// `rows` is how many rows there are; `of` gives the row of a mention and the indices of its first and last word.
    pub fn heaviest(&mut self, rows: usize, of: impl Fn(usize) -> (u32, [u32; 2])) -> &[Margin] {
        let Self { weights, speaking, terms, seen } = self;
        let room = weights.len();
        speaking.resize(room.max(speaking.len()), 0);
        terms.resize(room.max(terms.len()), Margin::default());
        seen.resize(rows.max(seen.len()), 0);
        // which speak, and which for the first time, nobody can foretell: no branch
        let mut all = 0;
        for (mention, weight) in (0..).zip(&*weights) {
            speaking[all] = mention;
            all += usize::from(*weight > 0);
        }
        let places = Places::of(seen);
        for (term, mention) in terms.iter_mut().zip(&speaking[..all]) {
            let (row, words) = of(*mention as usize);
            places.prefetch(row as usize);
            *term = Margin { row, weight: weights[*mention as usize], mentions: 0, words };
        }
        let mut len = 0;
        for at in 0..all {
            let term = terms[at];
            let seen = &mut seen[term.row as usize];
            terms[len] = term;
            len += usize::from(*seen == 0);
            *seen += 1;
        }
        // the first so many places hold the heaviest that were seen
        let heavier = |a: &Margin, b: &Margin| (b.weight, a.words) < (a.weight, b.words);
        let mut held = 0;
        for at in 0..len {
            let mut term = terms[at];
            term.mentions = std::mem::take(&mut seen[term.row as usize]) as i32;
            term.weight = term.weight.saturating_mul(term.mentions);
            if held == TERMS && !heavier(&term, &terms[TERMS - 1]) {
                continue;
            }
            let place = terms[..held].partition_point(|other| heavier(other, &term));
            held = TERMS.min(held + 1);
            terms[place..held].rotate_right(1);
            terms[place] = term;
        }
        &terms[..held]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn the_heaviest_are_those_of_a_sort(
            texts in proptest::collection::vec(proptest::collection::vec(0u32..40, 0..200), 1..4),
            weights in proptest::collection::vec(-3i32..9, 40),
        ) {
            let mut margins = Margins::default();
            for mentions in texts {
                let mut terms = BTreeMap::new();
                for (mention, row) in (0..).zip(&mentions).filter(|(_, row)| weights[**row as usize] > 0) {
                    let (weight, count, _) = terms.entry(*row).or_insert((0, 0, [mention; 2]));
                    *weight += weights[*row as usize];
                    *count += 1;
                }
                let mut expected: Vec<_> = terms.into_iter().map(|(row, (weight, count, words))| (-weight, words, count, row)).collect();
                expected.sort_unstable();
                expected.truncate(TERMS);
                margins.weights.clear();
                margins.weights.extend(mentions.iter().map(|row| weights[*row as usize]));
                let found = margins.heaviest(40, |mention| (mentions[mention], [mention as u32; 2])).iter();
                let found: Vec<_> = found.map(|term| (-term.weight, term.words, term.mentions, term.row)).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
