//! Learns an outlet from its unlabelled articles: expectation-maximisation finds their labels, and what
//! these say moves the starting weights, except where labelled texts know better.
//!
//! After Nigam, McCallum, Thrun and Mitchell, *Text Classification from Labeled and Unlabeled
//! Documents using EM* (Machine Learning 39, 2000): the starting model labels the articles softly,
//! weights are fitted to its own counts and the soft labels, and the outcome labels them again. Their
//! mean evidence a term, not its sum, makes the labels soft. Each article counts as many words, however
//! long it is (but for very short ones), after Rennie, Shih, Teevan and Karger (*Tackling the Poor
//! Assumptions of Naive Bayes Text Classifiers*, ICML 2003).
//!
//! Two kinds of weights. Those of the rounds ([`learn`]) only have to tell the outlet's own articles
//! apart. Those of the outcome ([`restrain`]) must serve other outlets too: an outlet shows what its
//! words mean, but hardly that a word means nothing elsewhere.

use super::ModelError;
use super::counts::UNIT;
use super::features::Document;
use super::fit::{Fitting, GRID, Method, estimate};
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

/// So many articles that have a term count as much as what the starting model has for it.
const DOUBT: f32 = 1.0;
/// Share of the starting weights in those of every round, so that rounds settle.
const ANCHOR: f32 = 0.1;

/// How to adapt.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Rounds; until labels settle where there are none.
    pub rounds: Option<usize>,
    /// As many occurrences in labelled texts count as much as the outlet where it takes weight from a
    /// term. What labelled texts say more often holds more.
    pub weight: f32,
    /// By topic: whether the outlet files articles under it; all where it is empty.
    pub among: &'a [bool],
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { rounds: None, weight: 40.0, among: &[] }
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
    options: Options<'_>,
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
    shares: Shares,
    rounds: usize,
    stopped: String,
}

/// Weights by `fitting` of the labelled counts and the articles as `shares` label them, in units of the
/// starting model's weights, so that one slope serves both.
fn fitted(head: &Head, outlet: &Outlet, shares: &Shares, fitting: Fitting) -> Vec<f32> {
    let pad = head.calibration.pad;
    let new = estimate(&outlet.counts(shares, pad), fitting);
    let ratio = outlet.slope(&outlet.evidence(&new), pad, shares).slope / head.calibration.slope;
    new.into_iter().map(|weight| ratio * weight).collect()
}

/// Rounds from the `start`ing weights and the `shares` that they give the articles. With thousands of
/// articles a label's own counts tell as much as those of all others, so both are used.
fn learn(
    head: &Head,
    outlet: &Outlet,
    start: &[f32],
    mut shares: Shares,
    options: Options<'_>,
    step: &dyn Fn(usize, usize),
) -> Learnt {
    let pad = head.calibration.pad;
    let fitting = Fitting { method: Method::Odds, ..head.fitting };
    let most = options.rounds.unwrap_or(MOST_ROUNDS);
    let mut labels = winners(&shares);
    for number in 1..=most {
        step(number, most);
        let new = fitted(head, outlet, &shares, fitting);
        let anchored: Vec<f32> =
            start.iter().zip(new).map(|(start, new)| ANCHOR * start + (1.0 - ANCHOR) * new).collect();
        let evidence = outlet.evidence(&anchored);
        shares = outlet.shares(&evidence, outlet.slope(&evidence, pad, &shares));
        let now = winners(&shares);
        let changed = differing(&now, &labels);
        labels = now;
        if options.rounds.is_none() && SETTLED * changed < outlet.len() {
            let stopped = format!("round {number} changed {changed} labels");
            return Learnt { shares, rounds: number, stopped };
        }
    }
    let stopped = if options.rounds.is_some() { "as many as asked for" } else { "the most that are done" };
    Learnt { shares, rounds: most, stopped: stopped.to_owned() }
}

fn adapt_head(
    head: &Head,
    articles: &[&Document],
    codes: &[&str],
    language: Language,
    options: Options<'_>,
    progress: &dyn Progress,
) -> (Head, Adaptation) {
    let outlet = Outlet::of(head, articles, options.among);
    let start = outlet.dense(&head.weights);
    let first = outlet.shares(&outlet.evidence(&start), head.calibration);
    let step = |number: usize, most: usize| {
        progress.step(&format!("{} round {number}", language.code()), most);
    };
    let learnt = learn(head, &outlet, &start, first.clone(), options, &step);
    let new = fitted(head, &outlet, &learnt.shares, head.fitting);
    let weights = restrain(&outlet, &start, &new, options.weight);
    let evidence = outlet.evidence(&weights);
    let share = |count: usize| count as f64 / articles.len() as f64;
    let begun = winners(&first);
    let ended = winners(&outlet.shares(&evidence, head.calibration));
    let changed = share(differing(&ended, &begun));
    let expected_errors = 1.0 - mean_confidence(&first);
    let sure = 1.0 - errors_left(expected_errors, changed);
    let calibration = outlet.as_sure_as(&evidence, head.calibration.pad, sure);
    let last = outlet.shares(&evidence, calibration);
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
        weight: options.weight,
        among: codes
            .iter()
            .zip(options.among)
            .filter(|(_, has)| **has)
            .map(|(code, _)| (*code).to_owned())
            .collect(),
        expected_errors: four_digits(expected_errors),
        changed: four_digits(changed),
        unsure: four_digits(share(unsure.count())),
        topics: topics.collect(),
    };
    (outlet.head(head, &weights, calibration), adaptation)
}

/// Share of articles that are still wrong, of those `expected` to be: as if each label that changed
/// hit one of the errors at random.
fn errors_left(expected: f64, changed: f64) -> f64 {
    expected * (-changed / expected.max(1e-6)).exp()
}

/// The outcome: of the way from the `start`ing weights to the `new` ones so much as is known of the term.
///
/// Where *m* articles have the term, the share *m* / (*m* + [`DOUBT`]) of a gain is taken. Of a loss, that
/// share of *weight* / (*weight* + *n*), where *n* is how often labelled texts have the term for this
/// label. Each is the mean of two sources, one of which is as sure as so many observations (the posterior
/// mean under a conjugate prior: Gelman et al., *Bayesian Data Analysis*, 2.4). A gain is not held
/// against *n*: articles show it. A loss may come of articles that the outlet merely lacks, as a word of
/// prayer means nothing where nobody writes of religion. All labels are treated alike, since a label
/// that alone keeps its weights would win where the others' words have become weaker.
fn restrain(outlet: &Outlet<'_>, start: &[f32], new: &[f32], weight: f32) -> Vec<f32> {
    let cells = outlet.known().flat_map(|(articles, counts)| {
        let learnt = articles as f32 / (articles as f32 + DOUBT);
        counts.iter().map(move |count| {
            let known = *count as f32 / UNIT as f32;
            // nothing known and nothing outweighed: nothing is lost
            (learnt, learnt * weight / (weight + known).max(f32::MIN_POSITIVE))
        })
    });
    let of = |((start, new), (gain, loss)): ((&f32, &f32), (f32, f32))| {
        let weight = f64::from(start + if new > start { gain } else { loss } * (new - start));
        ((weight * GRID).round() / GRID) as f32
    };
    start.iter().zip(new).zip(cells).map(of).collect()
}

fn differing(a: &[usize], b: &[usize]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a != b).count()
}
