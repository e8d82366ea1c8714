//! Cuts a text into the keys of its words, many letters at a time: what [`tokenise`] gives, faster.
//!
//! Words end at ASCII that is neither letter, digit nor apostrophe; 64 bytes are looked at in one go.
//! What stands between two such ends is mostly one word of plain Arabic or plain Latin letters. Its
//! letters are folded and packed eight bytes at a time, without a branch for each letter. Whatever
//! else it is (vowel marks, digits, other punctuation, accents), [`tokenise`] reads it.

use super::language::Detector;
use super::letters::LAST_ARABIC;
use super::tokenise::{OtherLetters, Token, tokenise};
use super::word::{Key, Word};

/// Bytes of a word that is packed at once.
const REACH: usize = 24;

/// The words of a text. Made to be used again: [`Words::clear`] keeps its room.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// By word, in order: its key.
    pub keys: Vec<Key>,
    /// By word: byte offset of its first letter in its piece.
    pub starts: Vec<u32>,
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
        self.starts.clear();
        self.ends.clear();
        self.detector = Detector::default();
        self.other = 0;
    }

    /// Adds the words of one piece of the text.
    pub fn read(&mut self, text: &str) {
        let mut start = 0;
        let (blocks, rest) = text.as_bytes().as_chunks::<64>();
        for (index, block) in blocks.iter().enumerate() {
            let mut breaks = breaks(block);
            while breaks != 0 {
                let end = index * 64 + breaks.trailing_zeros() as usize;
                if end > start {
                    self.stretch(text, start, end);
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
                self.stretch(text, start, end);
            }
            start = end + 1;
            if start > text.len() {
                break;
            }
            breaks &= breaks - 1;
        }
        self.ends.push(self.keys.len());
    }

    /// The word at `index`, with its span in its piece, and the number of the piece; `pieces` are those
    /// that were read.
    pub fn token<'a>(&self, pieces: &[&'a str], index: usize) -> Option<(Token, &'a str)> {
        let piece = pieces.get(self.ends.partition_point(|end| *end <= index))?;
        let start = *self.starts.get(index)? as usize;
        let rest = piece.get(start..)?;
        let end = rest.bytes().position(is_break).unwrap_or(rest.len());
        let mut first = None;
        tokenise(rest.get(..end)?, |token| {
            first.get_or_insert(Token { start: start + token.start, end: start + token.end, ..token });
        });
        Some((first?, piece))
    }

    /// Adds what stands between two breaks.
    #[inline]
    fn stretch(&mut self, text: &str, start: usize, end: usize) {
        let bytes = text.as_bytes();
        if let Some(reach) = bytes[start..].first_chunk::<REACH>() {
            let key = if reach[0] >= 0x80 { arabic(reach, end - start) } else { latin(reach, end - start) };
            if let Some(key) = key {
                self.keys.push(key);
                self.starts.push(start as u32);
                return;
            }
        }
        self.piecemeal(text, start, end);
    }

    #[inline(never)]
    fn piecemeal(&mut self, text: &str, start: usize, end: usize) {
        let Some(part) = text.get(start..end) else { return };
        self.other += tokenise(part, |token: Token| {
            if token.foreign {
                self.detector.see_foreign(self.keys.len(), token.word);
            }
            self.keys.push(token.word.key());
            self.starts.push((start + token.start) as u32);
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

/// By length in bytes up to [`REACH`]: the bytes of three integers that belong to the word.
static MASKS: [[u64; 3]; REACH + 1] = {
    let mut masks = [[0; 3]; REACH + 1];
    let mut length = 0;
    while length <= REACH {
        let mut byte = 0;
        while byte < length {
            masks[length][byte / 8] |= 0xff << (8 * (byte % 8));
            byte += 1;
        }
        length += 1;
    }
    masks
};

/// By place of a letter among four, and by the low byte of its code point in the block U+0600: its
/// code at the place, and a mark above the four codes. Zero for what is no plain letter.
static ARABIC: [[u32; 256]; 4] = {
    let mut table = [[0; 256]; 4];
    let mut place = 0;
    while place < 4 {
        let mut low = 0;
        while low < 256 {
            let code = super::letters::plain_arabic(low);
            if code != 0 {
                table[place][low] = (code as u32) << (6 * place) | 1 << (24 + place);
            }
            low += 1;
        }
        place += 1;
    }
    table
};

const LOW_24: u64 = 0xff_ffff;

/// Folds and packs four two-byte letters. The second is not zero where one is not in the block.
#[inline]
fn four_arabic(bytes: u64, mask: u64) -> (u64, u64) {
    let bytes = bytes & mask;
    let astray = (bytes ^ (0x00d8_00d8_00d8_00d8 & mask)) & 0x00fc_00fc_00fc_00fc;
    let low = (bytes >> 8 & 0x003f_003f_003f_003f) | (bytes & 0x0003_0003_0003_0003) << 6;
    let letter = |place: usize| ARABIC[place][(low >> (16 * place)) as u8 as usize];
    (u64::from(letter(0) | letter(1) | letter(2) | letter(3)), astray)
}

/// The key of the word of `length` bytes at the start of `reach`, if it is of plain Arabic letters.
#[inline]
fn arabic(reach: &[u8; REACH], length: usize) -> Option<Key> {
    let masks = MASKS.get(length)?;
    let [first, second, third] = thirds(reach);
    let (a, astray_a) = four_arabic(first, masks[0]);
    let (b, astray_b) = four_arabic(second, masks[1]);
    let mut marks = a >> 24 | b >> 24 << 4;
    let mut astray = astray_a | astray_b;
    let mut bits = u128::from(a & LOW_24 | (b & LOW_24) << 24);
    if length > 16 {
        let (c, astray_c) = four_arabic(third, masks[2]);
        marks |= c >> 24 << 8;
        astray |= astray_c;
        bits |= u128::from(c & LOW_24) << 48;
    }
    let expected = (1 << (length / 2)) - 1;
    ((marks ^ expected) | astray == 0).then(|| Word::of_bits(bits).key())
}

/// Packs eight ASCII letters. The second is not zero where one is none.
#[inline]
fn eight_latin(bytes: u64, mask: u64) -> (u64, u64) {
    const FIRST: u64 = LAST_ARABIC as u64 * 0x0101_0101_0101_0101;
    let astray = (bytes & 0xc0c0_c0c0_c0c0_c0c0 ^ 0x4040_4040_4040_4040) & mask;
    let codes = ((bytes & 0x1f1f_1f1f_1f1f_1f1f) + FIRST) & mask;
    let twos = codes & 0x003f_003f_003f_003f | (codes & 0x3f00_3f00_3f00_3f00) >> 2;
    let fours = twos & 0x0000_0fff_0000_0fff | (twos & 0x0fff_0000_0fff_0000) >> 4;
    (fours & LOW_24 | fours >> 8 & LOW_24 << 24, astray)
}

/// The key of the word of `length` bytes at the start of `reach`, if it is of ASCII letters.
#[inline]
fn latin(reach: &[u8; REACH], length: usize) -> Option<Key> {
    if length > super::word::MAX_LETTERS as usize {
        return None;
    }
    let masks = MASKS.get(length)?;
    let [first, second, third] = thirds(reach);
    let (a, mut astray) = eight_latin(first, masks[0]);
    let mut bits = u128::from(a);
    if length > 8 {
        let (b, astray_b) = eight_latin(second, masks[1]);
        let (c, astray_c) = eight_latin(third, masks[2]);
        bits |= u128::from(b) << 48 | u128::from(c) << 96;
        astray |= astray_b | astray_c;
    }
    (astray == 0).then(|| Word::of_bits(bits).key())
}

#[inline]
fn thirds(reach: &[u8; REACH]) -> [u64; 3] {
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
                words.keys.push(token.word.key());
                words.starts.push(token.start as u32);
            });
            words.ends.push(words.keys.len());
        }
        words
    }

    fn assert_same(pieces: &[&str]) {
        let (mut fast, simple) = (Words::default(), simply(pieces));
        pieces.iter().for_each(|piece| fast.read(piece));
        assert_eq!((&fast.keys, &fast.starts, &fast.ends), (&simple.keys, &simple.starts, &simple.ends));
        assert_eq!(fast.other, simple.other);
        // and the words can be found again
        let mut index = 0;
        for piece in pieces {
            tokenise(piece, |token| {
                assert_eq!(fast.token(pieces, index), Some((token, *piece)));
                assert!(Word::of_key(fast.keys[index]).is_none_or(|word| word == token.word));
                index += 1;
            });
        }
        // Debug shows all counts
        assert_eq!(format!("{:?}", fast.detector), format!("{:?}", simple.detector));
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
