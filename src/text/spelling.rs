//! Tells by a hash of their bytes which words are spelled alike.

use super::word::Word;

/// A hash of the bytes of a word; never zero. Two words share one by a chance of one in 2^63.
pub type Spelling = u64;

/// A word of a text, or until it is settled what stands between two breaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// How it is spelled.
    pub spelling: Spelling,
    /// Byte offset of its first letter in its piece.
    pub start: u32,
    /// Byte offset past its last letter, or past marks behind it.
    pub end: u32,
}

/// The spelling of the bytes from `start` to `end` of a text.
#[inline]
pub fn spelling_of(text: &[u8], start: usize, end: usize) -> Spelling {
    let length = end - start;
    if length > 16 {
        return long_spelling(text, start, end);
    }
    match text.get(start..start + 16).and_then(<[u8]>::first_chunk) {
        Some(reach) => short_spelling(reach, length),
        None => last_spelling(text, start, end),
    }
}

/// The spelling of the first `length` bytes.
#[inline]
fn short_spelling(reach: &[u8; 16], length: usize) -> Spelling {
    /// Sixteen bytes that keep, then as many that do not.
    const KEEP: &[u8; 32] = &{
        let mut keep = [0; 32];
        let mut at = 0;
        while at < 16 {
            keep[at] = u8::MAX;
            at += 1;
        }
        keep
    };
    let keep = KEEP[16 - length..].first_chunk().unwrap_or(&[0; 16]);
    let ([first, second], [a, b]) = (halves(reach), halves(keep));
    hash([first & a, second & b])
}

/// The spelling of the last words of a text, which have no sixteen bytes to look at.
#[cold]
fn last_spelling(text: &[u8], start: usize, end: usize) -> Spelling {
    let mut reach = [0; 16];
    let bytes = text.get(start..end).unwrap_or_default();
    reach.iter_mut().zip(bytes).for_each(|(to, byte)| *to = *byte);
    short_spelling(&reach, bytes.len().min(16))
}

/// Bytes that a spelling tells.
pub const LONGEST: usize = 32;
/// The spelling of all that is longer: it is always cut.
const LONG: Spelling = 1;

#[cold]
fn long_spelling(text: &[u8], start: usize, end: usize) -> Spelling {
    let bytes = text.get(start..end).unwrap_or_default();
    match (bytes.first_chunk(), bytes.last_chunk()) {
        // the last sixteen begin among the first, so which these are depends on the length
        (Some(first), Some(last)) if bytes.len() <= LONGEST => {
            hash([hash(halves(first)), hash(halves(last)) ^ bytes.len() as u64])
        }
        _ => LONG,
    }
}

/// The spelling of a word that is known by its letters alone: that of no bytes.
pub fn spelling_of_word(word: Word) -> Spelling {
    let [low, high] = word.halves();
    // no bytes of UTF-8 end like this
    hash([low, high | 3 << 62])
}

/// Hashes sixteen bytes: both halves of one product (Yi, *wyhash*, 2019).
#[inline]
fn hash([first, second]: [u64; 2]) -> Spelling {
    let product = u128::from(first ^ 0xa076_1d64_78bd_642f) * u128::from(second ^ 0xe703_7ed1_a0b4_28db);
    (product as u64 ^ (product >> 64) as u64) | 1
}

/// Sixteen bytes as two integers, little-endian.
#[inline]
fn halves(bytes: &[u8; 16]) -> [u64; 2] {
    let eights = bytes.as_chunks::<8>().0;
    [0, 1].map(|at| u64::from_le_bytes(eights[at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn a_word_is_spelled_alike_wherever_it_stands_and_others_are_not() {
        let letters = "abcdefghijklmnopqrstuvwxyzالمستشفياتabcdefghijklmnopqrstuvwxyz";
        let mut spelled = HashMap::new();
        for (from, to) in (0..70).flat_map(|from| (from..70).map(move |to| (from, to))) {
            let Some(word) = letters.get(from..to).filter(|word| word.len() <= LONGEST) else { continue };
            let alone = spelling_of(word.as_bytes(), 0, word.len());
            assert_eq!(spelling_of(letters.as_bytes(), from, to), alone);
            assert_ne!(alone, LONG);
            assert_eq!(*spelled.entry(alone).or_insert(word), word);
        }
    }

    #[test]
    fn what_is_too_long_has_none() {
        assert_eq!(spelling_of(&[b'a'; 40], 3, 36), LONG);
    }
}
