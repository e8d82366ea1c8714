//! `--guarantee exactly-once` on a real broker: what readers of committed records see.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Broker, Feeder, SLOW, WorkerProcess, article, within};
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{DefaultProducerContext, Producer, ThreadedProducer};
use std::collections::BTreeSet;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);
const EXACTLY_ONCE: [&str; 2] = ["--guarantee", "exactly-once"];

/// With a short session, so that a killed worker is missed soon, and short transactions for the same reason.
fn worker(broker: &Broker, more: &[&str]) -> WorkerProcess {
    let mut arguments = EXACTLY_ONCE.to_vec();
    arguments.extend(["-X", "session.timeout.ms=6000", "-X", "transaction.timeout.ms=10000"]);
    arguments.extend(more);
    broker.worker(&arguments)
}

fn feed(feeder: &Feeder, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let value =
            if number % 50 == 0 { b"{\"text\": \"cut".to_vec() } else { article(number).into_bytes() };
        feeder.send(&number.to_string(), Some(&value));
    }
    feeder.flush();
}

fn all_committed(broker: &Broker, partitions: i32, records: usize) {
    within(PATIENCE, "everything committed", || {
        let committed = broker.committed("rasid", partitions);
        (committed.iter().sum::<i64>() == records as i64).then_some(())
    });
}

/// Every record once, over both topics, and the broken ones among the dead letters.
fn assert_each_once(broker: &Broker, records: usize) {
    let tagged = broker.committed_keys("articles.tagged");
    let dead = broker.committed_keys("articles.dlq");
    let distinct: BTreeSet<&String> = tagged.iter().chain(&dead).collect();
    assert_eq!(distinct.len(), records, "missing");
    assert_eq!(tagged.len() + dead.len(), records, "twice");
    assert!(dead.iter().all(|key| key.parse::<usize>().unwrap().is_multiple_of(50)));
    assert_eq!(dead.len(), records.div_ceil(50));
}

fn metric(worker: &WorkerProcess, name: &str) -> u64 {
    let metrics = worker.get("/metrics").1;
    let line =
        metrics.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}\n{metrics}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn kills_leave_neither_gaps_nor_duplicates() {
    const RECORDS: usize = 30_000;
    let broker = Broker::start();
    broker.topics(4);
    feed(&broker.producer(), 0..RECORDS);
    let slow = [&SLOW[..], &["--transaction-age", "0.1"]].concat();
    for _ in 0..2 {
        let before = broker.count("articles.tagged");
        let killed = worker(&broker, &slow);
        within(PATIENCE, "it is at work", || (broker.count("articles.tagged") > before).then_some(()));
        killed.kill();
        eprintln!("killed after {} outputs", broker.count("articles.tagged"));
    }
    let last = worker(&broker, &slow);
    all_committed(&broker, 4, RECORDS);
    last.stop();
    assert_each_once(&broker, RECORDS);
}

#[test]
fn a_rebalance_commits_the_open_transaction_first() {
    const RECORDS: usize = 20_000;
    let broker = Broker::start();
    broker.topics(6);
    // far longer than a revocation waits: it ends early because a partition is about to go
    let long = ["--transaction-age", "8", "-X", "transaction.timeout.ms=60000"];
    let first = worker(&broker, &long);
    let feeder = broker.producer();
    feed(&feeder, 0..RECORDS / 2);
    within(PATIENCE, "a transaction is open", || (broker.count("articles.tagged") > 1000).then_some(()));
    let second = worker(&broker, &long);
    within(PATIENCE, "a share of the partitions", || {
        (metric(&second, "rasid_assigned_partitions") == 3).then_some(())
    });
    feed(&feeder, RECORDS / 2..RECORDS);
    second.stop();
    all_committed(&broker, 6, RECORDS);
    assert!(metric(&first, "rasid_transactions_total{result=\"commit\"}") > 0);
    assert_eq!(metric(&first, "rasid_transactions_total{result=\"abort\"}"), 0, "{}", first.log());
    let log = first.stop();
    assert!(!log.contains("with records in flight"), "{log}");
    assert_each_once(&broker, RECORDS);
}

#[test]
fn an_aborted_transaction_is_made_again_by_the_same_process() {
    const RECORDS: usize = 2_000;
    let broker = Broker::start();
    broker.topics(2);
    let worker = worker(&broker, &[]);
    let feeder = broker.producer();
    feed(&feeder, 0..RECORDS / 2);
    all_committed(&broker, 2, RECORDS / 2);
    // the worker knows the old limit: it is the broker that refuses the record, in a transaction
    let admin: AdminClient<DefaultClientContext> = broker.client().create().unwrap();
    let smaller =
        AlterConfig::new(ResourceSpecifier::Topic("articles.tagged")).set("max.message.bytes", "600000");
    let altered = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(admin.alter_configs([&smaller], &AdminOptions::new()));
    altered.unwrap().pop().unwrap().unwrap();
    let large = serde_json::json!({"id": "large", "text": "word ".repeat(140_000)}).to_string();
    feeder.send("50000", Some(large.as_bytes()));
    feeder.flush();
    all_committed(&broker, 2, RECORDS / 2 + 1);
    feed(&feeder, RECORDS / 2..RECORDS - 1);
    all_committed(&broker, 2, RECORDS);
    assert!(metric(&worker, "rasid_transactions_total{result=\"abort\"}") >= 1);
    assert_eq!(metric(&worker, "rasid_records_rejected_total{reason=\"too_large\"}"), 1);
    worker.stop();
    let tagged = broker.committed_keys("articles.tagged");
    let dead = broker.committed_keys("articles.dlq");
    assert!(dead.contains(&"50000".to_owned()) && !tagged.contains(&"50000".to_owned()));
    let distinct: BTreeSet<&String> = tagged.iter().chain(&dead).collect();
    assert_eq!((distinct.len(), tagged.len() + dead.len()), (RECORDS, RECORDS));
}

#[test]
fn a_fenced_worker_ends_with_its_own_exit_code() {
    let broker = Broker::start();
    broker.topics(1);
    let mut worker = worker(&broker, &["-X", "group.instance.id=one"]);
    let feeder = broker.producer();
    feed(&feeder, 0..100);
    all_committed(&broker, 1, 100);
    // somebody else takes the transactional id
    let other: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", broker.address())
        .set("transactional.id", "rasid-one")
        .create()
        .unwrap();
    other.init_transactions(Duration::from_secs(20)).unwrap();
    feed(&feeder, 100..200);
    let status = worker.wait(Duration::from_secs(30));
    assert_eq!(status.code(), Some(75), "{}", worker.log());
    assert_eq!(broker.committed("rasid", 1), [100]);
}

#[test]
fn a_static_member_that_restarts_in_time_moves_no_partition() {
    const RECORDS: usize = 4_000;
    let broker = Broker::start();
    broker.topics(4);
    let start = |name: &str| {
        let instance = format!("group.instance.id={name}");
        let long = ["-X", "session.timeout.ms=45000", "-X", "transaction.timeout.ms=60000", "-X", &instance];
        worker(&broker, &long)
    };
    let has = |worker: &WorkerProcess| {
        within(PATIENCE, "half of the partitions", || {
            (metric(worker, "rasid_assigned_partitions") == 2).then_some(())
        });
    };
    let (first, second) = (start("a"), start("b"));
    has(&first);
    has(&second);
    let feeder = broker.producer();
    feed(&feeder, 0..RECORDS / 2);
    let revoked = |worker: &WorkerProcess| metric(worker, "rasid_rebalances_total{kind=\"revoke\"}");
    let before = revoked(&second);
    first.stop();
    let first = start("a");
    has(&first);
    // and after a kill: the new run ends at once what the old one left open, and reads on
    feed(&feeder, RECORDS / 2..RECORDS);
    first.kill();
    let first = start("a");
    has(&first);
    within(Duration::from_secs(30), "everything committed", || {
        let committed = broker.committed("rasid", 4);
        (committed.iter().sum::<i64>() == RECORDS as i64).then_some(())
    });
    assert_eq!(revoked(&second), before, "the other kept its partitions");
    assert_eq!(metric(&second, "rasid_assigned_partitions"), 2);
    first.stop();
    second.stop();
    assert_each_once(&broker, RECORDS);
}
