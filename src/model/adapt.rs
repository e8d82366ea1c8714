//! Learns an outlet from its unlabelled articles, by expectation-maximisation.
//!
//! After Nigam, McCallum, Thrun and Mitchell, *Text Classification from Labeled and Unlabeled
//! Documents using EM* (Machine Learning 39, 2000): the starting model labels the articles softly,
//! weights are fitted to its own counts and the soft labels, and the outcome labels them again. Their
//! mean evidence a term, not its sum, makes the labels soft.
//!
//! Two things hold it in place. Every round's weights are a blend with the starting ones
//! ([`Options::keep`]), which are counted from all topics and which other outlets' articles need. And
//! each article counts as many words, however long it is (but for very short ones), after Rennie, Shih, Teevan and Karger
//! (*Tackling the Poor Assumptions of Naive Bayes Text Classifiers*, ICML 2003). So rounds change less
//! and less, and end when they change next to nothing.

use super::ModelError;
use super::features::Document;
use super::fit::{GRID, estimate};
use super::labels::Task;
use super::outlet::{Outlet, Shares, mean_confidence, winners};
use super::parts::{Adaptation, Head, Model, TopicShift};
use super::recipe::Progress;
use crate::text::Language;

/// Rounds that are never exceeded where adaptation itself chooses.
const MOST_ROUNDS: usize = 10;
/// A round that changes fewer labels than one in this many is the last.
const SETTLED: usize = 200;
/// Fewer articles of one language teach nothing.
pub const FEWEST_ARTICLES: usize = 100;

/// How to adapt.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Rounds; until labels settle where there are none.
    pub rounds: Option<usize>,
    /// Share of the starting weights in the outcome, 0 to 1.
    pub keep: f32,
}

impl Default for Options {
    fn default() -> Self {
        Self { rounds: None, keep: 0.35 }
    }
}

/// Adapts the topics of every language that has enough articles; stances and the labelled counts
/// stay as they are. The model's info says what was done.
///
/// # Errors
/// [`ModelError::Fit`] when no language has [`FEWEST_ARTICLES`].
pub fn adapt(
    model: &Model,
    articles: &[Document],
    options: Options,
    progress: &dyn Progress,
) -> Result<Model, ModelError> {
    let mut adapted = model.clone();
    let mut done = Vec::new();
    for language in Language::ALL {
        let Some(head) = model.heads.get(&(language, Task::Topic)) else { continue };
        let mine: Vec<&Document> = articles.iter().filter(|a| a.language() == Some(language)).collect();
        if mine.len() < FEWEST_ARTICLES {
            continue;
        }
        let codes: Vec<&str> = model.info.topics.iter().map(|label| label.code.as_str()).collect();
        let (head, adaptation) = adapt_head(head, &mine, &codes, language, options, progress);
        adapted.heads.insert((language, Task::Topic), head);
        done.push(adaptation);
    }
    if done.is_empty() {
        return Err(ModelError::Fit(format!(
            "adapting takes at least {FEWEST_ARTICLES} articles in a language that the model knows"
        )));
    }
    adapted.info.adaptation = done;
    Ok(adapted)
}

/// What the rounds came to.
struct Learnt {
    weights: Vec<f32>,
    rounds: usize,
    stopped: String,
}

/// Rounds from the `start`ing weights and the `shares` that they give the articles.
fn learn(
    head: &Head,
    outlet: &Outlet,
    start: &[f32],
    mut shares: Shares,
    options: Options,
    step: &dyn Fn(usize, usize),
) -> Learnt {
    let pad = head.calibration.pad;
    let most = options.rounds.unwrap_or(MOST_ROUNDS);
    let mut weights = start.to_vec();
    let mut labels = winners(&shares);
    for number in 1..=most {
        step(number, most);
        let new = estimate(&outlet.counts(&shares, pad), head.fitting);
        // in units of the starting model's weights, so that one slope serves both
        let ratio = outlet.slope(&outlet.evidence(&new), pad, &shares).slope / head.calibration.slope;
        weights = blend(start, &new, ratio, options.keep);
        let evidence = outlet.evidence(&weights);
        shares = outlet.shares(&evidence, outlet.slope(&evidence, pad, &shares));
        let now = winners(&shares);
        let changed = differing(&now, &labels);
        labels = now;
        if options.rounds.is_none() && SETTLED * changed < outlet.len() {
            let stopped = format!("round {number} changed {changed} labels");
            return Learnt { weights, rounds: number, stopped };
        }
    }
    let stopped = if options.rounds.is_some() { "as many as asked for" } else { "the most that are done" };
    Learnt { weights, rounds: most, stopped: stopped.to_owned() }
}

fn adapt_head(
    head: &Head,
    articles: &[&Document],
    codes: &[&str],
    language: Language,
    options: Options,
    progress: &dyn Progress,
) -> (Head, Adaptation) {
    let outlet = Outlet::of(head, articles);
    let start = outlet.dense(&head.weights);
    let first = outlet.shares(&outlet.evidence(&start), head.calibration);
    let step = |number: usize, most: usize| {
        progress.step(&format!("{} round {number}", language.code()), most);
    };
    let learnt = learn(head, &outlet, &start, first.clone(), options, &step);
    let evidence = outlet.evidence(&learnt.weights);
    let share = |count: usize| count as f64 / articles.len() as f64;
    let begun = winners(&first);
    let changed = share(differing(&winners(&evidence), &begun));
    let expected_errors = 1.0 - mean_confidence(&first);
    let sure = 1.0 - errors_left(expected_errors, changed);
    let calibration = outlet.as_sure_as(&evidence, head.calibration.pad, sure);
    let last = outlet.shares(&evidence, calibration);
    let ended = winners(&last);
    let unsure = last.iter().zip(&ended).filter(|(shares, best)| shares[**best] < head.thresholds[**best]);
    let of = |labels: &[usize], label| labels.iter().filter(|one| **one == label).count();
    let topics = codes.iter().enumerate().map(|(label, code)| TopicShift {
        code: (*code).to_owned(),
        before: of(&begun, label),
        after: of(&ended, label),
        kept: begun.iter().zip(&ended).filter(|(a, b)| **a == label && **b == label).count(),
    });
    let four_digits = |share: f64| (share * 1e4).round() / 1e4;
    let adaptation = Adaptation {
        language,
        articles: articles.len(),
        rounds: learnt.rounds,
        stopped: learnt.stopped,
        keep: options.keep,
        expected_errors: four_digits(expected_errors),
        changed: four_digits(changed),
        unsure: four_digits(share(unsure.count())),
        topics: topics.collect(),
    };
    (outlet.head(head, &learnt.weights, calibration), adaptation)
}

/// Share of articles that are still wrong, of those `expected` to be: as if each label that changed
/// hit one of the errors at random.
fn errors_left(expected: f64, changed: f64) -> f64 {
    expected * (-changed / expected.max(1e-6)).exp()
}

/// `keep` of the starting weights, the rest of the new ones, on the grid of all weights.
fn blend(start: &[f32], new: &[f32], ratio: f32, keep: f32) -> Vec<f32> {
    let of = |(start, new): (&f32, &f32)| {
        let weight = f64::from(keep * start + (1.0 - keep) * ratio * new);
        ((weight * GRID).round() / GRID) as f32
    };
    start.iter().zip(new).map(of).collect()
}

fn differing(a: &[usize], b: &[usize]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a != b).count()
}
