//! The weights of all tasks in one language behind one look-up, as small whole numbers.
//!
//! A word has one row: a column for each label of each task, then for each task a column that counts
//! known terms and one that counts all. So adding rows answers every task at once, counts included.
//! Weights are rounded to whole multiples of a step, a 2047th of the task's largest: see `rows.rs`.

use super::ModelError;
use super::calibrate::Calibration;
use super::features::{Document, Terms};
use super::labels::Task;
use super::memo::{Entry, MAX_ROWS};
use super::pairs::{Found, Pairs};
use super::rows::{LARGEST, Rows};
use super::score::{ByLabel, Score};
use crate::text::{Key, Language, Marks, Slots, function_words, stem, term_keys};
use smallvec::smallvec;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Stems of words of grammar: the same stem may also come from another word, so it has two rows.
static FUNCTION_STEMS: LazyLock<Slots<bool>> = LazyLock::new(|| {
    let mut stems = Slots::with_capacity(512);
    function_words().for_each(|word| *stems.entry(stem(word).key()) = true);
    stems
});

/// Row of a stem that has no weights; the one after it is that of such a word of grammar.
pub const UNKNOWN: usize = 0;
/// How many terms ahead their places in a table are loaded.
const AHEAD: usize = 8;
/// Row of a word that is no term.
pub const NOTHING: u32 = 2;

/// The weights of one task, as training or the model file gives them.
#[derive(Debug)]
pub struct TaskWeights<'a> {
    /// Which task.
    pub task: Task,
    /// Which terms count.
    pub terms: Terms,
    /// Evidence to probabilities.
    pub calibration: Calibration,
    /// By label: the least probability with which it is given.
    pub thresholds: Vec<f32>,
    /// Training texts by label, as shares of one [`super::UNIT`] each.
    pub documents: Vec<u32>,
    /// The terms that have weights.
    pub vocabulary: Vec<&'a str>,
    /// By term: training texts that have it.
    pub texts: Vec<u32>,
    /// By term, one column a label.
    pub table: Cow<'a, [f32]>,
}

impl TaskWeights<'_> {
    /// The keys of a term's one or two stems, and its weights. The commonest come first: most words of a text have one
    /// of few rows, which lie together then.
    fn terms(&self) -> Vec<(Key, Option<Key>, &[f32])> {
        let labels = self.thresholds.len();
        // by the power of two, and else as they stand: so they are read one after the other at the start
        let mut order: Vec<usize> = (0..self.vocabulary.len()).collect();
        order.sort_by_key(|term| self.texts[*term].leading_zeros());
        let terms = order.iter().map(|term| {
            let (first, second) = term_keys(self.vocabulary[*term]);
            (first, second, &self.table[term * labels..][..labels])
        });
        // what is no word cannot stand in a text
        terms.filter(|(first, second, _)| *first != Stems::EMPTY && *second != Some(Stems::EMPTY)).collect()
    }
}

/// One task's part of the rows.
#[derive(Debug)]
pub struct TaskColumns {
    /// Which task.
    pub task: Task,
    /// Which terms count.
    pub terms: Terms,
    /// Evidence to probabilities.
    pub calibration: Calibration,
    /// By label: the least probability with which it is given.
    pub thresholds: Vec<f32>,
    /// By label: its share of the training texts.
    pub priors: Vec<f64>,
    /// Column of the first label.
    first: usize,
    /// Column of the number of known terms; that of all terms is the next one.
    counts: usize,
    /// One step in natural logarithms.
    pub step: f32,
}

/// Each count as a share of all.
fn shares(counts: &[u32]) -> Vec<f64> {
    let all: f64 = counts.iter().map(|count| f64::from(*count)).sum();
    counts.iter().map(|count| f64::from(*count) / all.max(1.0)).collect()
}

/// Rows of a stem, in the order of [`Language::ALL`]; zero where a language does not know it.
pub type Stems = Slots<[u32; 2]>;

/// All tasks of one language, ready to score.
#[derive(Debug)]
pub struct Compiled {
    /// Which language.
    pub language: Language,
    /// Its tasks.
    pub tasks: Vec<TaskColumns>,
    /// First those without words of grammar, then those with them.
    pairs: [Option<Pairs>; 2],
    rows: Rows,
}

impl Compiled {
    /// Compiles the tasks of `language` and enters its rows into `stems`.
    ///
    /// # Errors
    /// [`ModelError::File`] where there are more terms than a table holds.
    pub fn new(
        language: Language,
        weights: &[TaskWeights<'_>],
        stems: &mut Stems,
    ) -> Result<Self, ModelError> {
        let mut first = 0;
        let labels: usize = weights.iter().map(|task| task.thresholds.len()).sum();
        let tasks = weights.iter().enumerate().map(|(at, task)| {
            let largest = task.table.iter().fold(0f32, |largest, weight| largest.max(weight.abs()));
            let columns = TaskColumns {
                task: task.task,
                terms: task.terms,
                calibration: task.calibration,
                thresholds: task.thresholds.clone(),
                priors: shares(&task.documents),
                first,
                counts: labels + 2 * at,
                step: if largest > 0.0 { largest / f32::from(LARGEST) } else { 1.0 },
            };
            first += task.thresholds.len();
            columns
        });
        let tasks: Vec<TaskColumns> = tasks.collect();
        // what two tasks share is asked for twice, and costs nothing where nobody writes
        let terms = weights.iter().map(|task| task.vocabulary.len()).sum();
        let rows = Rows::with_capacity(terms, labels + 2 * weights.len());
        let mut compiled = Self { language, tasks, pairs: [None, None], rows };
        compiled.add_stems(weights, stems);
        compiled.add_pairs(weights, stems);
        if compiled.rows.len() > MAX_ROWS {
            return Err(ModelError::File(format!("more than {MAX_ROWS} terms in one language")));
        }
        Ok(compiled)
    }

    /// A new row of a stem: it counts as a term, but for a word of grammar where those do not.
    fn push_stem(&mut self, function: bool) -> usize {
        let row = self.rows.push();
        for task in 0..self.tasks.len() {
            if self.tasks[task].terms.function_words || !function {
                self.rows.set(row, self.tasks[task].counts + 1, 1);
            }
        }
        row
    }

    /// The row of a stem, which is made where there is none.
    fn stem(&mut self, key: Key, stems: &mut Stems) -> usize {
        let row = &mut stems.entry(key)[self.language as usize];
        if *row == 0 {
            *row = self.push_stem(false) as u32;
            if FUNCTION_STEMS.get(key) {
                self.push_stem(true);
            }
        }
        *row as usize
    }

    fn weigh(&mut self, row: usize, task: usize, weights: &[f32]) {
        let TaskColumns { first, counts, step, .. } = self.tasks[task];
        let numbers = weights.iter().map(|weight| {
            let steps = weight / step;
            // rounded: std's `round` is a call where the processor may be an old one
            (steps + 0.5_f32.copysign(steps)) as i16
        });
        self.rows.write(row, first, numbers);
        self.rows.set(row, counts, 1);
    }

    fn add_stems(&mut self, weights: &[TaskWeights<'_>], stems: &mut Stems) {
        for function in [false, true] {
            self.push_stem(function);
        }
        self.rows.push();
        for (task, weights) in weights.iter().enumerate() {
            let terms = weights.terms();
            for (at, (first, second, row)) in terms.iter().enumerate() {
                if let Some((first, second, _)) = terms.get(at + AHEAD) {
                    stems.prefetch(*first);
                    second.iter().for_each(|second| stems.prefetch(*second));
                }
                let (first, at) = (*first, self.stem(*first, stems));
                if let Some(second) = second {
                    // a pair can be found only where its words can
                    self.stem(*second, stems);
                } else {
                    self.weigh(at, task, row);
                    if weights.terms.function_words && FUNCTION_STEMS.get(first) {
                        self.weigh(at + 1, task, row);
                    }
                }
            }
        }
    }

    fn add_pairs(&mut self, weights: &[TaskWeights<'_>], stems: &Stems) {
        for (task, weights) in weights.iter().enumerate().filter(|(_, weights)| weights.terms.pairs) {
            let kind = usize::from(weights.terms.function_words);
            let language = self.language as usize;
            let words = |key| stems.get(key)[language];
            let terms = weights.terms().into_iter();
            let terms = terms.filter_map(|(first, second, row)| Some(([words(first), words(second?)], row)));
            let terms: Vec<([u32; 2], &[f32])> = terms.collect();
            let mut pairs = self.pairs[kind].take().unwrap_or_else(|| Pairs::with_capacity(terms.len()));
            for (at, (words, row)) in terms.iter().enumerate() {
                if let Some((words, _)) = terms.get(at + AHEAD) {
                    pairs.prefetch(*words);
                }
                let at = pairs.entry(*words);
                if *at == 0 {
                    *at = self.rows.push() as u32;
                }
                let at = *at as usize;
                self.weigh(at, task, row);
            }
            self.pairs[kind] = Some(pairs);
        }
        self.pairs.iter_mut().flatten().for_each(Pairs::foretell);
    }

    /// The part of a task, where the model has it in this language.
    pub fn task(&self, task: Task) -> Option<&TaskColumns> {
        self.tasks.iter().find(|columns| columns.task == task)
    }

    /// The words of a document, and the indices past the last of each piece.
    pub fn entries(document: &Document, stems: &Stems) -> (Vec<Entry>, Vec<usize>) {
        let entries = document.stems.iter().map(|stem| {
            Entry::new(rows(stems.get(stem.key), stem.function), Marks::default(), stem.function, false)
        });
        let pieces = document.stems.chunk_by(|a, b| a.span.0 == b.span.0);
        let ends = pieces.scan(0, |end, piece| {
            *end += piece.len();
            Some(*end)
        });
        (entries.collect(), ends.collect())
    }

    /// Loads the rows of words that will be added soon.
    #[inline]
    pub fn expect(&self) -> impl Fn(Entry) {
        let (rows, language) = (self.rows.expect(), self.language);
        move |entry| rows(entry.row(language))
    }

    /// Adds up the rows of a text: of its words, and of the pairs, which it leaves in `found`.
    ///
    /// `ends` are the indices past the last word of each piece.
    pub fn sum(&self, entries: &[Entry], ends: &[usize], found: &mut Found, sums: &mut Vec<i32>) {
        found.pairs.clear();
        let mut counts = [0; 2];
        for (pairs, (count, function_words)) in self.pairs.iter().zip(counts.iter_mut().zip([false, true])) {
            let Some(pairs) = pairs else { continue };
            let mut start = 0;
            for end in ends {
                found.keep(&entries[start..*end], start, self.language, function_words);
                *count += pairs.find(found, self.rows.expect());
                start = *end;
            }
        }
        self.rows.sum(entries, |entry| entry.row(self.language), sums);
        if !found.pairs.is_empty() {
            self.rows.add(&found.pairs, |pair| pair.row, sums);
        }
        for task in self.tasks.iter().filter(|task| task.terms.pairs) {
            sums[task.counts + 1] += counts[usize::from(task.terms.function_words)];
        }
    }

    /// What `sums` say of a task.
    pub fn score(&self, task: &TaskColumns, sums: &[i32]) -> Score {
        let evidence = sums.iter().skip(task.first).take(task.thresholds.len());
        Score {
            evidence: evidence.map(|sum| *sum as f32 * task.step).collect(),
            known: sums[task.counts] as u32,
            total: sums[task.counts + 1] as u32,
        }
    }

    /// The score of a task where each word, given by its row, counts by a weight of its own. Pairs do
    /// not count.
    pub fn score_by(&self, task: &TaskColumns, words: impl Iterator<Item = (usize, f32)>) -> Score {
        let labels = task.thresholds.len();
        let mut sums: ByLabel = smallvec![0.0; labels + 1];
        let mut known = 0;
        for (row, weight) in words.filter(|(_, weight)| *weight > 0.0) {
            let column = |column: usize| self.rows.get(row, column);
            known += u32::from(column(task.counts) != 0);
            let columns = (task.first..task.first + labels).chain([task.counts + 1]);
            for (sum, at) in sums.iter_mut().zip(columns) {
                *sum += weight * f32::from(column(at));
            }
        }
        let total = sums.pop().unwrap_or_default().round() as u32;
        Score { evidence: sums.into_iter().map(|sum| sum * task.step).collect(), known, total }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The weight of a row for one label of a task, in steps of [`TaskColumns::step`].
    pub fn weight(&self, task: &TaskColumns, label: usize, row: usize) -> i32 {
        i32::from(self.rows.get(row, task.first + label))
    }

    /// Adds the weight of each of `items` for one label of a task over that for another to `weights`, in steps of
    /// [`TaskColumns::step`].
    pub fn margins<T: Copy>(
        &self,
        task: &TaskColumns,
        labels: [usize; 2],
        items: &[T],
        row: impl Fn(T) -> usize,
        weights: &mut Vec<i32>,
    ) {
        self.rows.differences(items, row, labels.map(|label| task.first + label), weights);
    }
}

/// The rows of a word whose stem has these.
#[inline]
pub fn rows(stem: [u32; 2], function: bool) -> [u32; 2] {
    stem.map(|row| row + u32::from(function))
}
