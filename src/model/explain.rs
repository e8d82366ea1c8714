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
    let margin = compiled.margins(task, best, second);
    let Scratch { words, entries, found, margins, .. } = scratch;
    let pairs = &found.pairs;
    margins.clear();
    margins.gather(entries.iter().enumerate().map(|(word, entry)| {
        let row = entry.row(compiled.language);
        // the row after that of a stem is the same stem, from a word of grammar
        let stem = row - usize::from(entry.function());
        Margin { row: stem as u32, weight: margin(row), mentions: 1, words: [word as u32; 2] }
    }));
    margins.gather(pairs.iter().map(|pair| {
        let words = pair.words.map(|index| index as u32);
        Margin { row: pair.row as u32, weight: margin(pair.row), mentions: 1, words }
    }));
    margins.join();
    let spelling = |words_of: [u32; 2]| {
        let [first, last] = words_of.map(|index| index as usize);
        let (start, piece) = words.token(pieces, first)?;
        let end = if last == first { start.end } else { words.token(pieces, last)?.0.end };
        piece.get(start.start..end)
    };
    let scale = task.step * task.calibration.scale(prediction.score.total);
    let term = |margin: &Margin| TermWeight {
        term: spelling(margin.words).unwrap_or_default().into(),
        weight: margin.weight as f32 * scale,
        support: (compiled.weight(task, best, margin.row as usize) * margin.mentions) as f32 * scale,
    };
    margins.heaviest().iter().map(term).collect()
}
