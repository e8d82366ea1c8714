//! Labelled articles of one outlet, and models that learn from some of them.

use rasid::model::{
    Counts, Document, Fitting, Head, Model, Recipe, Scorer, Task, Terms, UNIT, Weights, estimate,
};
use rasid::text::Language;
use std::collections::BTreeMap;

/// One article.
pub struct Article {
    pub title: String,
    pub text: String,
    pub document: Document,
    /// Index of its label.
    pub label: usize,
}

/// The articles of one outlet in the model's language of theirs, and the model that ships.
pub struct Outlet {
    pub name: String,
    pub articles: Vec<Article>,
    /// By label: columns of the codes that count as it, the one that a person would answer first.
    pub columns: Vec<Vec<usize>>,
    pub shipped: Head,
}

impl Outlet {
    /// Reads `SET.jsonl` and its entry of `labels.json` in `folder`.
    pub fn read(folder: &str, set: &str) -> Self {
        let map = std::fs::read_to_string(format!("{folder}/labels.json")).unwrap();
        let mut maps: BTreeMap<String, BTreeMap<String, Vec<String>>> = serde_json::from_str(&map).unwrap();
        let map = maps.remove(set).expect("no such entry in labels.json");
        let mut model = Model::bundled().unwrap();
        let column = |code: &String| model.info.topics.iter().position(|one| one.code == *code).unwrap();
        let columns = map.values().map(|codes| codes.iter().map(column).collect()).collect();
        let names: Vec<&String> = map.keys().collect();
        let lines = std::fs::read_to_string(format!("{folder}/{set}.jsonl")).unwrap();
        let (mut articles, mut languages) = (Vec::new(), Vec::new());
        for line in lines.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let of = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
            let (title, text) = (of("title"), of("text"));
            let document = Document::of(&[&title, &text]);
            languages.extend(document.language());
            let label = names.iter().position(|name| **name == of("topic")).unwrap();
            articles.push(Article { title, text, document, label });
        }
        let arabic = languages.iter().filter(|one| **one == Language::Arabic).count();
        let language = if 2 * arabic > languages.len() { Language::Arabic } else { Language::English };
        let shipped = model.heads.remove(&(language, Task::Topic)).unwrap();
        Self { name: set.to_owned(), articles, columns, shipped }
    }

    /// By column of the model, whether the outlet has it.
    pub fn closed(&self) -> Vec<bool> {
        let mut closed = vec![false; self.shipped.counts.labels()];
        self.columns.iter().flatten().for_each(|column| closed[*column] = true);
        closed
    }

    /// As `rasid train --from` has it: the examples of the model that ships, and `learnt`, each as often
    /// as `times`.
    pub fn continued(&self, learnt: &[usize], times: u32) -> Scorer {
        let Head { terms, fitting, .. } = self.shipped;
        self.trained(self.shipped.counts.clone(), terms, fitting, learnt, times)
    }

    /// From `learnt` alone, with the usual settings.
    pub fn alone(&self, learnt: &[usize]) -> Scorer {
        let Recipe { terms, fitting, .. } = Recipe::of(Task::Topic);
        self.trained(Counts::new(self.shipped.counts.labels()), terms, fitting, learnt, 1)
    }

    fn trained(
        &self,
        mut counts: Counts,
        terms: Terms,
        fitting: Fitting,
        learnt: &[usize],
        times: u32,
    ) -> Scorer {
        for index in learnt {
            let Article { document, label, .. } = &self.articles[*index];
            counts.add(document, terms, &[(self.columns[*label][0], UNIT * times)]);
        }
        let counts = counts.sorted();
        // what linfa fits, without its prints of every count
        let rows = (0..counts.terms.len() as u32).collect();
        let weights = Weights { rows, table: estimate(&counts, fitting) };
        Scorer::new(&counts.terms, &weights, counts.labels(), terms)
    }

    /// Share of `judged` that is right where only the outlet's labels compete.
    pub fn accuracy(&self, scorer: &Scorer, judged: &[usize]) -> f64 {
        let closed = self.closed();
        let right = judged.iter().filter(|index| {
            let Article { document, label, .. } = &self.articles[**index];
            scorer.score(document).best(&closed).is_some_and(|best| self.columns[*label].contains(&best))
        });
        right.count() as f64 / judged.len() as f64
    }

    /// All articles in an order of their own for each seed.
    pub fn shuffled(&self, seed: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.articles.len()).collect();
        order.sort_by_key(|index| splitmix(seed << 32 | *index as u64));
        order
    }
}

/// Steele, Lea and Flood, *Fast Splittable Pseudorandom Number Generators* (OOPSLA 2014).
fn splitmix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Mean and standard deviation.
pub fn spread(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt())
}
