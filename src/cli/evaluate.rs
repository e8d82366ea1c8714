//! `rasid evaluate`: a model against labelled articles.

use super::examples::Flags;
use super::labelled::{Judging, Labels, Truth, all_labelled, judge, read, read_examples};
use super::{load, write_atomically};
use crate::article::{Article, Pointers, TermWeight};
use crate::model::{Classifier, Document, Outcome, Report, Task};
use crate::report::{Evaluation, Mistake, evaluation};
use std::path::PathBuf;

/// Measure a model on labelled articles
#[derive(clap::Args)]
#[command(
    after_help = "Data: one JSON object a line with the text, as the worker reads it, and the label in `topic` or `stance`;
or a table or folder, as `rasid train` reads them.
With a field `target` the stance is judged toward that name, as a watch-list would.
A map says which codes count as which of the data's labels: {\"NAME\": {\"sports\": [\"medtop:15000000\"]}}

Examples:
  rasid evaluate --data articles.jsonl --field topic
  rasid evaluate --data articles.jsonl --field topic --report report.html
  rasid evaluate --model mine.safetensors --data held-out.csv --column text=body,topic=section --field topic
  rasid evaluate --data sanad.jsonl --field topic --labels labels.json --map topic-ar-sanad --closed --json"
)]
pub struct Args {
    /// The model file; the one that ships with Rasid by default
    #[arg(long)]
    model: Option<PathBuf>,
    /// Labelled articles: JSON Lines, a table (.csv, .tsv) or a folder of texts by label
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    #[command(flatten)]
    flags: Flags,
    /// Which label to judge
    #[arg(long, value_parser = ["topic", "stance"])]
    field: String,
    #[command(flatten)]
    judging: Judging,
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

pub fn run(args: &Args) -> anyhow::Result<()> {
    let classifier = load(args.model.as_deref())?;
    let task = if args.field == "topic" { Task::Topic } else { Task::Stance };
    let data = if args.flags.ask_for(&args.data) {
        read_examples(&args.data, &args.flags, task)?
    } else {
        read(&args.data)?
    };
    let truths = all_labelled(&args.data, &data, task)?;
    let labels = Labels::of(&args.judging, &[&classifier], task, &truths)?;
    let allowed = labels.allowed(&classifier, args.judging.closed);
    let outcomes = judge(&classifier, &labels, &truths, &allowed)?;
    let report = Report::of(&labels.names, outcomes.iter().copied());
    if let Some(path) = &args.report {
        let name = args.data.file_name().unwrap_or(args.data.as_os_str()).to_string_lossy();
        let page = evaluation(&Evaluation {
            data: &name,
            task: task.name(),
            closed: args.judging.closed,
            model: classifier.tag(),
            report: &report,
            mistakes: &mistakes(&classifier, task, &truths, (&labels.names, &outcomes), &allowed),
        });
        write_atomically(path, |file| file.write_all(page.as_bytes()))?;
    }
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

/// The surest wrong answers, with what carried them.
fn mistakes(
    classifier: &Classifier,
    task: Task,
    truths: &[Truth<'_>],
    (names, outcomes): (&[String], &[Outcome]),
    allowed: &[bool],
) -> Vec<Mistake> {
    let mut wrong: Vec<usize> = (0..truths.len())
        .filter(|index| outcomes[*index].guess.is_some_and(|guess| guess != outcomes[*index].truth))
        .collect();
    let confidence = |index: usize| outcomes[index].confidence;
    wrong.sort_by(|a, b| confidence(*b).total_cmp(&confidence(*a)));
    wrong.truncate(MISTAKES);
    let mut document = Document::default();
    let told = |index: usize| {
        let article = Article::read(truths[index].line, &Pointers::default()).ok()?;
        let pieces = [&*article.title, &*article.text];
        let text = if article.title.trim().is_empty() { &article.text } else { &article.title };
        let terms = classifier.explain(&mut document, &pieces, task, allowed);
        Some(Mistake {
            place: format!("article {}", index + 1),
            text: text.trim().chars().take(SNIPPET).collect(),
            truth: names[outcomes[index].truth].clone(),
            guess: outcomes[index].guess.map_or_else(String::new, |guess| names[guess].clone()),
            confidence: confidence(index),
            terms: terms.into_iter().map(TermWeight::into_owned).collect(),
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
