//! Which terms carried a tag, in the article's own spelling.

use super::Prediction;
use super::calibrate::Calibration;
use super::features::Document;
use super::score::Scorer;
use crate::article::TermWeight;
use crate::text::Key;
use std::collections::HashMap;

/// Terms that are named.
const TERMS: usize = 8;

/// The terms that weigh most for the best label of `prediction` against the runner-up, in log-odds
/// as calibrated; the first is the heaviest.
pub fn explain(
    scorer: &Scorer,
    document: &Document,
    pieces: &[&str],
    prediction: &Prediction,
    calibration: Calibration,
) -> Vec<TermWeight> {
    let best = prediction.best;
    let second = (0..prediction.probabilities.len())
        .filter(|label| *label != best)
        .max_by(|a, b| prediction.probabilities[*a].total_cmp(&prediction.probabilities[*b]));
    let Some(second) = second else { return Vec::new() };
    let scale = calibration.scale(prediction.score.total);
    let mut sums: HashMap<Key, (f32, usize, bool)> = HashMap::new();
    document.terms(scorer.terms(), |key, (_, pair), index| {
        if let Some(weights) = scorer.weights(key) {
            let sum = sums.entry(key).or_insert((0.0, index, pair.is_some()));
            sum.0 += (weights[best] - weights[second]) * scale;
        }
    });
    let mut carried: Vec<(f32, usize, bool)> = sums.into_values().filter(|sum| sum.0 > 0.0).collect();
    carried.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    carried.truncate(TERMS);
    carried
        .into_iter()
        .map(|(weight, index, pair)| TermWeight { term: spelling(document, pieces, index, pair), weight })
        .collect()
}

fn spelling(document: &Document, pieces: &[&str], index: usize, pair: bool) -> String {
    let (piece, start, end) = document.stems[index].span;
    let start = match index.checked_sub(1).filter(|_| pair) {
        Some(before) if document.stems[before].span.0 == piece => document.stems[before].span.1,
        _ => start,
    };
    pieces
        .get(usize::from(piece))
        .and_then(|text| text.get(start as usize..end as usize))
        .unwrap_or_default()
        .to_owned()
}
