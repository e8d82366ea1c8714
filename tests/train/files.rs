//! A model file that is there stays whole, and training takes the memory of its words and not of its sources.

use super::*;
use std::process::Command;

/// A model file that is there stays whole, whatever becomes of the next one.
#[test]
fn a_model_is_replaced_whole_or_not_at_all() {
    let folder = Folder::new();
    let out = folder.write("model.safetensors", "the old model");
    let articles = newsroom("articles.csv");
    let arguments =
        ["train", "--labels", "data", "--examples", &articles, "--out", &out, COLUMNS[0], COLUMNS[1]];
    let is_old = || std::fs::read(folder.path("model.safetensors")).unwrap() == b"the old model";
    let alone = || std::fs::read_dir(folder.0.path()).unwrap().count() == 1;
    // files may have 4 KiB, a model is larger
    let script = "trap '' XFSZ; ulimit -f 4; exec \"$0\" \"$@\"";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_rasid")])
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(err(&output).contains("model.safetensors: File too large"), "{}", err(&output));
    assert!(is_old() && alone());
    // killed at any time
    for wait in [0, 5, 10, 20, 40, 80] {
        let mut process = Command::new(env!("CARGO_BIN_EXE_rasid"))
            .args(arguments)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        let _ = process.kill();
        process.wait().unwrap();
        let whole = || rasid(&["model", "verify", &out]).status.success();
        assert!(is_old() || whole(), "killed after {wait} ms");
    }
    let nowhere = folder.path("no/such/model").display().to_string();
    let output = rasid(&[
        "train",
        "--labels",
        "data",
        "--examples",
        &articles,
        "--out",
        &nowhere,
        COLUMNS[0],
        COLUMNS[1],
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("no such folder"), "{}", err(&output));
}

/// Trains from a pipe that gives `megabytes` of examples; the most memory that it held, in KiB.
#[cfg(target_os = "linux")]
fn peak(folder: &Folder, megabytes: usize) -> u64 {
    use std::io::Write;
    let labels = folder.write("labels.json", r#"{"topics": [{"code": "a"}, {"code": "b"}]}"#);
    let out = folder.path("large.safetensors").display().to_string();
    let mut process = Command::new(env!("CARGO_BIN_EXE_rasid"))
        .args(["train", "--labels", &labels, "--examples", "/dev/stdin", "--out", &out])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = process.stdin.take().unwrap();
    let feeding = std::thread::spawn(move || {
        let (mut sent, mut number) = (0, 0u64);
        while sent < megabytes << 20 {
            // words that come again and again, texts that do not
            let mut seed = number;
            let words: String = (0..100)
                .map(|_| {
                    seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    let word = (seed >> 40) % 5000;
                    format!(
                        "the w{}x ",
                        ["o", "u", "i", "e", "a"].map(String::from)[(word % 5) as usize]
                            .repeat(1 + word as usize % 7)
                    )
                })
                .collect();
            let topic = if number.is_multiple_of(2) { "a" } else { "b" };
            let line = format!(
                "{{\"id\":\"{number}\",\"text\":\"{words}\",\"topic\":\"{topic}\",\"lang\":\"en\"}}\n"
            );
            pipe.write_all(line.as_bytes()).unwrap();
            (sent, number) = (sent + line.len(), number + 1);
        }
    });
    let status = format!("/proc/{}/status", process.id());
    let mut peak = 0;
    while process.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("VmHWM:"));
        let now = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        peak = now.unwrap_or(peak);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    feeding.join().unwrap();
    assert!(process.wait().unwrap().success());
    peak
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_source() {
    let folder = Folder::new();
    let (small, large) = (peak(&folder, 40), peak(&folder, 120));
    eprintln!("40 MiB of examples: {small} KiB at most; 120 MiB: {large} KiB");
    assert!(large < small + small / 4, "{small} KiB, then {large}");
}
