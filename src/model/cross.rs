//! Cross-validation: how a recipe, or the choice of one, does on texts that it has not seen.

use super::calibrate::Calibration;
use super::corpus::{Corpus, PARTS, score};
use super::evaluate::{Outcome, Report};
use super::fit::estimate;
use super::labels::Label;
use super::recipe::Recipe;
use super::score::{ByLabel, argmax};
use super::texts::Text;
use super::tune::{Trial, tune};

/// How scores with the right labels look to a model whose calibration they are: the first label of
/// each against the right one, of several right ones the one that was given.
pub fn judge(judged: &[(ByLabel, Vec<usize>)], thresholds: &[f32], labels: &[Label]) -> Report {
    let codes: Vec<String> = labels.iter().map(|label| label.code.clone()).collect();
    let outcomes = judged.iter().map(|(probabilities, right)| {
        let guess = argmax(probabilities);
        Outcome {
            // a second topic is right too
            truth: if right.contains(&guess) { guess } else { right[0] },
            guess: Some(guess),
            confidence: probabilities[guess],
            abstained: probabilities[guess] < thresholds.get(guess).copied().unwrap_or(0.0),
        }
    });
    Report::of(&codes, outcomes)
}

/// Cross-validated figures, and what was chosen for each fold.
pub struct Validated {
    /// Over all folds.
    pub report: Report,
    /// By fold.
    pub recipes: Vec<Recipe>,
}

/// Folds within a training part.
const INNER: usize = 5;

/// Judges every text by a model that has seen nothing of its fold: neither for counts nor for
/// calibration nor, with `search`, for the choice of settings.
pub fn validate(
    texts: &[Text],
    labels: &[Label],
    recipe: Recipe,
    folds: usize,
    search: bool,
    step: &dyn Fn(&str),
) -> Validated {
    let mut recipes = Vec::new();
    let mut judged = Vec::new();
    for fold in 0..folds {
        step(&format!("fold {} of {folds}", fold + 1));
        let seen = |text: &Text| text.fold(folds) != fold;
        let inner = |text: &Text| seen(text).then_some(text.fold(folds * INNER) / folds);
        let recipe = if search {
            let trials: Vec<Trial> = tune(texts, labels.len(), recipe, INNER, &inner, &|_, _| ());
            trials.first().map_or(recipe, |best| best.recipe)
        } else {
            recipe
        };
        recipes.push(recipe);
        let corpus = Corpus::of(texts, labels.len(), recipe.terms, &PARTS[1..]);
        let calibration = Calibration::fit(&corpus.held_out(&recipe, INNER, inner), recipe.noise);
        let counts = corpus.counts(recipe.keyword_weight, |text| text.keywords || seen(text));
        let weights = estimate(&counts, recipe.fitting);
        for (text, bags) in texts.iter().zip(&corpus.bags).filter(|(text, _)| !text.keywords && !seen(text)) {
            let score = score(&counts, &weights, recipe.fitting, &bags[0]);
            judged.push((calibration.probabilities(&score, &[]), text.right.clone()));
        }
    }
    Validated { report: judge(&judged, &[], labels), recipes }
}
