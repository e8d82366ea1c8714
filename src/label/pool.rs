//! The articles that could be asked about: of many, the most doubtful ones are held, and of these the ones
//! that teach most are chosen.

use crate::article;
use crate::model::{Candidate, Classifier, Document, Task, choose};
use crate::text::Language;
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// In which order to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Those that teach most first.
    Uncertain,
    /// By lot, which this number decides.
    Random(u64),
}

/// An article to ask about.
#[derive(Clone, Debug)]
pub struct Article {
    /// Its id, or a digest of its text.
    pub id: String,
    /// Title, may be empty.
    pub title: String,
    /// The text, may be empty where there is a title.
    pub text: String,
    /// What it is written in.
    pub language: Language,
}

/// Articles that were answered in earlier sessions, by id.
pub type Asked = HashSet<String>;

/// Articles that are held; less doubtful ones beyond are let go, so that the pool may be large.
const HELD: usize = 4_000;

struct Held {
    article: Article,
    candidate: Candidate,
    rank: f32,
}

/// The articles that could be asked about.
pub struct Pool<'a> {
    classifier: &'a Classifier,
    task: Task,
    /// By label, whether it may be the answer; empty for all.
    allowed: Vec<bool>,
    order: Order,
    asked: Asked,
    document: Document,
    held: Vec<Held>,
    answered: Vec<Candidate>,
    seen: HashSet<[u8; 16]>,
    /// Articles that are neither Arabic nor English, or in a language that the model does not know.
    pub unknown_language: usize,
    /// Articles whose text came twice.
    pub repeated: usize,
}

impl<'a> Pool<'a> {
    /// An empty pool for `task`, with `allowed` labels (empty for all); articles in `asked` are not asked
    /// about again.
    pub fn new(
        classifier: &'a Classifier,
        task: Task,
        allowed: Vec<bool>,
        order: Order,
        asked: Asked,
    ) -> Self {
        Self {
            classifier,
            task,
            allowed,
            order,
            asked,
            document: Document::default(),
            held: Vec::new(),
            answered: Vec::new(),
            seen: HashSet::new(),
            unknown_language: 0,
            repeated: 0,
        }
    }

    /// Adds an article.
    pub fn add(&mut self, article: &article::Article<'_>) {
        let digest =
            Sha256::new().chain_update(&*article.title).chain_update([0u8]).chain_update(&*article.text);
        let digest: [u8; 32] = digest.finalize().into();
        let short: [u8; 16] = std::array::from_fn(|at| digest[at]);
        if !self.seen.insert(short) {
            self.repeated += 1;
            return;
        }
        self.document.read(&[&article.title, &article.text]);
        let prediction = self.classifier.predict(&self.document, self.task, &self.allowed);
        let (Some(language), Some(prediction)) = (self.document.language(), prediction) else {
            self.unknown_language += 1;
            return;
        };
        let hex = || short.iter().map(|byte| format!("{byte:02x}")).collect();
        let id = article.id.as_deref().map_or_else(hex, str::to_owned);
        let doubt = 1.0 - prediction.probabilities[prediction.best];
        let answered = self.asked.contains(&id);
        let candidate = Candidate::of(&self.document, doubt, answered);
        if answered {
            self.answered.push(candidate);
            return;
        }
        let rank = match self.order {
            Order::Uncertain => doubt,
            Order::Random(seed) => lot(seed, &short),
        };
        let (title, text) = (article.title.clone().into_owned(), article.text.clone().into_owned());
        self.held.push(Held { article: Article { id, title, text, language }, candidate, rank });
        if self.held.len() >= 2 * HELD {
            self.trim();
        }
    }

    fn trim(&mut self) {
        self.held.sort_by(|a, b| b.rank.total_cmp(&a.rank).then_with(|| a.article.id.cmp(&b.article.id)));
        self.held.truncate(HELD);
    }

    /// Up to `count` articles in the order in which to ask.
    pub fn choose(mut self, count: usize) -> Vec<Article> {
        self.trim();
        let order: Vec<usize> = match self.order {
            Order::Random(_) => (0..self.held.len().min(count)).collect(),
            Order::Uncertain => {
                let held = self.held.iter().map(|held| held.candidate.clone());
                let candidates: Vec<Candidate> = held.chain(self.answered).collect();
                choose(&candidates, count)
            }
        };
        let mut articles: Vec<Option<Article>> =
            self.held.into_iter().map(|held| Some(held.article)).collect();
        order.into_iter().filter_map(|index| articles.get_mut(index)?.take()).collect()
    }
}

/// A number between 0 and 1 for each article and seed.
fn lot(seed: u64, digest: &[u8; 16]) -> f32 {
    let hash: [u8; 32] =
        Sha256::new().chain_update(seed.to_le_bytes()).chain_update(digest).finalize().into();
    f32::from(u16::from_le_bytes([hash[0], hash[1]])) / f32::from(u16::MAX)
}
