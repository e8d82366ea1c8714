//! Examples of all languages and tasks as tallies: from examples, from a model file, added up, and
//! made a model of.

use super::ModelError;
use super::counts::UNIT;
use super::examples::Example;
use super::labels::{LabelSet, Task};
use super::parts::{Figures, Head, Info, Model};
use super::recipe::{Plan, Progress, Recipe};
use super::sources::moment;
use super::tally::Tally;
use super::texts::read;
use super::train::train_head;
use crate::text::{Language, NORMALISER_VERSION};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What examples say, ready to be added to others and to be made a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Tallies {
    labels: LabelSet,
    parts: BTreeMap<(Language, Task), (Recipe, Tally)>,
    examples: usize,
    digest: [u8; 32],
    as_of: Option<Timestamp>,
}

impl Tallies {
    /// Nothing yet, with the labels of `plan`.
    pub fn new(plan: &Plan<'_>) -> Self {
        Self {
            labels: plan.labels.clone(),
            parts: BTreeMap::new(),
            examples: 0,
            digest: [0; 32],
            as_of: None,
        }
    }

    /// Counts one example more, by the settings of `plan`; says whether it teaches anything: one that is
    /// neither Arabic nor English does not. [`Tallies::sorted`] comes last.
    pub fn add(&mut self, example: &Example, plan: &Plan<'_>) -> bool {
        self.add_part(example, plan, |_, _| None)
    }

    /// As [`Tallies::add`], of a whole that others count too: `admit` is told of each text that may be
    /// kept, and says from which group on texts are cut from the whole.
    pub(super) fn add_part(
        &mut self,
        example: &Example,
        plan: &Plan<'_>,
        admit: impl Fn((Language, Task), u64) -> Option<u64>,
    ) -> bool {
        self.examples += 1;
        self.digest = sum(self.digest, one_digest(example));
        self.as_of = self.as_of.max(example.published);
        let Some((language, texts)) = read(example, &self.labels) else { return false };
        for (task, text) in texts {
            let new = || (plan.recipe(language, task), Tally::new(self.labels.of(task).len()));
            let (recipe, tally) = self.parts.entry((language, task)).or_insert_with(new);
            let kept = !text.keywords && text.shares(recipe.keyword_weight).is_some();
            if kept && let Some(below) = admit((language, task), text.group) {
                tally.cut_from(below);
            }
            tally.add(&text, *recipe);
        }
        true
    }

    /// With terms in order, ready to be added to others.
    pub fn sorted(mut self) -> Self {
        self.parts =
            self.parts.into_iter().map(|(key, (recipe, tally))| (key, (recipe, tally.sorted()))).collect();
        self
    }

    /// Counts `examples` with the labels and settings of `plan`.
    pub fn of(examples: &[Example], plan: &Plan<'_>) -> Self {
        let mut tallies = Self::new(plan);
        for example in examples {
            tallies.add(example, plan);
        }
        tallies.sorted()
    }

    /// What a model was trained from. What adaptation to an outlet learnt is not part of it.
    ///
    /// # Errors
    /// [`ModelError::File`] when the digest of the examples is none.
    pub fn of_model(model: &Model) -> Result<Self, ModelError> {
        let info = &model.info;
        let mut digest = [0; 32];
        let hex = info.examples_sha256.as_bytes();
        let pairs = hex.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or(""), 16));
        for (at, byte) in digest.iter_mut().zip(pairs) {
            *at =
                byte.map_err(|_| ModelError::File("the digest of the examples is not hexadecimal".into()))?;
        }
        let part = |(key, head): (&(Language, Task), &Head)| {
            let recipe = Recipe {
                terms: head.terms,
                fitting: head.fitting,
                keyword_weight: head.keyword_weight,
                noise: head.calibration.noise,
            };
            let tally = Tally {
                counts: head.counts.clone(),
                kept: head.kept.clone(),
                below: head.kept_below,
                texts: head.texts,
            };
            (*key, (recipe, tally))
        };
        Ok(Self {
            labels: LabelSet { topics: info.topics.clone(), stances: info.stances.clone() },
            parts: model.heads.iter().map(part).collect(),
            examples: info.examples,
            digest,
            as_of: info.as_of.as_deref().and_then(moment),
        })
    }

    /// The newest date of what was counted; `None` where nothing had a date.
    pub fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    /// The same as seen at `as_of`, where of each text `share` of its count is left.
    pub fn faded(mut self, share: f64, as_of: Timestamp) -> Self {
        let faded =
            |(key, (recipe, tally)): (_, (Recipe, Tally))| (key, (recipe, tally.faded(recipe, share)));
        self.parts = self.parts.into_iter().map(faded).collect();
        self.seen_at(as_of)
    }

    /// The same, seen no earlier than `as_of`.
    pub fn seen_at(mut self, as_of: Timestamp) -> Self {
        self.as_of = self.as_of.max(Some(as_of));
        self
    }

    /// A plan to count more examples by: the same labels and settings.
    pub fn plan<'a>(&self, name: &'a str, version: &'a str) -> Plan<'a> {
        let recipes = self.parts.iter().map(|(key, (recipe, _))| (*key, *recipe)).collect();
        Plan { name, version, labels: self.labels.clone(), recipes }
    }

    /// Both as one.
    ///
    /// # Errors
    /// [`ModelError::Fit`] when they have not the same labels or settings.
    pub fn with(mut self, other: Self) -> Result<Self, ModelError> {
        if self.labels != other.labels {
            let codes = |set: &LabelSet| -> Vec<String> {
                set.topics.iter().chain(&set.stances).map(|label| label.code.clone()).collect()
            };
            let (ours, theirs) = (codes(&self.labels), codes(&other.labels));
            let one = |a: &[String], b: &[String]| a.iter().find(|code| !b.contains(code)).cloned();
            let which = one(&ours, &theirs).or_else(|| one(&theirs, &ours));
            let what = which.map_or("names of labels".to_owned(), |code| format!("label `{code}`"));
            return Err(ModelError::Fit(format!(
                "only one of the two has the {what}: train both with one --labels file"
            )));
        }
        for (key, (recipe, tally)) in other.parts {
            let (language, task) = (key.0.code(), key.1.name());
            let both = match self.parts.remove(&key) {
                None => (recipe, tally),
                Some((ours, _)) if ours != recipe => {
                    return Err(ModelError::Fit(format!(
                        "{language} {task}: settings differ, {ours} and {recipe}: train both with the same"
                    )));
                }
                Some((_, ours)) => (recipe, ours.with(tally)),
            };
            self.parts.insert(key, both);
        }
        self.examples += other.examples;
        self.digest = sum(self.digest, other.digest);
        self.as_of = self.as_of.max(other.as_of);
        Ok(self)
    }

    /// Both as one, counted by the same plan.
    pub(super) fn add_shard(mut self, other: Self) -> Self {
        for (key, (recipe, tally)) in other.parts {
            let both = match self.parts.remove(&key) {
                None => tally,
                Some((_, ours)) => ours.with(tally),
            };
            self.parts.insert(key, (recipe, both));
        }
        self.examples += other.examples;
        self.digest = sum(self.digest, other.digest);
        self.as_of = self.as_of.max(other.as_of);
        self
    }

    /// Calibrates, chooses thresholds and fits the weights.
    ///
    /// # Errors
    /// [`ModelError::Fit`] when no task has texts of two labels in one language.
    pub fn finish(self, name: &str, version: &str, progress: &dyn Progress) -> Result<Model, ModelError> {
        let mut heads = BTreeMap::new();
        let mut figures = Vec::new();
        let steps = self.parts.len();
        for ((language, task), (recipe, tally)) in self.parts {
            progress.step(&format!("{} {}", language.code(), task.name()), steps);
            let (head, report) = train_head(tally, self.labels.of(task), recipe)?;
            figures.extend(report.map(|report| Figures::of(language, task, head.texts, &report)));
            heads.insert((language, task), head);
        }
        if figures.is_empty() {
            let taught = |(key, head): (&(Language, Task), &Head)| {
                let labels = self.labels.of(key.1).iter().zip(head.counts.taught());
                let labels = labels.filter(|(_, taught)| *taught).map(|(label, _)| label.code.clone());
                (*key, head.texts, labels.collect())
            };
            return Err(ModelError::Fit(nothing_to_tell(heads.iter().map(taught))));
        }
        let info = Info {
            name: name.to_owned(),
            version: version.to_owned(),
            normaliser: NORMALISER_VERSION,
            topics: self.labels.topics.clone(),
            stances: self.labels.stances.clone(),
            examples: self.examples,
            examples_sha256: super::artifact::hex(&self.digest),
            as_of: self.as_of.map(|time| time.to_string()),
            figures,
            adaptation: Vec::new(),
        };
        Ok(Model { info, heads })
    }
}

/// The sum modulo 2^256: the digest of examples is that of the SHA-256 of each, the same in any order
/// and in any parts.
fn sum(a: [u8; 32], b: [u8; 32]) -> [u8; 32] {
    let mut carry = 0;
    std::array::from_fn(|i| {
        let sum = u16::from(a[i]) + u16::from(b[i]) + carry;
        carry = sum >> 8;
        sum as u8
    })
}

fn one_digest(example: &Example) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let mut part = |part: &str| {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    };
    [&example.id, &example.title, &example.text].into_iter().for_each(|text| part(text));
    for task in Task::ALL {
        example.labels(task).iter().for_each(|label| part(label));
        part("");
    }
    for name in [&example.event, &example.concept] {
        part(name.as_deref().unwrap_or_default());
    }
    hasher.update([u8::from(example.keywords)]);
    if example.weight != UNIT {
        hasher.update(example.weight.to_le_bytes());
    }
    hasher.finalize().into()
}

/// Says that in no language and task there are two labels to tell apart, and what there is: texts and
/// labels.
pub fn nothing_to_tell(found: impl Iterator<Item = ((Language, Task), usize, Vec<String>)>) -> String {
    let part = |((language, task), texts, labels): ((Language, Task), usize, Vec<String>)| {
        let (language, task, labels) = (language.code(), task.name(), labels.join("`, `"));
        format!("; {language} {task}: {texts} texts, all `{labels}`")
    };
    let found: String = found.map(part).collect();
    format!(
        "there must be texts of two labels or more in a language, or there is nothing to tell apart{found}"
    )
}

/// Trains a model: for each language and task counts, calibration, thresholds and weights.
///
/// The same examples give the same model, byte for byte.
///
/// # Errors
/// [`ModelError::Fit`] when a task has fewer than two labels with examples.
pub fn train(examples: &[Example], plan: &Plan<'_>, progress: &dyn Progress) -> Result<Model, ModelError> {
    Tallies::of(examples, plan).finish(plan.name, plan.version, progress)
}
