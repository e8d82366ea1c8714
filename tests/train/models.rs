//! The model that comes out: written whole, with labels of one's own, adapted, merged.

use super::program::{err, out, rasid, run};
use std::path::Path;

#[test]
fn train_writes_whole_files_and_says_what_it_measured() {
    let dir = tempfile::tempdir().unwrap();
    let out_file = dir.path().join("m.safetensors");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/examples/en/stance.jsonl");
    let arguments = ["train", "--examples", examples.to_str().unwrap(), "--out", out_file.to_str().unwrap()];
    let output = rasid(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("en stance"), "{}", out(&output));
    assert!(err(&output).contains("train: en stance"), "plain lines where there is no terminal");
    let left: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["m.safetensors"]);
}

/// Sixty lines of two sections in two languages' worth of words: enough to tell apart.
fn sections(dir: &Path) -> String {
    let path = dir.join("sections.jsonl");
    let lines: Vec<String> = (0..60)
        .map(|i| {
            let (topic, text) = match i % 2 {
                0 => ("sport", "The striker scored and the keeper saved a penalty in the cup final"),
                _ => ("money", "The central bank cut its rate as shares fell on the stock market"),
            };
            serde_json::json!({"id": i.to_string(), "text": format!("{text} on day {i}."), "topic": topic, "lang": "en"})
                .to_string()
        })
        .collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    path.display().to_string()
}

#[test]
fn own_labels_are_trained_validated_and_answered() {
    let dir = tempfile::tempdir().unwrap();
    let data = sections(dir.path());
    let validated = rasid(&["train", "--examples", &data, "--labels", "data", "--cv", "3"]);
    assert_eq!(validated.status.code(), Some(0), "{}", err(&validated));
    assert!(out(&validated).contains("en topic     60 examples  accuracy 100.0 %"), "{}", out(&validated));
    let labels = dir.path().join("labels.json");
    let json = r#"{"topics": [{"code": "sport", "name": "Sport", "name_ar": "رياضة"}, {"code": "money"}, {"code": "arts"}]}"#;
    std::fs::write(&labels, json).unwrap();
    let (labels, model) =
        (labels.display().to_string(), dir.path().join("m.safetensors").display().to_string());
    let trained = rasid(&["train", "--examples", &data, "--labels", &labels, "--tune", "--out", &model]);
    assert_eq!(trained.status.code(), Some(0), "{}", err(&trained));
    assert!(out(&trained).contains("(usual)") && out(&trained).contains("macro-F1"), "{}", out(&trained));
    let text = b"The goalkeeper saved a penalty and the striker scored in the final.";
    let tagged = run(&["classify", "--model", &model], text);
    let record: serde_json::Value = serde_json::from_slice(&tagged.stdout).unwrap();
    assert_eq!(
        (&record["topics"][0]["code"], &record["topics"][0]["name_ar"]),
        (&"sport".into(), &"رياضة".into())
    );
    let refused = rasid(&["train", "--examples", &data, "--out", &model]);
    assert_eq!(refused.status.code(), Some(64));
    assert!(err(&refused).contains("sections.jsonl:1: unknown topic `sport`"), "{}", err(&refused));
}

#[test]
fn adapt_says_what_it_did_and_names_what_it_cannot_read() {
    let dir = tempfile::tempdir().unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/examples/en");
    let mut lines = std::fs::read_to_string(examples.join("15-sport.jsonl")).unwrap();
    lines += &std::fs::read_to_string(examples.join("07-health.jsonl")).unwrap();
    lines += "{\"text\": 3}\n";
    std::fs::create_dir(dir.path().join("archive")).unwrap();
    std::fs::write(dir.path().join("archive/a.jsonl"), &lines).unwrap();
    std::fs::write(dir.path().join("archive/b.txt"), "The goalkeeper saved a penalty in the final.").unwrap();
    let (archive, model) = (dir.path().join("archive"), dir.path().join("m.safetensors"));
    let (archive, model) = (archive.to_str().unwrap(), model.to_str().unwrap());
    let output =
        rasid(&["adapt", "--unlabelled", archive, "--rounds", "1", "--out", model, "--name", "mine"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(err(&output).contains("a.jsonl:") && err(&output).contains("1 articles could not be read"));
    assert!(out(&output).contains("1 rounds (as many as asked for)"), "{}", out(&output));
    assert!(
        out(&output).contains("medtop:17000000") && out(&output).contains("hardly there: nothing learnt")
    );
    let shown: serde_json::Value = serde_json::from_slice(&rasid(&["model", "show", model]).stdout).unwrap();
    assert_eq!((&shown["name"], &shown["adaptation"][0]["language"]), (&"mine".into(), &"en".into()));
    assert!(shown["version"].as_str().unwrap().ends_with("+adapted"));
    let text = b"The goalkeeper saved a penalty and the striker scored in the final.";
    let record: serde_json::Value =
        serde_json::from_slice(&run(&["classify", "--model", model], text).stdout).unwrap();
    assert_eq!(record["topics"][0]["code"], "medtop:15000000");
}

/// What was trained apart and merged, or one after the other, is what was trained at once.
#[test]
fn training_goes_on_and_merges_to_the_byte() {
    let dir = tempfile::tempdir().unwrap();
    let all = std::fs::read_to_string(sections(dir.path())).unwrap();
    let lines: Vec<&str> = all.lines().collect();
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(path("old.jsonl"), lines[..25].join("\n")).unwrap();
    std::fs::write(path("new.jsonl"), lines[25..].join("\n")).unwrap();
    std::fs::write(path("labels.json"), r#"{"topics": [{"code": "sport"}, {"code": "money"}]}"#).unwrap();
    std::fs::write(
        path("others.json"),
        r#"{"topics": [{"code": "sport"}, {"code": "money"}, {"code": "arts"}]}"#,
    )
    .unwrap();
    let train = |examples: &[&str], more: &[&str], out: &str| {
        let examples: Vec<String> = examples.iter().map(|name| path(name)).collect();
        let mut arguments = vec!["train", "--examples"];
        arguments.extend(examples.iter().map(String::as_str));
        arguments.extend(more);
        let out_path = path(out);
        arguments.extend(["--out", &out_path]);
        let output = rasid(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        std::fs::read(out_path).unwrap()
    };
    let labels = path("labels.json");
    let at_once = train(&["old.jsonl", "new.jsonl"], &["--labels", &labels], "once");
    train(&["old.jsonl"], &["--labels", &labels], "old");
    train(&["new.jsonl"], &["--labels", &labels], "new");
    let from = path("old");
    assert!(train(&["new.jsonl"], &["--from", &from], "from") == at_once, "--from");
    let merged = rasid(&["model", "merge", &path("new"), &path("old"), "--out", &path("merged")]);
    assert_eq!(merged.status.code(), Some(0), "{}", err(&merged));
    assert!(std::fs::read(path("merged")).unwrap() == at_once, "merge");
    train(&["new.jsonl"], &["--labels", &path("others.json")], "others");
    let refused = rasid(&["model", "merge", &path("old"), &path("others"), "--out", &path("no")]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("only one of the two has the label `arts`"), "{}", err(&refused));
    assert!(!dir.path().join("no").exists());
}
