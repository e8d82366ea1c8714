//! Numbers of a record in JSON: they have four decimals, so they are written as whole numbers are.

use serde::Serializer;
use serde_json::ser::{CompactFormatter, Formatter};
use std::io::{self, Write};

/// Decimals that a record shows.
const DECIMALS: usize = 4;
const SCALE: f64 = 1e4;
/// Below it four decimals are exact, and fit the room that a number has.
const LARGEST: f64 = 1e9;

/// A number with as many decimals as a record shows: more would claim what no model knows.
pub fn rounded<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((f64::from(*value) * SCALE).round() / SCALE)
}

/// Writes what serde_json writes: the shortest decimals that stand for a number. For one that was [`rounded`] these need
/// not be searched for.
pub struct Decimals;

impl Formatter for Decimals {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let whole = (value.abs() * SCALE + 0.5) as u64;
        if !(value.abs() < LARGEST && whole as f64 / SCALE == value.abs()) {
            return CompactFormatter.write_f64(writer, value);
        }
        let mut room = [b'0'; 24];
        let (mut at, mut rest) = (room.len(), whole);
        // a zero before the point and all decimals are there at least
        for digits in 0.. {
            if rest == 0 && digits > DECIMALS {
                break;
            }
            if digits == DECIMALS {
                at -= 1;
                room[at] = b'.';
            }
            at -= 1;
            room[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        if value.is_sign_negative() {
            at -= 1;
            room[at] = b'-';
        }
        // one decimal stays
        let last = room.len() - DECIMALS;
        let zeros = room[last + 1..].iter().rev().take_while(|digit| **digit == b'0').count();
        writer.write_all(&room[at..room.len() - zeros])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Serialize;

    fn rounded(value: f32) -> f64 {
        super::rounded(&value, serde_json::value::Serializer).unwrap().as_f64().unwrap()
    }

    fn written(value: f64) -> String {
        let mut json = Vec::new();
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut json, Decimals)).unwrap();
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn corners() {
        for value in
            [0.0, -0.0, 1.0, -1.5, 0.1, 0.0001, 0.00005, 100.25, 9.9999, 999_999_999.5, 1e9, 1e300, 0.1 + 0.2]
        {
            assert_eq!(written(value), serde_json::to_string(&value).unwrap());
        }
        assert_eq!(written(rounded(12.345_67)), "12.3457");
        assert_eq!(written(f64::NAN), "null");
    }

    proptest! {
        #[test]
        fn numbers_are_written_as_serde_json_writes_them(any in any::<f64>(), weight in -2000f32..2000.0, share in 0f32..=1.0) {
            for value in [any, rounded(weight), rounded(share), f64::from(weight)] {
                prop_assert_eq!(written(value), serde_json::to_string(&value).unwrap());
            }
        }
    }
}
