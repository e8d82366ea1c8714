//! `rasid adapt`: a model and an outlet's unlabelled articles to a model that knows the outlet.

use super::connect::{Connect, failed};
use super::progress::Bar;
use super::{Usage, among, articles, load_model, write_atomically};
use crate::article::Article;
use crate::config::Layer;
use crate::kafka::TopicReader;
use crate::model::{Adaptation, Document, FEWEST_ARTICLES, Options, Task, Written, adapt};
use crate::pipeline::{self, read_article};
use std::path::PathBuf;

/// Teach a model an outlet's words from its unlabelled articles
#[derive(clap::Args)]
#[command(
    after_help = "Articles: JSON Lines as the worker reads them, or files of raw text, one article each. A few
thousand are good, a hundred in a language the least. Topics are adapted, the stance is not.
It goes on until the labels settle. What the model knows well it keeps, for other outlets' sake.
--among tells it the outlet's own desks, so that no article is taken for another topic.

Examples:
  rasid adapt --unlabelled archive.jsonl --out mine.safetensors
  rasid adapt --from-kafka 5000 --config rasid.toml --out mine.safetensors
  rasid adapt --unlabelled archive.jsonl --among medtop:04000000,medtop:15000000 --out mine.safetensors
  rasid adapt --model base.safetensors --unlabelled 2025/ 2026.jsonl --out mine.safetensors"
)]
pub struct Args {
    /// The model to start from; the one that ships with Rasid by default
    #[arg(long)]
    model: Option<PathBuf>,
    /// Files and folders of articles
    #[arg(long, required_unless_present = "from_kafka", num_args = 1.., value_name = "PATH")]
    unlabelled: Vec<PathBuf>,
    /// The last N records of the input topic as articles
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    from_kafka: Option<u32>,
    /// The input topic
    #[arg(long, env = "RASID_INPUT", value_name = "TOPIC")]
    input: Option<String>,
    #[command(flatten)]
    connect: Connect,
    /// The model file to write
    #[arg(long, value_name = "MODEL")]
    out: PathBuf,
    /// Do N rounds instead of going on until the labels settle
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,
    /// The topics that the outlet files articles under; by default all
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    among: Vec<String>,
    /// Where the outlet speaks against what a term meant, it counts as N labelled occurrences: more
    /// gains more here, less costs less elsewhere
    #[arg(long, default_value = "40", value_name = "N", value_parser = occurrences)]
    weight: f32,
    /// Name of the model, as output records give it; by default that of the starting model
    #[arg(long)]
    name: Option<String>,
    /// Version of the model, as output records give it; by default the old one with `+adapted`
    #[arg(long, value_name = "VERSION")]
    model_version: Option<String>,
    /// Print what was done as one JSON object
    #[arg(long)]
    json: bool,
}

fn occurrences(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("a number, 0 or more".into()),
    }
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let model = load_model(args.model.as_deref())?;
    let among = among(&args.among, &model.info.topics, Task::Topic)?;
    if !among.is_empty() && among.iter().filter(|has| **has).count() < 2 {
        return Err(Usage("--among: one topic tells nothing apart: name two or more".into()).into());
    }
    let mut documents = Vec::new();
    let mut refused = 0;
    for file in articles::files(&args.unlabelled)? {
        refused += articles::each(&file, |article| {
            documents.push(Document::of(&[&article.title, &article.text]));
        })?;
    }
    if let Some(most) = args.from_kafka {
        refused += last(args, most as usize, &mut documents)?;
    }
    if refused > 0 {
        eprintln!("rasid: {refused} articles could not be read and are left out");
    }
    let known = documents.iter().filter(|document| document.language().is_some()).count();
    if known < FEWEST_ARTICLES {
        return Err(Usage(format!(
            "{known} articles in Arabic or English where {FEWEST_ARTICLES} are the least: name more with --unlabelled"
        ))
        .into());
    }
    let bar = Bar::new("adapt");
    let rounds = args.rounds.map(|rounds| rounds as usize);
    let options = Options { rounds, weight: args.weight, among: &among };
    let mut adapted = adapt(&model, &documents, options, &bar)?;
    drop(bar);
    if let Some(name) = &args.name {
        adapted.info.name.clone_from(name);
    }
    adapted.info.version =
        args.model_version.clone().unwrap_or_else(|| format!("{}+adapted", model.info.version));
    let Written { bytes, sha256 } = write_atomically(&args.out, |file| adapted.write(file))?;
    if args.json {
        println!("{}", serde_json::to_string(&adapted.info.adaptation)?);
        return Ok(());
    }
    adapted.info.adaptation.iter().for_each(print);
    println!("{}  {bytes} bytes  sha256 {sha256}", args.out.display());
    Ok(())
}

/// The last `most` records of the input topic; how many of them cannot be read.
fn last(args: &Args, most: usize, documents: &mut Vec<Document>) -> anyhow::Result<usize> {
    let connection = args.connect.connection(Layer { input: args.input.clone(), ..Layer::default() })?;
    let topic = connection.input().map_err(|error| Usage(error.to_string()))?;
    let wrong = |error| failed(error, &connection);
    let reader = TopicReader::open(&connection, "rasid-adapt").map_err(wrong)?;
    reader.require(&topic).map_err(wrong)?;
    let bar = Bar::new("read");
    let records = reader.last(&topic, most, |done, all| bar.at(done, all)).map_err(wrong)?;
    drop(bar);
    let options = pipeline::Options {
        pointers: connection.pointers.clone(),
        encoding: connection.encoding,
        ..pipeline::Options::default()
    };
    let mut refused = 0;
    for record in &records {
        let document = |article: &Article<'_>| Document::of(&[&article.title, &article.text]);
        match read_article(record, &options, document) {
            Ok(document) => documents.push(document),
            Err(rejection) => {
                refused += 1;
                eprintln!("rasid: {topic} {} {}: {rejection}", record.partition, record.offset);
            }
        }
    }
    Ok(refused)
}

fn print(done: &Adaptation) {
    let percent = |share: f64| 100.0 * share;
    println!(
        "{} topic: {} articles, {} rounds ({})",
        done.language.code(),
        done.articles,
        done.rounds,
        done.stopped
    );
    println!(
        "  labels changed {:.1} %, errors expected at first {:.1} %, not sure enough for any topic {:.1} %",
        percent(done.changed),
        percent(done.expected_errors),
        percent(done.unsure)
    );
    println!("  {:18} {:>7} {:>7} {:>7}", "topic", "before", "after", "kept");
    for topic in &done.topics {
        let note = match topic {
            _ if topic.is_absent() => "  hardly there: nothing learnt",
            _ if topic.is_drifted() => "  drifted: look at some of these",
            _ => "",
        };
        println!("  {:18} {:>7} {:>7} {:>7}{note}", topic.code, topic.before, topic.after, topic.kept);
    }
}
