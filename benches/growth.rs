//! How the time of tagging grows with the terms that a model knows and with its labels. Models and articles
//! are made up: words of five letters, drawn as in language (the n-th commonest word 1/n as often as the first).

#![allow(clippy::unwrap_used, missing_docs)]

mod trained;

use criterion::{Criterion, criterion_group, criterion_main};
use rasid::model::{Classifier, Counts, Document, Label, Model, Task, Terms, UNIT};
use rasid::text::Language;
use std::collections::BTreeMap;
use std::hint::black_box;
use trained::head;

/// Words of an article of 3.9 kB.
const WORDS: usize = 350;
/// Articles that are tagged in turn, so that they do not lie in the cache.
const ARTICLES: usize = 2000;
/// Words of grammar, by which the language is known.
const GRAMMAR: [&str; 6] = ["في", "من", "على", "إلى", "عن", "هذا"];
/// Letters of no affix, so that a word is its stem.
const LETTERS: [char; 18] =
    ['د', 'ج', 'ح', 'خ', 'س', 'ش', 'ص', 'ض', 'ط', 'ظ', 'ع', 'غ', 'ق', 'م', 'ر', 'ز', 'ث', 'ذ'];

/// The word of a rank; another for each.
fn word(rank: usize) -> String {
    let all = LETTERS.len().pow(5);
    // a factor without a common divisor, so that neighbours in rank are no neighbours in spelling
    let mut number = rank * 1_234_577 % all;
    let mut letters = || {
        let letter = LETTERS[number % LETTERS.len()];
        number /= LETTERS.len();
        letter
    };
    (0..5).map(|_| letters()).collect()
}

fn article(vocabulary: usize, number: usize) -> String {
    let words = (number * WORDS..(number + 1) * WORDS).map(|at| {
        if at % 6 == 0 {
            return GRAMMAR[at / 6 % GRAMMAR.len()].to_owned();
        }
        // between 0 and 1, evenly: multiples of the golden ratio
        let draw = (at as f64 * 0.618_033_988_749_895).fract();
        word((vocabulary as f64).powf(draw) as usize)
    });
    words.collect::<Vec<_>>().join(" ")
}

fn classifier(vocabulary: usize, labels: usize) -> Classifier {
    let terms = Terms { pairs: false, function_words: false, half_quotes: false };
    let mut counts = Counts::new(labels);
    let ranks: Vec<usize> = (0..vocabulary).collect();
    for (number, some) in ranks.chunks(200).enumerate() {
        let text = some.iter().map(|rank| word(*rank)).collect::<Vec<_>>().join(" ");
        counts.add(&Document::of(&[&text]), terms, &[(number % labels, UNIT)]);
    }
    let head = head(counts, terms, 1, labels, vocabulary / 200);
    assert_eq!(head.weights.rows.len(), vocabulary);
    let bundled = Classifier::bundled().unwrap();
    let label = |number: usize| Label { code: number.to_string(), ..bundled.info().topics[0].clone() };
    let mut info = bundled.info().clone();
    info.topics = (0..labels).map(label).collect();
    let heads = BTreeMap::from([((Language::Arabic, Task::Topic), head)]);
    Classifier::new(Model { info, heads }, "0".repeat(64)).unwrap()
}

fn growth(criterion: &mut Criterion) {
    let mut measure = |name: &str, vocabulary: usize, labels: usize, size: usize| {
        let classifier = classifier(vocabulary, labels);
        let articles: Vec<String> = (0..ARTICLES).map(|number| article(vocabulary, number)).collect();
        let mut document = Document::default();
        let mut next = articles.iter().cycle();
        criterion.bench_function(&format!("{name}/{size}"), |bencher| {
            bencher.iter(|| {
                let tags = classifier.classify(&mut document, &[next.next().unwrap()], true);
                assert_eq!(tags.language, "ar");
                black_box(tags)
            })
        });
    };
    for vocabulary in [3_000, 10_000, 30_000, 100_000, 300_000] {
        measure("terms", vocabulary, 10, vocabulary);
    }
    for labels in [2, 5, 10, 17, 40, 80] {
        measure("labels", 30_000, labels, labels);
    }
}

criterion_group!(benches, growth);
criterion_main!(benches);
