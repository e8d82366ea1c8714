//! What a classifier sees of a text: its stems in order, and the terms that a task makes of them.

use crate::text::{
    Detector, FUNCTION_WORDS, Key, Language, OtherLetters, Token, Word, pair_key, stem, tokenise,
};
use serde::{Deserialize, Serialize};

/// Which terms a task counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Pairs of neighbouring stems besides single ones.
    pub pairs: bool,
    /// Words of grammar (in, not, هذا) count too.
    pub function_words: bool,
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
            self.other += tokenise(piece, |token: Token| {
                detector.see(&token);
                let word = stem(token.word);
                if word.len() >= 2 {
                    stems.push(Stem {
                        word,
                        key: word.key(),
                        function: FUNCTION_WORDS.contains(&token.word),
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
