//! Judges sixteen bytes of a text at a time: which end words, which are letters.

use wide::{u8x16, u16x8};

/// Bit `i` is set where byte `i` is ASCII that ends a word: neither letter nor digit nor apostrophe.
#[inline]
pub fn breaks(block: &[u8; 64]) -> u64 {
    let mut inside = 0;
    for (at, sixteen) in block.as_chunks::<16>().0.iter().enumerate() {
        let bytes = u8x16::new(*sixteen);
        let ascii = letters(bytes) | range(bytes, b'0', b'9') | bytes.simd_eq(u8x16::splat(b'\''));
        // a byte that is no ASCII has its highest bit set, which is the one that counts
        inside |= u64::from((ascii | bytes).to_bitmask()) << (16 * at);
    }
    !inside
}

/// Bit `i` is set where byte `i` is no ASCII letter.
#[inline]
pub fn no_latin(bytes: &[u8; 16]) -> u32 {
    !letters(u8x16::new(*bytes)).to_bitmask()
}

/// Bit `i` is set where bytes `2 i` and `2 i + 1` of UTF-8 are no Arabic letter that is met in plain text, nor a
/// mark or tatweel behind one; with `first`, these must not come first.
#[inline]
pub fn no_arabic(bytes: &[u8; 16], first: bool) -> u32 {
    // U+0621 to U+063A; U+0641 to U+064A; the latter with tatweel before and vowel marks behind, up to U+065F
    const LETTERS: [u16; 2] = [0xd8a1, 0xd8ba];
    const MORE: [u16; 2] = [0xd981, 0xd98a];
    const MORE_AND_MARKS: [u16; 2] = [0xd980, 0xd99f];
    let pairs = bytes.as_chunks::<2>().0;
    let pairs = u16x8::new(std::array::from_fn(|at| u16::from_be_bytes(pairs[at])));
    let within = |first: [u16; 2], [from, to]: [u16; 2]| {
        let lanes = |first, other| u16x8::new([first, other, other, other, other, other, other, other]);
        let above = pairs - lanes(first[0], from);
        above.saturating_sub(lanes(first[1] - first[0], to - from)).simd_eq(u16x8::ZERO)
    };
    let more = within(if first { MORE } else { MORE_AND_MARKS }, MORE_AND_MARKS);
    !(within(LETTERS, LETTERS) | more).to_bitmask()
}

/// All bits of each byte from `first` to `last`.
#[inline]
fn range(bytes: u8x16, first: u8, last: u8) -> u8x16 {
    (bytes - u8x16::splat(first)).saturating_sub(u8x16::splat(last - first)).simd_eq(u8x16::ZERO)
}

/// All bits of each ASCII letter.
#[inline]
fn letters(bytes: u8x16) -> u8x16 {
    range(bytes | u8x16::splat(0x20), b'a', b'z')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::letters::{Fold, fold};

    fn ends_a_word(byte: u8) -> bool {
        byte.is_ascii() && !byte.is_ascii_alphanumeric() && byte != b'\''
    }

    #[test]
    fn every_byte_at_every_place_of_a_block() {
        for byte in 0..=255 {
            for (place, other) in (0..64).flat_map(|place| [(place, b'x'), (place, b' ')]) {
                let mut block = [other; 64];
                block[place] = byte;
                let bit = |at: usize| u64::from(ends_a_word(block[at])) << at;
                assert_eq!(breaks(&block), (0..64).map(bit).sum::<u64>());
                let sixteen: &[u8; 16] = block[place / 16 * 16..].first_chunk().unwrap();
                let bit = |at: usize| u32::from(!sixteen[at].is_ascii_alphabetic()) << at;
                assert_eq!(no_latin(sixteen) & 0xffff, (0..16).map(bit).sum::<u32>());
            }
        }
    }

    #[test]
    fn what_passes_is_one_word() {
        for character in (0..0x800).filter_map(char::from_u32) {
            for place in (0..16).step_by(2) {
                let mut bytes = [b' '; 16];
                character.encode_utf8(&mut bytes[place..]);
                let passes = |first| no_arabic(&bytes, first) >> (place / 2) & 1 == 0;
                let is_letter = matches!(fold(character), Fold::Letter(_)) && !character.is_ascii();
                let is_plain = is_letter && (0x621..=0x64a).contains(&(character as u32));
                let is_mark = (0x64b..=0x65f).contains(&(character as u32)) || character == '\u{640}';
                assert!(!is_mark || fold(character) == Fold::Skip);
                assert_eq!(passes(true), is_plain || is_mark && place > 0, "{character:?} at {place}");
                assert_eq!(passes(false), is_plain || is_mark, "{character:?} at {place}");
                assert_eq!(no_arabic(&bytes, false).count_zeros(), u32::from(passes(false)));
            }
        }
    }
}
