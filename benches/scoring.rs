//! How long tagging takes: by language and length, with and without explanation, and loading a model.

#![allow(clippy::unwrap_used, missing_docs)]

mod articles;

use articles::{LENGTH, articles};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rasid::model::{Classifier, Document, Task};
use std::hint::black_box;

fn scoring(criterion: &mut Criterion) {
    let classifier = Classifier::bundled().unwrap();
    let mut document = Document::default();
    for language in ["ar", "en"] {
        let mut group = criterion.benchmark_group(format!("classify/{language}"));
        for length in [LENGTH / 16, LENGTH / 4, LENGTH, LENGTH * 4] {
            let articles = articles(language, length);
            group.throughput(Throughput::Bytes(length as u64));
            for (name, explain) in [("tags", false), ("tags, explained", true)] {
                let mut next = articles.iter().cycle();
                group.bench_function(BenchmarkId::new(name, length), |bencher| {
                    bencher.iter(|| {
                        black_box(classifier.classify(&mut document, &[next.next().unwrap()], explain))
                    })
                });
            }
        }
    }
    let texts = articles("ar", LENGTH);
    let documents: Vec<Document> = texts.iter().map(|text| Document::of(&[text])).collect();
    let mut next = documents.iter().cycle();
    criterion.bench_function("predict/ar", |bencher| {
        bencher.iter(|| black_box(classifier.predict(next.next().unwrap(), Task::Topic, &[])))
    });
    criterion
        .bench_function("load the bundled model", |bencher| bencher.iter(|| Classifier::bundled().unwrap()));
}

criterion_group!(benches, scoring);
criterion_main!(benches);
