//! What a classifier sees of a text: its stems in order, and the terms that a task makes of them.

use super::margins::Margins;
use super::memo::Entry;
use crate::text::{
    Analysis, Detector, Key, Language, OtherLetters, Token, Word, Words, analyse, pair_key, quotes, tokenise,
};
use serde::{Deserialize, Serialize};

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
    /// Where the word stands: piece of the text, first and past-last byte in it.
    pub span: (u8, u32, u32),
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

/// A pair of words that has weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its row.
    pub row: usize,
    /// Indices of its two words.
    pub words: [usize; 2],
}

/// Room for what tagging a text needs, so that the next one allocates nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    pub words: Words,
    /// By word.
    pub entries: Vec<Entry>,
    /// Words that were not remembered: index, and what they come to; key of the stem.
    pub missing: Vec<(usize, Analysis, Key)>,
    /// Pairs that have weights.
    pub pairs: Vec<Pair>,
    /// By column.
    pub sums: Vec<i32>,
    pub margins: Margins,
}

impl Scratch {
    /// Rows of the words between quotation marks, for terms of which those count half; `pieces` are
    /// those that were read.
    pub fn quoted_rows(&self, terms: Terms, pieces: &[&str], language: Language) -> Vec<usize> {
        let mut quoted = Vec::new();
        if !terms.half_quotes {
            return quoted;
        }
        let mut first = 0;
        for (piece, end) in pieces.iter().zip(&self.words.ends) {
            let keys = &self.words.keys[first..*end];
            for quote in quotes(piece) {
                let index = |byte: usize| first + keys.partition_point(|(_, start)| (*start as usize) < byte);
                let words = &self.entries[index(quote.start)..index(quote.end)];
                quoted.extend(words.iter().map(|entry| entry.row(language)));
            }
            first = *end;
        }
        quoted
    }
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
        for (index, piece) in pieces.iter().enumerate() {
            let (stems, detector) = (&mut self.stems, &mut self.detector);
            let quotes = quotes(piece);
            self.other += tokenise(piece, |token: Token| {
                let word = analyse(token.word);
                detector.see(&token, word.marks);
                if word.stem.len() >= 2 {
                    stems.push(Stem {
                        word: word.stem,
                        key: word.stem.key(),
                        function: word.function,
                        quoted: quotes.iter().any(|quote| quote.contains(&token.start)),
                        span: (index as u8, token.start as u32, token.end as u32),
                    });
                }
            });
        }
    }

    /// The language, `None` when it is neither Arabic nor English.
    pub fn language(&self) -> Option<Language> {
        self.detector.verdict(self.other)
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
