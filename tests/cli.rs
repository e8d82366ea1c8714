//! The command line: help, errors, exit codes, and the verbs that need no Kafka.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "common/program.rs"]
mod program;

use program::{err, out, rasid, run};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
