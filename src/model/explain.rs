//! Which terms carried a tag, in the article's own spelling.

use super::compiled::{Compiled, TaskColumns};
use super::features::Scratch;
use super::margins::Margin;
use super::score::Prediction;
use crate::article::TermWeight;

/// The terms that weigh most for the best label of `prediction` against the runner-up, in log-odds
/// as calibrated; the first is the heaviest.
pub fn explain<'a>(
    compiled: &Compiled,
    task: &TaskColumns,
    scratch: &mut Scratch,
    pieces: &[&'a str],
    prediction: &Prediction,
) -> Vec<TermWeight<'a>> {
    let best = prediction.best;
    let second = (0..prediction.probabilities.len())
        .filter(|label| *label != best)
        .max_by(|a, b| prediction.probabilities[*a].total_cmp(&prediction.probabilities[*b]));
    let Some(second) = second else { return Vec::new() };
    let Scratch { words, entries, found, margins, .. } = scratch;
    let pairs = &found.pairs;
    margins.weights.clear();
    let labels = [best, second];
    compiled.margins(task, labels, entries, |entry| entry.row(compiled.language), &mut margins.weights);
    compiled.margins(task, labels, pairs, |pair| pair.row, &mut margins.weights);
    let heaviest = margins.heaviest(compiled.rows(), |mention| match entries.get(mention) {
        // the row after that of a stem is the same stem, from a word of grammar
        Some(entry) => {
            let stem = entry.row(compiled.language) - usize::from(entry.function());
            (stem as u32, [mention as u32; 2])
        }
        None => {
            let pair = pairs[mention - entries.len()];
            (pair.row as u32, pair.words.map(|index| index as u32))
        }
    });
    let spelling = |[first, last]: [u32; 2]| {
        let (piece, start) = words.span(pieces, first as usize)?;
        let end = if last == first { start.end } else { words.span(pieces, last as usize)?.1.end };
        piece.get(start.start..end)
    };
    let scale = task.step * task.calibration.scale(prediction.score.total);
    let term = |margin: &Margin| TermWeight {
        term: spelling(margin.words).unwrap_or_default().into(),
        weight: margin.weight as f32 * scale,
        support: (compiled.weight(task, best, margin.row as usize) * margin.mentions) as f32 * scale,
    };
    heaviest.iter().map(term).collect()
}
