//! Searches the settings of a task by cross-validation.

use super::corpus::Corpus;
use super::features::Terms;
use super::fit::{Fitting, Method};
use super::recipe::Recipe;
use super::score::argmax;
use super::texts::Text;

/// One setting and how well it did on texts that it had not seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// The setting.
    pub recipe: Recipe,
    /// Share right.
    pub accuracy: f64,
    /// Mean F1 of the labels that occur: what is searched for, as rare labels count in it like others.
    pub macro_f1: f64,
}

const SMOOTHINGS: [f64; 6] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0];
const KEYWORD_WEIGHTS: [u32; 5] = [0, 1, 2, 4, 8];

/// Tries settings, the best first; of equal ones the simpler. `fold` says where a text stands, `None` for nowhere.
///
/// First terms, method and smoothing together; then, with the best of them, how often a term must be
/// met and what a keyword weighs. `step` hears how many of how many are done.
pub fn tune(
    texts: &[Text],
    labels: usize,
    base: Recipe,
    folds: usize,
    fold: &dyn Fn(&Text) -> Option<usize>,
    step: &dyn Fn(usize, usize),
) -> Vec<Trial> {
    let variants = [(false, false), (false, true), (true, false), (true, true)];
    let terms = variants.map(|(pairs, function_words)| Terms { pairs, function_words, ..base.terms });
    let methods = [Method::Multinomial, Method::Complement, Method::Odds];
    let keywords = texts.iter().any(|text| text.keywords);
    let refined = 1 + if keywords { KEYWORD_WEIGHTS.len() } else { 0 };
    let total = terms.len() * methods.len() * SMOOTHINGS.len() + refined;
    let mut trials: Vec<Trial> = Vec::with_capacity(total);
    for terms in terms {
        let corpus = Corpus::of(texts, labels, terms, &[]);
        for method in methods {
            for smoothing in SMOOTHINGS {
                let recipe = Recipe {
                    terms,
                    fitting: Fitting { method, smoothing, min_texts: 1, ..base.fitting },
                    ..base
                };
                step(trials.len(), total);
                trials.push(trial(&corpus, recipe, labels, folds, fold));
            }
        }
    }
    let Some(best) = best(&trials) else { return trials };
    let corpus = Corpus::of(texts, labels, best.terms, &[]);
    let twice = Recipe { fitting: Fitting { min_texts: 2, ..best.fitting }, ..best };
    step(trials.len(), total);
    trials.push(trial(&corpus, twice, labels, folds, fold));
    if keywords {
        let best = self::best(&trials).unwrap_or(best);
        for keyword_weight in KEYWORD_WEIGHTS.into_iter().filter(|weight| *weight != best.keyword_weight) {
            step(trials.len(), total);
            trials.push(trial(&corpus, Recipe { keyword_weight, ..best }, labels, folds, fold));
        }
    }
    // a stable sort: the simpler setting was tried first
    trials.sort_by(|a, b| b.macro_f1.total_cmp(&a.macro_f1));
    trials
}

fn best(trials: &[Trial]) -> Option<Recipe> {
    let better = |a: &&Trial, b: &&Trial| a.macro_f1.total_cmp(&b.macro_f1);
    trials.iter().rev().max_by(better).map(|trial| trial.recipe)
}

fn trial(
    corpus: &Corpus<'_>,
    recipe: Recipe,
    labels: usize,
    folds: usize,
    fold: &dyn Fn(&Text) -> Option<usize>,
) -> Trial {
    let (mut hits, mut said, mut right) = (vec![0u32; labels], vec![0u32; labels], vec![0u32; labels]);
    let mut texts = 0u32;
    for (score, truth) in corpus.held_out(&recipe, folds, fold) {
        let guess = argmax(&score.evidence);
        let is = if truth.contains(&guess) { guess } else { truth[0] };
        texts += 1;
        hits[guess] += u32::from(is == guess);
        said[guess] += 1;
        right[is] += 1;
    }
    let occur: Vec<usize> = (0..labels).filter(|label| right[*label] > 0).collect();
    let f1 = |label: usize| f64::from(2 * hits[label]) / f64::from(said[label] + right[label]);
    Trial {
        recipe,
        accuracy: f64::from(hits.iter().sum::<u32>()) / f64::from(texts.max(1)),
        macro_f1: occur.iter().map(|label| f1(*label)).sum::<f64>() / occur.len().max(1) as f64,
    }
}
