//! A worker on a real broker gets a new model: a bad one changes nothing, a good one takes over, and
//! no record waits for either.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Broker, WorkerProcess, json, root, within};
use rasid::model::{Model, sha256};
use rdkafka::message::{Message, Timestamp};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PATIENCE: Duration = Duration::from_secs(60);
/// How long a reload may hold a record up, in milliseconds.
const DELAY: i64 = 100;
/// Times that it is measured. What else runs on a busy machine holds records up as well, with and without a reload:
/// the reloads of one round at least must show none of that.
const ROUNDS: usize = 4;

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
    // each takes over from the other
    let good = [changed(|model| model.info.version = "next".into()), bundled()];
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
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let calm_from = now();
        std::thread::sleep(Duration::from_secs(2));
        let from = now();
        for bad in &bad {
            refused(&worker, &path, bad, if round % 2 == 0 { &good[1] } else { &good[0] });
        }
        // the same by signal
        std::fs::remove_file(&path).unwrap();
        worker.signal("-HUP");
        within(PATIENCE, "SIGHUP is answered", || {
            // not by the log, where one place says no more than ten lines in ten seconds
            let counted = format!("rasid_model_reloads_total{{result=\"unreadable\"}} {}", round + 1);
            worker.get("/metrics").1.contains(&counted).then_some(())
        });
        let good = &good[round % 2];
        put(&path, good);
        let (status, answer) = worker.ask("POST", "/-/reload");
        assert_eq!(status, 200, "{answer}");
        assert!(answer.contains(&sha256(good)) && answer.contains("topic of 102 articles"), "{answer}");
        assert_eq!(worker.ask("POST", "/-/reload").0, 200, "once more is no harm");
        rounds.push((calm_from..from, from..now()));
    }
    std::thread::sleep(Duration::from_millis(500));
    stop.store(true, Ordering::Relaxed);
    let sent = feeding.join().unwrap();
    within(PATIENCE, "all tagged", || (broker.count("articles.tagged") == sent).then_some(()));
    let metrics = worker.get("/metrics").1;
    for (result, count) in [
        ("corrupt", 2),
        ("normaliser", 1),
        ("less_accurate", 1),
        ("unreadable", 1),
        ("loaded", 1),
        ("unchanged", 1),
    ] {
        let line = format!("rasid_model_reloads_total{{result=\"{result}\"}} {}", count * ROUNDS);
        assert!(metrics.contains(&line), "{line} in\n{metrics}");
    }
    assert!(metrics.contains("rasid_model_last_reload_successful 1"), "{metrics}");
    let info: Vec<&str> = metrics.lines().filter(|line| line.starts_with("rasid_model_info{")).collect();
    assert!(info.len() == 1 && info[0].contains(&sha256(&bundled())), "{info:?}");
    worker.stop();

    let mut delays: Vec<(i64, i64)> = Vec::new();
    let mut shas: Vec<String> = Vec::new();
    for message in broker.read("articles.tagged") {
        let record = json(&message);
        let Timestamp::LogAppendTime(arrived) = message.timestamp() else { panic!("the broker's clock") };
        let sent = record["article"]["sent"].as_i64().unwrap();
        delays.push((sent, arrived - sent));
        let sha = record["model"]["sha256"].as_str().unwrap().to_owned();
        if shas.last() != Some(&sha) {
            shas.push(sha);
        }
    }
    let swaps: Vec<String> = std::iter::once(bundled())
        .chain(good.into_iter().cycle().take(ROUNDS))
        .map(|model| sha256(&model))
        .collect();
    assert_eq!(shas, swaps, "one swap a round, between two records");
    let least = rounds.iter().map(|(calm, reloading)| {
        let [calm, reloading] = [calm, reloading].map(|window| sorted(&delays, window));
        let median = |delays: &[i64]| delays[delays.len() / 2];
        let (most, usual) = (*reloading.last().unwrap(), *calm.last().unwrap());
        eprintln!(
            "delay from sending to the broker's clock: {} records while nothing is reloaded, median {} ms, worst {usual} ms; \
             {} during seven reloads, median {} ms, worst {most} ms",
            calm.len(),
            median(&calm),
            reloading.len(),
            median(&reloading),
        );
        most - usual
    });
    let least = least.min().unwrap();
    assert!(least < DELAY, "in each round a record waited {least} ms longer, or more, than without a reload");
}

/// A reload of that model fails, for this reason, and `running` goes on.
fn refused(worker: &WorkerProcess, path: &Path, bad: &(&str, Vec<u8>, &str), running: &[u8]) {
    let (result, bytes, said) = bad;
    put(path, bytes);
    let (status, answer) = worker.ask("POST", "/-/reload");
    assert_eq!(status, 500, "{answer}");
    assert!(answer.contains(said), "{answer}");
    let metrics = worker.get("/metrics").1;
    assert!(metrics.contains(&format!("rasid_model_reloads_total{{result=\"{result}\"}}")), "{metrics}");
    assert!(metrics.contains("rasid_model_last_reload_successful 0"), "{metrics}");
    assert!(metrics.contains(&format!("sha256=\"{}\"", sha256(running))), "{metrics}");
    // the log comes through a pipe, and a little later than the answer
    let result = format!("\"result\":\"{result}\"");
    let is_told =
        |line: &str| line.contains("the old one goes on") && line.contains(said) && line.contains(&result);
    within(PATIENCE, "a line in the log", || worker.log().lines().any(is_told).then_some(()));
}

/// Delays of the records that were sent within `window`.
fn sorted(delays: &[(i64, i64)], window: &Range<i64>) -> Vec<i64> {
    let within = delays.iter().filter(|(sent, _)| window.contains(sent));
    let mut delays: Vec<i64> = within.map(|(_, delay)| *delay).collect();
    delays.sort_unstable();
    delays
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
