//! What goes into `rasid train`: every kind of source gives the same model, and what is wrong with one is
//! told by file, line and field.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A newsroom's own export: `headline,body,section,date,url`.
const ARTICLES: &str = include_str!("data/newsroom/articles.csv");
const COLUMNS: [&str; 2] = ["--column", "title=headline,text=body,topic=section"];

fn rasid(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rasid")).args(arguments).env_remove("RUST_LOG").output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A folder for one test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    /// Trains with the labels of the data; what is said, without the folder's name.
    fn train(&self, input: &str, more: &[&str]) -> (String, Option<i32>) {
        let path = self.path("out.safetensors");
        let arguments = ["train", "--labels", "data", "--out", path.to_str().unwrap(), "--examples", input];
        let output = rasid(&[&arguments[..], more].concat());
        (self.short(&(out(&output) + &err(&output))), output.status.code())
    }

    fn short(&self, said: &str) -> String {
        said.replace(&format!("{}/", self.0.path().display()), "")
    }

    /// The model that was trained last.
    fn model(&self) -> Vec<u8> {
        std::fs::read(self.path("out.safetensors")).unwrap()
    }
}

/// Title, text and section of each article.
fn articles() -> Vec<[String; 3]> {
    let mut rows = csv::Reader::from_reader(ARTICLES.as_bytes());
    rows.records().map(|row| row.unwrap()).map(|row| [0, 1, 2].map(|cell| row[cell].to_owned())).collect()
}

fn table(delimiter: u8, names: [&str; 3], rows: &[[String; 3]]) -> Vec<u8> {
    let mut table = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    table.write_record(names).unwrap();
    rows.iter().for_each(|row| table.write_record(row).unwrap());
    table.into_inner().unwrap()
}

fn json(rows: &[[String; 3]]) -> String {
    let line = |[title, text, topic]: &[String; 3]| {
        serde_json::json!({"title": title, "text": text, "topic": topic}).to_string() + "\n"
    };
    rows.iter().map(line).collect()
}

#[test]
fn every_kind_of_source_gives_the_same_model() {
    let folder = Folder::new();
    let rows = articles();
    let names = ["title", "text", "topic"];
    let lines = folder.write("a.jsonl", json(&rows));
    let (said, code) = folder.train(&lines, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("112 examples"), "{said}");
    let model = folder.model();
    let utf16 = |text: Vec<u8>| -> Vec<u8> {
        let text = String::from_utf8(text).unwrap();
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let old = |text: &str| encoding_rs::WINDOWS_1256.encode(text).0.into_owned();
    let comma = table(b',', names, &rows);
    // as a spreadsheet of the region saves it
    let marked = ["\u{feff}".as_bytes(), &table(b';', ["Title", "TEXT", "Topic"], &rows)].concat();
    // every second row in another encoding
    let text = String::from_utf8(comma.clone()).unwrap();
    let mixed: Vec<u8> = (text.split_inclusive('\n').enumerate())
        .flat_map(|(row, line)| if row % 2 == 0 { line.as_bytes().to_vec() } else { old(line) })
        .collect();
    let cases: [(&str, Vec<u8>, &[&str]); 9] = [
        ("a.csv", comma.clone(), &[]),
        ("a.tsv", table(b'\t', names, &rows), &[]),
        ("semicolons.csv", marked, &[]),
        ("wide.tsv", utf16(table(b'\t', names, &rows)), &[]),
        ("old.csv", old(&text), &["--encoding", "windows-1256"]),
        ("mixed.csv", mixed, &["--encoding", "cp1256"]),
        ("old.jsonl", old(&json(&rows)), &["--encoding", "windows-1256"]),
        ("no-extension", comma.clone(), &[]),
        ("own.csv", ARTICLES.into(), &COLUMNS),
    ];
    for (name, bytes, more) in cases {
        let path = folder.write(name, bytes);
        let (said, code) = folder.train(&path, more);
        assert_eq!(code, Some(0), "{name}: {said}");
        // the newsroom's own has dates, which the model remembers
        let mut found = rasid::model::Model::from_bytes(&folder.model()).unwrap();
        assert_eq!(found.info.as_of.take().is_some(), name == "own.csv");
        assert!(found.to_bytes().unwrap() == model, "{name} gives another model: {said}");
    }
    // several at once, of different kinds
    let first = folder.write("half/1.csv", table(b',', names, &rows[..50]));
    folder.write("half/deep/2.jsonl", json(&rows[50..]));
    folder.write("half/notes.md", "no examples");
    let half = folder.path("half").display().to_string();
    assert_eq!(folder.train(&half, &[]).1, Some(0));
    assert!(folder.model() == model);
    assert_eq!(folder.train(&first, &[&folder.path("half/deep/2.jsonl").display().to_string()]).1, Some(0));
    assert!(folder.model() == model, "files that are named are as good as their folder");
}

#[test]
fn a_folder_by_label_is_a_table_without_titles() {
    let folder = Folder::new();
    let bare: Vec<[String; 3]> =
        articles().into_iter().map(|[_, text, topic]| [String::new(), text, topic]).collect();
    for (number, [_, text, topic]) in bare.iter().enumerate() {
        folder.write(&format!("archive/{topic}/{number:03}-text.txt"), text);
    }
    let (said, code) = folder.train(&folder.path("archive").display().to_string(), &[]);
    assert_eq!(code, Some(0), "{said}");
    let by_folder = folder.model();
    let lines = folder.write("bare.jsonl", json(&bare));
    assert_eq!(folder.train(&lines, &[]).1, Some(0));
    assert!(by_folder == folder.model());
    // a known set: the nearest folder that is one of its labels, and an error where there is none
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/newsroom/sections.json");
    folder.write("archive/رياضة/2026/1.txt", "فاز الفريق بالكأس");
    let archive = folder.path("archive").display().to_string();
    let train = |path: &str| rasid(&["train", "--labels", own, "--examples", path, "--cv", "2"]);
    let output = train(&archive);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    folder.write("archive/weather/1.txt", "sunny");
    let output = train(&archive);
    assert_eq!(output.status.code(), Some(64));
    assert!(
        err(&output).contains("weather/1.txt: the folder `weather` is named after no topic"),
        "{}",
        err(&output)
    );
}

/// Each fault has its file, its line and what to do; nothing is written.
#[test]
fn what_is_wrong_with_a_source_is_told() {
    let good = "text,topic\nthe cup final was lost,sport\nthe bank cut its rate,money\n";
    let old =
        encoding_rs::WINDOWS_1256.encode("text,topic\nthe cup,sport\nفاز الفريق,رياضة\n").0.into_owned();
    let long = "text,topic\n".to_owned() + &"the cup final,sport\n".repeat(3) + "\"the bank,money\n";
    let cases: [(&str, &str, Vec<u8>, &str); 17] = [
        (
            "wrong columns",
            "a.csv",
            "body,section\nx,y\n".into(),
            "a.csv:1: no column `text`; the first line has `body`, `section`: name it, as in --column text=NAME",
        ),
        (
            "no column of labels",
            "a.csv",
            "text,section\nx,y\n".into(),
            "a.csv:1: no column `topic`, `topics` or `stance`",
        ),
        (
            "a column twice",
            "a.csv",
            "text,Text,topic\nx,y,z\n".into(),
            "a.csv:1: two columns are the field `text`",
        ),
        (
            "an empty label",
            "a.csv",
            (good.to_owned() + "the vote,\n").into(),
            "a.csv:4: neither `topics` nor `stance`",
        ),
        (
            "an empty label",
            "a.jsonl",
            "{\"text\": \"x\", \"topic\": \"\"}\n".into(),
            "a.jsonl:1: an empty topic",
        ),
        ("an empty text", "a.csv", (good.to_owned() + " ,sport\n").into(), "a.csv:4: no text"),
        (
            "a comma in a text",
            "a.csv",
            (good.to_owned() + "one, two,sport\n").into(),
            "a.csv:4: 3 cells where the first line names 2 columns",
        ),
        ("a quotation mark that is not closed", "a.csv", long.into(), "a.csv:5: 1 cells where"),
        (
            "one class",
            "a.csv",
            "text,topic\nthe cup,sport\nthe final,sport\n".into(),
            "two labels or more in a language",
        ),
        (
            "one example",
            "a.csv",
            "text,topic\nthe cup final was lost,sport\n".into(),
            "en topic: 1 texts, all `sport`",
        ),
        ("no example", "a.csv", "text,topic\n".into(), "no examples under a.csv"),
        (
            "another encoding",
            "a.csv",
            old,
            "a.csv:3: column 1: not UTF-8: byte 0xDD at 1; say what it is, as in --encoding windows-1256",
        ),
        (
            "a workbook",
            "a.csv",
            b"PK\x03\x04rest".to_vec(),
            "a.csv: an Excel workbook or a zip file: save it as CSV",
        ),
        ("packed", "a.jsonl", b"\x1f\x8brest".to_vec(), "a.jsonl: compressed: unpack it"),
        (
            "a list",
            "a.json",
            "[{\"text\": \"x\", \"topic\": \"a\"}]".into(),
            "a.json: a JSON list: write one object a line",
        ),
        (
            "a broken line",
            "a.jsonl",
            "{\"text\": \"x\", \"topic\": \"a\"}\n{\"text\"\n".into(),
            "a.jsonl:2: EOF while parsing",
        ),
        ("something else", "a", "nothing of the kind".into(), "a: neither JSON Lines nor a table"),
    ];
    for (what, name, bytes, said) in cases {
        let folder = Folder::new();
        let path = folder.write(name, bytes);
        let (shown, code) = folder.train(&path, &[]);
        assert!(shown.contains(said), "{what}: {said}\n{shown}");
        assert!(matches!(code, Some(1 | 64)), "{what}: {code:?}");
        assert!(!folder.path("out.safetensors").exists(), "{what}");
        // the figures alone need the same
        let output = rasid(&["train", "--labels", "data", "--cv", "2", "--examples", &path]);
        assert_eq!(output.status.code(), Some(64), "{what}");
    }
}

#[test]
fn labels_that_are_not_known_get_the_nearest_and_near_ones_a_warning() {
    let folder = Folder::new();
    let sections = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/newsroom/sections.json");
    let path = folder.write("a.csv", "text,topic\nfaz,رياضه\nx,Sprot\ny,قق\n");
    let output = rasid(&["train", "--labels", sections, "--cv", "2", "--examples", &path]);
    let said = folder.short(&err(&output));
    assert_eq!(output.status.code(), Some(64), "{said}");
    for line in [
        "a.csv:2: unknown topic `رياضه`: did you mean `رياضة` (Sport)?",
        "a.csv:3: unknown topic `Sprot`: did you mean `رياضة` (Sport)?",
        "a.csv:4: unknown topic `قق`: write one such as `ثقافة وفن`",
    ] {
        assert!(said.contains(line), "all are told at once: {line}\n{said}");
    }
    // with IPTC's labels it is said how to have others
    let output = rasid(&["train", "--cv", "2", "--examples", &path]);
    assert!(err(&output).contains("are named with --labels"), "{}", err(&output));
    // labels of the data: what may be one label in two spellings
    let mut rows = articles();
    rows[0][2] = "رياضه".into();
    let path = folder.write("b.csv", table(b',', ["title", "text", "topic"], &rows));
    let (said, code) = folder.train(&path, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("b.csv:2: the topic `رياضه` (1 examples) is spelled nearly like `رياضة` (27)"),
        "{said}"
    );
}

#[test]
fn two_labels_are_enough_and_columns_that_say_nothing_are_named() {
    let folder = Folder::new();
    let mut rows = articles();
    rows.retain(|[_, _, topic]| topic == "رياضة" || topic == "محليات");
    let mut wide = String::from("text,topic,url,author\n");
    rows.iter().for_each(|[_, text, topic]| wide += &format!("\"{text}\",{topic},u,a\n"));
    let path = folder.write("two.csv", wide);
    let (said, code) = folder.train(&path, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("two.csv: not used: author, url"), "{said}");
    assert_eq!(said.matches("not used").count(), 1, "told once: {said}");
}

#[test]
fn markup_in_a_cell_is_no_word() {
    let folder = Folder::new();
    let rows = articles();
    let plain = folder.write("a.csv", table(b',', ["title", "text", "topic"], &rows));
    folder.train(&plain, &[]);
    let model = folder.model();
    let marked: Vec<[String; 3]> = rows
        .into_iter()
        .map(|[title, text, topic]| [title, format!("<p class=\"lead\">{text}</p>"), topic])
        .collect();
    let marked = folder.write("b.csv", table(b',', ["title", "text", "topic"], &marked));
    folder.train(&marked, &[]);
    let terms = |bytes: &[u8]| {
        rasid::model::Model::from_bytes(bytes)
            .unwrap()
            .heads
            .into_values()
            .map(|h| h.counts.terms)
            .collect::<Vec<_>>()
    };
    assert!(terms(&folder.model()) == terms(&model));
}

#[test]
fn evaluate_reads_tables_and_folders_too() {
    let folder = Folder::new();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/newsroom");
    let path = |name: &str| data.join(name).display().to_string();
    folder.train(&path("articles.csv"), &COLUMNS);
    let model = folder.path("out.safetensors").display().to_string();
    let held_out = path("held-out.csv");
    let arguments = ["evaluate", "--model", &model, "--field", "topic", "--json", "--data", &held_out];
    let output = rasid(&[&arguments[..], &COLUMNS].concat());
    let figures: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", err(&output)));
    assert_eq!(figures["n"], 24);
    assert!(figures["accuracy"].as_f64().unwrap() > 0.8, "{figures}");
    let output = rasid(&[&arguments[..7], &[&folder.write("a.csv", "text,topic\nx,nonsense\n")]].concat());
    assert_eq!(output.status.code(), Some(64));
    assert!(err(&output).contains("`nonsense` is none of the model's"), "{}", err(&output));
}

/// The path of a newsroom's file.
fn newsroom(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/newsroom").join(name).display().to_string()
}

#[test]
fn a_weight_is_as_good_as_so_many_copies() {
    let folder = Folder::new();
    let rows = articles();
    let names = ["title", "text", "topic"];
    let once = folder.write("once.csv", table(b',', names, &rows[..60]));
    let twice = folder.write("twice.csv", table(b',', names, &rows[60..]));
    let copies =
        folder.write("copies.csv", table(b',', names, &[&rows[..60], &rows[60..], &rows[60..]].concat()));
    assert_eq!(folder.train(&copies, &[]).1, Some(0));
    let model = |bytes: Vec<u8>| rasid::model::Model::from_bytes(&bytes).unwrap();
    let copied = model(folder.model());
    let (said, code) = folder.train(&once, &[&twice, "--weight", &format!("{twice}=2")]);
    assert_eq!(code, Some(0), "{said}");
    let weighed = model(folder.model());
    for (key, head) in &weighed.heads {
        let other = &copied.heads[key];
        assert!(head.counts.terms == other.counts.terms && head.counts.table == other.counts.table);
        assert!(head.counts.documents == other.counts.documents && head.weights == other.weights);
    }
    // the file knows the weights: going on gives what training at once gives
    let first = folder.path("first.safetensors").display().to_string();
    let train = ["train", "--labels", &newsroom("sections.json"), "--examples", &once, "--out", &first];
    assert!(rasid(&train).status.success());
    let out = folder.path("out.safetensors").display().to_string();
    let weight = format!("{twice}=2");
    let more = ["train", "--from", &first, "--examples", &twice, "--weight", &weight, "--out", &out];
    assert!(rasid(&more).status.success());
    let gone_on = folder.model();
    let both = [
        "train",
        "--labels",
        &newsroom("sections.json"),
        "--examples",
        &once,
        &twice,
        "--weight",
        &weight,
        "--out",
        &out,
    ];
    assert!(rasid(&both).status.success());
    assert!(gone_on == folder.model());
    let unknown = rasid(&["train", "--examples", &once, "--weight", "nowhere.csv=2", "--cv", "2"]);
    assert_eq!(unknown.status.code(), Some(64));
    assert!(err(&unknown).contains("--weight nowhere.csv: none of the examples"), "{}", err(&unknown));
    for wrong in ["a.csv", "a.csv=0", "a.csv=x", "a.csv=1e9"] {
        assert_eq!(
            rasid(&["train", "--examples", &once, "--weight", wrong, "--cv", "2"]).status.code(),
            Some(64)
        );
    }
}

#[test]
fn old_news_count_less() {
    let folder = Folder::new();
    let row = |date: &str, number: usize| {
        let topic = if number.is_multiple_of(2) { "sport" } else { "money" };
        format!("the {topic} desk wrote about {topic} number{number},{topic},{date}\n")
    };
    let table = |date: &str, numbers: std::ops::Range<usize>| {
        let rows: String = numbers.map(|number| row(date, number)).collect();
        "text,topic,date\n".to_owned() + &rows
    };
    let old = folder.write("old.csv", table("2026-01-01", 0..8));
    let new = folder.write("new.csv", table("2026-03-02", 8..16));
    let (said, code) = folder.train(&old, &[&new, "--forget", "30d"]);
    assert_eq!(code, Some(0), "{said}");
    let model = |bytes: &[u8]| rasid::model::Model::from_bytes(bytes).unwrap();
    let count = |bytes: &[u8], term: &str| -> u32 {
        let model = model(bytes);
        let counts = &model.heads.values().next().unwrap().counts;
        let row = counts.terms.iter().position(|one| one == term).unwrap();
        counts.of(row).iter().sum()
    };
    let at_once = folder.model();
    // sixty days are two half-lives
    assert_eq!(count(&at_once, "desk"), 8 * 64 + 8 * 16);
    assert_eq!(model(&at_once).info.as_of.as_deref(), Some("2026-03-02T00:00:00Z"));

    // the same day for both: the bytes of both at once
    let labels = folder.write("labels.json", r#"{"topics": [{"code": "sport"}, {"code": "money"}]}"#);
    let first = folder.path("first.safetensors").display().to_string();
    let out = folder.path("out.safetensors").display().to_string();
    let forget = ["--forget", "30d", "--as-of", "2026-03-02"];
    let run = |arguments: &[&str]| {
        let output = rasid(arguments);
        assert!(output.status.success(), "{}", err(&output));
        err(&output)
    };
    run(&[&["train", "--labels", &labels, "--examples", &old, "--out", &first], &forget[..]].concat());
    run(&[&["train", "--from", &first, "--examples", &new, "--out", &out], &forget[..]].concat());
    assert!(folder.model() == at_once);

    // later: what is there fades by what has passed since
    run(&["train", "--labels", &labels, "--examples", &old, "--out", &first]);
    let said = run(&["train", "--from", &first, "--examples", &new, "--forget", "30d", "--out", &out]);
    assert!(said.contains("of what the model has counted 25.0 % is left"), "{said}");
    // the digest of the examples tells of other weights; what was learned is the same
    assert!(model(&folder.model()).heads == model(&at_once).heads, "whole half-lives round nothing");

    // so old that nothing is left; without dates nothing is forgotten
    let (said, _) = folder.train(&old, &[&new, "--forget", "1d"]);
    assert!(said.contains("8 examples are so old that they count for nothing"), "{said}");
    let bare = folder.write("bare.csv", "text,topic\na match was lost,sport\na bank was sold,money\n");
    let (said, code) = folder.train(&bare, &["--forget", "30d"]);
    assert!(code == Some(64) && said.contains("--as-of"), "{said}");
    let (said, code) = folder.train(&bare, &["--forget", "30d", "--as-of", "2026-03-02"]);
    assert!(code == Some(0) && said.contains("2 examples have no date"), "{said}");
    for wrong in ["30", "d", "-1d", "30 years"] {
        assert_eq!(folder.train(&new, &["--forget", wrong]).1, Some(64), "{wrong}");
    }
}

/// Ten times as many texts of some labels as of the others: with labels of one's own all are still told apart.
#[test]
fn rare_labels_are_not_drowned() {
    use rasid::model::{Classifier, Document, Example, LabelSet, Plan, Task, read_labelled, train};
    use rasid::text::Language;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/examples/en");
    let (mut examples, mut held) = (Vec::new(), Vec::new());
    for (name, count) in [
        ("02-crime", 100),
        ("04-economy", 10),
        ("05-education", 100),
        ("07-health", 10),
        ("12-religion", 100),
        ("15-sport", 10),
    ] {
        let of = read_labelled(&[root.join(format!("{name}.jsonl"))], None).unwrap();
        let mut of = of.into_iter().map(|example| Example { topics: vec![name.into()], ..example });
        examples.extend(of.by_ref().take(count));
        held.extend(of.rev().take(40));
    }
    let accuracy = |balanced: bool| {
        let mut plan = Plan { labels: LabelSet::of_examples(&examples), ..Plan::new("m", "1") };
        let mut recipe = plan.usual(Task::Topic);
        assert!(recipe.fitting.balanced, "own labels are balanced unless somebody says otherwise");
        recipe.fitting.balanced = balanced;
        plan.recipes.insert((Language::English, Task::Topic), recipe);
        let classifier = Classifier::new(train(&examples, &plan, &()).unwrap(), String::new()).unwrap();
        let right = |example: &&Example| {
            let document = Document::of(&[&example.title, &example.text]);
            let best = classifier.predict(&document, Task::Topic, &[]).unwrap().best;
            classifier.info().topics[best].code == example.topics[0]
        };
        held.iter().filter(right).count() as f64 / held.len() as f64
    };
    let (balanced, unbalanced) = (accuracy(true), accuracy(false));
    eprintln!("ten to one, as many held out of each: {balanced:.3}, not balanced {unbalanced:.3}");
    assert!(balanced > 0.8 && balanced > unbalanced + 0.05, "{balanced} {unbalanced}");
}

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
