//! `rasid model diff`: what changed from one model to another.

use super::labelled::{Judging, Labels, Truth, judge, read, truths};
use super::terminal::isolated;
use crate::article::{Article, Pointers};
use crate::model::{Change, Classifier, Diff, LabelChange, McNemar, Outcome, Report, Shift, TEXT, Task};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What changed from one model to another
#[derive(clap::Args)]
#[command(
    after_help = "Data: one JSON object a line with the text, as the worker reads it. Articles with the right label in
`topic` (`stance` with --field stance) also give the figures of both models; labels and maps as for
rasid evaluate.

Examples:
  rasid model diff old.safetensors new.safetensors
  rasid model diff old.safetensors new.safetensors --data articles.jsonl
  rasid model diff old.safetensors new.safetensors --data archive.jsonl --flips 100 --terms 0
  rasid model diff models/rasid-news.safetensors new.safetensors --json > diff.json"
)]
pub struct Args {
    /// The first model file
    #[arg(value_name = "A")]
    before: PathBuf,
    /// The second model file
    #[arg(value_name = "B")]
    after: PathBuf,
    /// Articles that both tag, JSON Lines
    #[arg(long, value_name = "FILE.jsonl")]
    data: Option<PathBuf>,
    /// Which label of theirs to compare
    #[arg(long, value_parser = ["topic", "stance"], default_value = "topic", requires = "data")]
    field: String,
    #[command(flatten)]
    judging: Judging,
    /// Terms to name, by label and direction
    #[arg(long, value_name = "N", default_value_t = 5)]
    terms: usize,
    /// Articles to name whose tag flips
    #[arg(long, value_name = "N", default_value_t = 20)]
    flips: usize,
    /// Print one JSON object; it names every flip
    #[arg(long)]
    json: bool,
}

/// Letters of a text that names an article.
const SNIPPET: usize = 60;

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    diff: &'a Diff,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Data>,
}

/// Both models on the same articles.
#[derive(Serialize)]
struct Data {
    articles: usize,
    labelled: usize,
    /// Of the articles with a label.
    before: Report,
    after: Report,
    mcnemar: McNemar,
    flips: Vec<Flip>,
}

/// An article whose likeliest label is another one.
#[derive(Serialize)]
struct Flip {
    place: String,
    text: String,
    right: Option<String>,
    before: Answer,
    after: Answer,
}

#[derive(Serialize)]
struct Answer {
    /// Null in a language that the model does not know.
    label: Option<String>,
    confidence: f32,
    /// Whether it is too unsure to be given.
    abstained: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let (before, sha_before) = super::read_model(&args.before)?;
    let (after, sha_after) = super::read_model(&args.after)?;
    let diff = Diff::of(&before, &after, args.terms);
    let data = match &args.data {
        None => None,
        Some(path) => {
            let models = [Classifier::new(before, sha_before)?, Classifier::new(after, sha_after)?];
            Some(compare(args, path, &models)?)
        }
    };
    if args.json {
        println!("{}", serde_json::to_string(&Shown { diff: &diff, data: data.as_ref() })?);
        return Ok(());
    }
    if diff.is_empty() {
        println!("the models are the same");
    }
    print(&diff);
    if let Some(data) = &data {
        print_data(data, args.flips);
    }
    Ok(())
}

fn compare(args: &Args, path: &Path, [before, after]: &[Classifier; 2]) -> anyhow::Result<Data> {
    let task = if args.field == "topic" { Task::Topic } else { Task::Stance };
    let text = read(path)?;
    let truths = truths(path, &text, task)?;
    let labels = Labels::of(&args.judging, &[before, after], task, &truths)?;
    let answers = |model: &Classifier| {
        let allowed = labels.allowed(model, args.judging.closed);
        judge(model, &labels, &truths, &allowed)
    };
    let (first, second) = (answers(before)?, answers(after)?);
    let labelled = |outcomes: &[Outcome]| -> Vec<Outcome> {
        let both = outcomes.iter().zip(&truths).filter(|(_, truth)| truth.label.is_some());
        both.map(|(outcome, _)| *outcome).collect()
    };
    let (judged, again) = (labelled(&first), labelled(&second));
    let right = judged.iter().zip(&again).map(|(a, b)| (a.is_right(), b.is_right()));
    let answer = |outcome: &Outcome| Answer {
        label: outcome.guess.map(|guess| labels.names[guess].clone()),
        confidence: outcome.confidence,
        abstained: outcome.abstained,
    };
    let flips = truths.iter().zip(first.iter().zip(&second)).filter(|(_, (a, b))| a.guess != b.guess);
    let flips = flips.map(|(truth, (a, b))| Flip {
        place: truth.place.clone(),
        text: snippet(truth),
        right: truth.label.as_deref().map(str::to_owned),
        before: answer(a),
        after: answer(b),
    });
    Ok(Data {
        articles: truths.len(),
        labelled: judged.len(),
        mcnemar: McNemar::of(right),
        flips: flips.collect(),
        before: Report::of(&labels.names, judged),
        after: Report::of(&labels.names, again),
    })
}

/// The title, or the first words.
fn snippet(truth: &Truth<'_>) -> String {
    let Ok(article) = Article::read(truth.line, &Pointers::default()) else { return String::new() };
    let text = if article.title.trim().is_empty() { &article.text } else { &article.title };
    text.trim().chars().take(SNIPPET).collect()
}

fn print(diff: &Diff) {
    if !diff.labels.is_empty() {
        println!("labels");
    }
    for LabelChange { task, code, before, after } in &diff.labels {
        let called = |(name, name_ar): &(String, String)| format!("{} {}", isolated(name), isolated(name_ar));
        let said = match (before, after) {
            (Some(before), Some(after)) => format!("renamed  {} → {}", called(before), called(after)),
            (None, Some(after)) => format!("added    {}", called(after)),
            (Some(before), None) => format!("removed  {}", called(before)),
            (None, None) => continue,
        };
        println!("  {:6}  {}  {said}", task.name(), isolated(code));
    }
    if !diff.settings.is_empty() {
        println!("settings");
    }
    let width = diff.settings.iter().map(|change| change.name.chars().count()).max().unwrap_or(0);
    for Change { name, before, after } in &diff.settings {
        println!("  {name:width$}  {before} → {after}");
    }
    if !diff.terms.is_empty() {
        println!("terms that moved most: log-odds that one occurrence adds in a text of {TEXT} terms");
    }
    for moved in &diff.terms {
        println!("  {} {}  {}", moved.language.code(), moved.task.name(), isolated(&moved.code));
        for (side, shifts) in [("toward", &moved.toward), ("away", &moved.away)] {
            let shift = |Shift { term, before, after, texts }: &Shift| {
                format!("{} {before:+.2} → {after:+.2} ({texts})", isolated(term))
            };
            let shifts: Vec<String> = shifts.iter().map(shift).collect();
            if !shifts.is_empty() {
                println!("    {side:6}  {}", shifts.join(", "));
            }
        }
    }
}

fn print_data(data: &Data, most: usize) {
    let Data { articles, labelled, before, after, mcnemar, flips } = data;
    println!("{articles} articles, {labelled} of them with the right label; {} tags flip", flips.len());
    if *labelled > 0 {
        println!("  {:18} {:>9} {:>9}", "", "A", "B");
        let percent = |name: &str, of: fn(&Report) -> f64| {
            println!("  {name:18} {:>7.1} % {:>7.1} %", 100.0 * of(before), 100.0 * of(after));
        };
        percent("accuracy", |report| report.accuracy);
        percent("macro-F1", |report| report.macro_f1);
        println!("  {:18} {:>9.3} {:>9.3}", "calibration error", before.ece, after.ece);
        percent("abstained", |report| report.abstained);
        let McNemar { only_first, only_second, p } = mcnemar;
        println!("  only A right {only_first}, only B right {only_second}: McNemar test, exact, p = {p:.2e}");
    }
    for Flip { place, text, right, before, after } in flips.iter().take(most) {
        let answer = |Answer { label, confidence, abstained }: &Answer| match label {
            None => "no language".to_owned(),
            Some(label) => {
                format!("{} {confidence:.2}{}", isolated(label), if *abstained { " (silent)" } else { "" })
            }
        };
        let right = right.as_ref().map_or_else(String::new, |right| format!(", right {}", isolated(right)));
        println!("  {place}: {} → {}{right}: {}", answer(before), answer(after), isolated(text));
    }
    if flips.len() > most {
        println!("  … {} more; --flips N or --json names them", flips.len() - most);
    }
}
