//! What the terms of a text add to a tag, and the heaviest of them.

use crate::text::Slots;

/// Terms that are named.
const TERMS: usize = 8;

/// What the terms of a text add to a tag.
#[derive(Clone, Debug)]
pub struct Margins {
    /// By row: one more than the index of its term.
    rows: Slots<u32>,
    /// By mention, then by term.
    terms: Vec<Margin>,
}

/// What one term adds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Margin {
    pub row: usize,
    /// Against the runner-up, in steps.
    pub weight: i32,
    pub mentions: i32,
    /// Indices of the first and last word of the first mention.
    pub words: [usize; 2],
}

impl Default for Margins {
    fn default() -> Self {
        Self { rows: Slots::with_capacity(256), terms: Vec::new() }
    }
}

impl Margins {
    /// Takes what speaks for the tag of `mentions`.
    pub fn gather(&mut self, mentions: impl ExactSizeIterator<Item = Margin>) {
        self.terms.clear();
        self.terms.resize(mentions.len(), Margin::default());
        // about half of them do, and nobody can foretell which: no branch
        let mut kept = 0;
        for mention in mentions {
            self.terms[kept] = mention;
            kept += usize::from(mention.weight > 0);
        }
        self.terms.truncate(kept);
    }

    /// Puts the mentions of a term together.
    pub fn join(&mut self) {
        self.rows.clear();
        let mut terms = 0;
        for mention in 0..self.terms.len() {
            let mention = self.terms[mention];
            let index = self.rows.entry(mention.row as u64);
            if *index == 0 {
                self.terms[terms] = mention;
                terms += 1;
                *index = terms as u32;
            } else {
                let term = &mut self.terms[*index as usize - 1];
                term.weight += mention.weight;
                term.mentions += 1;
            }
        }
        self.terms.truncate(terms);
    }

    /// The heaviest, in falling order.
    pub fn heaviest(&mut self) -> &[Margin] {
        let order = |a: &Margin, b: &Margin| b.weight.cmp(&a.weight).then(a.words.cmp(&b.words));
        if self.terms.len() > TERMS {
            self.terms.select_nth_unstable_by(TERMS, order);
            self.terms.truncate(TERMS);
        }
        self.terms.sort_unstable_by(order);
        &self.terms
    }
}
