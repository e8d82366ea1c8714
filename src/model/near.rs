//! Spellings that are nearly the same: what a wrong label may have meant, and labels that may be one.

use super::labels::Label;
use crate::text::{Word, tokenise};

/// Below this similarity (1 is equal) a label is no suggestion.
const SUGGESTED: f64 = 0.6;

/// The label whose code or name is spelled most like `wrong`.
pub fn nearest<'a>(wrong: &str, labels: &'a [Label]) -> Option<&'a Label> {
    let similar = |label: &Label| {
        let names = [&label.code, &label.name, &label.name_ar];
        names.map(|name| similarity(wrong, name)).into_iter().fold(0.0, f64::max)
    };
    let scored = labels.iter().map(|label| (similar(label), label));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(similar, _)| *similar >= SUGGESTED).map(|(_, label)| label)
}

/// Whether two different labels are likely one in two spellings: the same words but for case, hamza,
/// marks and punctuation, or one letter more, less or other in a word of five or more.
pub fn is_near(a: &str, b: &str) -> bool {
    let (x, y) = (words(a), words(b));
    if !x.is_empty() && x == y {
        return true;
    }
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    // numbers are told apart by one digit
    let letters = |text: &str| text.chars().all(|c| !c.is_numeric()) && text.chars().count() >= 5;
    letters(&a) && letters(&b) && strsim::osa_distance(&a, &b) <= 1
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    // digits alone are no words
    if text.chars().all(|c| !c.is_numeric()) {
        tokenise(text, |token| words.push(token.word));
    }
    words
}

fn similarity(a: &str, b: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(&a.to_lowercase(), &b.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LabelSet, Task, labels};

    #[test]
    fn the_nearest_label_is_found_by_code_and_by_either_name() {
        let topics = labels(Task::Topic);
        let code = |wrong| nearest(wrong, &topics).map(|label| &*label.code);
        assert_eq!(code("sports"), Some("medtop:15000000"));
        assert_eq!(code("رياضه"), Some("medtop:15000000"));
        assert_eq!(code("medtop:1500000"), Some("medtop:15000000"));
        assert_eq!(code("xyzzy"), None);
        let own = LabelSet::read(r#"{"topics": [{"code": "economy"}, {"code": "sport"}]}"#)
            .unwrap_or_else(|message| panic!("{message}"));
        assert_eq!(nearest("Ecnomy", &own.topics).map(|label| &*label.code), Some("economy"));
    }

    #[test]
    fn near_labels_are_spellings_of_one() {
        for (a, b) in [("Sport", "sport"), ("sports", "sport"), ("رياضة", "رياضه"), ("economy", "econmy")]
        {
            assert!(is_near(a, b), "{a} {b}");
        }
        for (a, b) in [("war", "car"), ("desk 1", "desk 2"), ("sport", "spot news"), ("اقتصاد", "سياسة")]
        {
            assert!(!is_near(a, b), "{a} {b}");
        }
    }
}
