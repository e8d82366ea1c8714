//! The model that ships: made from the examples byte for byte, true to linfa, safe to load; what it answers and how it
//! adapts.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod adapting;
mod tagging;
mod training;

use proptest::prelude::*;
use rasid::model::{
    Classifier, Counts, Document, Fitting, Method, Model, Options, Plan, Scorer, Tallies, Task, Terms, adapt,
    fit, labels, read_examples, train,
};
use rasid::text::Language;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn bundled() -> Vec<u8> {
    std::fs::read(root().join("models/rasid-news.safetensors")).unwrap()
}

fn example_paths() -> Vec<PathBuf> {
    ["models/examples", "models/keywords"].map(|folder| root().join(folder)).to_vec()
}
