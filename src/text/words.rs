//! Cuts a text into words, and tells by their bytes which are spelled alike: what [`tokenise`] gives, faster.
//!
//! [`Words::read`] cuts at ASCII that is neither letter, digit nor apostrophe, 64 bytes in one go, and hashes
//! what stands between two such breaks. Mostly that is one word, spelled like one that was met before: its
//! hash says all there is to know of it. The others are looked at by [`Words::settle`]: what is no single word
//! (numbers, commas and quotes of Arabic, other scripts) is cut by [`tokenise`].

use super::breaks::find_breaks;
use super::language::Detector;
use super::letters::{Fold, fold};
use super::pack::plain_word;
use super::spelling::{Spelling, Written, spelling_of, spelling_of_word};
use super::stretch::{whole, without_comma};
use super::tokenise::{OtherLetters, Token, tokenise};
use super::word::Word;
use std::ops::Range;

/// The words of a text. Made to be used again: [`Words::clear`] keeps its room.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// The words in order, and room behind them.
    room: Vec<Written>,
    len: usize,
    /// By piece: index past its last word.
    pub ends: Vec<usize>,
    /// What the letters of the words say about their language.
    pub detector: Detector,
    /// Letters of scripts that are not read.
    pub other: OtherLetters,
    /// Byte offsets of the breaks of a piece, and room behind.
    breaks: Vec<u32>,
    /// What was cut last: its index before, and how many words it is now.
    cuts: Vec<(usize, usize)>,
    /// What lost a comma last, and room for its word.
    bare: Vec<(usize, Word)>,
    spare: Vec<Written>,
}

impl Words {
    /// Forgets all words.
    pub fn clear(&mut self) {
        self.len = 0;
        self.ends.clear();
        self.detector = Detector::default();
        self.other = 0;
    }

    /// The words in order; until they are [settled](Words::settle), what stands between breaks.
    #[inline]
    pub fn written(&self) -> &[Written] {
        &self.room[..self.len]
    }

    /// Adds the words of one piece of the text, to be settled; calls `each` with their spellings as soon as these
    /// are known.
    pub fn read(&mut self, text: &str, mut each: impl FnMut(Spelling)) {
        let bytes = text.as_bytes();
        let found = find_breaks(bytes, &mut self.breaks);
        let (room, mut len) = (self.len + found, self.len);
        if self.room.len() < room {
            self.room.resize(room, Written::default());
        }
        let room = &mut self.room[..room];
        let mut start = 0;
        for end in &self.breaks[..found] {
            let spelling = spelling_of(bytes, start as usize, *end as usize);
            each(spelling);
            // nobody can foretell where two breaks stand in a row: no branch
            room[len] = Written { spelling, start, end: *end };
            len += usize::from(start < *end);
            start = *end + 1;
        }
        self.len = len;
        self.ends.push(len);
    }

    /// Sees to it that each of those whose indices are `unknown` is one word, and writes these to `folded` with their
    /// indices; `pieces` are those that were read. What is none or several is cut; the words that come of it stand
    /// behind the others, and so do, not folded but empty, words that lost their comma and are `known` then. Returns
    /// how many others there are.
    ///
    /// A spelling may be remembered once it was settled: what is spelled alike is one word too, and has no letters
    /// that [`Words::detector`] and [`Words::other`] count. Cutting moves the words: what stands beside them must
    /// [follow](Words::follow).
    pub fn settle(
        &mut self,
        pieces: &[&str],
        unknown: &[usize],
        folded: &mut Vec<(usize, Word)>,
        known: impl Fn(Spelling) -> bool,
    ) -> usize {
        let mut cuts = std::mem::take(&mut self.cuts);
        cuts.clear();
        self.bare.clear();
        folded.clear();
        for index in unknown {
            let Some((stretch, piece)) = self.find(pieces, *index) else { continue };
            match without_comma(piece, stretch) {
                Some(bare) if known(bare.spelling) => {
                    self.room[*index] = bare;
                    self.bare.push((*index, Word::EMPTY));
                }
                Some(_) => cuts.push((*index, 0)),
                None => match whole(piece, stretch) {
                    Some(word) => folded.push((*index, word)),
                    None => cuts.push((*index, 0)),
                },
            }
        }
        let kept = folded.len();
        if !cuts.is_empty() {
            self.cut(pieces, &mut cuts, folded);
            move_by(&cuts, folded[..kept].iter_mut().map(|(index, _)| index));
            move_by(&cuts, self.bare.iter_mut().map(|(index, _)| index));
        }
        folded.extend_from_slice(&self.bare);
        self.cuts = cuts;
        kept
    }

    /// Moves what stands beside the words as [`Words::settle`] has moved these; new ones have the default.
    pub fn follow<T: Copy + Default>(&self, beside: &mut Vec<T>, spare: &mut Vec<T>) {
        if self.cuts.is_empty() {
            return;
        }
        spare.clear();
        let mut from = 0;
        for (index, words) in &self.cuts {
            spare.extend_from_slice(&beside[from..*index]);
            spare.resize(spare.len() + words, T::default());
            from = index + 1;
        }
        spare.extend_from_slice(&beside[from..]);
        std::mem::swap(beside, spare);
    }

    /// Puts the words of what is to be cut in its place, and notes how many these are.
    fn cut(&mut self, pieces: &[&str], cuts: &mut [(usize, usize)], folded: &mut Vec<(usize, Word)>) {
        let mut spare = std::mem::take(&mut self.spare);
        spare.clear();
        let mut from = 0;
        for (index, words) in cuts.iter_mut() {
            spare.extend_from_slice(&self.room[from..*index]);
            let before = spare.len();
            if let Some((stretch, piece)) = self.find(pieces, *index) {
                self.add_words(piece, stretch, &mut spare, folded);
            }
            *words = spare.len() - before;
            from = *index + 1;
        }
        spare.extend_from_slice(&self.room[from..self.len]);
        move_by(cuts, self.ends.iter_mut());
        self.len = spare.len();
        self.spare = std::mem::replace(&mut self.room, spare);
    }

    /// Adds the words of what stands between two breaks to `words`, which holds all before it.
    fn add_words(
        &mut self,
        piece: &str,
        Written { start, end, .. }: Written,
        words: &mut Vec<Written>,
        folded: &mut Vec<(usize, Word)>,
    ) {
        let Some(part) = piece.get(start as usize..end as usize) else { return };
        // commas and quotes of Arabic are the commonest reason to be here
        let is_break = |character| fold(character) == Fold::Break;
        let length = part.len();
        let start = end - part.trim_start_matches(is_break).len() as u32;
        let part = part.trim_matches(is_break);
        let trimmed = Written { spelling: 0, start, end: start + part.len() as u32 };
        // what has nothing around it was judged before
        if let Some(word) = (part.len() < length).then(|| whole(piece, trimmed)).flatten() {
            let spelling = spelling_of(piece.as_bytes(), trimmed.start as usize, trimmed.end as usize);
            folded.push((words.len(), word));
            words.push(Written { spelling, ..trimmed });
            return;
        }
        self.other += tokenise(part, |token: Token| {
            if token.foreign {
                self.detector.see_foreign(words.len(), token.word);
            }
            let spelling = spelling_of_word(token.word);
            folded.push((words.len(), token.word));
            words.push(Written {
                spelling,
                start: start + token.start as u32,
                end: start + token.end as u32,
            });
        });
    }

    /// The word at `index` and its piece; `pieces` are those that were read.
    fn find<'a>(&self, pieces: &[&'a str], index: usize) -> Option<(Written, &'a str)> {
        let piece = pieces.get(self.ends.partition_point(|end| *end <= index))?;
        Some((*self.written().get(index)?, piece))
    }

    /// The word at `index`, folded; `pieces` are those that were read.
    pub fn word(&self, pieces: &[&str], index: usize) -> Option<Word> {
        let (written, piece) = self.find(pieces, index)?;
        let letters = piece.as_bytes().get(written.start as usize..)?;
        let plain = plain_word(letters, (written.end - written.start) as usize);
        plain.or_else(|| Some(self.token(pieces, index)?.0.word))
    }

    /// The piece of the word at `index`, and its span from its first to its last letter in it; `pieces` are those that
    /// were read.
    pub fn span<'a>(&self, pieces: &[&'a str], index: usize) -> Option<(&'a str, Range<usize>)> {
        let (written, piece) = self.find(pieces, index)?;
        let span = written.start as usize..written.end as usize;
        // plain letters alone have no marks behind them
        let plain = plain_word(piece.as_bytes().get(span.start..)?, span.len()).is_some();
        if plain {
            Some((piece, span))
        } else {
            self.token(pieces, index).map(|(token, piece)| (piece, token.start..token.end))
        }
    }

    /// The word at `index`, with its span in its piece, and the piece; `pieces` are those that were read.
    fn token<'a>(&self, pieces: &[&'a str], index: usize) -> Option<(Token, &'a str)> {
        let (written, piece) = self.find(pieces, index)?;
        let start = written.start as usize;
        let mut first = None;
        tokenise(piece.get(start..written.end as usize)?, |token| {
            first.get_or_insert(Token { start: start + token.start, end: start + token.end, ..token });
        });
        Some((first?, piece))
    }
}

/// Moves indices, which rise, as `cuts` move what stands behind them.
fn move_by<'a>(cuts: &[(usize, usize)], indices: impl Iterator<Item = &'a mut usize>) {
    let (mut moved, mut next) = (0, cuts.iter().peekable());
    for index in indices {
        while let Some((_, words)) = next.next_if(|(cut, _)| cut < index) {
            moved += *words as isize - 1;
        }
        *index = index.wrapping_add_signed(moved);
    }
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
        let (mut words, mut spelled) = (Words::default(), HashMap::new());
        let (tokens, ends, detector, other) = simply(pieces);
        // every word is new at first, then each second one is, then none
        for round in 0..3 {
            let mut called = Vec::new();
            words.clear();
            pieces.iter().for_each(|piece| words.read(piece, |spelling| called.push(spelling)));
            assert!(words.written().iter().all(|written| called.contains(&written.spelling)));
            let is_new = |index: &usize| {
                let known = spelled.contains_key(&words.written()[*index].spelling);
                !known || round == 1 && index.is_multiple_of(2)
            };
            let unknown: Vec<usize> = (0..words.written().len()).filter(is_new).collect();
            let stretches = words.written().to_vec();
            let (mut beside, mut spare) =
                ((0..stretches.len()).map(|index| 2 * index + 1).collect(), vec![7]);
            let mut folded = vec![(7, Word::EMPTY)];
            let known = |spelling| spelled.contains_key(&spelling);
            let kept = words.settle(pieces, &unknown, &mut folded, known);
            words.follow(&mut beside, &mut spare);
            assert_eq!((words.written().len(), &words.ends, words.other), (tokens.len(), &ends, other));
            // Debug shows all counts
            assert_eq!(format!("{:?}", words.detector), format!("{detector:?}"));
            assert_eq!(beside.len(), tokens.len());
            for (index, token) in tokens.iter().enumerate() {
                let (Token { word, start, .. }, _) = *token;
                let written = words.written()[index];
                assert_eq!(written.start as usize, start);
                assert_eq!(words.token(pieces, index), Some(*token));
                assert_eq!(words.span(pieces, index), Some((token.1, start..token.0.end)));
                assert_eq!(words.word(pieces, index), Some(word));
                assert_eq!(*spelled.entry(written.spelling).or_insert(word), word);
                // what stands beside a word is where it was, or new
                let place = folded.iter().position(|found| *found == (index, word));
                match beside[index] {
                    0 => assert!(place.is_some_and(|place| place >= kept)),
                    was if folded[kept..].contains(&(index, Word::EMPTY)) => {
                        assert_eq!(written.end + 2, stretches[was / 2].end);
                    }
                    was => {
                        assert_eq!(written, stretches[was / 2]);
                        assert_eq!(place.is_some_and(|place| place < kept), unknown.contains(&(was / 2)));
                    }
                }
            }
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
