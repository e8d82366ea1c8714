//! Folds a plain word and packs its letters, eight at a time.
//!
//! A word is mostly of plain Arabic or plain Latin letters. Those are folded and packed all at once, without a
//! branch for each.

use super::letters::{LAST_ARABIC, plain_arabic};
use super::word::{MAX_LETTERS, Word};

/// The word of the first `length` bytes of `text`, if it is of plain letters and not long, and enough bytes follow.
#[inline]
pub fn plain_word(text: &[u8], length: usize) -> Option<Word> {
    let reach: &[u8; 24] = text.first_chunk()?;
    let eights = reach.as_chunks::<8>().0;
    let thirds = [0, 1, 2].map(|at| u64::from_le_bytes(eights[at]));
    if reach[0] >= 0x80 { arabic(thirds, length) } else { latin(thirds, length) }
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
            let code = plain_arabic(low);
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

/// The word of `length` bytes, if it is of up to twelve plain Arabic letters.
fn arabic(thirds: [u64; 3], length: usize) -> Option<Word> {
    let masks = MASKS.get(length)?;
    let astray = thirds
        .iter()
        .zip(masks)
        .fold(0, |astray, (bytes, mask)| astray | (bytes ^ FIRST_BYTES) & mask & ALL_BUT_TWO_BITS);
    let [first, second, third] = [0, 1, 2].map(|at| thirds[at] & masks[at]);
    let packed = eight_arabic([first, second]);
    let more = if third == 0 { 0 } else { eight_arabic([third, 0]) };
    // a byte more than twice the letters is one that is not plain
    let marks = packed >> 48 | more >> 48 << 8;
    let bits = u128::from(packed & LOW_48) | u128::from(more & LOW_48) << 48;
    (astray | marks ^ ((1 << (length / 2)) - 1) == 0).then(|| Word::of_bits(bits))
}

/// Packs eight ASCII letters. The second is not zero where one is none.
fn eight_latin(bytes: u64, mask: u64) -> (u64, u64) {
    const BEFORE_A: u64 = LAST_ARABIC as u64 * 0x0101_0101_0101_0101;
    let astray = (bytes & 0xc0c0_c0c0_c0c0_c0c0 ^ 0x4040_4040_4040_4040) & mask;
    let codes = ((bytes & 0x1f1f_1f1f_1f1f_1f1f) + BEFORE_A) & mask;
    let twos = codes & 0x003f_003f_003f_003f | (codes & 0x3f00_3f00_3f00_3f00) >> 2;
    let fours = twos & 0x0000_0fff_0000_0fff | (twos & 0x0fff_0000_0fff_0000) >> 4;
    (fours & 0xff_ffff | fours >> 8 & 0xff_ffff << 24, astray)
}

/// The word of `length` bytes, if it is of as many ASCII letters as a word holds.
fn latin(thirds: [u64; 3], length: usize) -> Option<Word> {
    if length > MAX_LETTERS as usize {
        return None;
    }
    let masks = MASKS.get(length)?;
    let [a, b, c] = [0, 1, 2].map(|at| eight_latin(thirds[at], masks[at]));
    let bits = u128::from(a.0) | u128::from(b.0) << 48 | u128::from(c.0) << 96;
    (a.1 | b.1 | c.1 == 0).then(|| Word::of_bits(bits))
}
