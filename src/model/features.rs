//! What a classifier sees of a text: its stems in order, and the terms that a task makes of them.

use super::margins::Margins;
use super::memo::Entry;
use super::pairs::Found;
use crate::text::{
    Analysis, Detector, Key, Language, OtherLetters, Spelling, Word, Words, analyse, pair_key, quotes,
};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Which terms a task counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Pairs of neighbouring stems besides single ones.
    pub pairs: bool,
    /// Words of grammar (in, not, هذا) count too.
    pub function_words: bool,
    /// Single stems between quotation marks count half: who is quoted speaks, not the article.
    pub half_quotes: bool,
}

/// One stem of a text.
#[derive(Clone, Copy, Debug)]
pub struct Stem {
    /// The stem.
    pub word: Word,
    /// Its key.
    pub key: Key,
    /// Whether the word is one of grammar.
    pub function: bool,
    /// Whether the word stands between quotation marks.
    pub quoted: bool,
    /// Where the word stands: piece of the text, first byte in it.
    pub span: (u8, u32),
}

/// The stems of a text and its language. Made to be used again: [`Document::read`] clears it.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// Stems in order.
    pub stems: Vec<Stem>,
    detector: Detector,
    other: OtherLetters,
    pub(super) scratch: Scratch,
}

/// Room for what tagging a text needs, so that the next one allocates nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    pub words: Words,
    /// By word.
    pub entries: Vec<Entry>,
    /// Room to move these.
    pub spare: Vec<Entry>,
    /// Indices of what was not remembered.
    pub missing: Vec<usize>,
    /// The words of it with their indices, folded.
    pub folded: Vec<(usize, Word)>,
    /// What they come to, and the key of the stem.
    pub analyses: Vec<(Analysis, Key)>,
    /// Pairs that have weights.
    pub found: Found,
    /// By column.
    pub sums: Vec<i32>,
    pub margins: Margins,
}

impl Scratch {
    /// Rows of the words between quotation marks; `pieces` are those that were read.
    pub fn quoted_rows<'a>(
        &'a self,
        pieces: &'a [&str],
        language: Language,
    ) -> impl Iterator<Item = usize> + 'a {
        let ends = &self.words.ends;
        let starts = std::iter::once(0).chain(ends.iter().copied());
        pieces.iter().zip(starts.zip(ends)).flat_map(move |(piece, (first, end))| {
            let written = &self.words.written()[first..*end];
            quotes(piece).flat_map(move |quote| {
                let index =
                    |byte: usize| first + written.partition_point(|word| (word.start as usize) < byte);
                let words = &self.entries[index(quote.start)..index(quote.end)];
                words.iter().map(move |entry| entry.row(language))
            })
        })
    }
}

/// Words that a [`Reader`] remembers.
const REMEMBERED: usize = 1 << 14;

/// Reads words and remembers what they come to: most were met before, and stemming is a function of
/// the word alone.
struct Reader {
    words: Words,
    /// Indices of the words that are not remembered.
    unknown: Vec<usize>,
    folded: Vec<(usize, Word)>,
    /// By the high bits of the spelling; the spelling zero is no word's.
    memo: Vec<(Spelling, Analysis)>,
}

thread_local! {
    static READER: RefCell<Reader> = RefCell::new(Reader {
        words: Words::default(),
        unknown: Vec::new(),
        folded: Vec::new(),
        memo: vec![(0, analyse(Word::EMPTY)); REMEMBERED],
    });
}

impl Reader {
    fn place(spelling: Spelling) -> usize {
        (spelling >> (64 - REMEMBERED.trailing_zeros())) as usize
    }

    /// Reads the words of `pieces`.
    fn read(&mut self, pieces: &[&str]) {
        let Self { words, unknown, folded, memo } = self;
        words.clear();
        pieces.iter().for_each(|piece| words.read(piece, |_| ()));
        let known = |spelling| memo[Self::place(spelling)].0 == spelling;
        unknown.clear();
        unknown.extend((0..words.written().len()).filter(|index| !known(words.written()[*index].spelling)));
        words.settle(pieces, unknown, folded, known);
        // those that are known without their comma were not folded
        for (index, word) in folded.iter().filter(|(_, word)| !word.is_empty()) {
            let spelling = words.written()[*index].spelling;
            memo[Self::place(spelling)] = (spelling, analyse(*word));
        }
    }

    /// What the word at `index` comes to; `pieces` are those that were read.
    #[inline]
    fn analyse(&mut self, pieces: &[&str], index: usize) -> Option<Analysis> {
        let spelling = self.words.written()[index].spelling;
        let known = &mut self.memo[Self::place(spelling)];
        if known.0 != spelling {
            *known = (spelling, analyse(self.words.word(pieces, index)?));
        }
        Some(known.1)
    }
}

/// How often each term stands in a text.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Times {
    /// All terms, repetitions included; two that count half are one.
    pub total: u32,
    /// By stem or pair of stems; halves where words between quotation marks count half.
    pub times: BTreeMap<String, f32>,
}

impl Document {
    /// The document of the pieces of one text, such as title and body.
    pub fn of(pieces: &[&str]) -> Self {
        let mut document = Self::default();
        document.read(pieces);
        document
    }

    /// Reads the pieces of one text.
    pub fn read(&mut self, pieces: &[&str]) {
        self.stems.clear();
        self.detector = Detector::default();
        self.other = 0;
        READER.with_borrow_mut(|reader| {
            reader.read(pieces);
            self.stems.reserve(reader.words.written().len());
            let mut first = 0;
            for (index, piece) in pieces.iter().enumerate() {
                let quotes: Vec<_> = quotes(piece).collect();
                let end = reader.words.ends[index];
                for at in first..end {
                    let start = reader.words.written()[at].start;
                    let Some(word) = reader.analyse(pieces, at) else { continue };
                    self.detector.see_marks(&[word.marks], |marks| marks);
                    if word.stem.has(2) {
                        self.stems.push(Stem {
                            word: word.stem,
                            key: word.stem.key(),
                            function: word.function,
                            quoted: quotes.iter().any(|quote| quote.contains(&(start as usize))),
                            span: (index as u8, start),
                        });
                    }
                }
                first = end;
            }
            self.detector.see_foreigners(&reader.words.detector);
            self.other = reader.words.other;
        });
    }

    /// The language, `None` when it is neither Arabic nor English.
    pub fn language(&self) -> Option<Language> {
        self.detector.verdict(self.other)
    }

    /// The terms of the text, spelled as in the model file.
    pub fn times(&self, terms: Terms) -> Times {
        let mut found = Times::default();
        let mut halves = 0u32;
        self.terms(terms, |_, words, index| {
            let term = match words {
                (first, None) => first.to_string(),
                (first, Some(second)) => format!("{first} {second}"),
            };
            let half = self.halves(terms, words, index);
            halves += u32::from(half);
            found.total += 1;
            *found.times.entry(term).or_insert(0.0) += if half { 0.5 } else { 1.0 };
        });
        found.total -= halves.div_ceil(2);
        found
    }

    /// Whether the term that [`Document::terms`] gives counts half.
    #[inline]
    pub fn halves(&self, terms: Terms, (_, second): (Word, Option<Word>), index: usize) -> bool {
        terms.half_quotes && second.is_none() && self.stems[index].quoted
    }

    /// Calls `each` for every term with its key, its words and the index of its last stem.
    #[inline]
    pub fn terms(&self, terms: Terms, mut each: impl FnMut(Key, (Word, Option<Word>), usize)) {
        let mut before: Option<&Stem> = None;
        for (index, stem) in self.stems.iter().enumerate() {
            if stem.function && !terms.function_words {
                continue;
            }
            each(stem.key, (stem.word, None), index);
            if terms.pairs {
                // no pair spans title and body
                if let Some(first) = before.filter(|first| first.span.0 == stem.span.0) {
                    each(pair_key(first.key, stem.key), (first.word, Some(stem.word)), index);
                }
                before = Some(stem);
            }
        }
    }
}
