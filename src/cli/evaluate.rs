//! `rasid evaluate`: a model against labelled articles.

use super::progress::Bar;
use super::{Usage, load, write_atomically};
use crate::article::{Article, Pointers};
use crate::model::{Classifier, Document, Outcome, Report, Task, WatchList};
use crate::report::{Evaluation, Mistake, evaluation};
use anyhow::Context;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Measure a model on labelled articles
#[derive(clap::Args)]
#[command(
    after_help = "Data: one JSON object a line with the text, as the worker reads it, and the label in `topic` or `stance`.
With a field `target` the stance is judged toward that name, as a watch-list would.
A map says which codes count as which of the data's labels: {\"NAME\": {\"sports\": [\"medtop:15000000\"]}}

Examples:
  rasid evaluate --data articles.jsonl --field topic
  rasid evaluate --data articles.jsonl --field topic --report report.html
  rasid evaluate --data sanad.jsonl --field topic --labels labels.json --map topic-ar-sanad --closed --json"
)]
pub struct Args {
    /// The model file; the one that ships with Rasid by default
    #[arg(long)]
    model: Option<PathBuf>,
    /// Labelled articles, JSON Lines
    #[arg(long, value_name = "FILE.jsonl")]
    data: PathBuf,
    /// Which label to judge
    #[arg(long, value_parser = ["topic", "stance"])]
    field: String,
    /// Which codes count as which label of the data
    #[arg(long, value_name = "MAP.json", requires = "map")]
    labels: Option<PathBuf>,
    /// The entry of the map
    #[arg(long, value_name = "NAME", requires = "labels")]
    map: Option<String>,
    /// Only labels that occur in the data compete
    #[arg(long)]
    closed: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Write a page with plots, confusion and the surest mistakes, with their texts
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// Mistakes that a report shows.
const MISTAKES: usize = 25;
/// Letters of their texts.
const SNIPPET: usize = 240;

/// Which of the data's labels a column of the model counts as.
struct Mapping {
    /// The data's labels.
    names: Vec<String>,
    /// By column: index into `names`, `None` where the code counts as no label.
    columns: Vec<Option<usize>>,
}

/// What the model answered, by article; indices are into `names`.
struct Judged {
    names: Vec<String>,
    outcomes: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Labelled<'a> {
    #[serde(borrow)]
    topic: Option<Cow<'a, str>>,
    #[serde(borrow)]
    stance: Option<Cow<'a, str>>,
    #[serde(borrow)]
    target: Option<Cow<'a, str>>,
}

/// One article line with its right label, and whom the stance is toward.
struct Truth<'a> {
    line: &'a str,
    label: Cow<'a, str>,
    target: Option<Cow<'a, str>>,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let classifier = load(args.model.as_deref())?;
    let task = if args.field == "topic" { Task::Topic } else { Task::Stance };
    let data = std::fs::read_to_string(&args.data).with_context(|| args.data.display().to_string())?;
    let truths = truths(&args.data, &data, task)?;
    let occurring: BTreeSet<&str> = truths.iter().map(|truth| &*truth.label).collect();
    let mapping = mapping(args, &classifier, task, &occurring)?;
    let allowed: Vec<bool> = mapping
        .columns
        .iter()
        .map(|name| !args.closed || name.is_some_and(|name| occurring.contains(&*mapping.names[name])))
        .collect();
    let judged = judge(&classifier, task, &truths, &mapping, &allowed)?;
    let report = Report::of(&judged.names, judged.outcomes.iter().copied());
    if let Some(path) = &args.report {
        let name = args.data.file_name().unwrap_or(args.data.as_os_str()).to_string_lossy();
        let page = evaluation(&Evaluation {
            data: &name,
            task: task.name(),
            closed: args.closed,
            model: classifier.tag(),
            report: &report,
            mistakes: &mistakes(&classifier, task, &truths, &judged, &allowed),
        });
        write_atomically(path, page.as_bytes())?;
    }
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

/// The article lines with their labels.
fn truths<'a>(path: &Path, data: &'a str, task: Task) -> anyhow::Result<Vec<Truth<'a>>> {
    let mut truths = Vec::new();
    for (index, line) in data.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("{}:{}", path.display(), index + 1);
        let labelled: Labelled<'a> = serde_json::from_str(line).with_context(place)?;
        let label = match task {
            Task::Topic => labelled.topic,
            Task::Stance => labelled.stance,
        };
        let missing = || Usage(format!("{}: no field `{}`", place(), task.name()));
        let target = labelled.target.filter(|_| task == Task::Stance);
        truths.push(Truth { line, label: label.ok_or_else(missing)?, target });
    }
    if truths.is_empty() {
        return Err(Usage(format!("{}: no articles in it", path.display())).into());
    }
    Ok(truths)
}

fn mapping(
    args: &Args,
    classifier: &Classifier,
    task: Task,
    occurring: &BTreeSet<&str>,
) -> anyhow::Result<Mapping> {
    let codes = classifier.info().labels(task).iter().map(|label| label.code.as_str());
    let (Some(path), Some(map)) = (&args.labels, &args.map) else {
        let names: Vec<String> = codes.map(str::to_owned).collect();
        let columns = (0..names.len()).map(Some).collect();
        if let Some(unknown) = occurring.iter().find(|label| !names.iter().any(|name| name == *label)) {
            return Err(Usage(format!(
                "the data's label `{unknown}` is none of the model's: say with --labels MAP.json --map NAME what it means"
            ))
            .into());
        }
        return Ok(Mapping { names, columns });
    };
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut maps: BTreeMap<String, BTreeMap<String, Vec<String>>> =
        serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let map = maps.remove(map).ok_or_else(|| {
        let known: Vec<_> = maps.keys().cloned().collect();
        Usage(format!("{}: no map `{map}`; it has {}", path.display(), known.join(", ")))
    })?;
    if let Some(unknown) = occurring.iter().find(|label| !map.contains_key(**label)) {
        return Err(
            Usage(format!("{}: the data's label `{unknown}` is not in the map", path.display())).into()
        );
    }
    let names: Vec<String> = map.keys().cloned().collect();
    let columns =
        codes.map(|code| names.iter().position(|name| map[name].iter().any(|one| one == code))).collect();
    Ok(Mapping { names, columns })
}

fn judge(
    classifier: &Classifier,
    task: Task,
    truths: &[Truth<'_>],
    mapping: &Mapping,
    allowed: &[bool],
) -> anyhow::Result<Judged> {
    // codes that count as no label are wrong answers under a name of their own
    let mut names = mapping.names.clone();
    names.push("other".to_owned());
    let other = names.len() - 1;
    let bar = Bar::new("evaluate");
    bar.total(truths.len());
    let mut document = Document::default();
    let mut outcomes = Vec::with_capacity(truths.len());
    for (number, truth) in truths.iter().enumerate() {
        let article = Article::read(truth.line, &Pointers::default())
            .with_context(|| format!("article {} of the data", number + 1))?;
        let pieces = [&*article.title, &*article.text];
        document.read(&pieces);
        let target = truth.target.as_deref().and_then(WatchList::of);
        let prediction = match &target {
            Some(target) => classifier.predict_toward(&document, &pieces, target, allowed),
            None => classifier.predict(&document, task, allowed),
        };
        outcomes.push(Outcome {
            truth: names.iter().position(|name| *name == truth.label).unwrap_or(other),
            guess: prediction.as_ref().map(|p| mapping.columns[p.best].unwrap_or(other)),
            confidence: prediction.as_ref().map_or(0.0, |p| p.probabilities[p.best]),
            abstained: prediction.is_none_or(|p| p.abstained),
        });
        bar.advance();
    }
    Ok(Judged { names, outcomes })
}

/// The surest wrong answers, with what carried them.
fn mistakes(
    classifier: &Classifier,
    task: Task,
    truths: &[Truth<'_>],
    judged: &Judged,
    allowed: &[bool],
) -> Vec<Mistake> {
    let mut wrong: Vec<usize> = (0..truths.len())
        .filter(|index| {
            judged.outcomes[*index].guess.is_some_and(|guess| guess != judged.outcomes[*index].truth)
        })
        .collect();
    let confidence = |index: usize| judged.outcomes[index].confidence;
    wrong.sort_by(|a, b| confidence(*b).total_cmp(&confidence(*a)));
    wrong.truncate(MISTAKES);
    let mut document = Document::default();
    let told = |index: usize| {
        let article = Article::read(truths[index].line, &Pointers::default()).ok()?;
        let pieces = [&*article.title, &*article.text];
        let text = if article.title.trim().is_empty() { &article.text } else { &article.title };
        Some(Mistake {
            place: format!("article {}", index + 1),
            text: text.trim().chars().take(SNIPPET).collect(),
            truth: judged.names[judged.outcomes[index].truth].clone(),
            guess: judged.outcomes[index].guess.map_or_else(String::new, |guess| judged.names[guess].clone()),
            confidence: confidence(index),
            terms: classifier.explain(&mut document, &pieces, task, allowed),
        })
    };
    wrong.into_iter().filter_map(told).collect()
}

fn print(report: &Report) {
    println!("articles            {:>7}", report.n);
    println!("accuracy            {:>7.1} %", 100.0 * report.accuracy);
    println!("accuracy, surest 80 {:>7.1} %", 100.0 * report.accuracy_surest_80);
    println!("macro-F1            {:>7.1} %", 100.0 * report.macro_f1);
    println!("calibration error   {:>7.3}", report.ece);
    println!("abstained           {:>7.1} %", 100.0 * report.abstained);
    println!("unknown language    {:>7.1} %", 100.0 * report.unknown_language);
    println!("\n{:12} {:>9} {:>9} {:>9} {:>8}  taken for", "label", "precision", "recall", "F1", "support");
    for (label, figures) in &report.per_label {
        let mut taken: Vec<_> = report.confusion[label].iter().filter(|(other, _)| *other != label).collect();
        taken.sort_by(|a, b| b.1.cmp(a.1));
        let taken: Vec<String> = taken.iter().take(3).map(|(other, n)| format!("{other} {n}")).collect();
        println!(
            "{label:12} {:>8.1}% {:>8.1}% {:>8.1}% {:>8}  {}",
            100.0 * figures.precision,
            100.0 * figures.recall,
            100.0 * figures.f1,
            figures.support,
            taken.join(", "),
        );
    }
}
