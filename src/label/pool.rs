//! The articles that could be asked about: of many, some are held by lot, and of these the ones that teach most
//! are drawn, round by round, as the model learns.

use crate::article;
use crate::model::{Candidate, Document, Doubts, Learner, choose};
use crate::text::Language;
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// In which order to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Those first that teach most: see [`choose`].
    Active,
    /// By lot.
    Random,
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

/// What a person said of a text.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Title, may be empty.
    pub title: &'a str,
    /// The text.
    pub text: &'a str,
    /// The code of its label.
    pub code: &'a str,
}

/// Articles that are held: they stand for all, and are compared with each other.
const HELD: usize = 4_000;

#[derive(Debug)]
struct Held {
    article: Article,
    lot: u64,
}

/// The articles that could be asked about.
#[derive(Debug)]
pub struct Pool {
    learner: Learner,
    order: Order,
    seed: u64,
    /// Ids of articles that were answered in earlier sessions.
    asked: HashSet<String>,
    document: Document,
    held: Vec<Held>,
    seen: HashSet<[u8; 16]>,
    /// Articles that are neither Arabic nor English, or in a language that the model does not know.
    pub unknown_language: usize,
    /// Articles whose text came twice.
    pub repeated: usize,
}

impl Pool {
    /// An empty pool for what `learner` is to learn; articles in `asked`, by id, are not asked about again.
    /// `seed` decides what is done by lot.
    pub fn new(learner: Learner, order: Order, seed: u64, asked: HashSet<String>) -> Self {
        Self {
            learner,
            order,
            seed,
            asked,
            document: Document::default(),
            held: Vec::new(),
            seen: HashSet::new(),
            unknown_language: 0,
            repeated: 0,
        }
    }

    /// Adds an article. Of more than 4,000 some are let go by lot, so that the pool may be large: memory holds
    /// twice as many at most, and sixteen bytes of each that was let go.
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
        let known = self.document.language().filter(|language| self.learner.knows(*language));
        let Some(language) = known else {
            self.unknown_language += 1;
            return;
        };
        let hex = || short.iter().map(|byte| format!("{byte:02x}")).collect();
        let id = article.id.as_deref().map_or_else(hex, str::to_owned);
        if self.asked.contains(&id) {
            return;
        }
        let (title, text) = (article.title.clone().into_owned(), article.text.clone().into_owned());
        let article = Article { id, title, text, language };
        self.held.push(Held { article, lot: lot(self.seed, &short) });
        if self.held.len() >= 2 * HELD {
            self.trim();
        }
    }

    /// How many could still be drawn.
    pub fn len(&self) -> usize {
        self.held.len().min(HELD)
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn trim(&mut self) {
        self.held.sort_by(|a, b| a.lot.cmp(&b.lot).then_with(|| a.article.id.cmp(&b.article.id)));
        self.held.truncate(HELD);
    }

    /// Takes out up to `count` articles, in the order in which to ask; `answers` are all that were given.
    pub fn draw(&mut self, answers: &[Answer<'_>], count: usize) -> Vec<Article> {
        self.trim();
        let order = match self.order {
            Order::Random => (0..self.held.len().min(count)).collect(),
            Order::Active => self.most_instructive(answers, count),
        };
        let mut held: Vec<Option<Held>> = self.held.drain(..).map(Some).collect();
        let drawn =
            order.into_iter().filter_map(|index| Some(held.get_mut(index)?.take()?.article)).collect();
        self.held.extend(held.into_iter().flatten());
        drawn
    }

    fn most_instructive(&self, answers: &[Answer<'_>], count: usize) -> Vec<usize> {
        let answers: Vec<(Document, &str)> =
            answers.iter().map(|answer| (Document::of(&[answer.title, answer.text]), answer.code)).collect();
        let doubts: Doubts<'_> = self.learner.after(&answers);
        let mut document = Document::default();
        let mut candidate = |held: &Held| {
            document.read(&[&held.article.title, &held.article.text]);
            // its language is known, or it would not be held
            Candidate::of(&document, Some(doubts.of(&document).unwrap_or_default()))
        };
        let mut candidates: Vec<Candidate> = self.held.iter().map(&mut candidate).collect();
        candidates.extend(answers.iter().map(|(document, _)| Candidate::of(document, None)));
        choose(&candidates, count)
    }
}

/// A number for each article and seed.
fn lot(seed: u64, digest: &[u8; 16]) -> u64 {
    let hash: [u8; 32] =
        Sha256::new().chain_update(seed.to_le_bytes()).chain_update(digest).finalize().into();
    u64::from_le_bytes(std::array::from_fn(|at| hash[at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Counts, Example, Model, Scorer, Task, UNIT, Weights, estimate, read_examples};
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    /// 200 answers, on sub-fields of our own examples that the model has not seen.
    #[test]
    fn what_is_chosen_teaches_more_than_by_lot() -> Result<(), Box<dyn std::error::Error>> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models/examples/en");
        let examples = read_examples(&[folder])?;
        let (mut known, mut open, mut judged) = (Vec::new(), Vec::new(), Vec::new());
        for example in examples.iter().filter(|example| !example.topics.is_empty()) {
            let share = |name: &str| {
                lot(0, &std::array::from_fn(|at| Sha256::digest(name)[at])) as f64 / u64::MAX as f64
            };
            let part = match share(example.concept.as_ref().unwrap_or(&example.id)) {
                concept if concept < 0.3 => &mut known,
                _ if share(&example.id) < 0.7 => &mut open,
                _ => &mut judged,
            };
            part.push((example, Document::of(&[&example.title, &example.text])));
        }
        let mut model = Model::bundled()?;
        let codes: Vec<String> = model.info.topics.iter().map(|label| label.code.clone()).collect();
        let column =
            |example: &Example| codes.iter().position(|code| *code == example.topics[0]).unwrap_or(0);
        let head = model.heads.get_mut(&(Language::English, Task::Topic)).ok_or("no English")?;
        let (terms, fitting) = (head.terms, head.fitting);
        let learn = |counts: &mut Counts, from: &[&(&Example, Document)]| {
            for (example, document) in from {
                counts.add(document, terms, &[(column(example), UNIT)]);
            }
            let rows = (0..counts.terms.len() as u32).collect();
            Weights { rows, table: estimate(counts, fitting) }
        };
        head.counts = Counts::new(codes.len());
        head.weights = learn(&mut head.counts, &known.iter().collect::<Vec<_>>());
        let counts = head.counts.clone();
        let by_id: BTreeMap<&str, &(&Example, Document)> =
            open.iter().map(|one| (one.0.id.as_str(), one)).collect();
        // 200 answers in four rounds
        let accuracy = |order: Order, seed: u64| {
            let learner = Learner::new(model.clone(), Task::Topic, Vec::new());
            let mut pool = Pool::new(learner, order, seed, HashSet::new());
            for (example, _) in &open {
                let (title, text) = ((&*example.title).into(), (&*example.text).into());
                pool.add(&article::Article { id: Some((&*example.id).into()), title, text, json: None });
            }
            let mut asked: Vec<&(&Example, Document)> = Vec::new();
            for _ in 0..4 {
                let answers: Vec<Answer<'_>> = asked
                    .iter()
                    .map(|(of, _)| Answer { title: &of.title, text: &of.text, code: &of.topics[0] })
                    .collect();
                asked.extend(pool.draw(&answers, 50).iter().map(|article| by_id[&*article.id]));
            }
            assert_eq!(asked.len(), 200);
            let mut counts = counts.clone();
            let weights = learn(&mut counts, &asked);
            let scorer = Scorer::new(&counts.terms, &weights, codes.len(), terms);
            let is_right = |(example, document): &&(&Example, Document)| {
                scorer.score(document).best(&[]) == Some(column(example))
            };
            judged.iter().filter(is_right).count() as f64 / judged.len() as f64
        };
        let random = (0..3).map(|seed| accuracy(Order::Random, seed)).sum::<f64>() / 3.0;
        let active = accuracy(Order::Active, 0);
        println!("{} in the pool, {} judged: {active:.3} and {random:.3}", open.len(), judged.len());
        assert!(active > random + 0.01, "{active:.3} and by lot {random:.3}");
        Ok(())
    }

    #[test]
    fn of_a_large_pool_some_are_held_by_lot() -> Result<(), Box<dyn std::error::Error>> {
        let ids = |seed: u64, asked: HashSet<String>| -> Result<Vec<String>, crate::model::ModelError> {
            let learner = Learner::new(Model::bundled()?, Task::Topic, Vec::new());
            let mut pool = Pool::new(learner, Order::Random, seed, asked);
            for at in 0..3 * HELD {
                let (id, text) =
                    (Some(at.to_string().into()), format!("The bank cut its rate on day {at}").into());
                pool.add(&article::Article { id, title: "".into(), text, json: None });
            }
            assert!(pool.held.len() < 2 * HELD && pool.len() == HELD);
            Ok(pool.draw(&[], 2 * HELD).into_iter().map(|article| article.id).collect())
        };
        let first = ids(0, HashSet::new())?;
        assert_eq!((first.len(), &first), (HELD, &ids(0, HashSet::new())?));
        let late = first.iter().filter(|id| id.parse::<usize>().is_ok_and(|id| id >= 2 * HELD)).count();
        assert!((HELD / 4..HELD / 2).contains(&late), "{late} of the last third");
        assert_ne!(first, ids(1, HashSet::new())?);
        let rest = ids(0, first.iter().cloned().collect())?;
        assert!(rest.len() == HELD && rest.iter().all(|id| !first.contains(id)));
        Ok(())
    }
}
