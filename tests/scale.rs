//! Scaling out on a real broker: workers join under load and leave again, nothing is lost, and the metrics show
//! who has what.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Broker, Feeding, WorkerProcess, article, key, within};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);
const PARTITIONS: i32 = 6;

/// The sum of a metric over its series.
fn sum(metrics: &str, name: &str) -> f64 {
    let series = metrics
        .lines()
        .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
    series.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

/// The partitions that a worker reports on.
fn partitions(metrics: &str) -> BTreeSet<String> {
    let lines = metrics.lines().filter(|line| line.starts_with("rasid_consumer_lag_records{"));
    lines
        .map(|line| line.split("partition=\"").nth(1).unwrap().split('"').next().unwrap().to_owned())
        .collect()
}

/// Waits until these workers share the partitions like this, each reports on its own alone, and each has tagged
/// something since.
fn shared(workers: &[&WorkerProcess], shares: &[f64]) {
    let start = Instant::now();
    let scrape = || workers.iter().map(|worker| worker.get("/metrics").1).collect::<Vec<_>>();
    let settled = within(PATIENCE, &format!("shares {shares:?}"), || {
        let metrics = scrape();
        let assigned: Vec<f64> = metrics.iter().map(|text| sum(text, "rasid_assigned_partitions")).collect();
        let reported: Vec<BTreeSet<String>> = metrics.iter().map(|text| partitions(text)).collect();
        let all: BTreeSet<&String> = reported.iter().flatten().collect();
        let once = reported.iter().map(BTreeSet::len).sum::<usize>() == PARTITIONS as usize;
        (assigned == shares && once && all.len() == PARTITIONS as usize).then_some(metrics)
    });
    let before: Vec<f64> = settled.iter().map(|text| sum(text, "rasid_articles_tagged_total")).collect();
    within(PATIENCE, "every worker tags", || {
        let now = scrape();
        now.iter()
            .zip(&before)
            .all(|(text, before)| sum(text, "rasid_articles_tagged_total") > *before)
            .then_some(())
    });
    eprintln!("shares {shares:?} after {:?}", start.elapsed());
}

#[test]
fn workers_join_and_leave_under_load_and_the_metrics_show_the_move() {
    let broker = Broker::start();
    broker.topics(PARTITIONS);
    let feeding = Feeding::start(broker.producer(), 20, Duration::from_millis(20));
    let first = broker.worker(&[]);
    shared(&[&first], &[6.0]);
    let second = broker.worker(&[]);
    shared(&[&first, &second], &[3.0, 3.0]);
    let third = broker.worker(&[]);
    shared(&[&first, &second, &third], &[2.0, 2.0, 2.0]);
    third.stop();
    shared(&[&first, &second], &[3.0, 3.0]);
    second.stop();
    shared(&[&first], &[6.0]);
    let sent = feeding.stop();
    let metrics = first.get("/metrics").1;
    assert!(metrics.contains("rasid_rebalances_total{kind=\"revoke\"}"), "{metrics}");
    within(PATIENCE, "everything committed", || {
        let done: i64 = broker.committed("rasid", PARTITIONS).iter().sum();
        (done == sent as i64).then_some(())
    });
    // the statistics are a second old at most
    within(Duration::from_secs(5), "no lag, no age", || {
        let metrics = first.get("/metrics").1;
        let behind =
            sum(&metrics, "rasid_consumer_lag_records") + sum(&metrics, "rasid_consumer_lag_seconds");
        (behind == 0.0 && sum(&metrics, "rasid_consumer_offset") == sent as f64).then_some(())
    });
    first.stop();
    let outputs: Vec<String> = broker.read("articles.tagged").iter().map(key).collect();
    let distinct: BTreeSet<&String> = outputs.iter().collect();
    eprintln!("{sent} records, {} outputs, {} twice", outputs.len(), outputs.len() - distinct.len());
    assert_eq!(distinct.len(), sent, "missing");
}

#[test]
fn lag_is_told_in_records_and_in_seconds() {
    const RECORDS: usize = 30_000;
    let broker = Broker::start();
    broker.topics(2);
    let feeder = broker.producer();
    let hour_ago = (std::time::SystemTime::now() - Duration::from_secs(3600))
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis() as i64;
    for number in 0..RECORDS {
        feeder.send_with(&number.to_string(), Some(article(number).as_bytes()), &[], Some(hour_ago));
    }
    feeder.flush();
    // a small queue and a slow answer keep it at work for some seconds
    let worker = broker.worker(&["-X", "queue.buffering.max.messages=20", "-X", "linger.ms=20"]);
    let (records, seconds) = within(PATIENCE, "a lag of an hour", || {
        let metrics = worker.get("/metrics").1;
        let line = metrics.lines().find(|line| line.starts_with("rasid_consumer_lag_seconds{"))?;
        let seconds: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        (seconds > 3500.0).then(|| (sum(&metrics, "rasid_consumer_lag_records"), seconds))
    });
    assert!(seconds < 3800.0, "{seconds}");
    assert!(records > 0.0 && records <= RECORDS as f64, "{records}");
    eprintln!("{records} records behind, the oldest {seconds} s old");
    worker.kill();
}
