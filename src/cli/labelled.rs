//! Labelled articles, which of a model's codes count as which of their labels, and what a model answers.

use super::Usage;
use super::examples::Flags;
use super::progress::Bar;
use crate::article::{Article, Pointers};
use crate::model::{Classifier, Document, Outcome, Task, WatchList};
use anyhow::Context;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Whose labels are judged, and what they are called.
#[derive(clap::Args)]
pub struct Judging {
    /// Which codes count as which label of the data
    #[arg(long, value_name = "MAP.json", requires = "map")]
    labels: Option<PathBuf>,
    /// The entry of the map
    #[arg(long, value_name = "NAME", requires = "labels")]
    map: Option<String>,
    /// Only labels that occur in the data compete
    #[arg(long)]
    pub closed: bool,
}

/// One article line with its right label, and whom the stance is toward.
pub struct Truth<'a> {
    /// File and line.
    pub place: String,
    /// The article.
    pub line: &'a str,
    /// Its label; `None` where the line has none.
    pub label: Option<Cow<'a, str>>,
    target: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    topic: Option<Cow<'a, str>>,
    #[serde(borrow)]
    stance: Option<Cow<'a, str>>,
    #[serde(borrow)]
    target: Option<Cow<'a, str>>,
}

/// The text of a file of articles.
pub fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// Examples of a table or a folder as article lines, with their first labels.
pub fn read_examples(path: &Path, flags: &Flags, task: Task) -> anyhow::Result<String> {
    let mut lines = String::new();
    let mut bare = None;
    flags.open(&[path.to_owned()])?.each("read", None, |example| {
        if example.labels(task).is_empty() {
            bare.get_or_insert(example.place.clone());
        }
        let topic = example.topics.into_iter().next();
        let (title, text, stance, target) = (example.title, example.text, example.stance, example.target);
        let line = serde_json::json!({
            "title": title, "text": text, "topic": topic, "stance": stance, "target": target
        });
        lines += &format!("{line}\n");
    })?;
    match bare {
        Some(place) => Err(Usage(format!("{place}: no field `{}`", task.name())).into()),
        None => Ok(lines),
    }
}

/// The article lines of `data`, which stands in `path`, with the labels that they have.
pub fn truths<'a>(path: &Path, data: &'a str, task: Task) -> anyhow::Result<Vec<Truth<'a>>> {
    let mut truths = Vec::new();
    for (index, line) in data.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = format!("{}:{}", path.display(), index + 1);
        let Line { topic, stance, target } = serde_json::from_str(line).with_context(|| place.clone())?;
        let (label, target) = match task {
            Task::Topic => (topic, None),
            Task::Stance => (stance, target),
        };
        truths.push(Truth { place, line, label, target });
    }
    if truths.is_empty() {
        return Err(Usage(format!("{}: no articles in it", path.display())).into());
    }
    Ok(truths)
}

/// As [`truths`], where every line must have its label.
pub fn all_labelled<'a>(path: &Path, data: &'a str, task: Task) -> anyhow::Result<Vec<Truth<'a>>> {
    let truths = truths(path, data, task)?;
    match truths.iter().find(|truth| truth.label.is_none()) {
        Some(bare) => Err(Usage(format!("{}: no field `{}`", bare.place, task.name())).into()),
        None => Ok(truths),
    }
}

/// The labels of the data, and which codes count as which.
pub struct Labels {
    task: Task,
    /// The data's labels; behind them `other`, for codes that count as none.
    pub names: Vec<String>,
    /// Code to index into the names.
    codes: BTreeMap<String, usize>,
    /// By name, whether it occurs in the data.
    occurs: Vec<bool>,
}

impl Labels {
    /// Those of `truths`: without a map they are codes of one of the `models`.
    pub fn of(
        judging: &Judging,
        models: &[&Classifier],
        task: Task,
        truths: &[Truth<'_>],
    ) -> anyhow::Result<Self> {
        let occurring: BTreeSet<&str> = truths.iter().filter_map(|truth| truth.label.as_deref()).collect();
        let (mut names, codes, unknown) = match (&judging.labels, &judging.map) {
            (Some(path), Some(map)) => {
                let map = entry(path, map)?;
                let names: Vec<String> = map.keys().cloned().collect();
                let mut codes = BTreeMap::new();
                for (index, name) in names.iter().enumerate() {
                    for code in &map[name] {
                        codes.entry(code.clone()).or_insert(index);
                    }
                }
                let unknown =
                    |label: &str| format!("{}: the data's label `{label}` is not in the map", path.display());
                (names, codes, Box::new(unknown) as Box<dyn Fn(&str) -> String>)
            }
            _ => {
                let labels = models.iter().flat_map(|model| model.info().labels(task));
                let names: BTreeSet<String> = labels.map(|label| label.code.clone()).collect();
                let codes = names.iter().cloned().zip(0..).collect();
                let unknown = |label: &str| {
                    format!(
                        "the data's label `{label}` is none of the model's: say with --labels MAP.json --map NAME what it means"
                    )
                };
                (names.into_iter().collect(), codes, Box::new(unknown) as _)
            }
        };
        if let Some(label) = occurring.iter().find(|label| !names.iter().any(|name| name == *label)) {
            return Err(Usage(unknown(label)).into());
        }
        let occurs = names.iter().map(|name| occurring.contains(name.as_str())).collect();
        // codes that count as no label are wrong answers under a name of their own
        names.push("other".to_owned());
        Ok(Self { task, names, codes, occurs })
    }

    /// By column of the model: index into the names, `None` where the code counts as no label.
    fn columns(&self, classifier: &Classifier) -> Vec<Option<usize>> {
        let codes = classifier.info().labels(self.task).iter();
        codes.map(|label| self.codes.get(&label.code).copied()).collect()
    }

    /// By column of the model, whether it competes.
    pub fn allowed(&self, classifier: &Classifier, closed: bool) -> Vec<bool> {
        let competes = |name: Option<usize>| !closed || name.is_some_and(|name| self.occurs[name]);
        self.columns(classifier).into_iter().map(competes).collect()
    }

    /// The name that counts as no label.
    fn other(&self) -> usize {
        self.names.len() - 1
    }
}

fn entry(path: &Path, map: &str) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut maps: BTreeMap<String, BTreeMap<String, Vec<String>>> =
        serde_json::from_str(&read(path)?).with_context(|| path.display().to_string())?;
    maps.remove(map).ok_or_else(|| {
        let known: Vec<_> = maps.keys().cloned().collect();
        Usage(format!("{}: no map `{map}`; it has {}", path.display(), known.join(", "))).into()
    })
}

/// What the model answers, by article; indices are into the names of `labels`. The truth of an article
/// without a label is `other`.
pub fn judge(
    classifier: &Classifier,
    labels: &Labels,
    truths: &[Truth<'_>],
    allowed: &[bool],
) -> anyhow::Result<Vec<Outcome>> {
    let columns = labels.columns(classifier);
    let bar = Bar::new("evaluate");
    bar.total(truths.len());
    let mut document = Document::default();
    let mut outcomes = Vec::with_capacity(truths.len());
    for truth in truths {
        let article = Article::read(truth.line, &Pointers::default()).with_context(|| truth.place.clone())?;
        let pieces = [&*article.title, &*article.text];
        document.read(&pieces);
        let target = truth.target.as_deref().and_then(WatchList::of);
        let prediction = match &target {
            Some(target) => classifier.predict_toward(&document, &pieces, target, allowed),
            None => classifier.predict(&document, labels.task, allowed),
        };
        let label = labels.names.iter().position(|name| Some(name.as_str()) == truth.label.as_deref());
        outcomes.push(Outcome {
            truth: label.unwrap_or(labels.other()),
            guess: prediction.as_ref().map(|p| columns[p.best].unwrap_or(labels.other())),
            confidence: prediction.as_ref().map_or(0.0, |p| p.probabilities[p.best]),
            abstained: prediction.is_none_or(|p| p.abstained),
        });
        bar.advance();
    }
    Ok(outcomes)
}
