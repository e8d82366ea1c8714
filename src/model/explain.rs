//! Which terms carried a tag, in the article's own spelling.

use super::classifier::Prediction;
use super::compiled::{Compiled, TaskColumns};
use super::features::Scratch;
use crate::article::TermWeight;
use crate::text::Slots;

/// Terms that are named.
const TERMS: usize = 8;

/// What the terms of a text add to a tag.
#[derive(Clone, Debug)]
pub(super) struct Margins {
    /// By row: one more than the index of its term.
    rows: Slots<u32>,
    /// By mention, then by term.
    terms: Vec<Margin>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Margin {
    row: usize,
    /// Against the runner-up, in steps.
    weight: i32,
    mentions: i32,
    /// Indices of the first and last word of the first mention.
    words: [usize; 2],
}

impl Default for Margins {
    fn default() -> Self {
        Self { rows: Slots::with_capacity(256), terms: Vec::new() }
    }
}

impl Margins {
    /// Takes what speaks for the tag of `mentions`.
    fn gather(&mut self, mentions: impl ExactSizeIterator<Item = Margin>) {
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
    fn join(&mut self) {
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
    fn heaviest(&mut self) -> &[Margin] {
        let order = |a: &Margin, b: &Margin| b.weight.cmp(&a.weight).then(a.words.cmp(&b.words));
        if self.terms.len() > TERMS {
            self.terms.select_nth_unstable_by(TERMS, order);
            self.terms.truncate(TERMS);
        }
        self.terms.sort_unstable_by(order);
        &self.terms
    }
}

/// The terms that weigh most for the best label of `prediction` against the runner-up, in log-odds
/// as calibrated; the first is the heaviest.
pub fn explain(
    compiled: &Compiled,
    task: &TaskColumns,
    scratch: &mut Scratch,
    pieces: &[&str],
    prediction: &Prediction,
) -> Vec<TermWeight> {
    let best = prediction.best;
    let second = (0..prediction.probabilities.len())
        .filter(|label| *label != best)
        .max_by(|a, b| prediction.probabilities[*a].total_cmp(&prediction.probabilities[*b]));
    let Some(second) = second else { return Vec::new() };
    let margin = compiled.margins(task, best, second);
    let Scratch { words, entries, pairs, margins, .. } = scratch;
    let (single, pair) = (entries.len(), pairs.len());
    margins.gather((0..single + pair).map(|mention| match mention.checked_sub(single) {
        None => {
            let row = entries[mention].row(compiled.language);
            // the row after that of a stem is the same stem, from a word of grammar
            let stem = row - usize::from(entries[mention].function());
            Margin { row: stem, weight: margin(row), mentions: 1, words: [mention; 2] }
        }
        Some(pair) => {
            let pair = pairs[pair];
            Margin { row: pair.row, weight: margin(pair.row), mentions: 1, words: pair.words }
        }
    }));
    margins.join();
    let spelling = |[first, last]: [usize; 2]| {
        let (start, piece) = words.token(pieces, first)?;
        let end = if last == first { start.end } else { words.token(pieces, last)?.0.end };
        piece.get(start.start..end)
    };
    let scale = task.step * task.calibration.scale(prediction.score.total);
    let term = |margin: &Margin| TermWeight {
        term: spelling(margin.words).unwrap_or_default().to_owned(),
        weight: margin.weight as f32 * scale,
        support: (compiled.weight(task, best, margin.row) * margin.mentions) as f32 * scale,
    };
    margins.heaviest().iter().map(term).collect()
}
