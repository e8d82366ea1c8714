//! What the live page shows of single records: some of the latest articles and dead letters.
//!
//! Drawn from batches that are done and shown once they are committed. Beyond a
//! burst, two articles a second are drawn and the rest is not touched: the cost does not follow the
//! rate, and readers can follow the list.

use super::ports::{Envelope, Output};
use super::process::{Options, Outcome, headline};
use crate::article::Rejection;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Articles that are kept.
const ARTICLES: usize = 12;
/// Dead letters that are kept.
const LETTERS: usize = 8;
/// Articles drawn at once, after a rest.
const BURST: f64 = 10.0;
/// Articles drawn a second in the long run.
const A_SECOND: f64 = 2.0;
/// Bytes of the largest record that is drawn; reading a larger one again would hold up the loop.
const LARGEST: usize = 256 << 10;
/// Characters that are kept of a title, a term, an id or a message.
const SHORT: usize = 160;

/// Shared between the loop and HTTP.
#[derive(Debug)]
pub struct Live(Mutex<State>);

#[derive(Debug)]
struct State {
    articles: VecDeque<Shown>,
    letters: VecDeque<Letter>,
    /// Articles that may be drawn now.
    allowed: f64,
    refilled: Instant,
}

/// What was drawn from one batch, the newest first.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    articles: Vec<Shown>,
    letters: Vec<Letter>,
}

/// A tagged article, as published.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// Input topic, partition and offset, with hyphens between them.
    pub source: String,
    /// Title or first words.
    pub title: String,
    /// What the output record says, but for the article itself.
    #[serde(flatten)]
    pub tags: PublishedTags,
}

/// The part of an output record that is shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PublishedTags {
    /// The article's id.
    pub id: String,
    /// When it was tagged, RFC 3339 in UTC.
    pub tagged_at: String,
    /// Language code.
    pub language: String,
    /// Topics, best first.
    pub topics: Vec<Named>,
    /// Why there is none.
    pub abstained: Option<String>,
    /// Stance of the text.
    pub stance: Option<Labelled>,
    /// Stance toward names of the watch-list.
    pub targets: Vec<Labelled>,
    /// Terms that carried the first topic.
    pub explain: Vec<Term>,
}

/// A topic of an output record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// Its code.
    pub code: String,
    /// Between 0 and 1.
    pub confidence: f64,
}

/// A stance of an output record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Labelled {
    /// Toward whom, in `targets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its label.
    pub label: String,
    /// Between 0 and 1.
    pub confidence: f64,
}

/// A term of an explanation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// In the article's own spelling.
    pub term: String,
    /// In log-odds.
    pub weight: f64,
}

/// A dead letter: where it was read and why it was refused, nothing of its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Letter {
    /// Input topic, partition and offset, with hyphens between them.
    pub source: String,
    /// The reason as a metric label.
    pub reason: &'static str,
    /// What is wrong, in words.
    pub message: String,
    /// When it was done, RFC 3339 in UTC.
    pub at: String,
}

impl Default for Live {
    fn default() -> Self {
        Self(Mutex::new(State {
            articles: VecDeque::new(),
            letters: VecDeque::new(),
            allowed: BURST,
            refilled: Instant::now(),
        }))
    }
}

impl Live {
    /// The latest articles and dead letters, the newest first.
    pub fn latest(&self) -> (Vec<Shown>, Vec<Letter>) {
        let state = self.state();
        (state.articles.iter().cloned().collect(), state.letters.iter().cloned().collect())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // the state stays true whatever thread panicked
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws from a batch that the broker has: records in their order, with what became of them.
    pub(super) fn draw<'a>(
        &self,
        batch: impl DoubleEndedIterator<Item = ((&'a Envelope, &'a Outcome), &'a Output)> + Clone,
        options: &Options,
    ) -> Drawn {
        let allowed = self.allowed();
        let done = || batch.clone().rev();
        let articles: Vec<Shown> = done()
            .filter(|((envelope, outcome), _)| matches!(outcome, Outcome::Tagged(_)) && small(envelope))
            .take(allowed)
            .filter_map(|((envelope, _), output)| shown(envelope, output.value.as_deref()?, options))
            .collect();
        let letters: Vec<Letter> = done()
            .filter_map(|((envelope, outcome), _)| match outcome {
                Outcome::Rejected(rejection) => Some(letter(envelope, rejection)),
                _ => None,
            })
            .take(LETTERS)
            .collect();
        if !articles.is_empty() {
            self.state().allowed -= articles.len() as f64;
        }
        Drawn { articles, letters }
    }

    /// Shows what was drawn from a batch, now that it is committed.
    pub(super) fn show(&self, drawn: Drawn) {
        if drawn.articles.is_empty() && drawn.letters.is_empty() {
            return;
        }
        let mut state = self.state();
        push(&mut state.articles, drawn.articles, ARTICLES);
        push(&mut state.letters, drawn.letters, LETTERS);
    }

    /// How many articles may be drawn now.
    fn allowed(&self) -> usize {
        let mut state = self.state();
        let now = Instant::now();
        let rest = now.duration_since(state.refilled).as_secs_f64();
        state.refilled = now;
        state.allowed = (state.allowed + rest * A_SECOND).min(BURST);
        state.allowed as usize
    }
}

/// Puts `new`, newest first, before what is kept.
fn push<T>(kept: &mut VecDeque<T>, new: Vec<T>, most: usize) {
    for entry in new.into_iter().rev() {
        kept.push_front(entry);
    }
    kept.truncate(most);
}

fn small(envelope: &Envelope) -> bool {
    envelope.value.as_ref().is_some_and(|value| value.len() <= LARGEST)
}

/// What is shown of an article whose output record is `published`.
fn shown(envelope: &Envelope, published: &[u8], options: &Options) -> Option<Shown> {
    let mut tags: PublishedTags = serde_json::from_slice(published).ok()?;
    tags.id = short(&tags.id);
    for term in &mut tags.explain {
        term.term = short(&term.term);
    }
    Some(Shown { source: source(envelope), title: short(&headline(envelope, options, 2 * SHORT)?), tags })
}

fn letter(envelope: &Envelope, rejection: &Rejection) -> Letter {
    Letter {
        source: source(envelope),
        reason: rejection.reason(),
        message: short(&rejection.to_string()),
        at: jiff::Timestamp::now().to_string(),
    }
}

fn source(envelope: &Envelope) -> String {
    format!("{}-{}-{}", envelope.topic, envelope.partition, envelope.offset)
}

/// The first characters of `text` in one line, without what would turn the direction of the text around it.
fn short(text: &str) -> String {
    let turns = |c: &char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut plain = text.trim().chars().filter(|c| !turns(c)).map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = plain.by_ref().take(SHORT).collect();
    if plain.next().is_some() {
        short.truncate(short.trim_end().len());
        short.push('…');
    }
    short
}
