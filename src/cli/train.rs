//! `rasid train`: examples to a model file.

use super::progress::Bar;
use super::{Usage, write_atomically};
use crate::model::{
    Fitting, Label, Method, Recipe, Task, Terms, argmax, held_out, labels, read_examples, sha256, texts,
    train, unknown_language,
};
use crate::text::Language;
use std::path::PathBuf;

/// Train a model from labelled examples
#[derive(clap::Args)]
#[command(after_help = "An example is one JSON object a line:
  {\"id\":\"1\",\"title\":\"…\",\"text\":\"…\",\"topics\":[\"medtop:15000000\"],\"concept\":\"medtop:20000822\"}
  {\"id\":\"2\",\"text\":\"…\",\"stance\":\"against\",\"target\":\"…\",\"event\":\"e7\"}
A list of keywords is a .txt file named after its topic (07-health.txt), one word a line.

Examples:
  rasid train --examples models/examples models/keywords --out models/rasid-news.safetensors
  rasid train --examples mine.jsonl --compare")]
pub struct Args {
    /// Files (.jsonl, .txt) and folders of examples
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    examples: Vec<PathBuf>,
    /// The model file to write
    #[arg(long, value_name = "MODEL", required_unless_present = "compare")]
    out: Option<PathBuf>,
    /// Name of the model, as output records give it
    #[arg(long, default_value = "rasid-news")]
    name: String,
    /// Version of the model, as output records give it
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"), value_name = "VERSION")]
    model_version: String,
    /// Compare settings by cross-validation instead of training
    #[arg(long, conflicts_with = "out")]
    compare: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let examples = read_examples(&args.examples).map_err(|error| Usage(error.to_string()))?;
    if args.compare {
        return compare(&examples);
    }
    let unknown = unknown_language(&examples);
    if let Some(first) = unknown.first() {
        eprintln!(
            "rasid: {} examples are left out, being neither Arabic nor English; the first is {}",
            unknown.len(),
            first.place
        );
    }
    let Some(out) = &args.out else { return Err(Usage("--out is missing".into()).into()) };
    let bar = Bar::new("train");
    let model = train(&examples, &args.name, &args.model_version, &bar)?;
    drop(bar);
    let bytes = model.to_bytes()?;
    write_atomically(out, &bytes)?;
    println!("{} examples, cross-validated, whole sub-fields and events held out:", examples.len());
    for figures in &model.info.figures {
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
    println!("{}  {} bytes  sha256 {}", out.display(), bytes.len(), sha256(&bytes));
    Ok(())
}

/// Held-out accuracy of each setting, so that choosing one needs no other data.
fn compare(examples: &[crate::model::Example]) -> anyhow::Result<()> {
    for task in Task::ALL {
        let all: Vec<Label> = labels(task);
        for language in Language::ALL {
            let texts = texts(examples, language, task, &all);
            let base = Recipe::of(task);
            for method in [Method::Multinomial, Method::Complement, Method::Odds] {
                for smoothing in [0.1, 0.3, 1.0] {
                    for terms in variants(base.terms) {
                        for keyword_weight in if task == Task::Topic { vec![0, 1, 2, 4, 8] } else { vec![0] }
                        {
                            let fitting = Fitting { method, smoothing, ..base.fitting };
                            let recipe = Recipe { terms, fitting, keyword_weight, ..base };
                            let scores = held_out(&texts, all.len(), &recipe, &[1])?;
                            let right = scores
                                .iter()
                                .filter(|(score, right)| right.contains(&argmax(&score.evidence)))
                                .count();
                            println!(
                                "{} {:6} {:11} smoothing {smoothing:<4} pairs {:5} function words {:5} keywords {keyword_weight}: {:.2} %",
                                language.code(),
                                task.name(),
                                format!("{method:?}").to_lowercase(),
                                terms.pairs,
                                terms.function_words,
                                100.0 * right as f64 / scores.len().max(1) as f64,
                            );
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

fn variants(base: Terms) -> [Terms; 3] {
    [base, Terms { pairs: !base.pairs, ..base }, Terms { function_words: !base.function_words, ..base }]
}
