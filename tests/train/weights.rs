//! Sources that count more or less, old news, rare labels.

use super::*;

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
