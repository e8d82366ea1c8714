//! What can be said of each example alone: id, length, codes, language.

use super::super::examples::DERIVED;
use super::super::labels::concepts;
use super::{Check, Finding, Read, finding};
use crate::text::Language;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::Path;

/// Words of a text, as an agency's report or the beginning of an article has them.
const LENGTH: RangeInclusive<usize> = 40..=150;
/// Words of a text that takes a stance toward a target: a sentence or two will do.
const LENGTH_TOWARD: RangeInclusive<usize> = 20..=150;

/// Words of an article of a newsroom: anything but hardly any.
const LENGTH_OWN: RangeInclusive<usize> = 5..=usize::MAX;

/// Looks at one example after the other; those with labels of a newsroom's `own` are its articles, and not
/// written for training.
pub(super) fn one_by_one(texts: &[&Read], own: bool, findings: &mut Vec<Finding>) {
    let tops: HashMap<&str, &str> = concepts().map(|[code, top, ..]| (code, top)).collect();
    let mut places: HashMap<&str, &str> = HashMap::new();
    for Read { example, language } in texts {
        let mut say = |check, message| findings.push(finding(check, &example.place, message));
        if example.id.starts_with(DERIVED) {
            // equal texts are told as duplicates
        } else if let Some(first) = places.get(example.id.as_str()) {
            say(Check::Id, format!("id `{}` stands at {first} already: give it another", example.id));
        } else {
            places.insert(&example.id, &example.place);
        }
        let words = example.text.split_whitespace().count();
        let toward = example.topics.is_empty() && example.target.is_some();
        let usual = if own {
            LENGTH_OWN
        } else if toward {
            LENGTH_TOWARD
        } else {
            LENGTH
        };
        if !usual.contains(&words) {
            let (least, most) = (usual.start(), usual.end());
            let what = if words < *least { "lengthen" } else { "shorten" };
            let usual = if own { format!("{least} or more") } else { format!("{least} to {most}") };
            say(Check::Length, format!("{words} words: {what} it, {usual} are usual"));
        }
        if let Some(concept) = example.concept.as_ref().filter(|_| !own) {
            match tops.get(concept.as_str()) {
                None => say(
                    Check::Code,
                    format!("unknown concept `{concept}`: write one of models/mediatopics.tsv"),
                ),
                Some(top) if !example.topics.iter().any(|topic| topic == top) => say(
                    Check::Concept,
                    format!("concept `{concept}` is under `{top}`: add that topic or take another concept"),
                ),
                _ => {}
            }
        }
        let folder = folder(&example.place);
        match language.map(Language::code) {
            None => say(
                Check::Language,
                "text is neither Arabic nor English: training leaves it out, so write it anew or remove it"
                    .into(),
            ),
            Some(code) if folder.is_some_and(|folder| folder != code) => {
                say(Check::Language, format!("text is `{code}`: move it to the folder `{code}`"));
            }
            _ => {}
        }
    }
}

/// The language that the nearest folder is named after.
fn folder(place: &str) -> Option<&'static str> {
    let mut folders = Path::new(place).ancestors().skip(1).filter_map(Path::file_name);
    folders.find_map(|name| Language::ALL.map(Language::code).into_iter().find(|code| name == *code))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{example, found, text};
    use super::*;

    #[test]
    fn a_good_example_has_no_finding() {
        let good = example(1, r#""topics": ["medtop:15000000"], "concept": "medtop:20001065""#);
        assert!(found(&[good]).is_empty());
    }

    #[test]
    fn each_fault_is_found_at_its_line() {
        let sport = r#""topics": ["medtop:15000000"]"#;
        let mut set: Vec<_> = (1..=7).map(|number| example(number, sport)).collect();
        set[1].id = "1".into();
        set[2].text = "the ball and the goal".into();
        set[3].text = [text(4), text(40), text(41), text(42)].join(" ");
        set[4].concept = Some("medtop:99".into());
        set[5].concept = Some("medtop:20000002".into());
        set[6].text = "Правительство объявило выборы ".repeat(15);
        let checks = [Check::Id, Check::Length, Check::Length, Check::Code, Check::Concept, Check::Language];
        let wanted: Vec<_> = (2..).map(|line| format!("en/a.jsonl:{line}")).zip(checks).collect();
        assert_eq!(found(&set), wanted);
    }

    #[test]
    fn the_nearest_folder_says_the_language() {
        assert_eq!(folder("ar/models/en/a.jsonl:3"), Some("en"));
        assert_eq!(folder("/x/ar/deep/a.jsonl:3"), Some("ar"));
        assert_eq!(folder("ar.jsonl:3"), None);
        let mut moved = example(1, r#""stance": "favor""#);
        moved.place = "ar/a.jsonl:1".into();
        assert_eq!(found(&[moved]), [("ar/a.jsonl:1".to_owned(), Check::Language)]);
    }
}
