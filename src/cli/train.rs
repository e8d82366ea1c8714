//! `rasid train`: examples to a model file, or to figures.

use super::connect::Connect;
use super::corrections;
use super::examples::{Flags, Input, Labels, Occurring};
use super::forgetting::{Forgetting, date, half_life, weight};
use super::progress::Bar;
use super::{Usage, load_model, write_atomically};
use crate::model::{
    FOLDS, Figures, LabelSet, Model, Plan, Recipe, Sample, Tallies, Task, Text, Written, count, learning,
    nothing_to_tell, read_text, tune, validate,
};
use crate::text::Language;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Train a model from labelled examples
#[derive(clap::Args)]
#[command(
    after_help = "Examples are JSON Lines, a table (CSV, TSV) whose first line names its columns, or articles in
folders named after their topics (sport/1.txt). Fields: text, title, topic or topics, stance, lang, published, id.
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
  rasid train --examples mine.csv --column text=body,topic=section --labels sections.json --out mine.safetensors
  rasid train --from mine.safetensors --examples new.csv --weight new.csv=2 --forget 90d --out next.safetensors
  rasid train --examples mine.jsonl --labels data --out mine.safetensors --report mine.html
  rasid train --examples mine.jsonl --labels data --cv 5 --tune"
)]
pub struct Args {
    /// Files (.jsonl, .csv, .tsv, .txt) and folders of examples
    #[arg(long, required_unless_present = "from_kafka", num_args = 1.., value_name = "PATH")]
    examples: Vec<PathBuf>,
    /// A topic of corrections, read to its end as further examples: output records of the worker's with
    /// the right labels in `correct`
    #[arg(long, value_name = "TOPIC")]
    from_kafka: Option<String>,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    flags: Flags,
    /// Let the examples under a path count more or less, such as corrections.jsonl=3
    #[arg(long = "weight", value_name = "PATH=WEIGHT", value_parser = weight)]
    weights: Vec<(PathBuf, u32)>,
    /// Let old news count less: half after this time by its date (`published`), such as 90d, 12w or 2y
    #[arg(long, value_name = "HALF_LIFE", value_parser = half_life)]
    forget: Option<f64>,
    /// With --forget: reckon ages from this day; by default the newest date among the examples
    #[arg(long, value_name = "DATE", value_parser = date, requires = "forget")]
    as_of: Option<Timestamp>,
    /// With --forget and --from: how new the model's examples were, where it does not know
    #[arg(long, value_name = "DATE", value_parser = date, requires_all = ["forget", "from"])]
    from_date: Option<Timestamp>,
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
    if let Some(folder) = args.out.as_deref().and_then(Path::parent) {
        let there = folder.as_os_str().is_empty() || folder.is_dir();
        anyhow::ensure!(there, "{}: no such folder, so nothing could be written there", folder.display());
    }
    let mut before = match &args.from {
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
    let mut input = args.flags.open(&args.examples)?;
    input.weigh(&args.weights)?;
    let labels = Labels::read(args.labels.as_deref())?;
    if let Some(topic) = &args.from_kafka {
        let own = before.as_ref().map(|before| before.plan("", "").labels);
        let known = match &labels {
            Labels::Known(set) => Some(own.as_ref().unwrap_or(set)),
            Labels::Data => None,
        };
        input.add(corrections::read(&args.connect, topic, known)?);
    }
    let (labels, newest) = survey(args, labels, &input)?;
    let forgetting = match args.forget {
        None => None,
        Some(half_life) => {
            let none = || {
                Usage("--forget: no example has a date (`published`): say with --as-of what day it is".into())
            };
            Some(Forgetting { half_life, as_of: args.as_of.or(newest).ok_or_else(none)? })
        }
    };
    if let Some(forgetting) = forgetting {
        input.forget(forgetting);
        before = before.map(|before| forgetting.age(before, args.from_date));
    }
    let mut plan = match &before {
        Some(before) => before.plan(&args.name, &args.model_version),
        None => Plan { labels, ..Plan::new(&args.name, &args.model_version) },
    };
    if args.cv.is_some() || args.tune {
        let again = args.out.is_some();
        if again {
            input.twice("--cv or --tune with --out")?;
        }
        for part in parts(&input, &plan)? {
            if let Some(folds) = args.cv {
                cross_validate(&part, &plan, folds as usize, args.tune);
            }
            if args.tune && (again || args.cv.is_none()) {
                plan.recipes.insert((part.language, part.task), search(&part, &plan));
            }
        }
    }
    let Some(out) = &args.out else { return Ok(()) };
    let mut tallies = count_all(&input, &plan)?;
    if let Some(forgetting) = forgetting {
        tallies = tallies.seen_at(forgetting.as_of);
    }
    if let Some(before) = before {
        tallies = before.with(tallies)?;
    }
    let bar = Bar::new("train");
    let model = tallies.finish(&args.name, &args.model_version, &bar)?;
    drop(bar);
    save(&model, out)?;
    let Some(path) = &args.report else { return Ok(()) };
    let page = crate::report::training(&model.info, &learning(&model, &Bar::new("report")));
    write_atomically(path, |file| file.write_all(page.as_bytes()))
}

/// Counts the examples as they are read: of a text no more is kept than training goes on with.
fn count_all(input: &Input, plan: &Plan<'_>) -> anyhow::Result<Tallies> {
    let (tallies, idle) = count(plan, |each| input.each("count", Some(&plan.labels), each))?;
    if let Some(first) = idle.first {
        let examples = idle.examples;
        eprintln!(
            "rasid: {examples} examples are left out, being neither Arabic nor English; the first is {first}"
        );
    }
    Ok(tallies)
}

/// Writes a trained model and prints its figures.
pub fn save(model: &Model, out: &Path) -> anyhow::Result<()> {
    let Written { bytes, sha256 } = write_atomically(out, |file| model.write(file))?;
    println!("{} examples, cross-validated, whole sub-fields and events held out:", model.info.examples);
    model.info.figures.iter().for_each(print);
    println!("{}  {bytes} bytes  sha256 {sha256}", out.display());
    Ok(())
}

/// The labels that the flags ask for, and the newest date, where either must be looked for.
fn survey(args: &Args, labels: Labels, input: &Input) -> anyhow::Result<(LabelSet, Option<Timestamp>)> {
    let dated = args.forget.is_none() || args.as_of.is_some();
    let why = match (&labels, dated) {
        (Labels::Known(set), true) => return Ok((set.clone(), None)),
        (Labels::Known(_), false) => "--forget without --as-of",
        (Labels::Data, _) => "--labels data",
    };
    input.twice(why)?;
    let mut occurring = Occurring::default();
    input.each("look", None, |example| occurring.add(&example))?;
    let set = match labels {
        Labels::Known(set) => set,
        Labels::Data => {
            occurring.near().iter().for_each(|(place, near)| eprintln!("rasid: {place}: {near}"));
            occurring.set()?
        }
    };
    Ok((set, occurring.newest))
}

/// What there is to learn: the languages and tasks that have texts of two labels.
fn parts(input: &Input, plan: &Plan<'_>) -> anyhow::Result<Vec<Part>> {
    let mut samples: BTreeMap<(Language, Task), Sample> = BTreeMap::new();
    input.each("read", Some(&plan.labels), |example| {
        let Some((language, texts)) = read_text(&example, &plan.labels) else { return };
        for (task, text) in texts {
            samples.entry((language, task)).or_default().add(text);
        }
    })?;
    let mut parts = Vec::new();
    let mut others = Vec::new();
    for ((language, task), sample) in samples {
        let (seen, texts) = (sample.seen, sample.texts());
        if texts.len() < seen {
            let (code, name) = (language.code(), task.name());
            eprintln!(
                "rasid: {code} {name}: settings and figures are those of {} of {seen} texts",
                texts.len()
            );
        }
        let labels: BTreeSet<usize> = texts.iter().flat_map(Text::labels).copied().collect();
        if labels.len() >= 2 {
            parts.push(Part { language, task, texts });
        } else {
            let codes = labels.into_iter().map(|label| plan.labels.of(task)[label].code.clone()).collect();
            others.push(((language, task), seen, codes));
        }
    }
    if parts.is_empty() {
        return Err(Usage(nothing_to_tell(others.into_iter())).into());
    }
    Ok(parts)
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
