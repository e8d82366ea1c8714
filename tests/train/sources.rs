//! Every kind of source gives the same model, and what is wrong with one is told by file, line and field.

use super::*;

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
