//! JSON strings, read and written in whole chunks: serde_json takes them byte by byte and escape by escape.

use bytes::BufMut;
use std::borrow::Cow;

/// Reads what stands between the quotes of a JSON string, which is known to be well-formed but for its
/// surrogates; `None` where one of them has no other half. Without escapes it is borrowed.
pub fn read_string(quoted: &str) -> Option<Cow<'_, str>> {
    let Some(first) = memchr::memchr(b'\\', quoted.as_bytes()) else { return Some(quoted.into()) };
    let mut text = String::with_capacity(quoted.len());
    let mut rest = quoted;
    let mut escape = Some(first);
    while let Some(at) = escape {
        text.push_str(&rest[..at]);
        let kind = *rest.as_bytes().get(at + 1)?;
        rest = &rest[at + 2..];
        text.push(match kind {
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let (unit, after) = unit(rest)?;
                rest = after;
                match char::from_u32(unit) {
                    Some(character) => character,
                    None => {
                        let (low, after) = unit_pair(unit, rest)?;
                        rest = after;
                        low
                    }
                }
            }
            // a quote, a backslash or a slash
            other => char::from(other),
        });
        // text in ASCII is one escape after the other
        escape = match rest.as_bytes().first() {
            Some(b'\\') => Some(0),
            _ => memchr::memchr(b'\\', rest.as_bytes()),
        };
    }
    text.push_str(rest);
    Some(text.into())
}

/// Four hexadecimal digits, and what follows them.
fn unit(rest: &str) -> Option<(u32, &str)> {
    let (digits, after) = rest.split_at_checked(4)?;
    let digit = |unit: u32, byte| Some(unit << 4 | char::from(byte).to_digit(16)?);
    Some((digits.bytes().try_fold(0, digit)?, after))
}

/// The character of a high surrogate and the low one that follows it.
fn unit_pair(high: u32, rest: &str) -> Option<(char, &str)> {
    let (low, after) = unit(rest.strip_prefix("\\u")?)?;
    let pair = (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(&low);
    let character = pair.then(|| 0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00)))?;
    Some((char::from_u32(character)?, after))
}

/// Appends `text` as a JSON string, with the escapes that serde_json writes. serde_json looks at
/// one byte after the other; here whole chunks without escapes are copied.
pub fn write_string(text: &str, json: &mut impl BufMut) {
    json.put_u8(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, after) = rest.split_at(plain(rest));
        json.put_slice(plain);
        let Some((byte, after)) = after.split_first() else { break };
        match byte {
            b'"' => json.put_slice(b"\\\""),
            b'\\' => json.put_slice(b"\\\\"),
            b'\n' => json.put_slice(b"\\n"),
            b'\r' => json.put_slice(b"\\r"),
            b'\t' => json.put_slice(b"\\t"),
            0x08 => json.put_slice(b"\\b"),
            0x0c => json.put_slice(b"\\f"),
            control => {
                let hex = |digit: u8| b"0123456789abcdef"[usize::from(digit & 15)];
                json.put_slice(&[b'\\', b'u', b'0', b'0', hex(control >> 4), hex(*control)]);
            }
        }
        rest = after;
    }
    json.put_u8(b'"');
}

/// Bytes before the first that needs an escape.
fn plain(bytes: &[u8]) -> usize {
    let special = |byte: &u8| (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\');
    let mut at = 0;
    // no early end within a chunk: so the compiler compares all of it at once
    for chunk in bytes.chunks_exact(32) {
        if chunk.iter().fold(false, |found, byte| found | special(byte)) {
            break;
        }
        at += 32;
    }
    at + bytes[at..].iter().position(special).unwrap_or(bytes.len() - at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut json = Vec::new();
        write_string(text, &mut json);
        String::from_utf8(json).unwrap()
    }

    proptest! {
        #[test]
        fn strings_are_written_as_serde_json_writes_them(
            text in any::<String>(),
            escaped in "[\\x00-\\x7f\u{621}-\u{64a}]{0,99}",
            plain in "[ -!#-~\u{621}-\u{64a}]{0,99}",
        ) {
            for text in [text, format!("{plain}{escaped}{plain}"), plain] {
                prop_assert_eq!(written(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }

    proptest! {
        #[test]
        fn strings_are_read_as_serde_json_reads_them(
            text in any::<String>(),
            escapes in r#"(\\[nrtbf"\\/]|\\u0[0-9a-fA-F]{3}|\\u[dD][89abcdef][0-9a-f]{2}|\\ud83d\\ude0[0-9a-f]|[a-z\u{621}-\u{64a}]{0,3}){0,20}"#,
        ) {
            let plain = serde_json::to_string(&text).unwrap();
            let ascii: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            for json in [plain, format!("\"{ascii}\""), format!("\"{escapes}\"")] {
                let read = read_string(&json[1..json.len() - 1]);
                let wanted = serde_json::from_str::<String>(&json).ok();
                prop_assert_eq!(read.as_deref(), wanted.as_deref(), "{}", json);
            }
        }
    }

    #[test]
    fn every_byte_at_every_place_of_a_chunk() {
        for byte in 0..128_u8 {
            for place in 0..70 {
                let mut text = "x".repeat(70);
                text.insert(place, char::from(byte));
                assert_eq!(written(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }
}
