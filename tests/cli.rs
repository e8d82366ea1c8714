//! The command line: help, errors, exit codes, and the verbs that need no Kafka.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn rasid(arguments: &[&str]) -> Output {
    run(arguments, b"")
}

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_rasid"))
        .args(arguments)
        .env_remove("RUST_LOG")
        .env("COLUMNS", "100")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // a command that does not read its input closes it early
    let _ = process.stdin.take().unwrap().write_all(input);
    process.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/rasid-news.safetensors")
}

#[test]
fn help_has_not_changed_unseen() {
    let mut shown = String::new();
    for verb in [
        "",
        "run",
        "demo",
        "replay",
        "train",
        "adapt",
        "lint",
        "label",
        "evaluate",
        "classify",
        "model",
        "model merge",
        "model diff",
        "health",
        "completions",
        "man",
    ] {
        let arguments: Vec<&str> = verb.split_whitespace().chain(["--help"]).collect();
        let output = rasid(&arguments);
        assert_eq!(output.status.code(), Some(0));
        shown += &format!("$ rasid {}\n{}\n", arguments.join(" "), out(&output));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn errors_say_what_to_write_instead() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let toml = path("rasid.toml", "brokers = 'b'\ngruop = 'g'\n");
    let bad_line = path("bad.jsonl", "{\"id\":\"1\",\"text\":\"a\",\"stance\":\"favor\"}\n{\"id\":\"2\"\n");
    let bad_label = path("label.jsonl", "{\"id\":\"1\",\"text\":\"a\",\"stance\":\"pro\"}\n");
    let no_label = path("none.jsonl", "{\"id\":\"1\",\"text\":\"a\"}\n");
    let data = path("data.jsonl", "{\"text\":\"a\",\"topic\":\"sports\"}\n");
    let broken = path("broken.safetensors", "not a model");
    let cases: [(&[&str], i32); 18] = [
        (&["frobnicate"], 64),
        (&["run"], 64),
        (&["run", "--brokers", "b", "--input", "i"], 64),
        (&["run", "--config", &toml], 64),
        (
            &[
                "run",
                "--brokers",
                "b",
                "--input",
                "i",
                "--output",
                "o",
                "--dead-letters",
                "d",
                "--group",
                "g",
                "-X",
                "acks=1",
            ],
            64,
        ),
        (
            &[
                "run",
                "--brokers",
                "b",
                "--input",
                "i",
                "--output",
                "o",
                "--dead-letters",
                "d",
                "--group",
                "g",
                "--http",
                "80",
            ],
            64,
        ),
        (&["train", "--examples", &bad_line, "--out", "m"], 64),
        (&["train", "--examples", &bad_label, "--out", "m"], 64),
        (&["train", "--examples", &no_label, "--out", "m"], 64),
        (&["adapt", "--unlabelled", &data, "--out", "m"], 64),
        (&["adapt", "--unlabelled", &data, "--weight", "much", "--out", "m"], 64),
        (&["adapt", "--unlabelled", &data, "--among", "sport", "--out", "m"], 64),
        (&["adapt", "--unlabelled", &data, "--among", "medtop:15000000", "--out", "m"], 64),
        (&["adapt", "--unlabelled", "nowhere.jsonl", "--out", "m"], 1),
        (&["evaluate", "--data", &data, "--field", "topic"], 64),
        (&["evaluate", "--data", &data, "--field", "mood"], 64),
        (&["classify", "--model", &broken], 1),
        (&["model", "verify", &broken], 1),
    ];
    let mut shown = String::new();
    for (arguments, code) in cases {
        let output = rasid(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{}", err(&output));
        let said = err(&output).replace(&dir.path().display().to_string(), "DIR");
        let arguments = arguments.join(" ").replace(&dir.path().display().to_string(), "DIR");
        shown += &format!("$ rasid {arguments}\n{said}[{code}]\n\n");
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn classify_reads_text_json_and_json_lines() {
    let text = "فاز الفريق بكأس البطولة بعد مباراة مثيرة سجل فيها المهاجم هدفين".as_bytes();
    let output = run(&["classify", "--explain"], text);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(record["topics"][0]["code"], "medtop:15000000");
    assert!(record["explain"][0]["term"].is_string());
    assert!(record.get("source").is_none());
    let lines = "{\"id\":\"1\",\"text\":\"The goalkeeper saved a penalty in the cup final.\"}\n{\"id\":\"2\",\"text\":3}\n{\"id\":\"3\",\"text\":\"The court jailed the thief for fraud and robbery.\"}\n";
    let output = run(&["classify"], lines.as_bytes());
    assert_eq!(output.status.code(), Some(1), "one line cannot be read");
    assert!(
        err(&output).contains("stdin:2: field `text`: expected text, found a number"),
        "{}",
        err(&output)
    );
    let ids: Vec<String> = out(&output)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].to_string())
        .collect();
    assert_eq!(ids, ["\"1\"", "\"3\""]);
    let output = run(&["classify"], b"caf\xe9");
    assert!(err(&output).contains("stdin: not valid UTF-8: byte offset 3"), "{}", err(&output));
}

#[test]
fn the_model_shows_and_verifies() {
    let path = model().display().to_string();
    let shown: serde_json::Value = serde_json::from_slice(&rasid(&["model", "show", &path]).stdout).unwrap();
    assert_eq!(shown["topics"].as_array().unwrap().len(), 17);
    let verified = out(&rasid(&["model", "verify", &path]));
    assert!(verified.contains(": ok, sha256 ") && verified.contains(shown["sha256"].as_str().unwrap()));
}

#[test]
fn evaluate_maps_and_closes() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data.jsonl");
    let map = dir.path().join("map.json");
    let sport = "The striker scored twice and the goalkeeper saved a penalty as the team won the cup final.";
    let health = "Doctors at the hospital treated patients infected with the virus and began vaccination.";
    let line = |text: &str, topic: &str| serde_json::json!({"text": text, "topic": topic}).to_string();
    std::fs::write(&data, [line(sport, "sports"), line(health, "medical")].join("\n")).unwrap();
    std::fs::write(&map, r#"{"mine": {"sports": ["medtop:15000000"], "medical": ["medtop:07000000"]}}"#)
        .unwrap();
    let (data, map) = (data.display().to_string(), map.display().to_string());
    for closed in [&[][..], &["--closed"][..]] {
        let mut arguments = vec![
            "evaluate", "--data", &data, "--field", "topic", "--labels", &map, "--map", "mine", "--json",
        ];
        arguments.extend(closed);
        let output = rasid(&arguments);
        let report: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", err(&output)));
        assert_eq!((report["n"].as_u64(), report["accuracy"].as_f64()), (Some(2), Some(1.0)), "{report}");
        assert!(report["ece"].is_f64() && report["macro_f1"].is_f64() && report["abstained"].is_f64());
        assert_eq!(report["per_label"]["sports"]["support"], 1);
    }
}

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

#[test]
fn the_demo_tags_its_samples() {
    let output = rasid(&["demo", "--once"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(err(&output), "", "a clean stop says nothing");
    let mut tags: Vec<(String, String)> = out(&output)
        .lines()
        .map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            let topic = record["topics"][0]["code"].as_str().unwrap_or("none").to_owned();
            (record["id"].as_str().unwrap().to_owned(), topic)
        })
        .filter(|(id, _)| id.starts_with("demo"))
        .collect();
    tags.sort();
    let topics: Vec<&str> = tags.iter().map(|(_, topic)| &topic[7..9]).collect();
    assert_eq!(topics, ["15", "04", "13", "07", "17", "01", "02"]);
}

/// Answers one request with this status, and tells which path was asked for.
fn answering(status: &'static str) -> (String, std::thread::JoinHandle<String>) {
    use std::io::Read;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            request.push(byte[0]);
        }
        write!(stream, "HTTP/1.0 {status}\r\n\r\nno progress for 120 s\n").unwrap();
        String::from_utf8_lossy(&request).split(' ').nth(1).unwrap().to_owned()
    });
    (address, asked)
}

#[test]
fn health_asks_the_probes_and_says_so_with_its_exit_code() {
    let (address, asked) = answering("200 OK");
    let output = rasid(&["health", "--http", &address]);
    assert_eq!(
        (output.status.code(), asked.join().unwrap().as_str()),
        (Some(0), "/livez"),
        "{}",
        err(&output)
    );
    let (address, asked) = answering("503 Service Unavailable");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rasid.toml");
    // the worker's own file, of which only the address matters here
    std::fs::write(&file, format!("input = 'articles'\nhttp = '{address}'\n")).unwrap();
    let output = rasid(&["health", "--ready", "--config", file.to_str().unwrap()]);
    assert_eq!((output.status.code(), asked.join().unwrap().as_str()), (Some(1), "/readyz"));
    assert!(err(&output).contains("503: no progress for 120 s"), "{}", err(&output));
    // nobody there: a port that was free a moment ago
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let output = rasid(&["health", "--http", &free]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains(&free), "{}", err(&output));
    assert_eq!(rasid(&["health", "--http", "nonsense"]).status.code(), Some(64));
}

#[test]
fn nobody_who_reads_any_more_is_no_failure() {
    for arguments in [
        &["model", "show", "models/rasid-news.safetensors"][..],
        &["classify", "README.md"],
        &["completions", "bash"],
    ] {
        let mut process = Command::new(env!("CARGO_BIN_EXE_rasid"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(process.stdout.take());
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {}", err(&output));
    }
}

#[test]
fn completions_and_man_pages_know_every_verb() {
    let verbs =
        ["run", "demo", "train", "lint", "evaluate", "classify", "model", "health", "completions", "man"];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = rasid(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        for verb in verbs {
            assert!(out(&output).contains(verb), "{shell}: {verb}");
        }
    }
    // bash itself reads what it is given
    let script = rasid(&["completions", "bash"]).stdout;
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(&script).unwrap();
    assert!(bash.wait().unwrap().success());
    let page = out(&rasid(&["man"]));
    assert!(page.contains(".TH rasid 1") && page.contains("Exit codes"), "{page}");
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(rasid(&["man", "--out", dir.path().to_str().unwrap()]).status.code(), Some(0));
    for verb in verbs {
        let page = std::fs::read_to_string(dir.path().join(format!("rasid-{verb}.1"))).unwrap();
        assert!(page.contains(".SH NAME") && page.contains("SYNOPSIS"), "{verb}: {page}");
    }
    assert!(dir.path().join("rasid-model-show.1").exists());
    let nowhere = rasid(&["man", "--out", "/nowhere"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(err(&nowhere).contains("/nowhere"), "{}", err(&nowhere));
}
