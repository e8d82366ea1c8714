//! Cross-validation: texts counted once, judged by models that have not seen their fold.

use super::calibrate::Calibration;
use super::counts::{Bag, Counts};
use super::evaluate::{Outcome, Report};
use super::features::Terms;
use super::fit::{Fitting, estimate};
use super::labels::Label;
use super::score::{Score, argmax};
use super::train::{Recipe, Text};
use super::tune::{Trial, tune};

/// Texts with their counts under one choice of terms, ready to be taken apart by folds.
pub struct Corpus<'a> {
    texts: &'a [Text],
    /// By text: what each of its parts holds; the whole comes first.
    bags: Vec<Vec<Bag>>,
    counts: Counts,
    labels: usize,
}

impl<'a> Corpus<'a> {
    /// Counts `texts` by `terms`; besides the whole of a text its first `1 / part`th is kept for
    /// each of `parts`.
    pub fn of(texts: &'a [Text], labels: usize, terms: Terms, parts: &[usize]) -> Self {
        let mut corpus = Self { texts, bags: Vec::new(), counts: Counts::new(labels), labels };
        corpus.bag(terms, parts);
        corpus
    }

    fn bag(&mut self, terms: Terms, parts: &[usize]) {
        for text in self.texts {
            let mut bags = vec![self.counts.bag(&text.document, terms)];
            for part in parts {
                let mut document = text.document.clone();
                document.stems.truncate(document.stems.len() / part);
                bags.push(self.counts.bag(&document, terms));
            }
            self.bags.push(bags);
        }
    }

    /// `texts` out of many that `all` counts, whose rows are in the order of spelling. The others
    /// are in every model.
    pub fn over(all: &Counts, texts: &'a [Text], recipe: Recipe, parts: &[usize]) -> Self {
        let mut corpus = Self { texts, bags: Vec::new(), counts: all.clone(), labels: all.labels() };
        corpus.bag(recipe.terms, parts);
        for (text, bags) in texts.iter().zip(&corpus.bags) {
            if let Some(shares) = text.shares(recipe.keyword_weight) {
                corpus.counts.take_bag(&bags[0], &shares);
            }
        }
        corpus
    }

    /// The counts of the texts that `teaches`.
    pub fn counts(&self, keyword_weight: u32, teaches: impl Fn(&Text) -> bool) -> Counts {
        let mut counts = self.counts.clone();
        for (text, bags) in self.texts.iter().zip(&self.bags).filter(|(text, _)| teaches(text)) {
            if let Some(shares) = text.shares(keyword_weight) {
                counts.add_bag(&bags[0], &shares);
            }
        }
        counts
    }

    /// Scores of every text of the folds by models fitted without its fold, with the right labels:
    /// the whole text, then its parts. `fold` says where a text stands, `None` for nowhere; keyword
    /// lists are in all models and in no fold.
    pub fn held_out(
        &self,
        recipe: &Recipe,
        folds: usize,
        fold: impl Fn(&Text) -> Option<usize>,
    ) -> Vec<(Score, Vec<usize>)> {
        let in_fold = |text: &Text| if text.keywords { None } else { fold(text) };
        let all = self.counts(recipe.keyword_weight, |text| text.keywords || in_fold(text).is_some());
        let mut scores = Vec::new();
        for one in 0..folds {
            let mut seen = all.clone();
            let held: Vec<_> =
                self.texts.iter().zip(&self.bags).filter(|(t, _)| in_fold(t) == Some(one)).collect();
            for (text, bags) in &held {
                if let Some(shares) = text.shares(recipe.keyword_weight) {
                    seen.take_bag(&bags[0], &shares);
                }
            }
            let weights = estimate(&seen, recipe.fitting);
            for (text, bags) in held {
                let score = |bag| (self.score(&seen, &weights, recipe.fitting, bag), text.right.clone());
                scores.extend(bags.iter().map(score));
            }
        }
        scores
    }

    fn score(&self, seen: &Counts, weights: &[f32], fitting: Fitting, bag: &Bag) -> Score {
        let mut score = Score { evidence: vec![0.0; self.labels], known: 0, total: bag.total };
        let mut add = |row: u32, times: f32| {
            let row = row as usize;
            let known = seen.texts[row] >= fitting.min_texts.max(1);
            for (sum, weight) in
                score.evidence.iter_mut().zip(&weights[row * self.labels..]).filter(|_| known)
            {
                *sum += weight * times;
            }
            known
        };
        for (row, times) in &bag.terms {
            if add(*row, *times as f32) {
                score.known += times;
            }
        }
        for row in &bag.halves {
            add(*row, -0.5);
        }
        score
    }
}

/// How scores with the right labels look to a model whose calibration they are: the first label of
/// each against the right one, of several right ones the one that was given.
pub fn judge(judged: &[(Vec<f32>, Vec<usize>)], thresholds: &[f32], labels: &[Label]) -> Report {
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
            let score = corpus.score(&counts, &weights, recipe.fitting, &bags[0]);
            judged.push((calibration.probabilities(&score, &[]), text.right.clone()));
        }
    }
    Validated { report: judge(&judged, &[], labels), recipes }
}

/// Whole texts first, then what their beginnings say.
pub const PARTS: [usize; 3] = [1, 2, 4];
