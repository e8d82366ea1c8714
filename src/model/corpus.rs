//! Texts counted once, and scored by models that have not seen their fold.

use super::cores::on_all_cores;
use super::counts::{Bag, Counts};
use super::features::{Document, Terms};
use super::fit::{Fitting, estimate, estimate_table};
use super::folds;
use super::recipe::Recipe;
use super::score::Score;
use super::tally::Tally;
use super::texts::Text;

/// Whole texts first, then what their beginnings say.
pub const PARTS: [usize; 3] = [1, 2, 4];

/// Texts with their counts under one choice of terms, ready to be taken apart by folds.
pub struct Corpus<'a> {
    texts: &'a [Text],
    /// By text: what each of its parts holds; the whole comes first.
    pub(super) bags: Vec<Vec<Bag>>,
    counts: Counts,
}

impl<'a> Corpus<'a> {
    /// Counts `texts` by `terms`; besides the whole of a text its first `1 / part`th is kept for
    /// each of `parts`.
    pub fn of(texts: &'a [Text], labels: usize, terms: Terms, parts: &[usize]) -> Self {
        let mut counts = Counts::new(labels);
        let bags =
            texts.iter().map(|text| bags(text, parts, |document| counts.bag(document, terms))).collect();
        Self { texts, bags, counts }
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
                let score = |bag| (score(&seen, &weights, recipe.fitting, bag), text.right.clone());
                scores.extend(bags.iter().map(score));
            }
        }
        scores
    }
}

/// What each of the parts of a text holds; the whole comes first.
fn bags(text: &Text, parts: &[usize], mut bag: impl FnMut(&Document) -> Bag) -> Vec<Bag> {
    let mut bags = vec![bag(&text.document)];
    for part in parts {
        let mut document = text.document.clone();
        document.stems.truncate(document.stems.len() / part);
        bags.push(bag(&document));
    }
    bags
}

/// As [`Corpus::held_out`], for the texts that `tally` keeps out of all that it counts; the others are
/// in every model. One fold after the other is taken apart on each core, so that no more is in memory.
pub fn held_out(tally: &Tally, recipe: &Recipe, folds: usize, parts: &[usize]) -> Vec<(Score, Vec<usize>)> {
    let counts = &tally.counts;
    let one = |fold: usize| {
        // what the texts hold is counted twice, because all of it would be more than what is kept of them
        let held = || tally.kept.iter().filter(move |kept| folds::fold(kept.group, folds) == fold);
        let bag = |document: &Document| counts.known_bag(document, recipe.terms);
        let mut seen = counts.clone();
        for text in held().map(|kept| kept.text(counts)) {
            if let Some(shares) = text.shares(recipe.keyword_weight) {
                seen.take_bag(&bag(&text.document), &shares);
            }
        }
        let table = std::mem::take(&mut seen.table);
        let weights = estimate_table(&seen, table, recipe.fitting);
        let mut scores = Vec::with_capacity(held().count() * (1 + parts.len()));
        for text in held().map(|kept| kept.text(counts)) {
            let score = |bag| (score(&seen, &weights, recipe.fitting, &bag), text.right.clone());
            scores.extend(bags(&text, parts, bag).into_iter().map(score));
        }
        scores
    };
    on_all_cores(folds, one).into_iter().flatten().collect()
}

/// The evidence in `bag` by weights of `seen`.
pub(super) fn score(seen: &Counts, weights: &[f32], fitting: Fitting, bag: &Bag) -> Score {
    let labels = seen.labels();
    let mut score = Score { evidence: smallvec::smallvec![0.0; labels], known: 0, total: bag.total };
    let mut add = |row: u32, times: f32| {
        let row = row as usize;
        let known = seen.texts[row] >= fitting.min_texts.max(1);
        for (sum, weight) in score.evidence.iter_mut().zip(&weights[row * labels..]).filter(|_| known) {
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
