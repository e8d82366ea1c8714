//! Where the sentences of a text end: the sentence boundaries of Unicode (UAX #29), but not after an abbreviation.

use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// The sentences of `text` as byte ranges that cover it, in order.
///
/// A full stop after up to three letters that begin with a capital (Sen., Mr., U.S.) or after a
/// single Arabic letter (د.) ends none.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut sentences: Vec<Range<usize>> = Vec::new();
    let mut open = false;
    for (start, sentence) in text.split_sentence_bound_indices() {
        let end = start + sentence.len();
        match sentences.last_mut().filter(|_| open) {
            Some(last) => last.end = end,
            None => sentences.push(start..end),
        }
        open = ends_in_abbreviation(sentence);
    }
    sentences
}

fn ends_in_abbreviation(sentence: &str) -> bool {
    let Some(before) = sentence.trim_end_matches([' ', '\u{a0}']).strip_suffix('.') else { return false };
    let word = before.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let first = word.chars().next();
    match word.chars().count() {
        0 => false,
        1 => true,
        2 | 3 => first.is_some_and(char::is_uppercase),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| text[range].trim()).collect()
    }

    #[test]
    fn sentences_end_where_readers_think() {
        assert_eq!(
            cut("Sen. Paul met Mr. Adams of the U.S. Treasury. They agreed! Did he?"),
            ["Sen. Paul met Mr. Adams of the U.S. Treasury.", "They agreed!", "Did he?"]
        );
        assert_eq!(
            cut("أعلن د. سامي ذلك. هل وافقت الحكومة؟ نعم وافقت.\nانتهى"),
            ["أعلن د. سامي ذلك.", "هل وافقت الحكومة؟", "نعم وافقت.", "انتهى"]
        );
        assert_eq!(cut("no end"), ["no end"]);
        assert!(cut("").is_empty());
    }
}
