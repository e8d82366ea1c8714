//! `rasid model`: looks into model files.

use super::progress::Bar;
use super::read_model;
use crate::model::Tallies;
use anyhow::Context;
use std::path::{Path, PathBuf};

/// Show, verify, merge or compare model files
#[derive(clap::Args)]
#[command(after_help = "Examples:
  rasid model show models/rasid-news.safetensors
  rasid model verify models/rasid-news.safetensors
  rasid model merge monday.safetensors tuesday.safetensors --out both.safetensors
  rasid model diff old.safetensors new.safetensors --data articles.jsonl")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// What the model is, as one JSON object
    Show {
        /// The model file
        model: PathBuf,
    },
    /// One model of several that were trained on different examples, as if trained at once
    Merge {
        /// The model files
        #[arg(required = true, num_args = 2.., value_name = "MODEL")]
        models: Vec<PathBuf>,
        /// The model file to write
        #[arg(long, value_name = "MODEL")]
        out: PathBuf,
        /// Name of the model, as output records give it; by default that of the first
        #[arg(long)]
        name: Option<String>,
        /// Version of the model, as output records give it; by default that of the first
        #[arg(long, value_name = "VERSION")]
        model_version: Option<String>,
    },
    /// What changed from one model to another: labels, settings, terms, and with data the tags
    Diff(super::diff::Args),
    /// Whether the file is whole and fits this Rasid
    Verify {
        /// The model file
        model: PathBuf,
    },
}

/// The sum of models that were trained on different examples with the same labels and settings.
fn merge(models: &[PathBuf], out: &Path, name: Option<&str>, version: Option<&str>) -> anyhow::Result<()> {
    let mut merged: Option<(Tallies, String, String)> = None;
    for path in models {
        let (model, _) = read_model(path)?;
        if !model.info.adaptation.is_empty() {
            eprintln!(
                "rasid: {} was adapted to an outlet: its labelled examples alone are merged",
                path.display()
            );
        }
        let tallies = Tallies::of_model(&model)?;
        merged = Some(match merged {
            None => (tallies, model.info.name, model.info.version),
            Some((before, name, version)) => {
                (before.with(tallies).with_context(|| path.display().to_string())?, name, version)
            }
        });
    }
    let Some((tallies, first_name, first_version)) = merged else { return Ok(()) };
    let bar = Bar::new("merge");
    let model = tallies.finish(name.unwrap_or(&first_name), version.unwrap_or(&first_version), &bar)?;
    drop(bar);
    super::train::save(&model, out)
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    match &args.verb {
        Verb::Show { model } => show(model),
        Verb::Merge { models, out, name, model_version } => {
            merge(models, out, name.as_deref(), model_version.as_deref())
        }
        Verb::Diff(args) => super::diff::run(args),
        Verb::Verify { model } => {
            let (_, digest) = read_model(model)?;
            println!("{}: ok, sha256 {digest}", model.display());
            Ok(())
        }
    }
}

fn show(path: &Path) -> anyhow::Result<()> {
    let (model, digest) = read_model(path)?;
    let heads: Vec<serde_json::Value> = model
        .heads
        .iter()
        .map(|((language, task), head)| {
            serde_json::json!({
                "language": language,
                "task": task,
                "vocabulary": head.counts.terms.len(),
                "terms": head.terms,
                "fitting": head.fitting,
                "calibration": head.calibration,
                "thresholds": head.thresholds,
            })
        })
        .collect();
    let mut shown = serde_json::to_value(&model.info)?;
    if let Some(object) = shown.as_object_mut() {
        object.insert("sha256".into(), digest.into());
        object.insert("heads".into(), heads.into());
    }
    println!("{}", serde_json::to_string_pretty(&shown)?);
    Ok(())
}
