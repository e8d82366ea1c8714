//! Cuts a text into folded words, in one pass and without allocation.

use super::letters::{DIGIT, Fold, fold, ligature};
use super::word::{Builder, Word};

/// One word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// The folded word, not stemmed.
    pub word: Word,
    /// Byte offset of its first character.
    pub start: usize,
    /// Byte offset past its last character.
    pub end: usize,
    /// Whether it has a letter that neither Arabic nor English writes.
    pub foreign: bool,
}

/// Letters of a text that are in scripts which are not read.
pub type OtherLetters = usize;

/// Calls `each` for every word of `text` in order; words of digits alone are left out.
///
/// Returns how many letters of other scripts were passed over.
pub fn tokenise(text: &str, mut each: impl FnMut(Token)) -> OtherLetters {
    let mut builder = Builder::default();
    let (mut start, mut end) = (0, 0);
    let (mut foreign, mut digits_only) = (false, true);
    let mut other = 0;
    let mut finish = |builder: &mut Builder, start, end, foreign, digits_only: bool| {
        if !builder.is_empty() {
            let word = builder.take();
            if !digits_only {
                each(Token { word, start, end, foreign });
            }
        }
    };
    for (at, character) in text.char_indices() {
        let class = fold(character);
        match class {
            Fold::Skip => continue,
            Fold::Break | Fold::Other => {
                other += usize::from(class == Fold::Other);
                finish(&mut builder, start, end, foreign, digits_only);
                (foreign, digits_only) = (false, true);
                continue;
            }
            _ => {}
        }
        if builder.is_empty() {
            start = at;
        }
        end = at + character.len_utf8();
        match class {
            Fold::Letter(letter) => {
                builder.push(letter);
                digits_only &= letter == DIGIT;
            }
            Fold::Foreign(letter) => {
                builder.push(letter);
                (foreign, digits_only) = (true, false);
            }
            _ => {
                builder.push_str(ligature(character));
                digits_only = false;
            }
        }
    }
    finish(&mut builder, start, end, foreign, digits_only);
    other
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        tokenise(text, |token| words.push(token.word.to_string()));
        words
    }

    #[test]
    fn spans_are_of_the_original() {
        let text = "في “أهميّة كبرى” لـ”المركزية”";
        let mut spans = Vec::new();
        tokenise(text, |token| spans.push(&text[token.start..token.end]));
        assert_eq!(spans, ["في", "أهميّة", "كبرى", "ل", "المركزية"]);
    }

    #[test]
    fn numbers_are_left_out_and_mixed_words_stay() {
        assert_eq!(words("48 ساعة، 5G و G20 في ٢٠٢٦"), ["ساعه", "#g", "و", "g##", "في"]);
    }

    #[test]
    fn other_scripts_are_counted() {
        let mut count = 0;
        let other = tokenise("Привет world 你好", |_| count += 1);
        assert_eq!((other, count), (8, 1));
    }
}
