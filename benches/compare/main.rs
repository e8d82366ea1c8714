//! Rasid's side of `benches/compare/run.sh`: trains on one file, then tags another as often as it is told.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../trained/mod.rs"]
mod trained;

use rasid::model::{Classifier, Counts, Document, Info, Label, Model, Task, Terms, UNIT};
use rasid::text::{Language, NORMALISER_VERSION, decode};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use trained::head;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["train", examples, ngrams, model] => train(examples, ngrams == "2", model),
        ["serve", model, articles] => serve(model, articles, false),
        ["serve", model, articles, "explain"] => serve(model, articles, true),
        _ => panic!("train EXAMPLES 1|2 MODEL, or serve MODEL ARTICLES [explain]"),
    }
}

/// Label and text of each line, parted by a tab.
fn read(path: &str) -> Vec<(String, String)> {
    let lines = std::fs::read_to_string(path).unwrap();
    let line = |line: &str| line.split_once('\t').map(|(label, text)| (label.to_owned(), text.to_owned()));
    lines.lines().filter_map(line).collect()
}

fn train(path: &str, pairs: bool, out: &str) {
    let examples = read(path);
    let mut names: Vec<String> = examples.iter().map(|(label, _)| label.clone()).collect();
    names.sort();
    names.dedup();
    let terms = Terms { pairs, function_words: false, half_quotes: false };
    let mut counts = Counts::new(names.len());
    for (label, text) in &examples {
        let column = names.iter().position(|name| name == label).unwrap();
        counts.add(&Document::of(&[text]), terms, &[(column, UNIT)]);
    }
    let head = head(counts, terms, if pairs { 2 } else { 1 }, names.len(), examples.len());
    eprintln!("{} terms of {}", head.weights.rows.len(), head.counts.terms.len());
    // stance as it ships: tagging answers both
    let bundled = Model::from_bytes(&std::fs::read("models/rasid-news.safetensors").unwrap()).unwrap();
    let stance = (Language::Arabic, Task::Stance);
    let heads =
        BTreeMap::from([((Language::Arabic, Task::Topic), head), (stance, bundled.heads[&stance].clone())]);
    let label = |name: &String| Label { code: name.clone(), name: name.clone(), name_ar: name.clone() };
    let info = Info {
        name: "compare".into(),
        normaliser: NORMALISER_VERSION,
        topics: names.iter().map(label).collect(),
        figures: Vec::new(),
        examples: examples.len(),
        ..bundled.info
    };
    std::fs::write(out, Model { info, heads }.to_bytes().unwrap()).unwrap();
}

/// Processor time of this thread, as Python's `process_time`: what else runs on the machine counts little.
fn processor_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// For each line on stdin tags all articles and prints the seconds and how many labels were right among
/// those whose line number is a multiple of five, which were not trained on.
///
/// What a classifier remembers of words makes an article that it has met cheap. So each half is tagged by one that
/// has met the other half alone, which is not timed.
fn serve(model: &str, path: &str, explain: bool) {
    let model = std::fs::read(model).unwrap();
    let articles = read(path);
    let bytes: Vec<Vec<u8>> = articles.iter().map(|(_, text)| text.clone().into_bytes()).collect();
    let mut document = Document::default();
    println!("ready");
    for _ in std::io::stdin().lock().lines() {
        let mut labels = vec![None; bytes.len()];
        let mut seconds = 0.0;
        for half in [0, 1] {
            let classifier = Classifier::from_bytes(&model).unwrap();
            let mut tag = |half: usize| {
                let start = processor_seconds();
                for index in (half..bytes.len()).step_by(2) {
                    let text = decode(&bytes[index], None).unwrap();
                    let tags = classifier.classify(&mut document, &[&text], explain);
                    labels[index] = tags.topics.first().map(|topic| topic.code.clone());
                }
                processor_seconds() - start
            };
            tag(1 - half);
            seconds += tag(half);
        }
        let right = |(label, (truth, _)): &(&Option<std::sync::Arc<str>>, &(String, String))| {
            label.as_deref() == Some(truth)
        };
        let held_out = labels.iter().zip(&articles).step_by(5);
        println!("{seconds} {}", held_out.filter(right).count());
        std::io::stdout().flush().unwrap();
    }
}
