//! Cuts a text into words, and tells by their bytes which are spelled alike: what [`tokenise`] gives, faster.
//!
//! Words end at ASCII that is neither letter, digit nor apostrophe; 64 bytes are looked at in one go.
//! What stands between two such ends is mostly one word of plain Arabic or plain Latin letters. Its
//! bytes are hashed and not folded: a spelling that was met before needs nothing more. Whatever else
//! it is (digits, accents, other scripts), [`tokenise`] reads it.

use super::lanes;
use super::language::Detector;
use super::letters::{Fold, fold};
use super::pack::{MASKS, halves, plain_word};
use super::tokenise::{OtherLetters, Token, tokenise};
use super::word::Word;

/// A hash of a word as it is written; never zero. Words of one spelling fold alike, and two spellings
/// share one by a chance of one in 2^63.
pub type Spelling = u64;

/// A word of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// How it is spelled.
    pub spelling: Spelling,
    /// Byte offset of its first letter in its piece.
    pub start: u32,
    /// Byte offset past its last letter, or past marks behind it.
    pub end: u32,
}

/// The words of a text. Made to be used again: [`Words::clear`] keeps its room.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// In order.
    pub written: Vec<Written>,
    /// By piece: index past its last word.
    pub ends: Vec<usize>,
    /// What the letters of the words say about their language.
    pub detector: Detector,
    /// Letters of scripts that are not read.
    pub other: OtherLetters,
    /// Where stretches between breaks begin and end, in turn, and room behind.
    edges: Vec<u32>,
}

impl Words {
    /// Forgets all words.
    pub fn clear(&mut self) {
        self.written.clear();
        self.ends.clear();
        self.detector = Detector::default();
        self.other = 0;
    }

    /// Adds the words of one piece of the text; calls `each` with their spellings as soon as they are known.
    pub fn read(&mut self, text: &str, mut each: impl FnMut(Spelling)) {
        let mut edges = std::mem::take(&mut self.edges);
        let found = find_edges(text.as_bytes(), &mut edges);
        self.written.reserve(found / 2);
        for [start, end] in edges[..found].as_chunks().0 {
            self.stretch(text, *start as usize, *end as usize, &mut each);
        }
        self.edges = edges;
        self.ends.push(self.written.len());
    }

    /// The word at `index` and its piece; `pieces` are those that were read.
    fn find<'a>(&self, pieces: &[&'a str], index: usize) -> Option<(Written, &'a str)> {
        let piece = pieces.get(self.ends.partition_point(|end| *end <= index))?;
        Some((*self.written.get(index)?, piece))
    }

    /// The word at `index`, folded; `pieces` are those that were read.
    pub fn word(&self, pieces: &[&str], index: usize) -> Option<Word> {
        let (written, piece) = self.find(pieces, index)?;
        let letters = piece.as_bytes().get(written.start as usize..)?;
        let plain = plain_word(letters, (written.end - written.start) as usize);
        plain.or_else(|| Some(self.token(pieces, index)?.0.word))
    }

    /// The word at `index`, with its span in its piece, and the piece; `pieces` are those that were read.
    pub fn token<'a>(&self, pieces: &[&'a str], index: usize) -> Option<(Token, &'a str)> {
        let (written, piece) = self.find(pieces, index)?;
        let start = written.start as usize;
        let mut first = None;
        tokenise(piece.get(start..written.end as usize)?, |token| {
            first.get_or_insert(Token { start: start + token.start, end: start + token.end, ..token });
        });
        Some((first?, piece))
    }

    #[inline]
    fn push(&mut self, spelling: Spelling, start: usize, end: usize, each: &mut impl FnMut(Spelling)) {
        self.written.push(Written { spelling, start: start as u32, end: end as u32 });
        each(spelling);
    }

    /// Adds what stands between two breaks.
    #[inline]
    fn stretch(&mut self, text: &str, start: usize, end: usize, each: &mut impl FnMut(Spelling)) {
        let length = end - start;
        if let Some(reach) = text.as_bytes()[start..].first_chunk()
            && length <= 16
            && is_plain(reach, length, reach[0] >= 0x80, true)
        {
            let ([first, second], [a, b, _]) = (halves(reach), MASKS[length]);
            self.push(spelling([first & a, second & b]), start, end, each);
        } else {
            self.long_stretch(text, start, end, each);
        }
    }

    /// Adds what is too long for [`Words::stretch`], or not plain.
    #[inline(never)]
    fn long_stretch(&mut self, text: &str, start: usize, end: usize, each: &mut impl FnMut(Spelling)) {
        let bytes = &text.as_bytes()[start..end];
        let plain = |sixteen, first| is_plain(sixteen, 16, bytes[0] >= 0x80, first);
        match (bytes.first_chunk(), bytes.last_chunk(), bytes.len()) {
            (Some(first), Some(last), 17..=32) if plain(first, true) && plain(last, false) => {
                // the last sixteen begin among the first, so which these are depends on the length
                let both = [spelling(halves(first)), spelling(halves(last)) ^ bytes.len() as u64];
                self.push(spelling(both), start, end, each);
            }
            _ => self.piecemeal(text, start, end, each),
        }
    }

    fn piecemeal(&mut self, text: &str, start: usize, end: usize, each: &mut impl FnMut(Spelling)) {
        let Some(part) = text.get(start..end) else { return };
        // commas and quotes of Arabic are the commonest reason to be here
        let word = part.trim_matches(|character| fold(character) == Fold::Break);
        if word.len() < part.len() {
            let start = start + part.len()
                - part.trim_start_matches(|character| fold(character) == Fold::Break).len();
            if !word.is_empty() {
                self.stretch(text, start, start + word.len(), each);
            }
            return;
        }
        self.other += tokenise(part, |token: Token| {
            if token.foreign {
                self.detector.see_foreign(self.written.len(), token.word);
            }
            let [low, high] = token.word.halves();
            // no bytes of UTF-8 end like this
            let spelling = spelling([low, high | 3 << 62]);
            self.push(spelling, start + token.start, start + token.end, each);
        });
    }
}

/// Writes where stretches between breaks begin and end, in turn; returns how many these are.
fn find_edges(bytes: &[u8], edges: &mut Vec<u32>) -> usize {
    let (blocks, rest) = bytes.as_chunks::<64>();
    let mut last = [b' '; 64];
    last[..rest.len()].copy_from_slice(rest);
    let mut found = 0;
    // before the text stands a break
    let mut before = 1;
    for (index, block) in blocks.iter().chain([&last]).enumerate() {
        let breaks = lanes::breaks(block);
        let mut turns = breaks ^ (breaks << 1 | before);
        before = breaks >> 63;
        let more = turns.count_ones() as usize;
        if edges.len() < found + 64 {
            edges.resize(2 * found + 64, 0);
        }
        // eight at a time, since nobody can foretell how many there are
        for eight in edges[found..found + more.next_multiple_of(8)].as_chunks_mut::<8>().0 {
            for edge in eight {
                *edge = index as u32 * 64 + turns.trailing_zeros();
                turns &= turns.wrapping_sub(1);
            }
        }
        found += more;
    }
    found
}

/// Whether the first `length` bytes are letters of the script that are met in plain text, with `first` those that
/// begin a word.
#[inline]
fn is_plain(bytes: &[u8; 16], length: usize, arabic: bool, first: bool) -> bool {
    if arabic {
        // where the length is odd, its last byte begins no letter
        lanes::no_arabic(bytes, first) << (16 - length.div_ceil(2)) & 0xffff == 0
    } else {
        lanes::no_latin(bytes) << (16 - length) & 0xffff == 0
    }
}

/// Hashes sixteen bytes: both halves of one product (Yi, *wyhash*, 2019).
#[inline]
fn spelling([first, second]: [u64; 2]) -> Spelling {
    let product = u128::from(first ^ 0xa076_1d64_78bd_642f) * u128::from(second ^ 0xe703_7ed1_a0b4_28db);
    (product as u64 ^ (product >> 64) as u64) | 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// What `tokenise` makes of the pieces: words with their piece, by piece the index past its last, the detector, other letters.
    fn simply<'a>(pieces: &[&'a str]) -> (Vec<(Token, &'a str)>, Vec<usize>, Detector, OtherLetters) {
        let (mut tokens, mut ends, mut detector, mut other) =
            (Vec::new(), Vec::new(), Detector::default(), 0);
        for piece in pieces {
            other += tokenise(piece, |token| {
                if token.foreign {
                    detector.see_foreign(tokens.len(), token.word);
                }
                tokens.push((token, *piece));
            });
            ends.push(tokens.len());
        }
        (tokens, ends, detector, other)
    }

    fn assert_same(pieces: &[&str]) {
        let (mut words, mut called) = (Words::default(), Vec::new());
        let (tokens, ends, detector, other) = simply(pieces);
        pieces.iter().for_each(|piece| words.read(piece, |spelling| called.push(spelling)));
        assert!(called.iter().eq(words.written.iter().map(|written| &written.spelling)));
        assert_eq!((words.written.len(), &words.ends, words.other), (tokens.len(), &ends, other));
        // Debug shows all counts
        assert_eq!(format!("{:?}", words.detector), format!("{detector:?}"));
        let mut spelled = HashMap::new();
        for (index, token) in tokens.iter().enumerate() {
            let (Token { word, start, .. }, _) = *token;
            assert_eq!(words.written[index].start as usize, start);
            assert_eq!(words.token(pieces, index), Some(*token));
            assert_eq!(words.word(pieces, index), Some(word));
            assert_eq!(*spelled.entry(words.written[index].spelling).or_insert(word), word);
        }
    }

    #[test]
    fn corners() {
        for text in [
            "",
            " ",
            "a",
            "و",
            "وال",
            "internationalisation antidisestablishmentarianism",
            "والاستراتيجيات أفاستسقيناكموهاوأكثر من ذلك بكثير",
            "G20 covid-19 5G 2026 ٢٠٢٦ don't 'tis x' ' '' a'b",
            "قال،ثم قال: «نعم»؛ لا…نعم أهميّة العـــربية",
            "أَهَمِّيَّةٌ وَالْمُسْتَشْفَيَاتُ ـ ـقال ّ قالـ ؠقال قؠال ػ للمستشفياتا المستشفياتاب للمستشفياتاa",
            "aaaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "\u{600}ا ا\u{600} \u{605}\u{6dd}ب ڤيروس پچژ می‌شود",
            "aا اa eLifeو وeLife Café naïve Straße",
            "،، «قال» “نعم”،قال؛ …لا– ،و، «» (قال) \u{a0}قال\u{a0}",
            "Привет мир 你好 שלום عليكم",
            "@[]^_`{|}~\u{7f}\u{80}a",
        ] {
            // at every place in a block, and near the end of the text
            for pad in 0..70 {
                assert_same(&[&format!("{}{text}", " ".repeat(pad))]);
                assert_same(&[&format!("{text}{}", " ".repeat(pad)), text]);
            }
        }
    }

    /// Texts of what articles are made of, and of what they are not.
    fn text() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            8 => "[ء-غف-ي]{1,13}",
            6 => "[a-zA-Z]{1,24}",
            8 => " ",
            2 => "[ ,.;:!?()'\"0-9-]",
            1 => "[،؛؟«»“”…٠-٩]",
            1 => "[\u{64b}-\u{652}\u{640}\u{670}]",
            1 => "[پچژگکیےçéßœ\u{200c}]",
            1 => "[\u{600}-\u{6ff}]{1,4}",
            1 => any::<String>(),
        ];
        proptest::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn words_are_those_of_the_tokeniser(title in text(), body in text()) {
            assert_same(&[&title, &body]);
        }

        #[test]
        fn any_text_has_the_words_of_the_tokeniser(text in any::<String>()) {
            assert_same(&[&text]);
        }
    }
}
