//! What the terms of a text add to a tag, and the heaviest of them.

/// Terms that are named.
const TERMS: usize = 8;

/// What the terms of a text add to a tag. Made to be used again.
#[derive(Clone, Debug, Default)]
pub struct Margins {
    /// Mentions that speak for the tag; once they are [joined](Margins::join), terms. Behind them is room.
    kept: Vec<Margin>,
    len: usize,
    /// By hashed row: the row, and one more than the index of its term; zero where there is none. Not `Slots`, whose
    /// keys are twice as wide: tagging took 2 to 5 % longer with it.
    places: Vec<(u32, u32)>,
}

/// What one mention of a term adds, or all together.
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
    /// Forgets all mentions.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Takes those of the next mentions that speak for the tag.
    pub fn gather(&mut self, mentions: impl ExactSizeIterator<Item = Margin>) {
        let room = self.len + mentions.len();
        if self.kept.len() < room {
            self.kept.resize(room, Margin::default());
        }
        let (kept, mut len) = (&mut *self.kept, self.len);
        // about half of them do, and nobody can foretell which: no branch
        for mention in mentions {
            kept[len] = mention;
            len += usize::from(mention.weight > 0);
        }
        self.len = len;
    }

    /// Puts the mentions of a term together.
    pub fn join(&mut self) {
        // at most half full; linear probing ends soon
        let size = (2 * self.len).next_power_of_two().max(2);
        self.places.clear();
        self.places.resize(size, (0, 0));
        let mut terms = 0;
        for at in 0..self.len {
            let mention = self.kept[at];
            // Fibonacci hashing (Knuth, TAOCP 3, 6.4)
            let mut place = (mention.row.wrapping_mul(0x9e37_79b9) >> (32 - size.trailing_zeros())) as usize;
            while self.places[place].1 != 0 && self.places[place].0 != mention.row {
                place = (place + 1) & (size - 1);
            }
            let term = &mut self.places[place];
            if term.1 == 0 {
                self.kept[terms] = mention;
                terms += 1;
                *term = (mention.row, terms as u32);
            } else {
                let term = &mut self.kept[term.1 as usize - 1];
                term.weight += mention.weight;
                term.mentions += mention.mentions;
            }
        }
        self.len = terms;
    }

    /// The heaviest, in falling order; what weighs the same, in the order of the text.
    pub fn heaviest(&mut self) -> &[Margin] {
        // the first so many places hold the heaviest that were seen
        let heavier = |a: &Margin, b: &Margin| (b.weight, a.words) < (a.weight, b.words);
        let mut held = 0;
        for at in 0..self.len {
            let term = self.kept[at];
            if held == TERMS && !heavier(&term, &self.kept[TERMS - 1]) {
                continue;
            }
            let place = self.kept[..held].partition_point(|other| heavier(other, &term));
            held = TERMS.min(held + 1);
            self.kept[place..held].rotate_right(1);
            self.kept[place] = term;
        }
        &self.kept[..held]
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
            let some = &mentions[..mentions.len() / 3];
            margins.gather((0..some.len()).map(margin));
            margins.gather((some.len()..mentions.len()).map(margin));
            margins.join();
            let found = margins.heaviest().iter();
            let found: Vec<_> = found.map(|term| (-term.weight, term.words, term.mentions, term.row)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
