//! Finds the pairs of neighbouring words that have weights.
//!
//! Three of four pairs of a text are in no model, and a look-up in a large table waits for memory. So a
//! filter stands before the table (Bloom, *Space/time trade-offs in hash coding with allowable errors*,
//! 1970), small enough to stay in the processor's cache, with the bits of a pair in one integer. It lets
//! through all that are there and one or two in a hundred of the others.

use super::compiled::UNKNOWN;
use super::memo::Entry;
use crate::text::{Key, Language, Slots, prefetch};
use std::hint::select_unpredictable;

/// A pair of words that has weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// Its row.
    pub row: usize,
    /// Indices of its two words.
    pub words: [usize; 2],
}

/// The pairs of a text that have weights. Made to be used again.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// In the order of the text.
    pub pairs: Vec<Pair>,
    /// Words of a piece that make pairs: row of the stem, index.
    words: Vec<(u32, u32)>,
    /// Pairs: key, indices of the words; first all, then those that the filter lets through.
    likely: Vec<(Key, [u32; 2])>,
}

impl Found {
    /// Takes the words of a piece that make pairs; `first` is the index of its first word.
    pub fn keep(&mut self, entries: &[Entry], first: usize, language: Language, function_words: bool) {
        // which are kept nobody can foretell: no branch
        self.words.clear();
        self.words.resize(entries.len(), (0, 0));
        let mut kept = 0;
        for (index, entry) in (first..).zip(entries) {
            let row = entry.row(language) - usize::from(entry.function());
            self.words[kept] = (row as u32, index as u32);
            kept += usize::from(!entry.short() & (function_words | !entry.function()));
        }
        self.words.truncate(kept);
    }
}

/// Pairs with weights, by the rows of their words.
#[derive(Debug)]
pub struct Pairs {
    rows: Slots<u32>,
    /// By hashed key: the bits of all pairs.
    filter: Vec<u64>,
}

/// The key of a pair; zero where a word has no row, which no pair has.
#[inline]
fn key([first, second]: [u32; 2]) -> Key {
    let known = first as usize != UNKNOWN && second as usize != UNKNOWN;
    if known { u64::from(first) << 32 | u64::from(second) } else { Slots::<u32>::EMPTY }
}

/// The filter's integer for a key, by the high bits of the first, and the bits in it.
#[inline]
fn bits(key: Key) -> (u64, u64) {
    // both halves of the product: every bit of the key moves all of them
    let product = u128::from(key) * 0x9e37_79b9_7f4a_7c15;
    let hash = (product >> 64) as u64 ^ product as u64;
    (hash, [0, 6, 12].iter().fold(0, |bits, at| bits | 1 << (hash >> at & 63)))
}

impl Pairs {
    /// None yet, with room for so many before it grows.
    pub fn with_capacity(pairs: usize) -> Self {
        Self { rows: Slots::with_capacity(pairs), filter: vec![0] }
    }

    /// Loads the place of a pair that will be entered soon.
    pub fn prefetch(&self, words: [u32; 2]) {
        self.rows.prefetch(key(words));
    }

    /// The row of the pair of two words with these rows, to be changed; zero at first.
    pub fn entry(&mut self, words: [u32; 2]) -> &mut u32 {
        self.rows.entry(key(words))
    }

    /// Makes the filter; called when all pairs have been entered.
    pub fn foretell(&mut self) {
        // the filter keeps away what is not there, so a fuller table is as fast, and half of it is cached sooner
        self.rows = self.rows.dense();
        /// Bits of the filter for each pair, before they are rounded up.
        const BITS: usize = 12;
        let integers = (self.rows.keys().count() * BITS / 64).next_power_of_two();
        self.filter = vec![0; integers];
        for pair in self.rows.keys() {
            let (hash, bits) = bits(pair);
            let at = self.place(hash);
            self.filter[at] |= bits;
        }
    }

    #[inline]
    fn place(&self, hash: u64) -> usize {
        // not one bit more than there are integers
        (hash >> 32) as usize & (self.filter.len() - 1)
    }

    /// Adds the pairs of the words that `found` keeps, and calls `each` with their rows; returns how many
    /// pairs there are, with and without weights.
    pub fn find(&self, found: &mut Found, each: impl Fn(usize)) -> i32 {
        let Found { pairs, words, likely } = found;
        // what a pass reads, the one before it has loaded
        likely.clear();
        likely.extend(words.windows(2).map(|two| {
            let pair = key([two[0].0, two[1].0]);
            prefetch(&self.filter[self.place(bits(pair).0)]);
            (pair, [two[0].1, two[1].1])
        }));
        let all = likely.len();
        let mut passed = 0;
        for at in 0..all {
            let (pair, words) = likely[at];
            let (hash, bits) = bits(pair);
            let known = (self.filter[self.place(hash)] & bits == bits) & (pair != Slots::<u32>::EMPTY);
            // one of four passes, and nobody can foretell which: no branch
            likely[passed] = (pair, words);
            self.rows.prefetch(select_unpredictable(known, pair, Slots::<u32>::EMPTY));
            passed += usize::from(known);
        }
        likely.truncate(passed);
        for (pair, words) in likely {
            let row = self.rows.get(*pair) as usize;
            if row != 0 {
                each(row);
                pairs.push(Pair { row, words: words.map(|index| index as usize) });
            }
        }
        all as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Marks;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn pairs_are_found_as_in_a_map(
            known in proptest::collection::vec(([3u32..60, 3u32..60], 1u32..9000), 0..400),
            text in proptest::collection::vec((0u32..60, any::<bool>(), any::<bool>()), 0..200),
            function_words: bool,
        ) {
            let (mut pairs, mut map) = (Pairs::with_capacity(1), HashMap::new());
            for (words, row) in &known {
                *pairs.entry(*words) = *row;
                map.insert(*words, *row);
            }
            pairs.foretell();
            let entries: Vec<Entry> = text
                .iter()
                .map(|(row, function, short)| {
                    Entry::new([*row + u32::from(*function); 2], Marks::default(), *function, *short)
                })
                .collect();
            let kept: Vec<usize> = (0..text.len())
                .filter(|index| !text[*index].2 && (function_words || !text[*index].1))
                .collect();
            let expected: Vec<Pair> = kept
                .windows(2)
                .filter_map(|two| {
                    let row = *map.get(&[text[two[0]].0, text[two[1]].0])? as usize;
                    Some(Pair { row, words: [two[0] + 5, two[1] + 5] })
                })
                .collect();
            let mut found = Found::default();
            found.keep(&entries, 5, Language::Arabic, function_words);
            prop_assert_eq!(pairs.find(&mut found, |_| ()) as usize, kept.len().saturating_sub(1));
            prop_assert_eq!(found.pairs, expected);
        }
    }

    #[test]
    fn the_filter_lets_few_others_through() {
        let mut pairs = Pairs::with_capacity(1);
        for first in 3..300 {
            (3..300).for_each(|second| *pairs.entry([first, second * 7]) = 1);
        }
        pairs.foretell();
        let passes = |words| {
            let (hash, bits) = bits(key(words));
            pairs.filter[pairs.place(hash)] & bits == bits
        };
        let others = (3..300u32).flat_map(|first| (3..300u32).map(move |second| [first * 3, second * 7 + 1]));
        let passed = others.filter(|words| passes(*words)).count();
        assert!(passed < 297 * 297 / 20, "{passed}");
    }
}
