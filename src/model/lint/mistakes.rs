//! Likely label mistakes: examples that a model which has not seen them surely takes for another label.
//!
//! How sure is sure is learned from the set itself (Northcutt, Jiang and Chuang, *Confident Learning:
//! Estimating Uncertainty in Dataset Labels*, JAIR 2021): as sure as of the examples that have that other
//! label, on average.

use super::super::calibrate::Calibration;
use super::super::corpus::Corpus;
use super::super::examples::Example;
use super::super::folds::FOLDS;
use super::super::labels::{LabelSet, Task};
use super::super::recipe::Plan;
use super::super::score::{ByLabel, argmax};
use super::super::texts::{Text, read};
use super::{Check, Finding, Read, finding};
use crate::text::Language;
use std::collections::{BTreeMap, BTreeSet};

/// Mistakes that are told in one language and task.
const MOST: usize = 100;
/// Sure enough whatever the average, which comes near to 1 where labels are easily told apart.
const SURE: f64 = 0.8;

type Set<'a> = (Vec<Text>, Vec<&'a Example>);

/// Says which examples are likely labelled wrongly, the surest of each language and task.
pub(super) fn mistakes(all: &[Read], labels: &LabelSet, findings: &mut Vec<Finding>) {
    let mut sets: BTreeMap<(Language, Task), Set> = BTreeMap::new();
    for example in all.iter().map(|read| read.example) {
        let Some((language, texts)) = read(example, labels) else { continue };
        for (task, mut text) in texts {
            let (all, examples) = sets.entry((language, task)).or_default();
            // not by event or concept: who has seen its neighbours knows best what an example is about
            text.group = all.len() as u64;
            all.push(text);
            examples.push(example);
        }
    }
    let plan = Plan { labels: labels.clone(), ..Plan::new("", "") };
    for ((_, task), (texts, examples)) in &sets {
        let taught: BTreeSet<usize> = texts.iter().flat_map(Text::labels).copied().collect();
        if taught.len() >= 2 {
            findings.extend(of_set(texts, examples, *task, &plan));
        }
    }
}

fn of_set(texts: &[Text], examples: &[&Example], task: Task, plan: &Plan<'_>) -> Vec<Finding> {
    let (labels, recipe) = (plan.labels.of(task), plan.usual(task));
    let corpus = Corpus::of(texts, labels.len(), recipe.terms, &[]);
    let scores = corpus.held_out(&recipe, FOLDS, |text| Some(text.fold(FOLDS)));
    // the scores stand fold by fold
    let stands = |fold| {
        let inside = move |index: &usize| !texts[*index].keywords && texts[*index].fold(FOLDS) == fold;
        (0..texts.len()).filter(inside)
    };
    let order = (0..FOLDS).flat_map(stands);
    let calibration = Calibration::fit(&scores, recipe.noise);
    let judged: Vec<(usize, ByLabel)> = order
        .zip(&scores)
        .map(|(index, (score, _))| (index, calibration.probabilities(score, &[])))
        .collect();
    // by label: how sure of it the examples that have it are, on average
    let mut sure = vec![(0.0f64, 0.0f64); labels.len()];
    for (index, probabilities) in &judged {
        let main = texts[*index].right[0];
        sure[main].0 += f64::from(probabilities[main]);
        sure[main].1 += 1.0;
    }
    let mut found: Vec<(f32, usize, usize, f32)> = judged
        .iter()
        .filter_map(|(index, probabilities)| {
            let (best, right) = (argmax(probabilities), &texts[*index].right);
            let (sum, count) = sure[best];
            let given = right.iter().map(|label| probabilities[*label]).fold(0.0, f32::max);
            let is_sure = count > 0.0 && f64::from(probabilities[best]) >= (sum / count).min(SURE);
            (is_sure && !right.contains(&best)).then(|| (probabilities[best] - given, *index, best, given))
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    found.truncate(MOST);
    let told = |(margin, index, best, given): (f32, usize, usize, f32)| {
        let message = format!(
            "{} `{}`, but a model that has not seen it says `{}` ({:.0} % to {:.0} %): look whether the label is right",
            task.name(),
            labels[texts[index].right[0]].code,
            labels[best].code,
            100.0 * (margin + given),
            100.0 * given
        );
        finding(Check::Mistake, &examples[index].place, message)
    };
    found.into_iter().map(told).collect()
}
