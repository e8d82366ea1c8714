//! Learns an outlet from its unlabelled articles, by expectation-maximisation.
//!
//! After Nigam, McCallum, Thrun and Mitchell, *Text Classification from Labeled and Unlabeled
//! Documents using EM* (Machine Learning 39, 2000): the starting model labels the articles softly, a
//! model is counted from its own counts and the soft labels, that one labels them again. Their mean
//! evidence a term, not its sum, makes the labels soft. The mix of topics is estimated as in Saerens,
//! Latinne and Decaestecker, *Adjusting the Outputs of a Classifier to New a Priori Probabilities*
//! (Neural Computation 14, 2002), and leans the labels a little.
//!
//! No label says when to stop, so three rules do. A model that expects to be wrong about one article in
//! ten must not change more labels than that; only the first round, which always helped, may change
//! twice as many. Once a round changes less than a quarter of what the first did, classes drift more
//! than they learn. And there are never more than [`MOST_ROUNDS`]. The outcome is a blend
//! with the starting model ([`Options::keep`]), which other outlets' articles still need.

use super::ModelError;
use super::calibrate::Calibration;
use super::features::Document;
use super::fit::{Fitting, GRID, Method, estimate};
use super::labels::Task;
use super::outlet::{Outlet, Shares, mean_confidence, winners};
use super::parts::{Adaptation, Head, Model, TopicShift};
use super::recipe::Progress;
use crate::text::Language;

/// Rounds that are never exceeded where adaptation itself chooses.
const MOST_ROUNDS: usize = 5;
/// Fewer articles of one language teach nothing.
pub const FEWEST_ARTICLES: usize = 100;
/// Multinomial counts with this smoothing: own examples as outlets of their own chose it.
const FITTING: Fitting = Fitting { method: Method::Multinomial, smoothing: 0.3, min_texts: 1 };
/// How far the estimated mix of topics leans the labels; all the way, large topics swallow small ones.
const LEAN: f64 = 0.3;

/// How to adapt.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Rounds; chosen by the rules where there are none.
    pub rounds: Option<usize>,
    /// Share of the starting model in the outcome, 0 to 1.
    pub keep: f32,
}

impl Default for Options {
    fn default() -> Self {
        Self { rounds: None, keep: 0.2 }
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

/// One round's outcome.
struct Round {
    number: usize,
    weights: Vec<f32>,
    calibration: Calibration,
}

/// The last round that the rules allow, and why it is the last.
fn rounds(
    head: &Head,
    outlet: &Outlet,
    first: &Shares,
    expected_errors: f64,
    options: Options,
    step: &dyn Fn(usize, usize),
) -> (Option<Round>, String) {
    let share = |count: usize| count as f64 / outlet.len() as f64;
    let source_weight = outlet.source_weight();
    let mut lean = leaning(&outlet.mix(first));
    let start = outlet.evidence(&outlet.dense(&head.weights));
    let mut shares = outlet.shares(&start, head.calibration, &lean);
    let begun = winners(&shares);
    let (mut labels, mut changed_first) = (begun.clone(), 0);
    let mut last = None;
    let most = options.rounds.unwrap_or(MOST_ROUNDS);
    for number in 1..=most {
        step(number, most);
        let weights = estimate(&outlet.counts(source_weight, &shares), FITTING);
        let evidence = outlet.evidence(&weights);
        let calibration = outlet.slope(&evidence, head.calibration.pad, &lean, &shares);
        lean = leaning(&outlet.mix(&outlet.shares(&evidence, calibration, &[])));
        let next = outlet.shares(&evidence, calibration, &lean);
        let now = winners(&next);
        let (away, changed) = (share(differing(&now, &begun)), differing(&now, &labels));
        let allowed = if number == 1 { 2.0 * expected_errors } else { expected_errors };
        if options.rounds.is_none() && away > allowed {
            let (away, expected) = (100.0 * away, 100.0 * expected_errors);
            let why = format!(
                "round {number} would change {away:.1} % of the labels where {expected:.1} % errors are expected"
            );
            return (last, why);
        }
        last = Some(Round { number, weights, calibration });
        (shares, labels) = (next, now);
        if number == 1 {
            changed_first = changed;
        } else if options.rounds.is_none() && 4 * changed < changed_first {
            return (last, format!("round {number} changed {changed} labels, round 1 {changed_first}"));
        }
    }
    (
        last,
        if options.rounds.is_some() { "as many as asked for" } else { "the most that are done" }.to_owned(),
    )
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
    let first = outlet.shares(&outlet.evidence(&start), head.calibration, &[]);
    let expected_errors = 1.0 - mean_confidence(&first);
    let step = |number: usize, most: usize| {
        progress.step(&format!("{} round {number}", language.code()), most);
    };
    let (round, stopped) = rounds(head, &outlet, &first, expected_errors, options, &step);
    let (number, adapted, last) = match round {
        None => (0, head.clone(), first.clone()),
        Some(round) => {
            // in units of the starting model's weights, so that one slope serves both
            let ratio = round.calibration.slope / head.calibration.slope;
            let blend = blend(&start, &round.weights, ratio, options.keep);
            let evidence = outlet.evidence(&blend);
            let calibration = outlet.as_sure_as(&evidence, head.calibration.pad, mean_confidence(&first));
            let last = outlet.shares(&evidence, calibration, &[]);
            (round.number, outlet.head(head, &blend, calibration), last)
        }
    };
    let (begun, ended) = (winners(&first), winners(&last));
    let unsure = last.iter().zip(&ended).filter(|(shares, best)| shares[**best] < head.thresholds[**best]);
    let of = |labels: &[usize], label| labels.iter().filter(|one| **one == label).count();
    let topics = codes.iter().enumerate().map(|(label, code)| TopicShift {
        code: (*code).to_owned(),
        before: of(&begun, label),
        after: of(&ended, label),
        kept: begun.iter().zip(&ended).filter(|(a, b)| **a == label && **b == label).count(),
    });
    let share = |count: usize| (count as f64 / articles.len() as f64 * 1e4).round() / 1e4;
    let adaptation = Adaptation {
        language,
        articles: articles.len(),
        rounds: number,
        stopped,
        source_weight: outlet.source_weight(),
        keep: options.keep,
        expected_errors: (expected_errors * 1e4).round() / 1e4,
        changed: share(differing(&ended, &begun)),
        unsure: share(unsure.count()),
        topics: topics.collect(),
    };
    (adapted, adaptation)
}

/// `keep` of the starting weights, the rest of the new ones, on the grid of all weights.
fn blend(start: &[f32], new: &[f32], ratio: f32, keep: f32) -> Vec<f32> {
    let of = |(start, new): (&f32, &f32)| {
        let weight = f64::from(keep * start + (1.0 - keep) * ratio * new);
        ((weight * GRID).round() / GRID) as f32
    };
    start.iter().zip(new).map(of).collect()
}

/// What an estimated mix adds to each label, in log-odds.
fn leaning(mix: &[f64]) -> Vec<f32> {
    let equal = 1.0 / mix.len() as f64;
    mix.iter().map(|share| (((1.0 - LEAN) * equal + LEAN * share) / equal).ln() as f32).collect()
}

fn differing(a: &[usize], b: &[usize]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a != b).count()
}
