//! Examples to a model: count, cross-validate, calibrate, fit.

use super::ModelError;
use super::artifact::{Head, Model};
use super::calibrate::Calibration;
use super::counts::UNIT;
use super::cross::{Corpus, PARTS, judge};
use super::evaluate::Report;
use super::examples::Example;
use super::features::{Document, Terms};
use super::fit::{Fitting, Method, Weights, fit};
use super::folds::{FOLDS, fold, group};
use super::labels::{Label, LabelSet, Task};
use super::tallies::Tallies;
use super::tally::Tally;
use crate::text::Language;
use std::collections::BTreeMap;

/// Settings of one task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Which terms count.
    pub terms: Terms,
    /// How weights come from counts.
    pub fitting: Fitting,
    /// How many texts a word of a keyword list stands for.
    pub keyword_weight: u32,
    /// See [`Calibration::noise`].
    pub noise: f32,
}

/// A judgement, not a measurement: with an outlet's own labels about one article in twenty is filed
/// otherwise than naive Bayes has it, and more by the next outlet.
const TOPIC_NOISE: f32 = 0.1;
/// Two annotators of stance agree on 73 % (Mohammad et al., SemEval-2016 task 6): as if each
/// answered one text in four at random among three labels.
const STANCE_NOISE: f32 = 0.24;

/// A label below this probability is never given; one above the other always.
const THRESHOLDS: (f32, f32) = (0.15, 0.40);

impl Recipe {
    /// The settings that cross-validation on the bundled examples chose (`rasid train --tune`).
    pub fn of(task: Task) -> Self {
        match task {
            Task::Topic => Self {
                terms: Terms { pairs: false, function_words: false, half_quotes: false },
                fitting: Fitting { method: Method::Complement, smoothing: 1.0, min_texts: 1 },
                // cross-validation would take more, but who wrote a list also wrote the examples
                keyword_weight: 4,
                noise: TOPIC_NOISE,
            },
            Task::Stance => Self {
                terms: Terms { pairs: false, function_words: true, half_quotes: true },
                fitting: Fitting { method: Method::Multinomial, smoothing: 0.3, min_texts: 1 },
                keyword_weight: 0,
                noise: STANCE_NOISE,
            },
        }
    }
}

impl std::fmt::Display for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let method = format!("{:?}", self.fitting.method).to_lowercase();
        write!(f, "{method:11} smoothing {:<4}", self.fitting.smoothing)?;
        let with = |on| if on { "with" } else { "without" };
        write!(
            f,
            " {:7} pairs {:7} function words",
            with(self.terms.pairs),
            with(self.terms.function_words)
        )?;
        write!(f, " in {}+ texts, keywords {}", self.fitting.min_texts, self.keyword_weight)
    }
}

/// An example with its stems, ready to be counted.
pub struct Text {
    pub(super) document: Document,
    /// Columns of the labels, the main one first.
    pub(super) right: Vec<usize>,
    pub(super) keywords: bool,
    /// Texts of one event, concept or id have one number; they never stand in two folds.
    pub(super) group: u64,
}

impl Text {
    /// Which of `folds` it stands in.
    pub fn fold(&self, folds: usize) -> usize {
        fold(self.group, folds)
    }

    /// What it counts for each of its labels; `None` where it counts for nothing.
    pub(super) fn shares(&self, keyword_weight: u32) -> Option<Vec<(usize, u32)>> {
        let share = UNIT / self.right.len() as u32;
        let share = if self.keywords { UNIT * keyword_weight } else { share };
        (share > 0).then(|| self.right.iter().map(|label| (*label, share)).collect())
    }
}

/// What training says while it works.
pub trait Progress {
    /// A step begins; `steps` in all.
    fn step(&self, name: &str, steps: usize);
}

/// Says nothing.
impl Progress for () {
    fn step(&self, _: &str, _: usize) {}
}

/// What a model is trained to be.
pub struct Plan<'a> {
    /// Name of the model.
    pub name: &'a str,
    /// Version of the model.
    pub version: &'a str,
    /// What it answers.
    pub labels: LabelSet,
    /// Settings by language and task; [`Plan::usual`] where there are none.
    pub recipes: BTreeMap<(Language, Task), Recipe>,
}

impl<'a> Plan<'a> {
    /// IPTC topics and stances with the usual settings.
    pub fn new(name: &'a str, version: &'a str) -> Self {
        Self { name, version, labels: LabelSet::iptc(), recipes: BTreeMap::new() }
    }

    /// The settings of a task where nobody chose others. Labels of one's own are learned from what
    /// the desk itself filed under them, so no other desk's choice is reckoned with.
    pub fn usual(&self, task: Task) -> Recipe {
        let recipe = Recipe::of(task);
        let own = self.labels.of(task) != LabelSet::iptc().of(task);
        if own { Recipe { noise: 0.0, ..recipe } } else { recipe }
    }

    /// The settings of a task in a language.
    pub fn recipe(&self, language: Language, task: Task) -> Recipe {
        self.recipes.get(&(language, task)).copied().unwrap_or_else(|| self.usual(task))
    }
}

/// Trains a model: for each language and task counts, calibration, thresholds and weights.
///
/// The same examples give the same model, byte for byte.
///
/// # Errors
/// [`ModelError::Fit`] when a task has fewer than two labels with examples.
pub fn train(examples: &[Example], plan: &Plan<'_>, progress: &dyn Progress) -> Result<Model, ModelError> {
    Tallies::of(examples, plan, progress).finish(plan.name, plan.version, progress)
}

/// How many labels have texts.
pub fn taught(texts: &[Text]) -> usize {
    texts.iter().flat_map(|text| &text.right).collect::<std::collections::BTreeSet<_>>().len()
}

/// The examples of one language and task, with folds that part no event or concept.
pub fn texts(examples: &[Example], language: Language, task: Task, all: &[Label]) -> Vec<Text> {
    let mut texts = Vec::new();
    for example in examples {
        let right: Vec<usize> = example
            .labels(task)
            .iter()
            .filter_map(|code| all.iter().position(|label| label.code == *code))
            .collect();
        if right.is_empty() {
            continue;
        }
        let document = Document::of(&[&example.title, &example.text]);
        if language_of(example, &document) != Some(language) {
            continue;
        }
        let group = group(example);
        texts.push(Text { document, right, keywords: example.keywords, group });
    }
    texts
}

/// The language that an example teaches: what it says itself, else what its words say; a keyword list has no grammar to tell it by, so its letters do.
pub fn language_of(example: &Example, document: &Document) -> Option<Language> {
    if !example.keywords {
        return example.lang.or_else(|| document.language());
    }
    let arabic = document.stems.iter().filter(|stem| stem.word.is_arabic()).count();
    Some(if arabic * 2 > document.stems.len() { Language::Arabic } else { Language::English })
}

/// Examples that teach nothing because they are neither Arabic nor English.
pub fn unknown_language(examples: &[Example]) -> Vec<&Example> {
    let unknown =
        |example: &&Example| language_of(example, &Document::of(&[&example.title, &example.text])).is_none();
    examples.iter().filter(unknown).collect()
}

/// The head of a tally, and how it does on kept texts by models that have not seen their fold. A
/// tally of one label is stored, but has no weights: it tells nothing apart.
pub(super) fn train_head(
    tally: &Tally,
    all: &[Label],
    recipe: Recipe,
) -> Result<(Head, Option<Report>), ModelError> {
    let counts = tally.counts.sorted();
    let mut head = Head {
        terms: recipe.terms,
        fitting: recipe.fitting,
        keyword_weight: recipe.keyword_weight,
        calibration: Calibration { slope: 1.0, pad: 0.0, noise: recipe.noise },
        thresholds: vec![1.0; all.len()],
        counts,
        weights: Weights::default(),
        kept: tally.kept.clone(),
        kept_below: tally.below,
        texts: tally.texts,
    };
    if head.counts.taught().iter().filter(|taught| **taught).count() < 2 {
        return Ok((head, None));
    }
    let texts = tally.texts();
    let corpus = Corpus::over(&head.counts, &texts, recipe, &PARTS[1..]);
    let scores = corpus.held_out(&recipe, FOLDS, |text| Some(text.fold(FOLDS)));
    head.calibration = Calibration::fit(&scores, recipe.noise);
    let judged: Vec<(Vec<f32>, Vec<usize>)> = scores
        .into_iter()
        .step_by(PARTS.len())
        .map(|(score, right)| (head.calibration.probabilities(&score, &[]), right))
        .collect();
    head.thresholds = thresholds(&judged, all.len());
    let report = judge(&judged, &head.thresholds, all);
    head.weights = fit(&head.counts, recipe.fitting)?;
    Ok((head, Some(report)))
}

/// For each label the probability above which saying it gives the best F1 on held-out texts.
fn thresholds(judged: &[(Vec<f32>, Vec<usize>)], labels: usize) -> Vec<f32> {
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
