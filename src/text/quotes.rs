//! Which parts of a text stand between quotation marks.

use std::ops::Range;

/// Bytes after which an opened quotation is taken for a stray mark.
const LONGEST: usize = 1000;

/// The byte ranges between quotation marks, in order: `"…"`, “…”, ”…“ (Arabic keyboards), «…».
///
/// A quotation that is never closed, runs over a blank line or is longer than a thousand bytes is none.
pub fn quotes(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut open: Option<usize> = None;
    memchr::memchr3_iter(b'"', 0xe2, 0xc2, bytes).filter_map(move |at| {
        // the first bytes of the marks of two and three bytes open many other characters too
        let (length, opens, closes) = match bytes[at..] {
            [b'"', ..] => (1, true, true),
            [0xe2, 0x80, 0x9c..=0x9e, ..] => (3, true, true),
            [0xc2, 0xab, ..] => (2, true, false),
            [0xc2, 0xbb, ..] => (2, false, true),
            _ => return None,
        };
        let quote = open.map(|start| start..at).filter(|quote| {
            closes && quote.len() <= LONGEST && !text.get(quote.clone()).is_some_and(|s| s.contains("\n\n"))
        });
        open = if quote.is_some() { None } else { opens.then_some(at + length) };
        quote
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_all_kinds() {
        let found = |text: &'static str| quotes(text).map(|q| &text[q]).collect::<Vec<_>>();
        assert_eq!(found("he said \"no\" and \u{201c}never\u{201d}."), ["no", "never"]);
        assert_eq!(found("قال «نعم» ثم ”لا“ و“ربما”"), ["نعم", "لا", "ربما"]);
        assert_eq!(found("a stray \" mark\n\nand \"a quote\" after"), ["a quote"]);
        assert_eq!(found("5\" and no more"), [""; 0]);
        assert_eq!(found("€ “»« é"), [""]);
    }
}
