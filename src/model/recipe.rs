//! What training is asked for: settings of each task, labels, and who is told how far it is.

use super::features::Terms;
use super::fit::{Fitting, Method};
use super::labels::{LabelSet, Task};
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
    /// See [`Calibration::noise`](super::calibrate::Calibration::noise).
    pub noise: f32,
}

/// A judgement, not a measurement: with an outlet's own labels about one article in twenty is filed
/// otherwise than naive Bayes has it, and more by the next outlet.
const TOPIC_NOISE: f32 = 0.1;
/// Two annotators of stance agree on 73 % (Mohammad et al., SemEval-2016 task 6): as if each
/// answered one text in four at random among three labels.
const STANCE_NOISE: f32 = 0.24;

impl Recipe {
    /// The settings that cross-validation on the bundled examples chose (`rasid train --tune`).
    pub fn of(task: Task) -> Self {
        match task {
            Task::Topic => Self {
                terms: Terms { pairs: false, function_words: false, half_quotes: false },
                fitting: Fitting {
                    method: Method::Complement,
                    smoothing: 1.0,
                    min_texts: 1,
                    balanced: false,
                },
                // cross-validation would take more, but who wrote a list also wrote the examples
                keyword_weight: 4,
                noise: TOPIC_NOISE,
            },
            Task::Stance => Self {
                terms: Terms { pairs: false, function_words: true, half_quotes: true },
                fitting: Fitting {
                    method: Method::Multinomial,
                    smoothing: 0.3,
                    min_texts: 1,
                    balanced: false,
                },
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
        write!(f, " in {}+ texts, keywords {}", self.fitting.min_texts, self.keyword_weight)?;
        write!(f, "{}", if self.fitting.balanced { ", balanced" } else { "" })
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
    /// the desk itself filed under them, so no other desk's choice is reckoned with; and a desk files a
    /// hundred reports of matches for one of a museum, so labels are balanced.
    pub fn usual(&self, task: Task) -> Recipe {
        let recipe = Recipe::of(task);
        let own = self.labels.of(task) != LabelSet::iptc().of(task);
        let fitting = Fitting { balanced: true, ..recipe.fitting };
        if own { Recipe { noise: 0.0, fitting, ..recipe } } else { recipe }
    }

    /// The settings of a task in a language.
    pub fn recipe(&self, language: Language, task: Task) -> Recipe {
        self.recipes.get(&(language, task)).copied().unwrap_or_else(|| self.usual(task))
    }
}
