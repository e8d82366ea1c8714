//! A newsroom's own label set, from a CSV file of its own to tags on a real broker, as docs/RETRAINING.md
//! walks through it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Broker, json, root, within};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
const COLUMNS: [&str; 2] = ["--column", "title=headline,text=body,topic=section"];

fn command(folder: &Path, arguments: &[&str], more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rasid"));
    command.current_dir(folder).args(arguments).args(more).env_remove("RUST_LOG").output().unwrap()
}

fn rasid(folder: &Path, arguments: &[&str], more: &[&str]) -> Output {
    let output = command(folder, arguments, more);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    output
}

#[test]
fn a_csv_of_ones_own_becomes_tags_metrics_and_a_page_of_ones_own() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    for name in ["articles.csv", "held-out.csv", "sections.json"] {
        std::fs::copy(root().join("tests/data/newsroom").join(name), folder.join(name)).unwrap();
    }
    let sections = ["محليات", "رياضة", "مال وأعمال", "ثقافة وفن"];

    // what is wrong with the data, the model, and how good it is
    let lint = command(folder, &["lint", "--labels", "sections.json", "--json", "held-out.csv"], &COLUMNS);
    let lint: serde_json::Value = serde_json::from_slice(&lint.stdout).unwrap();
    assert_eq!(lint["examples"], 24, "{lint}");
    let findings = lint["findings"].as_array().unwrap();
    let checks: Vec<&str> = findings.iter().map(|finding| finding["check"].as_str().unwrap()).collect();
    assert!(checks.contains(&"field"), "the column `url` is not used: {lint}");
    // some sentences stand in two articles
    assert!(checks.iter().all(|check| ["field", "leakage", "duplicate"].contains(check)), "{lint}");
    let train =
        ["train", "--examples", "articles.csv", "--labels", "sections.json", "--name", "desk", "--out"];
    rasid(folder, &[&train[..], &["desk.safetensors"]].concat(), &COLUMNS);
    let evaluate =
        ["evaluate", "--model", "desk.safetensors", "--data", "held-out.csv", "--field", "topic", "--json"];
    let figures: serde_json::Value =
        serde_json::from_slice(&rasid(folder, &evaluate, &COLUMNS).stdout).unwrap();
    assert!(figures["accuracy"].as_f64().unwrap() > 0.8, "{figures}");

    let broker = Broker::start();
    broker.topics(1);
    let model = folder.join("desk.safetensors");
    let worker = broker.worker(&["--model", model.to_str().unwrap(), "--http-reload"]);
    within(PATIENCE, "ready", || (worker.get("/readyz").0 == 200).then_some(()));
    let feeder = broker.producer();
    let mut rows = csv::Reader::from_path(folder.join("held-out.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(|row| row.unwrap()).collect();
    for (number, row) in rows.iter().enumerate() {
        let article = serde_json::json!({"id": number.to_string(), "title": &row[0], "text": &row[1]});
        feeder.send("k", Some(article.to_string().as_bytes()));
    }
    feeder.flush();
    let count = rows.len() as i64;
    within(PATIENCE, "all tagged", || (broker.count("articles.tagged") == count).then_some(()));

    // the records
    let mut right = 0;
    for message in broker.read("articles.tagged") {
        let record = json(&message);
        assert_eq!(record["model"]["name"], "desk");
        for topic in record["topics"].as_array().unwrap() {
            assert!(sections.contains(&topic["code"].as_str().unwrap()), "{topic}");
            let names = (topic["name"].as_str().unwrap(), topic["name_ar"].as_str().unwrap());
            assert!(topic["code"] != "رياضة" || names == ("Sport", "رياضة"), "{topic}");
        }
        let number: usize = record["article"]["id"].as_str().unwrap().parse().unwrap();
        right += i32::from(record["topics"][0]["code"] == rows[number][2]);
    }
    assert!(right * 10 >= 8 * count as i32, "{right} of {count} sections are right");

    // the metrics, once the commits are counted
    let metrics = within(PATIENCE, "metrics", || {
        let metrics = worker.get("/metrics").1;
        let of_sport = metrics
            .lines()
            .any(|line| line.starts_with("rasid_articles_tagged_total{") && line.contains("topic=\"رياضة\""));
        of_sport.then_some(metrics)
    });
    assert!(
        metrics.contains("rasid_model_topic_prior_ratio{language=\"ar\",topic=\"ثقافة وفن\"}"),
        "{metrics}"
    );
    assert!(!metrics.contains("topic=\"medtop:"), "{metrics}");

    // the page
    let live: serde_json::Value = serde_json::from_str(&worker.get("/live.json").1).unwrap();
    let topics = live["model"]["topics"].as_array().unwrap();
    let mut codes: Vec<&str> = topics.iter().map(|topic| topic["code"].as_str().unwrap()).collect();
    let mut wanted = sections.to_vec();
    codes.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(codes, wanted);
    assert!(topics.iter().any(|topic| topic["name"] == "Stage" && topic["name_ar"] == "ثقافة وفن"));
    let live = within(PATIENCE, "the next frame", || {
        let live: serde_json::Value = serde_json::from_str(&worker.get("/live.json").1).unwrap();
        (live["live"]["counts"]["tagged"] == count).then_some(live)
    });
    let hour = live["live"]["hour"]["topics"].as_object().unwrap();
    assert!(hour.keys().all(|code| sections.contains(&&**code) || code == "none"), "{hour:?}");

    // an editor corrects, the next model goes on from this one and takes over without a restart
    std::fs::write(
        folder.join("corrections.csv"),
        "headline,body,section\nA new tram line,The city council laid tracks for a tram in the old town.,محليات\n",
    )
    .unwrap();
    let from = ["train", "--from", "desk.safetensors", "--examples", "corrections.csv", "--name", "desk"];
    let next = ["--model-version", "2", "--out", "next.safetensors"];
    rasid(folder, &[&from[..], &next].concat(), &COLUMNS);
    std::fs::rename(folder.join("next.safetensors"), &model).unwrap();
    let (status, answer) = worker.ask("POST", "/-/reload");
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("accuracy not measured") && answer.contains("% tagged alike"), "{answer}");
    // with articles of one's own the accuracy is measured: see reload_canary

    // a model of other labels does not: the records would change their language
    std::fs::copy(root().join("models/rasid-news.safetensors"), folder.join("other")).unwrap();
    std::fs::rename(folder.join("other"), &model).unwrap();
    let (status, answer) = worker.ask("POST", "/-/reload");
    assert_eq!(status, 500, "{answer}");
    assert!(
        answer.contains("the new model has no topic") && answer.contains("start the worker anew"),
        "{answer}"
    );
    assert!(worker.get("/metrics").1.contains("rasid_model_reloads_total{result=\"labels\"} 1"));
    worker.stop();
}
