//! The tools around models: `model diff`, `label`, the report of `train`, the file read from Python.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "common/program.rs"]
mod program;

use program::rasid;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};

fn done(arguments: &[&str]) -> String {
    let output = rasid(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{said}");
    String::from_utf8(output.stdout).unwrap()
}

const SPORT: &str = "The striker scored and the keeper saved a penalty in the cup final";
const MONEY: &str = "The central bank cut its rate as shares fell on the stock market";

/// Forty articles, in turn of these sections.
fn articles(path: &Path, sections: [&str; 2], more: &[Value]) -> String {
    let line = |i: usize| {
        let text = [SPORT, MONEY][i % 2];
        json!({"id": i.to_string(), "text": format!("{text} on day {i}."), "topic": sections[i % 2]})
            .to_string()
    };
    let lines: Vec<String> = (0..40).map(line).chain(more.iter().map(Value::to_string)).collect();
    std::fs::write(path, lines.join("\n")).unwrap();
    path.display().to_string()
}

/// The second model has learnt the two sections the wrong way round, and one more: everything flips.
#[test]
fn diff_tells_labels_terms_figures_and_flips() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let right = articles(&dir.path().join("right.jsonl"), ["sport", "money"], &[]);
    let arts: Vec<Value> = (0..20)
        .map(|i| json!({"id": format!("a{i}"), "text": format!("The painter shows her canvas in the gallery, part {i}."), "topic": "arts"}))
        .collect();
    let wrong = articles(&dir.path().join("wrong.jsonl"), ["money", "sport"], &arts);
    let (a, b) = (path("a.safetensors"), path("b.safetensors"));
    done(&["train", "--examples", &right, "--labels", "data", "--out", &a]);
    done(&["train", "--examples", &wrong, "--labels", "data", "--out", &b]);
    let diff: Value =
        serde_json::from_str(&done(&["model", "diff", &a, &b, "--data", &right, "--json"])).unwrap();
    assert_eq!(
        diff["labels"],
        json!([{"task": "topic", "code": "arts", "before": null, "after": ["arts", "arts"]}])
    );
    let change =
        |name: &str| diff["settings"].as_array().unwrap().iter().find(|c| c["name"] == name).cloned();
    assert_eq!(
        change("examples").map(|c| (c["before"].clone(), c["after"].clone())),
        Some((json!(40), json!(60)))
    );
    assert_eq!(change("version"), None);
    let sport = diff["terms"].as_array().unwrap().iter().find(|moved| moved["code"] == "sport").unwrap();
    let terms = |side: &str| -> Vec<String> {
        let shifts = sport[side].as_array().unwrap().iter();
        shifts.map(|shift| shift["term"].as_str().unwrap().to_owned()).collect()
    };
    assert!(
        terms("toward").contains(&"bank".to_owned()) && terms("away").contains(&"cup".to_owned()),
        "{sport}"
    );
    let data = &diff["data"];
    assert_eq!((&data["articles"], &data["labelled"]), (&json!(40), &json!(40)));
    assert_eq!((&data["before"]["accuracy"], &data["after"]["accuracy"]), (&json!(1.0), &json!(0.0)));
    let mcnemar = &data["mcnemar"];
    assert_eq!((&mcnemar["only_first"], &mcnemar["only_second"]), (&json!(40), &json!(0)));
    let p = mcnemar["p"].as_f64().unwrap();
    assert!((p * 2f64.powi(39) - 1.0).abs() < 1e-9, "2 / 2^40, not {p}");
    let flip = &data["flips"][1];
    assert!(flip["place"].as_str().unwrap().ends_with("right.jsonl:2"), "{flip}");
    assert_eq!(
        (&flip["right"], &flip["before"]["label"], &flip["after"]["label"]),
        (&json!("money"), &json!("money"), &json!("sport"))
    );
    let shown = done(&["model", "diff", &a, &b, "--data", &right, "--flips", "3"]);
    assert!(
        shown.contains("added") && shown.contains("40 tags flip") && shown.contains("37 more"),
        "{shown}"
    );
    assert!(
        shown.contains("only A right 40, only B right 0") && shown.contains("100.0 %     0.0 %"),
        "{shown}"
    );
    // the other way round, and a model beside itself
    let back: Value = serde_json::from_str(&done(&["model", "diff", &b, &a, "--json"])).unwrap();
    assert_eq!((&back["labels"][0]["after"], back.get("data")), (&Value::Null, None));
    assert_eq!(done(&["model", "diff", &a, &a]), "the models are the same\n");
}

/// Articles without a label have no figures, but their tags flip too; a label of neither model is refused.
#[test]
fn diff_takes_unlabelled_articles() {
    let dir = tempfile::tempdir().unwrap();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/rasid-news.safetensors");
    let model = model.to_str().unwrap();
    let data = dir.path().join("data.jsonl");
    std::fs::write(&data, "{\"text\":\"The keeper saved a penalty in the cup final\"}\n").unwrap();
    let data = data.display().to_string();
    let shown = done(&["model", "diff", model, model, "--data", &data]);
    assert!(shown.contains("1 articles, 0 of them with the right label; 0 tags flip"), "{shown}");
    std::fs::write(&data, "{\"text\":\"The keeper saved a penalty\",\"topic\":\"sports\"}\n").unwrap();
    let refused = rasid(&["model", "diff", model, model, "--data", &data]);
    assert_eq!(refused.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("`sports` is none of the model's"));
}

/// As `rasid label` is used through a pipe: two answers, one taken back, a skip, then Quit; the next session
/// goes on, and training reads what comes out.
#[test]
fn label_asks_writes_resumes_and_is_trained_on() {
    let dir = tempfile::tempdir().unwrap();
    let pool = dir.path().join("pool.jsonl");
    let lines: Vec<String> =
        [SPORT, MONEY, "فاز الفريق بكأس البطولة بعد مباراة مثيرة", "Doctors gave the vaccine to patients"]
            .iter()
            .enumerate()
            .map(|(i, text)| json!({"id": i.to_string(), "title": "T\u{1b}[2J", "text": text}).to_string())
            .chain([
                "{\"text\":3}".to_owned(),
                json!({"id": "5", "text": "Le chat dort sur la table de la cuisine et ne fait rien"})
                    .to_string(),
            ])
            .collect();
    std::fs::write(&pool, lines.join("\n")).unwrap();
    let out = dir.path().join("out.jsonl");
    let label = |keys: &str, more: &[&str]| {
        let mut process = Command::new(env!("CARGO_BIN_EXE_rasid"))
            .args(["label", "--pool", pool.to_str().unwrap(), "--out", out.to_str().unwrap()])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut process.stdin.take().unwrap(), keys.as_bytes()).unwrap();
        let output = process.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        let answers = std::fs::read_to_string(&out).unwrap_or_default();
        (said, answers.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>())
    };
    let (said, answers) = label("12u q3", &[]);
    assert_eq!(answers.len(), 1, "{said}");
    assert_eq!(answers[0]["topics"], json!(["medtop:01000000"]));
    assert!(said.contains("1 articles could not be read") && said.contains("pool.jsonl:5"), "{said}");
    assert!(said.contains("1 articles are in a language"), "{said}");
    assert!(
        !said.contains('\u{1b}') && said.contains("\u{2068}T [2J\u{2069}"),
        "no escape reaches the terminal"
    );
    let (said, answers) = label("٢ش", &[]);
    let topics: Vec<&str> = answers.iter().map(|answer| answer["topics"][0].as_str().unwrap()).collect();
    assert_eq!(topics, ["medtop:01000000", "medtop:02000000", "medtop:11000000"], "{said}");
    let ids: std::collections::BTreeSet<&str> =
        answers.iter().map(|answer| answer["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3, "no article twice");
    let (said, answers) = label("1", &["--count", "3"]);
    assert!(answers.len() == 3 && said.contains("3 answers"), "{said}");
    let examples: Vec<rasid::model::Example> = rasid::model::read_examples(&[out]).unwrap();
    assert_eq!(examples.len(), 3);
    let open = rasid(&["label", "--pool", "nowhere", "--out", "x", "--http", "0.0.0.0:80"]);
    assert_eq!(open.status.code(), Some(64), "the page is for this machine alone");
}

/// One request to a server, and what it answers.
fn request(address: &str, head: &str, body: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(stream, "{head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_page_of_label_answers_this_machine_alone() {
    use std::io::BufRead;
    let dir = tempfile::tempdir().unwrap();
    let pool = articles(&dir.path().join("pool.jsonl"), ["a", "b"], &[]);
    let out = dir.path().join("out.jsonl");
    let process = Command::new(env!("CARGO_BIN_EXE_rasid"))
        .args(["label", "--pool", &pool, "--out", out.to_str().unwrap(), "--http", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut process = Ends(process);
    let mut lines = std::io::BufReader::new(process.0.stdout.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let post = |path: &str, body: &str, host: &str, more: &str| {
        let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json{more}");
        request(&address, &head, body)
    };
    let page = request(&address, &format!("GET / HTTP/1.1\r\nHost: {address}"), "");
    assert!(page.contains("default-src 'none'; script-src 'self'"), "{page}");
    let first = post("/answer", "{\"at\":0,\"label\":14}", &address, "");
    assert!(first.contains("no-store"), "articles are nobody else's: {first}");
    assert!(first.starts_with("HTTP/1.1 200") && first.contains("\"at\":1,\"answered\":1"), "{first}");
    // late, from elsewhere, no JSON
    assert!(post("/answer", "{\"at\":0,\"label\":3}", &address, "").contains("\"answered\":1"));
    assert!(post("/answer", "{\"at\":1,\"label\":3}", "evil.example", "").starts_with("HTTP/1.1 403"));
    assert!(post("/undo", "{}", &address, "\r\nSec-Fetch-Site: cross-site").starts_with("HTTP/1.1 403"));
    assert!(post("/answer", "{", &address, "").starts_with("HTTP/1.1 4"));
    assert!(post("/answer", "{\"at\":1,\"label\":null}", &address, "").contains("\"skipped\":1"));
    let text = std::fs::read_to_string(&out).unwrap();
    assert!(text.lines().count() == 1 && text.contains("medtop:15000000"), "{text}");
    post("/undo", "{}", &address, "");
    assert!(post("/undo", "{}", &address, "").contains("\"at\":0,\"answered\":0"));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "");
    assert!(post("/quit", "{}", &address, "").contains("\"quit\":true"));
    assert_eq!(process.0.wait().unwrap().code(), Some(0));
}

/// A process that ends with its test, however that ends.
struct Ends(std::process::Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn train_writes_a_report_that_needs_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let data = articles(&dir.path().join("data.jsonl"), ["sport", "<b>money"], &[]);
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (model, report) = (path("m.safetensors"), path("r.html"));
    done(&["train", "--examples", &data, "--labels", "data", "--out", &model, "--report", &report]);
    let page = std::fs::read_to_string(report).unwrap();
    for part in [
        "Learning curve",
        "Reliability",
        "Who is taken for whom",
        "Terms that carry a topic",
        "&lt;b&gt;money",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains("<bdi title") && page.contains(">bank<") && !page.contains("<b>money"));
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"));
}

/// Python with numpy and safetensors gives what `rasid classify` gives, from the file alone.
#[test]
fn python_reads_the_model() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let venv = root.join("target/python");
    let python = venv.join("bin/python");
    let run = |command: &mut Command| {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(
            output.status.success(),
            "{command:?} (needs python3-venv)\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let ready = Command::new(&python).args(["-c", "import numpy, safetensors"]).output();
    if !ready.is_ok_and(|output| output.status.success()) {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
        let requirements = root.join("models/python/requirements.txt");
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(requirements));
    }
    let dir = tempfile::tempdir().unwrap();
    let articles = root.join("models/canary.jsonl");
    let articles = articles.to_str().unwrap();
    let terms = dir.path().join("terms.jsonl");
    std::fs::write(&terms, done(&["classify", "--terms", articles])).unwrap();
    let scored = Command::new(&python)
        .arg(root.join("models/python/score.py"))
        .arg(root.join("models/rasid-news.safetensors"))
        .stdin(std::fs::File::open(&terms).unwrap())
        .output()
        .unwrap();
    assert!(scored.status.success(), "{}", String::from_utf8_lossy(&scored.stderr));
    let tagged = done(&["classify", articles]);
    let scored = String::from_utf8(scored.stdout).unwrap();
    let (mut compared, mut furthest) = (0, 0f64);
    for (tags, scores) in tagged.lines().zip(scored.lines()) {
        let [tags, scores] = [tags, scores].map(|line| serde_json::from_str::<Value>(line).unwrap());
        assert_eq!(tags["id"], scores["id"]);
        let mut compare = |task: &str, label: &Value, confidence: &Value| {
            let score = scores[task][label.as_str().unwrap()].as_f64().unwrap();
            furthest = furthest.max((score - confidence.as_f64().unwrap()).abs());
            compared += 1;
        };
        for topic in tags["topics"].as_array().unwrap() {
            compare("topic", &topic["code"], &topic["confidence"]);
        }
        compare("stance", &tags["stance"]["label"], &tags["stance"]["confidence"]);
    }
    assert_eq!((tagged.lines().count(), scored.lines().count()), (150, 150));
    println!("{compared} scores, apart by at most {furthest:.1e}");
    assert!(compared > 100 && furthest < 1e-4, "{compared} scores, apart by {furthest}");
}
