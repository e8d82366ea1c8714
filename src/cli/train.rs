//! `rasid train`: examples to a model file, or to figures.

use super::connect::Connect;
use super::corrections;
use super::progress::Bar;
use super::{Usage, load_model, write_atomically};
use crate::model::{
    Example, FOLDS, Figures, LabelSet, Model, Plan, Recipe, Tallies, Task, Text, count, learning,
    read_labelled, read_text, sha256, taught, tune, validate,
};
use crate::text::Language;
use anyhow::Context;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Train a model from labelled examples
#[derive(clap::Args)]
#[command(after_help = "An example is one JSON object a line:
  {\"id\":\"1\",\"title\":\"…\",\"text\":\"…\",\"topics\":[\"medtop:15000000\"],\"concept\":\"medtop:20000822\"}
  {\"id\":\"2\",\"text\":\"…\",\"stance\":\"against\",\"target\":\"…\",\"event\":\"e7\"}
A list of keywords is a .txt file named after its topic (07-health.txt), one word a line.
Own labels are {\"topics\":[{\"code\":\"sport\",\"name\":\"Sport\",\"name_ar\":\"رياضة\"}, …]}, or those of the data.

A correction in Kafka is an output record of the worker's with one field more:
  {\"id\":\"1\", …, \"article\":{…}, \"correct\":{\"topics\":[\"medtop:15000000\"],\"stance\":\"neutral\"}}

Examples:
  rasid train --examples models/examples models/keywords --out models/rasid-news.safetensors
  rasid train --from models/rasid-news.safetensors --examples corrections.jsonl --out mine.safetensors
  rasid train --examples models/examples models/keywords --from-kafka articles.corrected --config rasid.toml \\
              --out mine.safetensors
  rasid train --examples mine.jsonl --labels sections.json --tune --out mine.safetensors
  rasid train --examples mine.jsonl --labels data --out mine.safetensors --report mine.html
  rasid train --examples mine.jsonl --labels data --cv 5 --tune")]
pub struct Args {
    /// Files (.jsonl, .txt) and folders of examples
    #[arg(long, required_unless_present = "from_kafka", num_args = 1.., value_name = "PATH")]
    examples: Vec<PathBuf>,
    /// A topic of corrections, read to its end as further examples: output records of the worker's with
    /// the right labels in `correct`
    #[arg(long, value_name = "TOPIC")]
    from_kafka: Option<String>,
    #[command(flatten)]
    connect: Connect,
    /// Go on from a model: old and new examples are as if trained at once, to the byte
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["labels", "tune", "cv"])]
    from: Option<PathBuf>,
    /// The model file to write
    #[arg(long, value_name = "MODEL", required_unless_present_any = ["cv", "tune"])]
    out: Option<PathBuf>,
    /// Write a page with learning curve, calibration, confusion and the terms of each label
    #[arg(long, value_name = "FILE.html", requires = "out")]
    report: Option<PathBuf>,
    /// Name of the model, as output records give it
    #[arg(long, default_value = "rasid-news")]
    name: String,
    /// Version of the model, as output records give it
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"), value_name = "VERSION")]
    model_version: String,
    /// The labels: a file, or `data` for those that occur in the examples; by default the 17 IPTC
    /// Media Topics and the stances
    #[arg(long, value_name = "LABELS.json")]
    labels: Option<PathBuf>,
    /// Print cross-validated figures of K folds; with --tune, settings are chosen within each fold
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(2..=100))]
    cv: Option<u32>,
    /// Search the settings by cross-validation: terms, method, smoothing, keyword weight
    #[arg(long)]
    tune: bool,
}

/// The texts of one language and task.
struct Part {
    language: Language,
    task: Task,
    texts: Vec<Text>,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let before = match &args.from {
        None => None,
        Some(path) => {
            let model = load_model(Some(path))?;
            if !model.info.adaptation.is_empty() {
                eprintln!(
                    "rasid: {} was adapted to an outlet: training goes on from its labelled examples, adapt again afterwards",
                    path.display()
                );
            }
            Some(Tallies::of_model(&model)?)
        }
    };
    let known = before.as_ref().map(|before| before.plan(&args.name, &args.model_version));
    let (examples, labels) = read(args, known.as_ref().map(|plan| &plan.labels))?;
    let plan = Plan { labels, ..Plan::new(&args.name, &args.model_version) };
    let mut plan = known.unwrap_or(plan);
    if args.cv.is_some() || args.tune {
        for part in parts(&examples, &plan) {
            if let Some(folds) = args.cv {
                cross_validate(&part, &plan, folds as usize, args.tune);
            }
            if args.tune && (args.out.is_some() || args.cv.is_none()) {
                plan.recipes.insert((part.language, part.task), search(&part, &plan));
            }
        }
    }
    let Some(out) = &args.out else { return Ok(()) };
    let mut tallies = count_all(examples, &plan);
    if let Some(before) = before {
        tallies = before.with(tallies)?;
    }
    let bar = Bar::new("train");
    let model = tallies.finish(&args.name, &args.model_version, &bar)?;
    drop(bar);
    save(&model, out)?;
    let Some(path) = &args.report else { return Ok(()) };
    let page = crate::report::training(&model.info, &learning(&model, &Bar::new("report")));
    write_atomically(path, page.as_bytes())
}

/// Writes a trained model and prints its figures.
pub fn save(model: &Model, out: &Path) -> anyhow::Result<()> {
    let bytes = model.to_bytes()?;
    write_atomically(out, &bytes)?;
    println!("{} examples, cross-validated, whole sub-fields and events held out:", model.info.examples);
    model.info.figures.iter().for_each(print);
    println!("{}  {} bytes  sha256 {}", out.display(), bytes.len(), sha256(&bytes));
    Ok(())
}

fn read(args: &Args, before: Option<&LabelSet>) -> anyhow::Result<(Vec<Example>, LabelSet)> {
    let of_data = args.labels.as_ref().is_some_and(|labels| labels.as_os_str() == "data");
    let labels = match &args.labels {
        None => before.cloned().unwrap_or_else(LabelSet::iptc),
        Some(_) if of_data => LabelSet::iptc(),
        Some(path) => {
            let json = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            LabelSet::read(&json).map_err(|message| Usage(format!("{}: {message}", path.display())))?
        }
    };
    let known = (!of_data).then_some(&labels);
    let mut examples = match &*args.examples {
        [] => Vec::new(),
        paths => read_labelled(paths, known).map_err(|error| Usage(error.to_string()))?,
    };
    if let Some(topic) = &args.from_kafka {
        examples.extend(corrections::read(&args.connect, topic, known)?);
    }
    let labels = if of_data { LabelSet::of_examples(&examples) } else { labels };
    Ok((examples, labels))
}

/// Counts the examples on all cores.
fn count_all(examples: Vec<Example>, plan: &Plan<'_>) -> Tallies {
    let counted = count(plan, |each| {
        examples.into_iter().for_each(each);
        Ok::<(), std::convert::Infallible>(())
    });
    let (tallies, idle) = match counted {
        Ok(counted) => counted,
        Err(never) => match never {},
    };
    if let Some(first) = idle.first {
        let examples = idle.examples;
        eprintln!(
            "rasid: {examples} examples are left out, being neither Arabic nor English; the first is {first}"
        );
    }
    tallies
}

/// What there is to learn: the languages and tasks that have texts of two labels.
fn parts(examples: &[Example], plan: &Plan<'_>) -> Vec<Part> {
    let mut all: BTreeMap<(Language, Task), Vec<Text>> = BTreeMap::new();
    for example in examples {
        let Some((language, texts)) = read_text(example, &plan.labels) else { continue };
        for (task, text) in texts {
            all.entry((language, task)).or_default().push(text);
        }
    }
    let part = |((language, task), texts)| Part { language, task, texts };
    all.into_iter().map(part).filter(|part| taught(&part.texts) >= 2).collect()
}

fn cross_validate(part: &Part, plan: &Plan<'_>, folds: usize, search: bool) {
    let bar = Bar::new("cross-validate");
    let step = |name: &str| crate::model::Progress::step(&bar, name, folds);
    let labels = plan.labels.of(part.task);
    let validated = validate(&part.texts, labels, plan.usual(part.task), folds, search, &step);
    drop(bar);
    println!("{folds} folds, each judged by a model that has not seen it:");
    print(&Figures::of(part.language, part.task, validated.report.n, &validated.report));
    for (fold, recipe) in validated.recipes.iter().enumerate().filter(|_| search) {
        println!("    fold {}: {recipe}", fold + 1);
    }
}

/// The best settings, with a table of the ten best and the usual ones.
fn search(part: &Part, plan: &Plan<'_>) -> Recipe {
    let bar = Bar::new("tune");
    let usual = plan.usual(part.task);
    let labels = plan.labels.of(part.task).len();
    let fold = |text: &Text| Some(text.fold(FOLDS));
    let step = |done: usize, all: usize| bar.at(done, all);
    let trials = tune(&part.texts, labels, usual, FOLDS, &fold, &step);
    drop(bar);
    println!("{} {}, {FOLDS} folds, {} settings:", part.language.code(), part.task.name(), trials.len());
    println!("  {:>8} {:>8}  settings", "macro-F1", "accuracy");
    for (rank, trial) in trials.iter().enumerate() {
        if rank < 10 || trial.recipe == usual {
            let mark = if trial.recipe == usual { "  (usual)" } else { "" };
            let (f1, accuracy) = (100.0 * trial.macro_f1, 100.0 * trial.accuracy);
            println!("  {f1:>6.2} % {accuracy:>6.2} %  {}{mark}", trial.recipe);
        }
    }
    trials.first().map_or(usual, |best| best.recipe)
}

fn print(figures: &Figures) {
    println!(
        "  {} {:6} {:5} examples  accuracy {:.1} %  macro-F1 {:.1} %  ECE {:.3}  abstained {:.1} %",
        figures.language.code(),
        figures.task.name(),
        figures.examples,
        100.0 * figures.accuracy,
        100.0 * figures.macro_f1,
        figures.ece,
        100.0 * figures.abstained,
    );
}
