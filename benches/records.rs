//! One record from its bytes to its output: reading, writing, and all of it with tagging.
//!
//! `cargo bench --bench records`, or `cargo bench --bench records -- read` for some of them.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rasid::article::{Article, Pointers};
use rasid::model::Classifier;
use rasid::pipeline::{Envelope, Options, Room, process};
use rasid::text::decode;
use std::hint::black_box;

/// Bytes of a text: the mean of Arabic newspaper articles.
const BYTES: usize = 3900;

/// A text of about [`BYTES`] out of the repository's own examples.
fn text() -> String {
    let examples = include_str!("../models/examples/ar/04-economy.jsonl");
    let mut text = String::new();
    for line in examples.lines() {
        let example: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        text.push_str(example["text"].as_str().unwrap_or_default());
        if text.len() >= BYTES {
            break;
        }
        text.push(' ');
    }
    let mut end = BYTES.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

/// The shapes in which an article comes.
fn records() -> Vec<(&'static str, Vec<u8>)> {
    let text = text();
    let lines = text.replace(". ", ".\n\"").replace("، ", "،\t");
    let html =
        format!("<div><p>{}</p></div>", text.replace(". ", ".</p>\n<p>").replace("، ", "&nbsp;<b>،</b> "));
    let ascii: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let json = |value: serde_json::Value| value.to_string().into_bytes();
    vec![
        ("raw", text.clone().into_bytes()),
        ("json", json(serde_json::json!({"id": "a-1", "title": "عنوان المقال", "text": text}))),
        ("json with escapes", json(serde_json::json!({"id": "a-1", "title": "عنوان المقال", "text": lines}))),
        ("json in ascii", format!(r#"{{"id":"a-1","title":"","text":"{ascii}"}}"#).into_bytes()),
        (
            "ninjs",
            json(serde_json::json!({
                "uri": "urn:a-1", "language": "ar", "versioncreated": "2026-01-31T08:15:30Z",
                "headlines": [{"role": "main", "value": "عنوان المقال"}],
                "subjects": [{"name": "economy", "uri": "medtop:04000000"}, {"name": "labour"}],
                "bodies": [{"role": "main", "contentType": "text/plain", "value": text}],
            })),
        ),
        ("html", json(serde_json::json!({"id": "a-1", "headline": "عنوان المقال", "body_html": html}))),
    ]
}

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    let pointers = Pointers::default();
    for (name, value) in records() {
        group.throughput(Throughput::Bytes(value.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let text = decode(black_box(&value), None).unwrap_or_default();
                Article::read(&text, &pointers).map(|article| article.text.len())
            });
        });
    }
}

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("process");
    let classifier = Classifier::bundled().unwrap_or_else(|error| panic!("{error}"));
    let options = Options::default();
    let mut room = Room::default();
    for (name, value) in records() {
        group.throughput(Throughput::Bytes(value.len() as u64));
        let envelope =
            Envelope { topic: "articles".into(), value: Some(value.into()), ..Envelope::default() };
        group.bench_function(name, |bencher| {
            // the output is dropped outside the measurement, as the producer does it on another thread
            bencher.iter_batched(
                || (),
                |()| process(&envelope, &classifier, None, &options, &mut room, "2026-01-31T08:15:30Z"),
                BatchSize::SmallInput,
            );
        });
    }
}

criterion_group!(benches, read, whole);
criterion_main!(benches);
