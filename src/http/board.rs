//! The numbers of the live page: one frame a second, made once for all who look, out of counters
//! that are there anyway. The stream of articles pays nothing for it.

use super::Shared;
use super::shadow::{Comparing, Shadow};
use crate::metrics::Snapshot;
use crate::pipeline::{Letter, Shown};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

/// Time between two frames.
const BEAT: Duration = Duration::from_secs(1);
/// A frame that says nothing new goes out after this, so that viewers know that the worker is there.
const AT_LEAST: Duration = Duration::from_secs(10);
/// Beats over which the rate is measured.
const RATE: usize = 5;
/// Beats whose rates are shown.
const BEATS: usize = 60;
/// Minutes that are looked back.
const MINUTES: usize = 60;

/// What viewers are sent, as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The model's card.
    pub model: Arc<str>,
    /// The numbers and the latest records.
    pub live: Arc<str>,
}

/// Makes the first frame at once and the others in a task that ends with its last receiver.
pub fn start(shared: Shared) -> (JoinHandle<()>, watch::Receiver<Frame>) {
    let mut board = Board::default();
    let (sender, receiver) = watch::channel(board.frame(&shared));
    let beat = tokio::spawn(async move {
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + BEAT, BEAT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sent = Instant::now();
        while !sender.is_closed() {
            ticks.tick().await;
            let frame = board.frame(&shared);
            let due = sent.elapsed() >= AT_LEAST;
            if sender.send_if_modified(|last| {
                let news = due || *last != frame;
                *last = frame;
                news
            }) {
                sent = Instant::now();
            }
        }
    });
    (beat, receiver)
}

/// The event `model`.
#[derive(Serialize)]
struct Card<'a> {
    #[serde(flatten)]
    tag: &'a crate::article::ModelTag,
    examples: usize,
    figures: &'a [crate::model::Figures],
    topics: &'a [crate::model::Label],
    stances: &'a [crate::model::Label],
}

/// The event `live`.
#[derive(Serialize)]
struct Numbers<'a> {
    waiting_for: Option<String>,
    stalled: Option<String>,
    /// Articles a second.
    rate: f64,
    /// Articles a second in each of the last beats, the newest last.
    seconds: Vec<f64>,
    /// Articles in each of the last minutes, the newest, which is not over, last.
    minutes: Vec<u64>,
    counts: &'a Snapshot,
    /// `null` without a shadow model.
    shadow: Option<Shadow>,
    hour: Hour<'a>,
    articles: Vec<Shown>,
    letters: Vec<Letter>,
}

/// Counts of the last hour.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Hour<'a> {
    /// By first topic and stance.
    topics: BTreeMap<&'a str, BTreeMap<&'a str, u64>>,
    /// By language.
    languages: BTreeMap<&'a str, u64>,
}

/// What the board remembers from one frame to the next.
struct Board {
    started: Instant,
    /// When, and how many articles were tagged by then, the newest last.
    beats: VecDeque<(Instant, u64)>,
    history: History,
    /// The model's digest and card.
    model: (String, Arc<str>),
    shadow: Comparing,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            beats: VecDeque::new(),
            history: History::default(),
            model: (String::new(), "null".into()),
            shadow: Comparing::default(),
        }
    }
}

impl Board {
    fn frame(&mut self, shared: &Shared) -> Frame {
        let counts = shared.metrics.snapshot();
        self.beats.push_back((Instant::now(), counts.tagged));
        if self.beats.len() > BEATS + 1 {
            self.beats.pop_front();
        }
        self.history.advance(self.started.elapsed().as_secs() / 60, &counts.cells);
        let (articles, letters) = shared.live.latest();
        let model = shared.model.borrow().clone();
        let shadow = shared.shadow.as_ref().map(|shadow| shadow.borrow().tag().clone());
        let shadow = shadow.map(|tag| self.shadow.since(&model.tag().sha256, tag, &counts.shadow));
        let numbers = Numbers {
            waiting_for: shared.health.waiting_for(),
            stalled: shared.health.stalled(),
            rate: self.rates(RATE).pop().unwrap_or_default(),
            seconds: self.rates(1),
            minutes: self.history.minutes(),
            hour: self.history.hour(),
            counts: &counts,
            shadow,
            articles,
            letters,
        };
        let live = json(&numbers);
        Frame { model: self.card(&model), live }
    }

    /// Articles a second over `span` beats, ending with each beat.
    fn rates(&self, span: usize) -> Vec<f64> {
        let pairs =
            (1..self.beats.len()).map(|last| (self.beats[last.saturating_sub(span)], self.beats[last]));
        let rate = |((from, before), (to, after)): ((Instant, u64), (Instant, u64))| {
            let seconds = (to - from).as_secs_f64().max(0.001);
            ((after - before) as f64 / seconds * 10.0).round() / 10.0
        };
        pairs.map(rate).collect()
    }

    /// The model's card, written anew when it is another model.
    fn card(&mut self, model: &crate::model::Classifier) -> Arc<str> {
        let tag = model.tag();
        if self.model.0 != tag.sha256 {
            let info = model.info();
            let card = Card {
                tag,
                examples: info.examples,
                figures: &info.figures,
                topics: &info.topics,
                stances: &info.stances,
            };
            self.model = (tag.sha256.clone(), json(&card));
        }
        self.model.1.clone()
    }
}

fn json(value: &impl Serialize) -> Arc<str> {
    // strings, numbers and maps of them: nothing that JSON could refuse
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()).into()
}

/// Counts at the start of each of the last minutes: [`MINUTES`] numbers a topic, stance and language.
#[derive(Default)]
struct History {
    /// Where a topic, stance and language stands in the lists.
    places: BTreeMap<[String; 3], usize>,
    now: Vec<u64>,
    /// The oldest first.
    starts: VecDeque<Vec<u64>>,
    minute: u64,
}

impl History {
    /// Takes note of the counts in `minute`, counted from any start.
    fn advance(&mut self, minute: u64, cells: &BTreeMap<[String; 3], u64>) {
        if self.starts.is_empty() {
            self.starts.push_back(Vec::new());
            self.minute = minute;
        }
        let passed = minute.saturating_sub(self.minute).min(MINUTES as u64);
        for _ in 0..passed {
            self.starts.push_back(self.now.clone());
        }
        self.minute = minute;
        let over = self.starts.len().saturating_sub(MINUTES);
        self.starts.drain(..over);
        for (cell, count) in cells {
            let next = self.places.len();
            let place = match self.places.get(cell) {
                Some(place) => *place,
                None => *self.places.entry(cell.clone()).or_insert(next),
            };
            self.now.resize(self.places.len(), 0);
            self.now[place] = *count;
        }
    }

    fn hour(&self) -> Hour<'_> {
        let mut hour = Hour::default();
        let before = self.starts.front();
        for ([topic, stance, language], place) in &self.places {
            let count = self.now[*place] - before.and_then(|start| start.get(*place)).unwrap_or(&0);
            if count > 0 {
                *hour.topics.entry(topic).or_default().entry(stance).or_default() += count;
                *hour.languages.entry(language).or_default() += count;
            }
        }
        hour
    }

    /// Articles in each minute; the last one is not over.
    fn minutes(&self) -> Vec<u64> {
        let totals = self.starts.iter().chain([&self.now]).map(|counts| counts.iter().sum());
        let totals: Vec<u64> = totals.collect();
        totals.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(counts: &[(&str, &str, u64)]) -> BTreeMap<[String; 3], u64> {
        let cell = |topic: &str, stance: &str| [topic.to_owned(), stance.to_owned(), "ar".to_owned()];
        counts.iter().map(|(topic, stance, count)| (cell(topic, stance), *count)).collect()
    }

    #[test]
    fn the_last_hour_forgets_what_is_older() {
        let mut history = History::default();
        history.advance(0, &cells(&[("sport", "favor", 5)]));
        history.advance(0, &cells(&[("sport", "favor", 7)]));
        assert_eq!(history.hour().topics["sport"]["favor"], 7);
        history.advance(1, &cells(&[("sport", "favor", 8), ("none", "none", 2)]));
        assert_eq!((history.hour().languages["ar"], history.minutes()), (10, vec![7, 3]));
        history.advance(59, &cells(&[("sport", "favor", 9), ("none", "none", 2)]));
        assert_eq!((history.hour().languages["ar"], history.minutes().len()), (11, MINUTES));
        history.advance(60, &cells(&[("sport", "favor", 9), ("none", "none", 2)]));
        assert_eq!(history.hour().topics["sport"]["favor"], 2, "the first minute is gone");
        history.advance(5_000, &cells(&[("sport", "favor", 9), ("none", "none", 2)]));
        assert_eq!((history.hour(), history.minutes()), (Hour::default(), vec![0; MINUTES]));
    }
}
