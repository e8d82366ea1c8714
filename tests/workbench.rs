//! The tools around models: `model diff`, `label`, the report of `train`, the file read from Python.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn rasid(arguments: &[&str]) -> Output {
    let rasid = Command::new(env!("CARGO_BIN_EXE_rasid")).args(arguments).stdin(Stdio::null()).output();
    rasid.unwrap()
}

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
