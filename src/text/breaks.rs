//! Finds where a text breaks: at ASCII that ends words. Sixteen bytes are judged at a time.

use wide::{bytemuck::cast, i8x16, u8x16};

/// Writes where a text breaks, its end included; returns how often it does.
pub fn find_breaks(text: &[u8], places: &mut Vec<u32>) -> usize {
    let (blocks, rest) = text.as_chunks::<64>();
    let mut last = [b'x'; 64];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = b' ';
    let mut found = 0;
    for index in 0..=blocks.len() {
        let mut bits = breaks(blocks.get(index).unwrap_or(&last));
        if places.len() < found + 64 {
            places.resize(2 * found + 64, 0);
        }
        let room = &mut places[found..found + 64];
        found += bits.count_ones() as usize;
        // eight at a time, since nobody can foretell how many there are
        for eight in room.as_chunks_mut::<8>().0 {
            for at in eight {
                *at = index as u32 * 64 + bits.trailing_zeros();
                bits &= bits.wrapping_sub(1);
            }
            if bits == 0 {
                break;
            }
        }
    }
    found
}

/// Bit `i` is set where byte `i` is ASCII that ends a word: neither letter nor digit nor apostrophe.
#[inline]
fn breaks(block: &[u8; 64]) -> u64 {
    let mut inside = 0;
    for (at, sixteen) in block.as_chunks::<16>().0.iter().enumerate() {
        let bytes = u8x16::new(*sixteen);
        let ascii = letters(bytes) | range(bytes, b'0', b'9') | bytes.simd_eq(u8x16::splat(b'\''));
        // a byte that is no ASCII has its highest bit set, which is the one that counts
        inside |= u64::from((ascii | bytes).to_bitmask()) << (16 * at);
    }
    !inside
}

/// All bits of each byte from `first` to `last`, both ASCII, and perhaps some of bytes that are not.
#[inline]
fn range(bytes: u8x16, first: u8, last: u8) -> u8x16 {
    // moved up, the last one is the largest number with a sign
    const LARGEST: u8 = i8::MAX as u8;
    let moved: i8x16 = cast(bytes + u8x16::splat(LARGEST - last));
    cast(moved.simd_gt(i8x16::splat((LARGEST - (last - first)) as i8 - 1)))
}

/// All bits of each ASCII letter.
#[inline]
fn letters(bytes: u8x16) -> u8x16 {
    range(bytes | u8x16::splat(0x20), b'a', b'z')
}

#[cfg(test)]
mod tests {
    use super::*;

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
            }
        }
    }
}
