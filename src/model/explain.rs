//! Which terms carried a tag, in the article's own spelling.

use super::Prediction;
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
    terms: Vec<Margin>,
}

#[derive(Clone, Copy, Debug)]
struct Margin {
    /// Of all mentions, in steps: over the runner-up, and for the label itself.
    weight: [i32; 2],
    /// Indices of the first and last word of the first mention.
    words: [usize; 2],
}

impl Default for Margins {
    fn default() -> Self {
        Self { rows: Slots::with_capacity(256), terms: Vec::new() }
    }
}

impl Margins {
    fn clear(&mut self) {
        self.rows.clear();
        self.terms.clear();
    }

    fn add(&mut self, row: usize, weight: [i32; 2], words: [usize; 2]) {
        let index = self.rows.entry(row as u64);
        if *index == 0 {
            self.terms.push(Margin { weight: [0; 2], words });
            *index = self.terms.len() as u32;
        }
        let sums = &mut self.terms[*index as usize - 1].weight;
        sums.iter_mut().zip(weight).for_each(|(sum, weight)| *sum += weight);
    }

    /// The heaviest, in falling order.
    fn heaviest(&mut self) -> &[Margin] {
        let order = |a: &Margin, b: &Margin| b.weight[0].cmp(&a.weight[0]).then(a.words.cmp(&b.words));
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
    margins.clear();
    for (index, entry) in entries.iter().enumerate() {
        let row = entry.row(compiled.language);
        let weight = margin(row);
        if weight[0] > 0 {
            // the row after that of a stem is the same stem, from a word of grammar
            margins.add(row - usize::from(entry.function()), weight, [index; 2]);
        }
    }
    for pair in pairs {
        let weight = margin(pair.row);
        if weight[0] > 0 {
            margins.add(pair.row, weight, pair.words);
        }
    }
    let spelling = |[first, last]: [usize; 2]| {
        let (start, piece) = words.token(pieces, first)?;
        let (end, _) = words.token(pieces, last)?;
        piece.get(start.start..end.end)
    };
    let scale = task.step * task.calibration.scale(prediction.score.total);
    let term = |margin: &Margin| TermWeight {
        term: spelling(margin.words).unwrap_or_default().to_owned(),
        weight: margin.weight[0] as f32 * scale,
        support: margin.weight[1] as f32 * scale,
    };
    margins.heaviest().iter().map(term).collect()
}
