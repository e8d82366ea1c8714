//! Cuts a text into the keys of its words, many letters at a time: what [`tokenise`] gives, faster.
//!
//! Words end at ASCII that is neither letter, digit nor apostrophe; 64 bytes are looked at in one go.
//! What stands between two such ends is mostly one word of plain Arabic or plain Latin letters. Its
//! letters are folded and packed all at once, without a branch for each. Whatever else it is (vowel
//! marks, digits, accents, other scripts), [`tokenise`] reads it.

use super::language::Detector;
use super::letters::{Fold, LAST_ARABIC, fold};
use super::tokenise::{OtherLetters, Token, tokenise};
use super::word::{Key, MAX_LETTERS, Word};

/// The words of a text. Made to be used again: [`Words::clear`] keeps its room.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// By word, in order: its key, and the byte offset of its first letter in its piece.
    pub keys: Vec<(Key, u32)>,
    /// By piece: index past its last word.
    pub ends: Vec<usize>,
    /// What the letters of the words say about their language.
    pub detector: Detector,
    /// Letters of scripts that are not read.
    pub other: OtherLetters,
}

impl Words {
    /// Forgets all words.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.ends.clear();
        self.detector = Detector::default();
        self.other = 0;
    }

    /// Adds the words of one piece of the text; calls `each` with their keys as soon as they are known.
    pub fn read(&mut self, text: &str, mut each: impl FnMut(Key)) {
        let mut start = 0;
        let (blocks, rest) = text.as_bytes().as_chunks::<64>();
        for (index, block) in blocks.iter().enumerate() {
            let mut breaks = breaks(block);
            while breaks != 0 {
                let end = index * 64 + breaks.trailing_zeros() as usize;
                if end > start {
                    self.stretch(text, start, end, &mut each);
                }
                start = end + 1;
                breaks &= breaks - 1;
            }
        }
        let mut block = [b' '; 64];
        block[..rest.len()].copy_from_slice(rest);
        let mut breaks = breaks(&block);
        loop {
            let end = text.len().min(blocks.len() * 64 + breaks.trailing_zeros() as usize);
            if end > start {
                self.stretch(text, start, end, &mut each);
            }
            start = end + 1;
            if start > text.len() {
                break;
            }
            breaks &= breaks - 1;
        }
        self.ends.push(self.keys.len());
    }

    /// The word at `index`, with its span in its piece, and the piece; `pieces` are those that were read.
    pub fn token<'a>(&self, pieces: &[&'a str], index: usize) -> Option<(Token, &'a str)> {
        let piece = pieces.get(self.ends.partition_point(|end| *end <= index))?;
        let start = self.keys.get(index)?.1 as usize;
        let rest = piece.get(start..)?;
        let end = rest.bytes().position(is_break).unwrap_or(rest.len());
        let mut first = None;
        tokenise(rest.get(..end)?, |token| {
            first.get_or_insert(Token { start: start + token.start, end: start + token.end, ..token });
        });
        Some((first?, piece))
    }

    #[inline]
    fn push(&mut self, key: Key, start: usize, each: &mut impl FnMut(Key)) {
        self.keys.push((key, start as u32));
        each(key);
    }

    /// Adds what stands between two breaks.
    #[inline]
    fn stretch(&mut self, text: &str, start: usize, end: usize, each: &mut impl FnMut(Key)) {
        let Some(reach) = text.as_bytes()[start..].first_chunk() else {
            return self.piecemeal(text, start, end, each);
        };
        let key = if reach[0] >= 0x80 { arabic(reach, end - start) } else { latin(reach, end - start) };
        match key {
            Some(key) => self.push(key, start, each),
            None => self.long_stretch(text, start, end, each),
        }
    }

    /// Adds what is too long for [`Words::stretch`], or not plain.
    #[inline(never)]
    fn long_stretch(&mut self, text: &str, start: usize, end: usize, each: &mut impl FnMut(Key)) {
        let key = text.as_bytes()[start..].first_chunk().and_then(|reach: &[u8; 24]| {
            if reach[0] >= 0x80 { long_arabic(reach, end - start) } else { long_latin(reach, end - start) }
        });
        match key {
            Some(key) => self.push(key, start, each),
            None => self.piecemeal(text, start, end, each),
        }
    }

    fn piecemeal(&mut self, text: &str, start: usize, end: usize, each: &mut impl FnMut(Key)) {
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
                self.detector.see_foreign(self.keys.len(), token.word);
            }
            self.push(token.word.key(), start + token.start, each);
        });
    }
}

/// Whether a byte is ASCII that ends a word.
#[inline]
fn is_break(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    // without branches, so that many bytes are judged at once
    !(letter | digit | (byte == b'\'') | (byte >= 0x80))
}

/// Bit `i` is set where byte `i` ends a word.
#[inline]
fn breaks(block: &[u8; 64]) -> u64 {
    let mut ends = [0u8; 64];
    for (end, byte) in ends.iter_mut().zip(block) {
        *end = u8::from(is_break(*byte));
    }
    let mut bits = 0;
    for (at, eight) in ends.as_chunks::<8>().0.iter().enumerate() {
        // gathers the lowest bits of eight bytes
        let gathered = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= gathered << (8 * at);
    }
    bits
}

/// By length in bytes: the bytes of three integers that belong to the word.
static MASKS: [[u64; 3]; 25] = {
    let mut masks = [[0; 3]; 25];
    let mut length = 0;
    while length < masks.len() {
        let mut byte = 0;
        while byte < length {
            masks[length][byte / 8] |= 0xff << (8 * (byte % 8));
            byte += 1;
        }
        length += 1;
    }
    masks
};

/// By place of a letter among eight, and by the low byte of its code point in the block U+0600: its
/// code at the place, and a mark above the eight codes. Zero for what is no plain letter.
static ARABIC: [[u64; 256]; 8] = {
    let mut table = [[0; 256]; 8];
    let mut place = 0;
    while place < 8 {
        let mut low = 0;
        while low < 256 {
            let code = super::letters::plain_arabic(low);
            if code != 0 {
                table[place][low] = (code as u64) << (6 * place) | 1 << (48 + place);
            }
            low += 1;
        }
        place += 1;
    }
    table
};

const LOW_48: u64 = (1 << 48) - 1;

/// First bytes of four letters that are all in the block U+0600, but for their last two bits.
const FIRST_BYTES: u64 = 0x00d8_00d8_00d8_00d8;
const ALL_BUT_TWO_BITS: u64 = 0x00fc_00fc_00fc_00fc;

/// Folds and packs the letters of four, then four, two-byte sequences; with their marks.
#[inline]
fn eight_arabic(halves: [u64; 2]) -> u64 {
    let low = |bytes: u64| (bytes >> 8 & 0x003f_003f_003f_003f) | (bytes & 0x0003_0003_0003_0003) << 6;
    let [first, second] = halves.map(low);
    let letter = |place: usize, low: u64| ARABIC[place][(low >> (16 * (place % 4))) as u8 as usize];
    letter(0, first)
        | letter(1, first)
        | letter(2, first)
        | letter(3, first)
        | letter(4, second)
        | letter(5, second)
        | letter(6, second)
        | letter(7, second)
}

/// The key of the word of `length` bytes at the start of `reach`, if it is of plain Arabic letters.
#[inline]
fn arabic(reach: &[u8; 16], length: usize) -> Option<Key> {
    if length > 16 {
        return None;
    }
    let [a, b, _] = MASKS[length];
    let [first, second] = halves(reach);
    let astray = ((first ^ FIRST_BYTES) & a | (second ^ FIRST_BYTES) & b) & ALL_BUT_TWO_BITS;
    let packed = eight_arabic([first & a, second & b]);
    // a byte more than twice the letters is one that is not plain
    let expected = (1 << (length / 2)) - 1;
    (astray | packed >> 48 ^ expected == 0).then_some(packed & LOW_48)
}

/// The same for up to twelve letters.
fn long_arabic(reach: &[u8; 24], length: usize) -> Option<Key> {
    let masks = MASKS.get(length)?;
    let thirds = thirds(reach);
    let astray = thirds
        .iter()
        .zip(masks)
        .fold(0, |astray, (bytes, mask)| astray | (bytes ^ FIRST_BYTES) & mask & ALL_BUT_TWO_BITS);
    let [first, second, third] = [0, 1, 2].map(|at| thirds[at] & masks[at]);
    let (packed, more) = (eight_arabic([first, second]), eight_arabic([third, 0]));
    let marks = packed >> 48 | more >> 48 << 8;
    let bits = u128::from(packed & LOW_48) | u128::from(more & LOW_48) << 48;
    (astray | marks ^ ((1 << (length / 2)) - 1) == 0).then(|| Word::of_bits(bits).key())
}

/// Packs eight ASCII letters. The second is not zero where one is none.
#[inline]
fn eight_latin(bytes: u64, mask: u64) -> (u64, u64) {
    const BEFORE_A: u64 = LAST_ARABIC as u64 * 0x0101_0101_0101_0101;
    let astray = (bytes & 0xc0c0_c0c0_c0c0_c0c0 ^ 0x4040_4040_4040_4040) & mask;
    let codes = ((bytes & 0x1f1f_1f1f_1f1f_1f1f) + BEFORE_A) & mask;
    let twos = codes & 0x003f_003f_003f_003f | (codes & 0x3f00_3f00_3f00_3f00) >> 2;
    let fours = twos & 0x0000_0fff_0000_0fff | (twos & 0x0fff_0000_0fff_0000) >> 4;
    (fours & 0xff_ffff | fours >> 8 & 0xff_ffff << 24, astray)
}

/// The key of the word of `length` bytes at the start of `reach`, if it is of up to eight ASCII letters.
#[inline]
fn latin(reach: &[u8; 16], length: usize) -> Option<Key> {
    let [first, _] = halves(reach);
    let (bits, astray) = eight_latin(first, MASKS[length.min(8)][0]);
    (length <= 8 && astray == 0).then_some(bits)
}

/// The same for as many letters as a word holds.
fn long_latin(reach: &[u8; 24], length: usize) -> Option<Key> {
    if length > MAX_LETTERS as usize {
        return None;
    }
    let (thirds, masks) = (thirds(reach), MASKS.get(length)?);
    let [a, b, c] = [0, 1, 2].map(|at| eight_latin(thirds[at], masks[at]));
    let bits = u128::from(a.0) | u128::from(b.0) << 48 | u128::from(c.0) << 96;
    (a.1 | b.1 | c.1 == 0).then(|| Word::of_bits(bits).key())
}

#[inline]
fn halves(reach: &[u8; 16]) -> [u64; 2] {
    let eights = reach.as_chunks::<8>().0;
    [0, 1].map(|at| u64::from_le_bytes(eights[at]))
}

#[inline]
fn thirds(reach: &[u8; 24]) -> [u64; 3] {
    let eights = reach.as_chunks::<8>().0;
    [0, 1, 2].map(|at| u64::from_le_bytes(eights[at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What `tokenise` makes of the pieces, in the shape of [`Words`].
    fn simply(pieces: &[&str]) -> Words {
        let mut words = Words::default();
        for piece in pieces {
            words.other += tokenise(piece, |token| {
                if token.foreign {
                    words.detector.see_foreign(words.keys.len(), token.word);
                }
                words.keys.push((token.word.key(), token.start as u32));
            });
            words.ends.push(words.keys.len());
        }
        words
    }

    fn assert_same(pieces: &[&str]) {
        let (mut fast, simple, mut called) = (Words::default(), simply(pieces), Vec::new());
        pieces.iter().for_each(|piece| fast.read(piece, |key| called.push(key)));
        assert_eq!((&fast.keys, &fast.ends), (&simple.keys, &simple.ends));
        assert!(called.iter().eq(simple.keys.iter().map(|(key, _)| key)));
        assert_eq!(fast.other, simple.other);
        // and the words can be found again
        let mut index = 0;
        for piece in pieces {
            tokenise(piece, |token| {
                assert_eq!(fast.token(pieces, index), Some((token, *piece)));
                assert!(Word::of_key(fast.keys[index].0).is_none_or(|word| word == token.word));
                index += 1;
            });
        }
        // Debug shows all counts
        assert_eq!(format!("{:?}", fast.detector), format!("{:?}", simple.detector));
    }

    #[test]
    fn every_byte_at_every_place_of_a_block() {
        for byte in 0..=255 {
            for (place, other) in (0..64).flat_map(|place| [(place, b'x'), (place, b' ')]) {
                let mut block = [other; 64];
                block[place] = byte;
                let expected = (0..64).fold(0, |bits, at| bits | u64::from(is_break(block[at])) << at);
                assert_eq!(breaks(&block), expected);
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
