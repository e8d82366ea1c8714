//! The linter: the examples of this repository are sound, and each fault is found where it stands.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "common/program.rs"]
mod program;

use program::rasid;
use rasid::model::{Severity, lint, read_all};
use std::path::{Path, PathBuf};

const SPORT: &str = "The striker scored twice in the final and the goalkeeper saved a late penalty, so the team lifted \
    the cup in front of its own supporters for the first time in a decade, and the coach said after the match that \
    nobody in the club had expected it.";
const COURT: &str = "A court in the capital jailed two brothers for fraud after a trial of six weeks in which more than \
    forty witnesses were heard, and the judge told them that they had robbed pensioners of their savings and had shown \
    no sign of regret at any time.";
const ARABIC: &str = "أعلنت الحكومة أن الانتخابات ستجرى في موعدها";

/// Lints lines that stand in `en/bad.jsonl`; what is printed, without the folder, and the exit code.
fn linted(lines: &[String]) -> (String, Option<i32>) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("en/bad.jsonl");
    std::fs::create_dir(dir.path().join("en")).unwrap();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let output = rasid(&["lint", file.to_str().unwrap()]);
    let shown = String::from_utf8(output.stdout).unwrap();
    (shown.replace(&format!("{}/", dir.path().display()), ""), output.status.code())
}

fn line(id: &str, text: &str, rest: &str) -> String {
    format!(r#"{{"id": "{id}", "text": "{text}", {rest}}}"#)
}

#[test]
fn the_examples_of_the_repository_have_no_errors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths: Vec<PathBuf> = ["models/examples", "models/keywords"].map(|path| root.join(path)).to_vec();
    let (examples, faults) = read_all(&paths).unwrap();
    let lint = lint(&examples, &faults);
    let errors: Vec<_> = lint.findings.iter().filter(|one| one.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!((lint.sets.len(), lint.not_illustrated.len()), (4, 2));
}

#[test]
fn each_fault_has_its_line_and_its_exit_code() {
    let sport = r#""topics": ["medtop:15000000"]"#;
    let football = r#""topics": ["medtop:15000000"], "concept": "medtop:20001065""#;
    let many = |count: usize| -> Vec<String> {
        // words of no other line: lengths are right and nothing is alike
        let word =
            |n: usize| (0..4).map(|i| char::from(b'a' + (n >> (4 * i) & 15) as u8)).collect::<String>();
        let text = |n: usize| (0..25).map(|i| format!("the {} ", word(n * 25 + i))).collect::<String>();
        let topic = |n: usize| if n == 0 { "07" } else { "15" };
        let of =
            |n: usize| line(&n.to_string(), &text(n), &format!(r#""topics": ["medtop:{}000000"]"#, topic(n)));
        (0..count).map(of).collect()
    };
    let cases: [(Vec<String>, &str, i32); 14] = [
        (vec![line("1", SPORT, football)], "1 examples, 0 errors, 0 warnings", 0),
        (vec!["{".into()], "en/bad.jsonl:1: error: EOF while parsing", 1),
        (
            vec![line("1", SPORT, r#""topics": [7, {}]"#)],
            "en/bad.jsonl:1: error: field `topics`: expected text or a list",
            1,
        ),
        (
            vec![line("1", SPORT, r#""topics": []"#)],
            "en/bad.jsonl:1: error: neither `topics` nor `stance`",
            1,
        ),
        (
            vec![line("1", SPORT, r#""topics": ["x"]"#)],
            "en/bad.jsonl:1: error: unknown topic `x`: write one such as",
            1,
        ),
        (
            vec![line("1", SPORT, sport), line("1", COURT, sport)],
            "en/bad.jsonl:2: error: id `1` stands at en/bad.jsonl:1 already",
            1,
        ),
        (
            vec![line("1", SPORT, &format!(r#"{sport}, "concept": "x""#))],
            "en/bad.jsonl:1: error: unknown concept `x`",
            1,
        ),
        (
            vec![line("1", &[ARABIC; 7].join("، "), sport)],
            "en/bad.jsonl:1: error: text is `ar`: move it to the folder `ar`",
            1,
        ),
        (
            vec![line("1", SPORT, sport), line("2", &format!("{SPORT} It was loud."), sport)],
            "en/bad.jsonl:2: error: 100 % like en/bad.jsonl:1 (topic), but folds 6 and 3",
            1,
        ),
        (
            vec![line("1", SPORT, football), line("2", SPORT, football)],
            "en/bad.jsonl:2: warning: same text as en/bad.jsonl:1 (topic): write one anew or remove it",
            0,
        ),
        (
            vec![line("1", COURT, r#""topics": ["medtop:02000000"], "concept": "medtop:20001065""#)],
            "en/bad.jsonl:1: warning: concept `medtop:20001065` is under `medtop:15000000`",
            0,
        ),
        (vec![line("1", "Goal!", sport)], "en/bad.jsonl:1: warning: 1 words: lengthen it", 0),
        (
            vec![line("1", SPORT, r#""event": "e", "stance": "favor""#)],
            "en/bad.jsonl:1: warning: event `e` has no text with stance against and neutral",
            0,
        ),
        (
            many(4),
            "en/bad.jsonl:1: warning: en topic: `medtop:15000000` has 3 examples, `medtop:07000000` 1",
            0,
        ),
    ];
    for (lines, said, code) in cases {
        let (shown, exit) = linted(&lines);
        assert!(shown.contains(said), "{said}\n{shown}");
        assert_eq!(exit, Some(code), "{said}\n{shown}");
        let findings = shown.lines().filter(|line| line.starts_with("en/bad.jsonl:")).count();
        assert_eq!(findings, usize::from(!said.starts_with('1')), "one finding each\n{shown}");
    }
}

#[test]
fn json_is_one_object_and_verbose_names_every_concept() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.jsonl");
    std::fs::write(&file, line("1", "Goal!", r#""topics": ["medtop:15000000"]"#) + "\n{}\n").unwrap();
    let path = file.to_str().unwrap();
    let output = rasid(&["lint", "--json", path]);
    assert_eq!(output.status.code(), Some(1));
    let lint: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((lint["errors"].as_u64(), lint["warnings"].as_u64()), (Some(1), Some(1)));
    assert_eq!(lint["findings"][0]["check"], "length");
    assert_eq!(lint["findings"][1]["severity"], "error");
    assert_eq!(lint["findings"][1]["place"], format!("{path}:2"));
    let codes = |arguments: &[&str]| {
        let shown = String::from_utf8(rasid(arguments).stdout).unwrap();
        shown.lines().find(|line| line.starts_with("en: ")).unwrap().matches("medtop:").count()
    };
    assert_eq!(codes(&["lint", path]), 10);
    assert_eq!(codes(&["lint", "--verbose", path]), lint["not_illustrated"]["en"].as_array().unwrap().len());
}

#[test]
fn wrong_usage_is_64() {
    let empty = tempfile::tempdir().unwrap();
    for arguments in [&["lint"][..], &["lint", "/no/such/file"], &["lint", empty.path().to_str().unwrap()]] {
        let output = rasid(arguments);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty());
    }
}

/// A newsroom's own table: its labels, its mistakes, and no rules of examples that are written for training.
#[test]
fn own_labels_are_checked_too_and_likely_mistakes_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.csv");
    let articles = include_str!("data/newsroom/articles.csv");
    let lint = |table: &str, more: &[&str]| {
        std::fs::write(&file, table).unwrap();
        let columns = ["lint", "--column", "title=headline,text=body,topic=section", file.to_str().unwrap()];
        let output = rasid(&[&columns[..], more].concat());
        let shown = String::from_utf8(output.stdout).unwrap();
        (shown.replace(&format!("{}/", dir.path().display()), ""), output.status.code())
    };
    let (shown, _) = lint(articles, &["--labels", "data", "--mistakes"]);
    assert!(shown.contains("own.csv: warning: not used: url"), "{shown}");
    for rule in ["lengthen it", "concepts without an example", "spelled nearly", "look whether the label"] {
        assert!(!shown.contains(rule), "{rule}\n{shown}");
    }
    // a label that is not in the set, with the nearest that is
    let sections = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/newsroom/sections.json");
    let (shown, code) = lint(&articles.replacen(",رياضة,", ",رياضه,", 1), &["--labels", sections]);
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("error: unknown topic `رياضه`: did you mean `رياضة` (Sport)?"), "{shown}");
    // an article about sport that is filed under money; no other line has its label changed
    let at = articles.lines().position(|line| line.contains(",رياضة,")).unwrap() + 1;
    let (shown, _) =
        lint(&articles.replacen(",رياضة,", ",مال وأعمال,", 1), &["--labels", "data", "--mistakes"]);
    let found: Vec<&str> = shown.lines().filter(|line| line.contains("look whether the label")).collect();
    assert!(
        found.len() == 1 && found[0].starts_with(&format!("own.csv:{at}: warning: topic `مال وأعمال`")),
        "{shown}"
    );
    assert!(found[0].contains("says `رياضة`"), "{shown}");
}
