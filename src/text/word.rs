//! A folded word as one integer: six bits a letter, so that affixes are shifts and comparisons are free.

use super::letters::{ALPHABET, DIGIT, Fold, LAST_ARABIC, fold, ligature};
use std::fmt;

/// Letters that a [`Word`] holds; longer words are cut.
pub const MAX_LETTERS: u32 = 21;

/// A folded word of at most [`MAX_LETTERS`] letters; letter `i` stands in bits `6 i ..`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word(u128);

/// What a word (or a pair of words) is looked up by. Words of up to ten letters are their own key;
/// longer words and pairs are hashed, with a mark in the top bits so that they never meet short ones.
pub type Key = u64;

impl Word {
    /// The empty word.
    pub const EMPTY: Self = Self(0);

    /// Folds `text` and keeps its letters up to the first break.
    pub fn new(text: &str) -> Self {
        let mut builder = Builder::default();
        for character in text.chars() {
            match fold(character) {
                Fold::Letter(letter) | Fold::Foreign(letter) => builder.push(letter),
                Fold::Ligature => builder.push_str(ligature(character)),
                Fold::Skip => {}
                Fold::Break | Fold::Other => break,
            }
        }
        builder.word()
    }

    /// The word of letter codes already packed.
    #[inline]
    pub(super) fn of_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The packed letters: the lower, then the upper half, whose two highest bits are zero.
    #[inline]
    pub(super) fn halves(self) -> [u64; 2] {
        [self.0 as u64, (self.0 >> 64) as u64]
    }

    /// Number of letters.
    #[inline]
    pub fn len(self) -> u32 {
        (128 - self.0.leading_zeros()).div_ceil(6)
    }

    /// Whether it has so many letters, one at least: cheaper than to count them.
    #[inline]
    pub fn has(self, letters: u32) -> bool {
        self.0 >> (6 * (letters - 1)) != 0
    }

    /// Whether there is no letter.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the first letter is Arabic.
    #[inline]
    pub fn is_arabic(self) -> bool {
        let first = (self.0 & 0x3f) as u8;
        first != 0 && first <= LAST_ARABIC
    }

    /// The first four letters, the first in the lowest bits; zeros past the end.
    #[inline]
    pub fn head(self) -> u32 {
        self.0 as u32 & 0xff_ffff
    }

    /// The last four letters, the last in bits 18 to 23; zeros before the start.
    #[inline]
    pub fn tail(self) -> u32 {
        self.tail_of(self.len())
    }

    /// [`Word::tail`] of a word that is known to have `len` letters.
    #[inline]
    pub fn tail_of(self, len: u32) -> u32 {
        if len >= 4 { (self.0 >> (6 * (len - 4))) as u32 } else { self.head() << (6 * (4 - len)) }
    }

    /// The word without its first `count` letters.
    #[inline]
    pub fn without_first(self, count: u32) -> Self {
        Self(self.0 >> (6 * count))
    }

    /// The word without its last `count` letters.
    #[inline]
    pub fn without_last(self, count: u32) -> Self {
        self.first(self.len().saturating_sub(count))
    }

    /// The first `count` letters of a word.
    #[inline]
    pub fn first(self, count: u32) -> Self {
        Self(self.0 & ((1u128 << (6 * count)) - 1))
    }

    /// The word with `letters` after it, as far as they fit.
    pub fn with(self, letters: Self) -> Self {
        if self.len() + letters.len() > MAX_LETTERS {
            return self;
        }
        Self(self.0 | letters.0 << (6 * self.len()))
    }

    /// By letter code, a bit where the word has the letter.
    pub fn letter_set(self) -> u64 {
        (0..self.len()).fold(0, |set, index| set | 1 << self.letter(index))
    }

    /// The letter codes at `index`, zero past the end.
    #[inline]
    pub fn letter(self, index: u32) -> u8 {
        (self.0 >> (6 * index)) as u8 & 0x3f
    }

    /// The key of this word.
    #[inline]
    pub fn key(self) -> Key {
        if self.0 >> 60 == 0 {
            return self.0 as u64;
        }
        let high = (self.0 >> 64) as u64;
        mix(self.0 as u64 ^ mix(high)) >> 2 | 1 << 63
    }
}

/// The key of two words in a row, from their keys.
#[inline]
pub fn pair_key(first: Key, second: Key) -> Key {
    mix(first.rotate_left(29) ^ mix(second)) >> 2 | 3 << 62
}

/// Finaliser of MurmurHash3 (Appleby): a bijection that spreads every bit.
#[inline]
fn mix(mut value: u64) -> u64 {
    value ^= value >> 33;
    value = value.wrapping_mul(0xff51_afd7_ed55_8ccd);
    value ^= value >> 33;
    value = value.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    value ^ value >> 33
}

/// The key of a vocabulary term: one stem, or two stems with a space between, as [`Word`]s print.
pub fn term_key(term: &str) -> Key {
    match term_keys(term) {
        (only, None) => only,
        (first, Some(second)) => pair_key(first, second),
    }
}

/// The keys of the stems of a vocabulary term.
pub fn term_keys(term: &str) -> (Key, Option<Key>) {
    match term.split_once(' ') {
        None => (stored(term).key(), None),
        Some((first, second)) => (stored(first).key(), Some(stored(second).key())),
    }
}

/// The word of a vocabulary term of one stem, as [`Word`]s print: `#` stands for a digit.
pub fn term_word(term: &str) -> Word {
    stored(term)
}

fn stored(word: &str) -> Word {
    let mut builder = Builder::default();
    for letter in word.chars() {
        match fold(letter) {
            _ if letter == '#' => builder.push(DIGIT),
            Fold::Letter(letter) => builder.push(letter),
            _ => {}
        }
    }
    builder.take()
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for index in 0..self.len() {
            let code = self.letter(index) as usize;
            let letter = ALPHABET.chars().nth(code.wrapping_sub(1)).unwrap_or('?');
            fmt::Write::write_char(f, letter)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Word({self})")
    }
}

/// Puts letters together to a word.
#[derive(Default)]
pub struct Builder {
    bits: u128,
    at: u32,
}

impl Builder {
    /// Adds a letter code; past [`MAX_LETTERS`] nothing happens.
    #[inline]
    pub fn push(&mut self, letter: u8) {
        if self.at < 6 * MAX_LETTERS {
            self.bits |= u128::from(letter) << self.at;
            self.at += 6;
        }
    }

    /// Adds the letters of a folded string.
    pub fn push_str(&mut self, letters: &str) {
        for character in letters.chars() {
            if let Fold::Letter(letter) = fold(character) {
                self.push(letter);
            }
        }
    }

    /// Whether no letter was added yet.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.at == 0
    }

    /// The word so far; the builder starts anew.
    #[inline]
    pub fn take(&mut self) -> Word {
        let word = Word(self.bits);
        *self = Self::default();
        word
    }

    fn word(self) -> Word {
        Word(self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affixes_are_shifts() {
        let word = Word::new("والمدرسة");
        assert_eq!(word.len(), 8);
        assert_eq!(word.head(), Word::new("والم").head());
        assert_eq!(word.tail(), Word::new("درسه").head());
        assert_eq!(Word::new("هو").tail(), Word::new("هو").head() << 12);
        assert_eq!(word.without_first(3).without_last(1), Word::new("مدرس"));
        assert_eq!(Word::new("go").with(Word::new("ing")).to_string(), "going");
    }

    #[test]
    fn keys_differ_by_length_and_order() {
        let long = Word::new("internationalisation");
        assert_eq!(long.len(), 20);
        assert!(long.key() >> 63 == 1);
        assert_ne!(term_key("prime minister"), term_key("minister prime"));
        assert_eq!(
            term_key("prime minister"),
            pair_key(Word::new("prime").key(), Word::new("minister").key())
        );
        assert_eq!(Word::new(&"a".repeat(40)).len(), MAX_LETTERS);
        // what a word prints as is what it is stored as
        for word in ["5G", "G20", "covid19", "km5net", "كوفيد19"] {
            assert_eq!(term_key(&Word::new(word).to_string()), Word::new(word).key(), "{word}");
        }
    }
}
