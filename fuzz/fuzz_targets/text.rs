//! The text floor: decoding, HTML, folding, words, stems, sentences and language never panic, and every place
//! they name lies in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rasid_fuzz::text::{Detector, analyse, decode, fold, quotes, sentences, stem, to_text, tokenise};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = decode(bytes, None) else { return };
    let text = to_text(&text);
    let mut detector = Detector::default();
    let other = tokenise(&text, |token| {
        assert!(text.get(token.start..token.end).is_some_and(|word| !word.is_empty()));
        let analysis = analyse(token.word);
        assert!(stem(token.word).len() <= token.word.len());
        detector.see(&token, analysis.marks);
    });
    let _ = detector.verdict(other);
    let once = fold(&text);
    assert_eq!(fold(&once.replace('#', "0")), once, "folding twice is folding once");
    quoted(&text);
});

fn quoted(text: &str) {
    for span in quotes(text) {
        assert!(text.get(span.clone()).is_some(), "{span:?}");
    }
    for span in sentences(text) {
        assert!(text.get(span.clone()).is_some(), "{span:?}");
    }
}
