//! How long it takes to cut a text into words, to stem them, and to read what training reads.

#![allow(clippy::unwrap_used, missing_docs)]

mod articles;

use articles::{LENGTH, articles};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rasid::model::Document;
use rasid::text::{Words, decode, stem, tokenise};
use std::hint::black_box;

fn text(criterion: &mut Criterion) {
    for language in ["ar", "en"] {
        let articles = articles(language, LENGTH);
        let mut group = criterion.benchmark_group(format!("text/{language}"));
        group.throughput(Throughput::Elements(1));
        let mut next = articles.iter().cycle();
        let mut next = move || next.next().unwrap();
        let mut words = Words::default();
        group.bench_function("decode", |bencher| {
            bencher.iter(|| black_box(decode(next().as_bytes(), None).unwrap().len()))
        });
        group.bench_function("words", |bencher| {
            bencher.iter(|| {
                words.clear();
                words.read(next(), |_| ());
                words.written().len()
            })
        });
        group.bench_function("tokenise", |bencher| {
            bencher.iter(|| {
                tokenise(next(), |token| {
                    black_box(token.word);
                })
            })
        });
        group.bench_function("tokenise, stem", |bencher| {
            bencher.iter(|| {
                tokenise(next(), |token| {
                    black_box(stem(token.word));
                })
            })
        });
        let mut document = Document::default();
        group.bench_function("document", |bencher| bencher.iter(|| document.read(&[next()])));
    }
}

criterion_group!(benches, text);
criterion_main!(benches);
