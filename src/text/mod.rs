//! From bytes to comparable words: decode, reduce HTML, fold, cut, stem, and tell the language.
//!
//! Knows nothing of Kafka, of records or of models.

mod breaks;
mod decode;
mod html;
mod language;
mod letters;
mod lexicon;
mod pack;
mod prefetch;
mod quotes;
mod sentence;
mod slots;
mod spelling;
mod stem;
mod stretch;
mod tokenise;
mod word;
mod words;

pub use decode::{DecodeError, charset, decode, encoding};
pub use html::to_text;
pub use language::{Detector, Language, Marks};
pub use letters::ALPHABET;
pub use lexicon::function_words;
pub use prefetch::{Places, prefetch};
pub use quotes::quotes;
pub use sentence::sentences;
pub use slots::Slots;
pub use spelling::{Spelling, Written};
pub use stem::stem;
pub use tokenise::{OtherLetters, Token, tokenise};
pub use word::{Key, MAX_LETTERS, Word, pair_key, term_key, term_keys, term_word};
pub use words::Words;

/// Goes up whenever folding, cutting or stemming changes: a model fits only the version it was trained with.
pub const NORMALISER_VERSION: u32 = 1;

/// What the rules make of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Analysis {
    /// Its stem.
    pub stem: Word,
    /// What it says of the language of its text.
    pub marks: Marks,
    /// Whether it carries grammar and no topic; such a word counts for stance and language alone.
    pub function: bool,
}

/// Stems a folded word and looks it up in the word lists.
#[inline]
pub fn analyse(word: Word) -> Analysis {
    let entry = lexicon::look_up(word);
    Analysis {
        stem: stem::stem_unless(entry.protected, word),
        marks: Marks::with(entry.hint, word),
        function: entry.function,
    }
}

/// Folds `text` to the alphabet, words parted by one space. For reading and for tests.
pub fn fold(text: &str) -> String {
    use letters::{Fold, fold, ligature};
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        match fold(character) {
            Fold::Letter(letter) | Fold::Foreign(letter) => {
                folded.extend(ALPHABET.chars().nth(usize::from(letter) - 1));
            }
            Fold::Ligature => folded.push_str(ligature(character)),
            Fold::Skip => {}
            Fold::Break | Fold::Other => {
                if !folded.is_empty() && !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            // `#` stands for a digit and is itself punctuation: write it as a digit again
            let once = fold(&text);
            prop_assert_eq!(fold(&once.replace('#', "0")), once);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(text) = decode(&bytes, None) {
                let text = to_text(&text);
                let mut detector = Detector::default();
                let other = tokenise(&text, |token| {
                    detector.see(&token, Marks::of(token.word));
                    assert!(stem(token.word).len() <= token.word.len());
                    assert!(text.get(token.start..token.end).is_some());
                });
                let _ = detector.verdict(other);
            }
        }
    }
}
