//! `rasid model`: looks into a model file.

use crate::model::{Model, read_file, sha256};
use anyhow::Context;
use std::path::{Path, PathBuf};

/// Show or verify a model file
#[derive(clap::Args)]
#[command(after_help = "Examples:
  rasid model show models/rasid-news.safetensors
  rasid model verify models/rasid-news.safetensors")]
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
    /// Whether the file is whole and fits this Rasid
    Verify {
        /// The model file
        model: PathBuf,
    },
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    match &args.verb {
        Verb::Show { model } => show(model),
        Verb::Verify { model } => {
            let (_, digest) = read(model)?;
            println!("{}: ok, sha256 {digest}", model.display());
            Ok(())
        }
    }
}

fn read(path: &Path) -> anyhow::Result<(Model, String)> {
    let bytes = read_file(path).with_context(|| path.display().to_string())?;
    let model = Model::from_bytes(&bytes).with_context(|| path.display().to_string())?;
    Ok((model, sha256(&bytes)))
}

fn show(path: &Path) -> anyhow::Result<()> {
    let (model, digest) = read(path)?;
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
