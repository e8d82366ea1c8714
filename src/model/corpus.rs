//! Texts counted once, and scored by models that have not seen their fold.

use super::counts::{Bag, Counts};
use super::features::Terms;
use super::fit::{Fitting, estimate};
use super::recipe::Recipe;
use super::score::Score;
use super::texts::Text;

/// Whole texts first, then what their beginnings say.
pub const PARTS: [usize; 3] = [1, 2, 4];

/// Texts with their counts under one choice of terms, ready to be taken apart by folds.
pub struct Corpus<'a> {
    texts: &'a [Text],
    /// By text: what each of its parts holds; the whole comes first.
    pub(super) bags: Vec<Vec<Bag>>,
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

    /// The evidence in `bag` by weights of `seen`.
    pub(super) fn score(&self, seen: &Counts, weights: &[f32], fitting: Fitting, bag: &Bag) -> Score {
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
