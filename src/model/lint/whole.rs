//! What can be said of the examples together: events, duplicates, balance, concepts.

use super::super::duplicates::Shingles;
use super::super::folds::{FOLDS, fold, group};
use super::super::labels::{Label, Task, concepts};
use super::{Check, Finding, Read, Set, finding};
use crate::text::Language;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many times the smallest label's examples the largest may have.
const BALANCE: f64 = 2.5;

/// Says which events lack a stance.
pub(super) fn events(texts: &[&Read], stances: &[Label], findings: &mut Vec<Finding>) {
    let mut events: BTreeMap<&str, (&str, BTreeSet<&str>)> = BTreeMap::new();
    for Read { example, .. } in texts {
        if let (Some(event), Some(stance)) = (&example.event, &example.stance) {
            events.entry(event).or_insert((&example.place, BTreeSet::new())).1.insert(stance);
        }
    }
    for (event, (place, seen)) in events {
        let missing: Vec<&str> =
            stances.iter().map(|label| &*label.code).filter(|code| !seen.contains(code)).collect();
        if !missing.is_empty() {
            let missing = missing.join(" and ");
            let message = format!("event `{event}` has no text with stance {missing}: write one of each");
            findings.push(finding(Check::Event, place, message));
        }
    }
}

/// Texts that say the same: a warning within one fold, leakage across two. Of several, the most alike.
pub(super) fn duplicates(all: &[Read], findings: &mut Vec<Finding>) {
    type Seen<'a> = (Shingles, Vec<(&'a str, usize)>);
    let mut sets: BTreeMap<(Language, Task), Seen> = BTreeMap::new();
    for Read { example, language } in all {
        let tasks = Task::ALL.into_iter().filter(|task| !example.labels(*task).is_empty());
        for (language, task) in tasks.filter_map(|task| Some(((*language)?, task))) {
            let (shingles, seen) = sets.entry((language, task)).or_default();
            let fold = fold(group(example), FOLDS);
            if example.keywords {
                continue;
            }
            let alike = shingles.add(&example.text);
            for check in [Check::Duplicate, Check::Leakage] {
                let across = check == Check::Leakage;
                let Some(one) = alike.iter().find(|one| (seen[one.earlier].1 != fold) == across) else {
                    continue;
                };
                let (name, (place, other)) = (task.name(), seen[one.earlier]);
                let share = (100.0 * one.share).round();
                let like = if one.exact { "same text as".into() } else { format!("{share} % like") };
                let todo = if across {
                    format!(
                        "{like} {place} ({name}), but folds {fold} and {other}: write one anew or give both one event"
                    )
                } else {
                    format!("{like} {place} ({name}): write one anew or remove it")
                };
                findings.push(finding(check, &example.place, todo));
            }
            seen.push((&example.place, fold));
        }
    }
}

/// By label: how many examples, and where the first one stands.
type Labels<'a> = BTreeMap<&'a str, (usize, &'a str)>;

/// Counts by main label; warns where they are far apart.
pub(super) fn balance(texts: &[&Read], findings: &mut Vec<Finding>) -> Vec<Set> {
    let mut sets: BTreeMap<(Language, Task), Labels> = BTreeMap::new();
    for Read { example, language } in texts {
        for task in Task::ALL {
            if let (Some(language), Some(label)) = (language, example.labels(task).first()) {
                let labels = sets.entry((*language, task)).or_default();
                labels.entry(label).or_insert((0, &example.place)).0 += 1;
            }
        }
    }
    sets.iter().for_each(|(key, labels)| findings.extend(imbalance(*key, labels)));
    sets.into_iter()
        .map(|((language, task), labels)| Set {
            language,
            task,
            examples: labels.values().map(|(count, _)| count).sum(),
            labels: labels.into_iter().map(|(label, (count, _))| (label.to_owned(), count)).collect(),
        })
        .collect()
}

fn imbalance(key: (Language, Task), labels: &Labels) -> Option<Finding> {
    let (small, (least, place)) = labels.iter().min_by_key(|(_, (count, _))| count)?;
    let (large, (most, _)) = labels.iter().max_by_key(|(_, (count, _))| count)?;
    let (language, task) = (key.0.code(), key.1.name());
    (*most as f64 > BALANCE * *least as f64).then(|| {
        let message = format!(
            "{language} {task}: `{large}` has {most} examples, `{small}` {least}, more than {BALANCE} to 1: write more of `{small}`"
        );
        finding(Check::Balance, place, message)
    })
}

/// An example illustrates its concept and all above it.
pub(super) fn not_illustrated(texts: &[&Read]) -> BTreeMap<&'static str, Vec<&'static str>> {
    let parents: HashMap<&str, &str> = concepts().map(|[code, _, parent, ..]| (code, parent)).collect();
    let mut seen: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
    for Read { example, language } in texts.iter().filter(|read| !read.example.topics.is_empty()) {
        let Some(language) = language else { continue };
        let seen = seen.entry(language.code()).or_default();
        let mut code = example.concept.as_deref();
        while let Some(one) = code.filter(|one| seen.insert(one)) {
            code = parents.get(one).copied();
        }
    }
    let missing = |seen: BTreeSet<&str>| {
        concepts()
            .filter(|[code, _, _, level, ..]| matches!(*level, "2" | "3") && !seen.contains(code))
            .map(|[code, ..]| code)
            .collect()
    };
    seen.into_iter().map(|(language, seen)| (language, missing(seen))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::labels::second_level;
    use super::super::lint;
    use super::super::tests::{example, found};
    use super::*;

    const SPORT: &str = r#""topics": ["medtop:15000000"]"#;

    fn at(line: usize, check: Check) -> (String, Check) {
        (format!("en/a.jsonl:{line}"), check)
    }

    #[test]
    fn an_event_wants_every_stance() {
        let of = |number, stance| example(number, &format!(r#""event": "e", "stance": "{stance}""#));
        let mut set = vec![of(1, "favor"), of(2, "against")];
        assert_eq!(found(&set), [at(1, Check::Event)]);
        set.push(of(3, "neutral"));
        assert!(found(&set).is_empty());
    }

    #[test]
    fn duplicates_across_folds_leak() {
        let concept = |number, code| example(number, &format!(r#"{SPORT}, "concept": "{code}""#));
        // another spelling of the same words, once in the same second-level concept and once in another
        let mut set = vec![concept(1, "medtop:20001065"), concept(2, "medtop:20001065")];
        set[1].text = set[0].text.to_uppercase();
        assert_eq!(found(&set), [at(2, Check::Duplicate)]);
        set[1].concept = Some("medtop:20001148".into());
        let other = second_level("medtop:20001148");
        assert_ne!(other, second_level("medtop:20001065"));
        assert_eq!(found(&set), [at(2, Check::Leakage)]);
        // the other task is another matter
        (set[1].concept, set[1].topics) = (None, Vec::new());
        set[1].stance = Some("favor".into());
        assert!(found(&set).is_empty());
    }

    #[test]
    fn balance_is_by_main_label() {
        let mut set: Vec<_> = (1..=5).map(|number| example(number, SPORT)).collect();
        set.push(example(6, r#""topics": ["medtop:07000000", "medtop:15000000"]"#));
        set.push(example(7, r#""topics": ["medtop:07000000"]"#));
        assert!(found(&set).is_empty(), "5 to 2 is 2.5");
        set.push(example(8, SPORT));
        assert_eq!(found(&set), [at(6, Check::Balance)]);
        let sets = lint(&set, &[]).sets;
        assert_eq!((sets.len(), sets[0].examples, sets[0].labels["medtop:15000000"]), (1, 8, 6));
    }

    #[test]
    fn an_example_illustrates_all_above_its_concept() {
        let missing = |set: &[_]| lint(set, &[]).not_illustrated;
        // stance needs no concept
        assert!(missing(&[example(1, r#""stance": "favor""#)]).is_empty());
        let none = missing(&[example(1, SPORT)])["en"].len();
        // ballet < dance < arts and entertainment: dance and arts are of the third and second level
        let code = r#""topics": ["medtop:01000000"], "concept": "medtop:20000008""#;
        let some = &missing(&[example(1, code)])["en"];
        assert_eq!((none, some.len()), (120 + 515, 120 + 515 - 2));
        assert!(!some.contains(&"medtop:20000002"));
    }
}
