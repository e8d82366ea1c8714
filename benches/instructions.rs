//! What `benches/instructions.sh` counts the instructions of: tagging the same articles twice over.

#![allow(clippy::unwrap_used, missing_docs)]

mod articles;

use articles::{LENGTH, articles};
use rasid::model::{Classifier, Document};
use std::hint::black_box;

fn main() {
    let articles: Vec<String> = ["ar", "en"].iter().flat_map(|language| articles(language, LENGTH)).collect();
    let classifier = Classifier::bundled().unwrap();
    println!("{}", articles.len() * 2);
    let mut document = Document::default();
    for _ in 0..2 {
        counted(&classifier, &mut document, &articles);
    }
}

/// Callgrind counts while it is in here.
#[inline(never)]
fn counted(classifier: &Classifier, document: &mut Document, articles: &[String]) {
    for article in articles {
        black_box(classifier.classify(document, &[article], true));
    }
}
