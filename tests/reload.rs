//! A worker on a real broker gets a new model: a bad one changes nothing, a good one takes over, and
//! no record waits for either.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Broker, json, root, within};
use rasid::model::{Model, sha256};
use rdkafka::message::{Message, Timestamp};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PATIENCE: Duration = Duration::from_secs(60);
/// How long a reload may hold a record up.
const DELAY: i64 = 100;

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn bundled() -> Vec<u8> {
    std::fs::read(root().join("models/rasid-news.safetensors")).unwrap()
}

/// The bundled model with something changed; its checksum is right.
fn changed(change: impl FnOnce(&mut Model)) -> Vec<u8> {
    let mut model = Model::from_bytes(&bundled()).unwrap();
    change(&mut model);
    model.to_bytes().unwrap()
}

/// Puts a model in place as an operator would: whole or not at all.
fn put(path: &Path, bytes: &[u8]) {
    let part = path.with_extension("part");
    std::fs::write(&part, bytes).unwrap();
    std::fs::rename(&part, path).unwrap();
}

#[test]
fn a_bad_model_changes_nothing_and_a_good_one_takes_over_while_records_flow() {
    let broker = Broker::start();
    broker.create_topic("articles", 1, &[]);
    // the broker's clock says when an output arrived
    broker.create_topic("articles.tagged", 1, &[("message.timestamp.type", "LogAppendTime")]);
    broker.create_topic("articles.dlq", 1, &[]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.safetensors");
    put(&path, &bundled());
    let mut flipped = bundled();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let bad: [(&str, Vec<u8>, &str); 4] = [
        ("corrupt", flipped, "checksum mismatch"),
        ("corrupt", bundled()[..middle].to_vec(), "cut short"),
        ("normaliser", changed(|model| model.info.normaliser += 1), "normaliser version"),
        (
            "less_accurate",
            changed(|model| model.info.topics.rotate_left(1)),
            "less accurate than the running one",
        ),
    ];
    let good = changed(|model| model.info.version = "next".into());
    let worker = broker.worker(&["--model", path.to_str().unwrap(), "--http-reload"]);
    within(PATIENCE, "ready", || (worker.get("/readyz").0 == 200).then_some(()));

    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, feeder) = (stop.clone(), broker.producer());
    let feeding = std::thread::spawn(move || {
        let mut sent = 0;
        while !stopped.load(Ordering::Relaxed) {
            let text = "The striker scored twice as the home side won the cup final after extra time.";
            let value = serde_json::json!({"id": sent.to_string(), "text": text, "sent": now()}).to_string();
            feeder.send("k", Some(value.as_bytes()));
            sent += 1;
            std::thread::sleep(Duration::from_millis(5));
        }
        feeder.flush();
        sent
    });
    within(PATIENCE, "records flow", || (broker.count("articles.tagged") > 20).then_some(()));
    let calm_from = now();
    std::thread::sleep(Duration::from_secs(3));
    let reloads_from = now();
    for (result, bytes, said) in &bad {
        put(&path, bytes);
        let (status, answer) = worker.ask("POST", "/-/reload");
        assert_eq!(status, 500, "{answer}");
        assert!(answer.contains(said), "{answer}");
        let metrics = worker.get("/metrics").1;
        assert!(metrics.contains(&format!("rasid_model_reloads_total{{result=\"{result}\"}}")), "{metrics}");
        assert!(metrics.contains("rasid_model_last_reload_successful 0"), "{metrics}");
        assert!(metrics.contains(&format!("sha256=\"{}\"", sha256(&bundled()))), "{metrics}");
        let log = worker.log();
        let line = log.lines().rfind(|line| line.contains("the old one goes on")).expect("a line in the log");
        assert!(line.contains(said) && line.contains(&format!("\"result\":\"{result}\"")), "{line}");
    }
    // the same by signal
    std::fs::remove_file(&path).unwrap();
    worker.signal("-HUP");
    within(PATIENCE, "SIGHUP is answered", || {
        worker.log().contains("\"result\":\"unreadable\"").then_some(())
    });
    put(&path, &good);
    let (status, answer) = worker.ask("POST", "/-/reload");
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains(&sha256(&good)) && answer.contains("topic of 102 articles"), "{answer}");
    assert_eq!(worker.ask("POST", "/-/reload").0, 200, "once more is no harm");
    let reloads_until = now();
    std::thread::sleep(Duration::from_millis(500));
    stop.store(true, Ordering::Relaxed);
    let sent = feeding.join().unwrap();
    within(PATIENCE, "all tagged", || (broker.count("articles.tagged") == sent).then_some(()));
    let metrics = worker.get("/metrics").1;
    for line in [
        "rasid_model_reloads_total{result=\"corrupt\"} 2",
        "rasid_model_reloads_total{result=\"normaliser\"} 1",
        "rasid_model_reloads_total{result=\"less_accurate\"} 1",
        "rasid_model_reloads_total{result=\"unreadable\"} 1",
        "rasid_model_reloads_total{result=\"loaded\"} 1",
        "rasid_model_reloads_total{result=\"unchanged\"} 1",
        "rasid_model_last_reload_successful 1",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
    let info: Vec<&str> = metrics.lines().filter(|line| line.starts_with("rasid_model_info{")).collect();
    assert!(info.len() == 1 && info[0].contains(&sha256(&good)) && info[0].contains("next"), "{info:?}");
    worker.stop();

    let (mut calm, mut reloading) = (Vec::new(), Vec::new());
    let mut shas: Vec<String> = Vec::new();
    for message in broker.read("articles.tagged") {
        let record = json(&message);
        let Timestamp::LogAppendTime(arrived) = message.timestamp() else { panic!("the broker's clock") };
        let sent = record["article"]["sent"].as_i64().unwrap();
        match sent {
            sent if (calm_from..reloads_from).contains(&sent) => calm.push(arrived - sent),
            sent if (reloads_from..reloads_until).contains(&sent) => reloading.push(arrived - sent),
            _ => {}
        }
        let sha = record["model"]["sha256"].as_str().unwrap().to_owned();
        if shas.last() != Some(&sha) {
            shas.push(sha);
        }
    }
    assert_eq!(shas, [sha256(&bundled()), sha256(&good)], "one swap, between two records");
    calm.sort_unstable();
    reloading.sort_unstable();
    let (worst, median) = (*reloading.last().unwrap(), reloading[reloading.len() / 2]);
    eprintln!(
        "delay from sending to the broker's clock: {} records while nothing is reloaded, median {} ms, worst {} ms; \
         {} during six reloads, median {median} ms, worst {worst} ms",
        calm.len(),
        calm[calm.len() / 2],
        calm.last().unwrap(),
        reloading.len(),
    );
    assert!(worst < calm.last().unwrap() + DELAY, "a record waited for a reload");
}

#[test]
fn reloading_over_http_is_off_by_default_and_needs_a_file() {
    let broker = Broker::start();
    broker.topics(1);
    let worker = broker.worker(&[]);
    let (status, answer) = worker.ask("POST", "/-/reload");
    assert!(status == 403 && answer.contains("--http-reload"), "{status} {answer}");
    worker.signal("-HUP");
    within(PATIENCE, "SIGHUP is answered", || worker.log().contains("`model` is not set").then_some(()));
    worker.stop();
    let worker = broker.worker(&["--http-reload"]);
    assert_eq!(worker.get("/-/reload").0, 405);
    let (status, answer) = worker.ask("POST", "/-/reload");
    assert!(status == 500 && answer.contains("`model` is not set"), "{status} {answer}");
    assert!(worker.get("/metrics").1.contains("rasid_model_reloads_total{result=\"no_file\"} 1"));
    worker.stop();
}
