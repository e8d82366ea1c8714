//! How a model learnt, out of its file alone: its learning curve, how it does on texts held out, and the
//! terms that carry each label.

use super::calibrate::Calibration;
use super::corpus::{held_out, score};
use super::cross::judge;
use super::evaluate::Report;
use super::fit::estimate;
use super::folds::{FOLDS, fold};
use super::kept::Kept;
use super::labels::{Label, Task};
use super::parts::{Head, Model};
use super::recipe::{Progress, Recipe};
use super::tally::Tally;
use crate::text::Language;

/// One task in one language.
#[derive(Clone, Debug)]
pub struct Learning {
    /// The language.
    pub language: Language,
    /// The task.
    pub task: Task,
    /// Texts that were counted.
    pub texts: usize,
    /// Of the texts that the file keeps, each judged by a model that has not seen its fold. Labels go by
    /// their English names.
    pub report: Report,
    /// Accuracy on them by how many of them teach.
    pub curve: Vec<Learnt>,
    /// By label, in the order of the columns: the terms that carry it most.
    pub terms: Vec<Vec<TopTerm>>,
}

/// A point of the learning curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Learnt {
    /// Share of the texts outside the fold that teach, 0 to 1.
    pub share: f64,
    /// How many these are, over the folds on average.
    pub texts: f64,
    /// Share of all texts that is right.
    pub accuracy: f64,
}

/// A term and what it weighs.
#[derive(Clone, Debug, PartialEq)]
pub struct TopTerm {
    /// The stem or pair of stems.
    pub term: String,
    /// What one occurrence adds, natural logarithms.
    pub weight: f32,
}

/// Parts that the texts fall into; the curve has a point for each of [`TAKEN`] of them.
const PARTS: usize = 16;
const TAKEN: [usize; 5] = [1, 2, 4, 8, 16];
/// Terms by label.
const TOP: usize = 15;

/// Looks back on each task and language of a model that answers anything.
pub fn learning(model: &Model, progress: &dyn Progress) -> Vec<Learning> {
    let able = |head: &&Head| !head.weights.rows.is_empty() && !head.kept.is_empty();
    let heads: Vec<_> = model.heads.iter().filter(|(_, head)| able(head)).collect();
    let all = heads.len();
    let each = |(key, head): (&(Language, Task), &Head)| {
        let (language, task) = *key;
        progress.step(&format!("{} {}", language.code(), task.name()), all);
        let labels = model.info.labels(task);
        let tally = Tally {
            counts: head.counts.clone(),
            kept: head.kept.clone(),
            below: head.kept_below,
            texts: head.texts,
        };
        let terms = (0..labels.len()).map(|label| top_terms(head, label)).collect();
        let (report, curve) = (report(head, &tally, labels), curve(head, &tally));
        Learning { language, task, texts: head.texts, report, curve, terms }
    };
    heads.into_iter().map(each).collect()
}

fn recipe(head: &Head) -> Recipe {
    let Head { terms, fitting, keyword_weight, calibration: Calibration { noise, .. }, .. } = *head;
    Recipe { terms, fitting, keyword_weight, noise }
}

fn report(head: &Head, tally: &Tally, labels: &[Label]) -> Report {
    let scores = held_out(tally, &recipe(head), FOLDS, &[]);
    let judged: Vec<_> = scores
        .into_iter()
        .map(|(score, right)| (head.calibration.probabilities(&score, &[]), right))
        .collect();
    // codes say nothing to a reader; names do, where no two labels share one
    let mut names: Vec<&String> = labels.iter().map(|label| &label.name).collect();
    names.sort_unstable();
    names.dedup();
    let named = |label: &Label| Label { code: label.name.clone(), ..label.clone() };
    let labels =
        if names.len() == labels.len() { labels.iter().map(named).collect() } else { labels.to_vec() };
    judge(&judged, &head.thresholds, &labels)
}

/// Each point trains a model for each fold on a part of the texts outside it, and judges all texts of it.
/// What the file does not keep, keyword lists above all, is in every model.
fn curve(head: &Head, tally: &Tally) -> Vec<Learnt> {
    let recipe = recipe(head);
    let mut base = tally.counts.clone();
    let texts: Vec<_> = tally
        .kept
        .iter()
        .enumerate()
        .filter_map(|(at, kept): (usize, &Kept)| {
            let text = kept.text(&tally.counts);
            let bag = base.bag(&text.document, recipe.terms);
            let shares = text.shares(recipe.keyword_weight)?;
            base.take_bag(&bag, &shares);
            // kept texts stand in the order of their groups, so every part has some of each
            Some((fold(text.group, FOLDS), at % PARTS, bag, shares, text.right))
        })
        .collect();
    let point = |taken: usize| {
        let (mut right, mut taught) = (0, 0);
        for one in 0..FOLDS {
            let mut seen = base.clone();
            for (_, _, bag, shares, _) in texts.iter().filter(|text| text.0 != one && text.1 < taken) {
                seen.add_bag(bag, shares);
                taught += 1;
            }
            let weights = estimate(&seen, recipe.fitting);
            for (_, _, bag, _, labels) in texts.iter().filter(|text| text.0 == one) {
                let best = score(&seen, &weights, recipe.fitting, bag).best(&[]);
                right += usize::from(best.is_some_and(|best| labels.contains(&best)));
            }
        }
        Learnt {
            share: taken as f64 / PARTS as f64,
            texts: f64::from(taught) / FOLDS as f64,
            accuracy: right as f64 / texts.len().max(1) as f64,
        }
    };
    TAKEN.into_iter().map(point).collect()
}

/// By weight times the square root of the texts that they stand in: rare terms weigh much by chance.
fn top_terms(head: &Head, label: usize) -> Vec<TopTerm> {
    let labels = head.counts.labels();
    let mut terms: Vec<(f32, TopTerm)> = (head.weights.rows.iter())
        .zip(head.weights.table.chunks_exact(labels))
        .filter(|(_, weights)| weights[label] > 0.0)
        .map(|(row, weights)| {
            let row = *row as usize;
            let known = (head.counts.texts[row] as f32).sqrt();
            (
                weights[label] * known,
                TopTerm { term: head.counts.terms[row].to_owned(), weight: weights[label] },
            )
        })
        .collect();
    terms.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.term.cmp(&b.1.term)));
    terms.into_iter().take(TOP).map(|(_, term)| term).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The report is the one that training measured, and the curve ends there. It need not climb: keyword
    /// lists, which are in every point, may carry topics better than many texts of other sub-fields.
    #[test]
    fn looking_back_sees_what_training_saw() {
        let model = Model::bundled().unwrap_or_else(|error| panic!("{error}"));
        for learning in learning(&model, &()) {
            let figures = model
                .info
                .figures
                .iter()
                .find(|figures| (figures.language, figures.task) == (learning.language, learning.task));
            let accuracy = figures.map(|figures| figures.accuracy).unwrap_or_default();
            assert!(
                (learning.report.accuracy - accuracy).abs() < 1e-4,
                "{accuracy} {}",
                learning.report.accuracy
            );
            let (first, last) = (learning.curve[0], learning.curve[TAKEN.len() - 1]);
            assert!((last.accuracy - learning.report.accuracy).abs() < 1e-3, "all texts teach at last");
            assert!(first.accuracy > 0.5 && first.texts * 14.0 < last.texts, "{first:?} {last:?}");
            assert!(learning.terms.iter().all(|terms| terms.len() == TOP));
        }
    }
}
