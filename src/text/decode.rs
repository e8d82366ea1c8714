//! Bytes to text: UTF-8 unless a byte order mark, a header or a setting says otherwise; never guessed.

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;
use thiserror::Error;

/// Bytes that are not text in the encoding they were said to be in.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes at `offset` mean nothing in `encoding`.
    #[error("not valid {encoding}: byte offset {offset}")]
    Malformed {
        /// Name of the encoding, as in the WHATWG Encoding Standard.
        encoding: &'static str,
        /// Offset of the first bad byte from the start of the record.
        offset: usize,
    },
    /// No such encoding.
    #[error("unknown encoding `{0}`; write a name of the WHATWG Encoding Standard, such as windows-1256")]
    Unknown(String),
}

/// Finds an encoding by one of its labels, such as `windows-1256`, `cp1256` or `utf-16le`.
///
/// # Errors
/// [`DecodeError::Unknown`] when the standard has no such label.
pub fn encoding(label: &str) -> Result<&'static Encoding, DecodeError> {
    Encoding::for_label(label.trim().as_bytes()).ok_or_else(|| DecodeError::Unknown(label.trim().to_owned()))
}

/// The `charset` of a content type such as `text/plain; charset=windows-1256`.
pub fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })
}

/// Decodes `bytes`: a byte order mark decides, then `declared`, then UTF-8. The mark is dropped.
///
/// # Errors
/// [`DecodeError::Malformed`] with the offset of the first byte that does not decode.
pub fn decode<'a>(bytes: &'a [u8], declared: Option<&'static Encoding>) -> Result<Cow<'a, str>, DecodeError> {
    let (encoding, mark) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, length),
        None => (declared.unwrap_or(UTF_8), 0),
    };
    let body = &bytes[mark..];
    if encoding == UTF_8 {
        // std's check takes as long as a third of the tagging: it reads Arabic byte by byte
        return simdutf8::basic::from_utf8(body).map(Cow::Borrowed).map_err(|_| {
            // where it goes wrong is told by a check that is slower
            let valid = simdutf8::compat::from_utf8(body).map_or_else(|error| error.valid_up_to(), str::len);
            DecodeError::Malformed { encoding: encoding.name(), offset: mark + valid }
        });
    }
    decode_other(encoding, body, mark).map(Cow::Owned)
}

fn decode_other(encoding: &'static Encoding, body: &[u8], mark: usize) -> Result<String, DecodeError> {
    let malformed = |offset| DecodeError::Malformed { encoding: encoding.name(), offset };
    let wide = encoding == UTF_16LE || encoding == UTF_16BE;
    if wide && body.len() % 2 == 1 {
        return Err(malformed(mark + body.len() - 1));
    }
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder
        .max_utf8_buffer_length_without_replacement(body.len())
        .unwrap_or(body.len().saturating_mul(3));
    let mut text = String::with_capacity(room);
    let (result, read) = decoder.decode_to_string_without_replacement(body, &mut text, true);
    match result {
        DecoderResult::InputEmpty => Ok(text),
        DecoderResult::Malformed(length, after) => {
            let back = usize::from(length) + usize::from(after);
            Err(malformed(mark + read.saturating_sub(back)))
        }
        // the buffer was sized by encoding_rs itself
        DecoderResult::OutputFull => Err(malformed(mark + read)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::WINDOWS_1256;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn utf_8_is_what_std_says_it_is(text in "[\\x00-\\x7f]{0,40}[\u{621}-\u{64a} ]{0,99}\\PC{0,40}", at in any::<usize>(), byte: u8) {
            let mut bytes = text.into_bytes();
            let at = at % (bytes.len() + 1);
            bytes.insert(at, byte);
            let offset = |error: DecodeError| match error {
                DecodeError::Malformed { offset, .. } => offset,
                DecodeError::Unknown(label) => panic!("{label}"),
            };
            // a byte order mark chooses another way
            prop_assume!(Encoding::for_bom(&bytes).is_none());
            prop_assert_eq!(
                decode(&bytes, None).map_err(offset),
                std::str::from_utf8(&bytes).map(Cow::Borrowed).map_err(|error| error.valid_up_to())
            );
        }
    }

    #[test]
    fn marks_and_labels() {
        assert_eq!(decode("سلام".as_bytes(), None).unwrap(), "سلام");
        assert_eq!(decode("\u{feff}سلام".as_bytes(), None).unwrap(), "سلام");
        let wide: Vec<u8> = "\u{feff}سلام".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&wide, None).unwrap(), "سلام");
        let wide: Vec<u8> = "\u{feff}سلام".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&wide, None).unwrap(), "سلام");
        let (old, _, _) = WINDOWS_1256.encode("سلام");
        assert_eq!(decode(&old, Some(encoding("cp1256").unwrap())).unwrap(), "سلام");
        assert_eq!(charset("text/plain; Charset=\"windows-1256\""), Some("windows-1256"));
        assert_eq!(charset("text/plain"), None);
    }

    #[test]
    fn bad_bytes_are_named_by_offset() {
        let error = decode(b"ab\xffcd", None).unwrap_err();
        assert_eq!(error.to_string(), "not valid UTF-8: byte offset 2");
        assert!(decode(b"\xff\xfea\0b", None).is_err());
        let surrogate = [0xff, 0xfe, b'a', 0, 0x00, 0xd8, b'b', 0];
        assert!(matches!(decode(&surrogate, None), Err(DecodeError::Malformed { .. })));
        assert!(encoding("klingon").is_err());
    }
}
