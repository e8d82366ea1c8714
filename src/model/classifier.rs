//! The compiled classifier: one text to its tags.

use super::artifact::{File, sha256};
use super::compiled::{self, Compiled, Stems, TaskColumns, TaskWeights};
use super::features::{Document, Scratch, Times};
use super::labels::Task;
use super::memo::{Entry, Memo};
use super::pairs::Found;
use super::parts::{Head, Info, Model};
use super::score::{Prediction, Score};
use super::targets::{self, Mention, WatchList};
use super::{BUNDLED_SHA256, BUNDLED_TAGGING, ModelError, bundled_file, explain};
use crate::article::{Abstained, ModelTag, StanceTag, Tags, TargetTag, TermCounts, TermWeight, TopicTag};
use crate::text::{Language, analyse};
use std::sync::Arc;

/// A model compiled for tagging. Shared between threads; each brings its own [`Document`].
#[derive(Debug)]
pub struct Classifier {
    tag: ModelTag,
    info: Info,
    /// Topic code, English and Arabic name, by column.
    topics: Vec<(Arc<str>, Arc<str>, Arc<str>)>,
    stances: Vec<Arc<str>>,
    stems: Stems,
    languages: Vec<Compiled>,
    /// What was met, by any thread.
    memo: Memo,
}

impl Prediction {
    /// `quoted` are the rows of the words between quotation marks, looked at where those count half.
    fn of(
        compiled: &Compiled,
        task: &TaskColumns,
        sums: &[i32],
        quoted: impl Iterator<Item = usize>,
        allowed: &[bool],
    ) -> Self {
        let mut score = compiled.score(task, sums);
        if task.terms.half_quotes {
            let theirs = compiled.score_by(task, quoted.map(|row| (row, 0.5)));
            score.evidence.iter_mut().zip(theirs.evidence).for_each(|(sum, half)| *sum -= half);
            score.total -= theirs.total;
        }
        Self::from_score(task, score, allowed)
    }

    fn from_score(task: &TaskColumns, score: Score, allowed: &[bool]) -> Self {
        let probabilities = task.calibration.probabilities(&score, allowed);
        let best = score.best(allowed).unwrap_or_default();
        let abstained = score.known == 0 || probabilities[best] < task.thresholds[best];
        Self { probabilities, best, abstained, score }
    }
}

impl Classifier {
    /// Reads and compiles a model file.
    ///
    /// # Errors
    /// As [`Model::from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let file = File::open(bytes)?;
        file.verify()?;
        Self::compile(&file, sha256(bytes))
    }

    /// The model that ships with Rasid.
    ///
    /// # Errors
    /// [`ModelError`] only in a binary built from a tree whose model was not retrained.
    pub fn bundled() -> Result<Self, ModelError> {
        // a test verifies its checksum
        let file = bundled_file(&[BUNDLED_TAGGING])?;
        Self::compile(&File::open(&file)?, BUNDLED_SHA256.to_owned())
    }

    fn compile(file: &File<'_>, sha256: String) -> Result<Self, ModelError> {
        let mut languages = Vec::new();
        for language in Language::ALL {
            languages.push((language, file.weights(language)?));
        }
        Self::of(file.info().clone(), sha256, languages)
    }

    /// Compiles `model`, whose file has the digest `sha256`.
    ///
    /// # Errors
    /// [`ModelError::File`] where it has more terms than can be told apart.
    pub fn new(model: Model, sha256: String) -> Result<Self, ModelError> {
        let of = |language| {
            // a head of one label has no weights: it answers nothing
            let able = |head: &Head| !head.weights.rows.is_empty();
            let heads = model.heads.iter().filter(|((of, _), head)| *of == language && able(head));
            (language, heads.map(|((_, task), head)| head.task_weights(*task)).collect())
        };
        let languages = Language::ALL.map(of).into();
        Self::of(model.info.clone(), sha256, languages)
    }

    fn of(
        info: Info,
        sha256: String,
        languages: Vec<(Language, Vec<TaskWeights<'_>>)>,
    ) -> Result<Self, ModelError> {
        // the words of a pair are terms themselves: room for it would only be more memory to wait for
        let words = |task: &TaskWeights<'_>| match task.terms.pairs {
            true => task.vocabulary.iter().filter(|term| !term.contains(' ')).count(),
            false => task.vocabulary.len(),
        };
        let terms = languages.iter().flat_map(|(_, tasks)| tasks).map(words);
        let mut stems = Stems::with_capacity(terms.sum());
        let languages = languages.iter().map(|(language, tasks)| Compiled::new(*language, tasks, &mut stems));
        Ok(Self {
            languages: languages.collect::<Result<_, _>>()?,
            stems,
            memo: Memo::default(),
            tag: ModelTag { name: info.name.clone(), version: info.version.clone(), sha256 },
            topics: (info.topics.iter())
                .map(|label| {
                    (label.code.as_str().into(), label.name.as_str().into(), label.name_ar.as_str().into())
                })
                .collect(),
            stances: info.stances.iter().map(|label| label.code.as_str().into()).collect(),
            info,
        })
    }

    /// What output records say of the model.
    pub fn tag(&self) -> &ModelTag {
        &self.tag
    }

    /// What the model is.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// Share of each topic among the training texts of each language: language code, topic code, share
    /// between 0 and 1. The shares of a language sum to one.
    pub fn topic_priors(&self) -> impl Iterator<Item = (&'static str, &str, f64)> {
        self.languages.iter().flat_map(|language| {
            let priors = language.task(Task::Topic).map_or(&[][..], |task| &task.priors);
            let shares = self.topics.iter().zip(priors);
            shares.map(|((code, ..), share)| (language.language.code(), &**code, *share))
        })
    }

    /// The tables of a language.
    fn compiled(&self, language: Language) -> &Compiled {
        &self.languages[language as usize]
    }

    /// Answers `task` for a document; `allowed` (by label, empty for all) says which labels compete.
    /// `None` in a language that the model does not know.
    pub fn predict(&self, document: &Document, task: Task, allowed: &[bool]) -> Option<Prediction> {
        let compiled = self.compiled(document.language()?);
        let (entries, ends) = Compiled::entries(document, &self.stems);
        let mut sums = Vec::new();
        compiled.sum(&entries, &ends, &mut Found::default(), &mut sums);
        let quoted = entries.iter().zip(&document.stems).filter(|(_, stem)| stem.quoted);
        let quoted = quoted.map(|(entry, _)| entry.row(compiled.language));
        Some(Prediction::of(compiled, compiled.task(task)?, &sums, quoted, allowed))
    }

    /// Reads the words of a text into `scratch` and finds out what each comes to.
    fn look_up(&self, scratch: &mut Scratch, pieces: &[&str]) {
        let Scratch { words, entries, spare, missing, folded, analyses, .. } = scratch;
        words.clear();
        pieces.iter().for_each(|piece| words.read(piece, |word| self.memo.expect(word)));
        // the text has most likely the language of its first letter; one in other scripts is not searched to its end
        let mut letters = pieces.iter().flat_map(|piece| piece.chars()).take(64);
        let letter = letters.find(|letter| matches!(letter, 'a'..='z' | 'A'..='Z' | 'ء'..='ي'));
        let latin = letter.is_some_and(|letter| letter.is_ascii());
        let script = if latin { Language::English } else { Language::Arabic };
        let expect = self.compiled(script).expect();
        self.memo.look_up(words.written(), entries, missing, &expect);
        let known = |spelling| self.memo.recall(spelling).is_some();
        let mut kept = words.settle(pieces, missing, folded, known);
        words.follow(entries, spare);
        // what was cut is mostly a word and its comma
        let cut = kept..folded.len();
        for at in cut {
            let (index, word) = folded[at];
            entries[index] = self.memo.recall(words.written()[index].spelling);
            if !entries[index].is_some() {
                // one that was known a moment ago may have been driven out
                let word = if word.is_empty() { words.word(pieces, index).unwrap_or_default() } else { word };
                folded[kept] = (index, word);
                kept += 1;
            }
        }
        folded.truncate(kept);
        analyses.clear();
        analyses.extend(folded.iter().map(|(_, word)| {
            let word = analyse(*word);
            let stem = word.stem.key();
            self.stems.prefetch(stem);
            (word, stem)
        }));
        for ((index, _), (word, stem)) in folded.iter().zip(analyses) {
            let short = !word.stem.has(2);
            let rows = if short {
                [compiled::NOTHING; 2]
            } else {
                compiled::rows(self.stems.get(*stem), word.function)
            };
            entries[*index] = Entry::new(rows, word.marks, word.function, short);
            expect(entries[*index]);
            self.memo.insert(words.written()[*index].spelling, entries[*index]);
        }
    }

    /// Reads the words of a text, and where it is Arabic or English adds up their rows.
    fn read(&self, scratch: &mut Scratch, pieces: &[&str]) -> Option<Language> {
        self.look_up(scratch, pieces);
        let words = &mut scratch.words;
        words.detector.see_marks(&scratch.entries, Entry::marks);
        let language = words.detector.verdict(words.other)?;
        let compiled = self.compiled(language);
        compiled.sum(&scratch.entries, &words.ends, &mut scratch.found, &mut scratch.sums);
        Some(language)
    }

    /// The terms of a document that `task` counts; `None` in a language that the model does not know.
    pub fn times(&self, document: &Document, task: Task) -> Option<Times> {
        let compiled = self.compiled(document.language()?);
        Some(document.times(compiled.task(task)?.terms))
    }

    /// The terms that carry the likeliest label among those `allowed` (all where it is empty).
    pub fn explain<'a>(
        &self,
        document: &mut Document,
        pieces: &[&'a str],
        task: Task,
        allowed: &[bool],
    ) -> Vec<TermWeight<'a>> {
        let scratch = &mut document.scratch;
        let Some(compiled) = self.read(scratch, pieces).map(|language| self.compiled(language)) else {
            return Vec::new();
        };
        let Some(task) = compiled.task(task) else { return Vec::new() };
        let quoted = scratch.quoted_rows(pieces, compiled.language);
        let prediction = Prediction::of(compiled, task, &scratch.sums, quoted, allowed);
        explain::explain(compiled, task, scratch, pieces, &prediction)
    }

    /// Tags the pieces of one text (title, body); with `explain`, says which terms carried the tag.
    ///
    /// Uses `document` as room to work in and leaves its stems as they are.
    pub fn classify<'a>(&'a self, document: &mut Document, pieces: &[&'a str], explain: bool) -> Tags<'a> {
        let scratch = &mut document.scratch;
        let language = self.read(scratch, pieces);
        let mut tags = Tags { language: language.map_or("und", Language::code), ..Tags::default() };
        let Some(language) = language else {
            tags.abstained = Some(Abstained::Language);
            return tags;
        };
        let compiled = self.compiled(language);
        if let Some(task) = compiled.task(Task::Topic) {
            let quoted = scratch.quoted_rows(pieces, language);
            let topic = Prediction::of(compiled, task, &scratch.sums, quoted, &[]);
            tags.terms = TermCounts { known: topic.score.known, total: topic.score.total };
            tags.topics = self.topics_above(task, &topic);
            if explain && !tags.topics.is_empty() {
                tags.explain = explain::explain(compiled, task, scratch, pieces, &topic);
            }
        }
        if tags.topics.is_empty() {
            let known = compiled.task(Task::Topic).is_some();
            tags.abstained = Some(if known { Abstained::LowConfidence } else { Abstained::Language });
        }
        tags.stance = compiled.task(Task::Stance).map(|task| {
            let quoted = scratch.quoted_rows(pieces, language);
            let stance = Prediction::of(compiled, task, &scratch.sums, quoted, &[]);
            StanceTag { label: &self.stances[stance.best], confidence: stance.probabilities[stance.best] }
        });
        tags
    }

    /// The stance toward each target of `watch` that the text of `pieces` mentions; reads it into
    /// `document` where it mentions one. Empty in a language that the model does not know.
    pub fn targets<'a>(
        &'a self,
        document: &mut Document,
        pieces: &[&str],
        watch: &WatchList,
    ) -> Vec<TargetTag<'a>> {
        // looking for names takes as long as tagging, even where none is wanted
        if watch.is_empty() {
            return Vec::new();
        }
        let mentioned = watch.mentions(pieces);
        if !mentioned.is_empty() {
            document.read(pieces);
        }
        let toward = |(name, mentions): (Arc<str>, Vec<_>)| {
            let stance = self.toward(document, pieces, &mentions, &[])?;
            Some(TargetTag {
                name,
                mentions: mentions.len(),
                label: &self.stances[stance.best],
                confidence: stance.probabilities[stance.best],
            })
        };
        mentioned.into_iter().filter_map(toward).collect()
    }

    /// The stance toward the one target of `watch`, as [`Classifier::predict`] answers; of the whole
    /// text where it does not mention the target. `document` holds the text of `pieces`.
    pub fn predict_toward(
        &self,
        document: &Document,
        pieces: &[&str],
        watch: &WatchList,
        allowed: &[bool],
    ) -> Option<Prediction> {
        match watch.mentions(pieces).first() {
            Some((_, mentions)) => self.toward(document, pieces, mentions, allowed),
            None => self.predict(document, Task::Stance, allowed),
        }
    }

    fn toward(
        &self,
        document: &Document,
        pieces: &[&str],
        mentions: &[Mention],
        allowed: &[bool],
    ) -> Option<Prediction> {
        let compiled = self.compiled(document.language()?);
        let task = compiled.task(Task::Stance)?;
        let near = targets::nearness(document, pieces, mentions, task.terms);
        let (entries, _) = Compiled::entries(document, &self.stems);
        let rows = entries.iter().map(|entry| entry.row(compiled.language));
        let score = compiled.score_by(task, rows.zip(near));
        Some(Prediction::from_score(task, score, allowed))
    }

    /// The topics that reach their threshold, the likeliest first.
    fn topics_above<'a>(&'a self, task: &TaskColumns, topic: &Prediction) -> Vec<TopicTag<'a>> {
        let confidence = |label: usize| topic.probabilities[label];
        let reaches = |label: &usize| topic.score.known > 0 && confidence(*label) >= task.thresholds[*label];
        let tag = |label: usize| {
            let (code, name, name_ar) = &self.topics[label];
            TopicTag { code, name, name_ar, confidence: confidence(label) }
        };
        let above = (0..topic.probabilities.len()).filter(reaches);
        // as many as there are, so that they are allocated once
        let mut topics = Vec::with_capacity(above.clone().count());
        topics.extend(above.map(tag));
        topics.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        topics
    }
}
