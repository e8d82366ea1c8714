//! One tally to one head: cross-validate, calibrate, fit.

use super::ModelError;
use super::calibrate::Calibration;
use super::corpus::{PARTS, held_out};
use super::cross::judge;
use super::evaluate::Report;
use super::fit::{Weights, fit};
use super::folds::FOLDS;
use super::labels::Label;
use super::parts::Head;
use super::recipe::Recipe;
use super::score::ByLabel;
use super::tally::Tally;

/// A label below this probability is never given; one above the other always.
const THRESHOLDS: (f32, f32) = (0.15, 0.40);

/// The head of a tally, and how it does on kept texts by models that have not seen their fold. A
/// tally of one label is stored, but has no weights: it tells nothing apart.
pub(super) fn train_head(
    tally: Tally,
    all: &[Label],
    recipe: Recipe,
) -> Result<(Head, Option<Report>), ModelError> {
    let tally = tally.sorted();
    let mut calibration = Calibration { slope: 1.0, pad: 0.0, noise: recipe.noise };
    let mut least = vec![1.0; all.len()];
    let (mut weights, mut report) = (Weights::default(), None);
    if tally.counts.taught().iter().filter(|taught| **taught).count() >= 2 {
        let scores = held_out(&tally, &recipe, FOLDS, &PARTS[1..]);
        calibration = Calibration::fit(&scores, recipe.noise);
        let judged: Vec<(ByLabel, Vec<usize>)> = scores
            .into_iter()
            .step_by(PARTS.len())
            .map(|(score, right)| (calibration.probabilities(&score, &[]), right))
            .collect();
        least = thresholds(&judged, all.len());
        report = Some(judge(&judged, &least, all));
        drop(judged);
        weights = fit(&tally.counts, recipe.fitting)?;
    }
    let Tally { counts, kept, below, texts } = tally;
    let head = Head {
        terms: recipe.terms,
        fitting: recipe.fitting,
        keyword_weight: recipe.keyword_weight,
        calibration,
        thresholds: least,
        counts,
        weights,
        kept,
        kept_below: below,
        texts,
    };
    Ok((head, report))
}

/// For each label the probability above which saying it gives the best F1 on held-out texts.
fn thresholds(judged: &[(ByLabel, Vec<usize>)], labels: usize) -> Vec<f32> {
    let (least, most) = THRESHOLDS;
    let grid: Vec<f32> = (0..=25).map(|i| least + (most - least) * i as f32 / 25.0).collect();
    (0..labels)
        .map(|label| {
            let f1 = |threshold: f32| {
                let (mut hit, mut said, mut right) = (0u32, 0u32, 0u32);
                for (probabilities, truth) in judged {
                    let says = probabilities[label] >= threshold;
                    let is = truth.contains(&label);
                    hit += u32::from(says && is);
                    said += u32::from(says);
                    right += u32::from(is);
                }
                f64::from(2 * hit) / f64::from((said + right).max(1))
            };
            let mut best = (f64::MIN, least);
            for threshold in &grid {
                let value = f1(*threshold);
                if value > best.0 {
                    best = (value, *threshold);
                }
            }
            best.1
        })
        .collect()
}
