//! `rasid run --from … --until …` on a real broker: a bounded stretch is tagged once and then the run
//! ends, whatever stands in the way, and the live group does not notice.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Broker, Feeder, SLOW, WorkerProcess, article, kafka_tool, within};
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use std::collections::BTreeSet;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn feed(feeder: &Feeder, numbers: std::ops::Range<usize>, timestamp: Option<i64>) {
    for number in numbers {
        feeder.send_with(&number.to_string(), Some(article(number).as_bytes()), &[], timestamp);
    }
    feeder.flush();
}

/// The worker's topics, for records with old timestamps.
fn dated_topics(broker: &Broker, partitions: i32) {
    for topic in ["articles", "articles.tagged", "articles.dlq"] {
        broker.create_topic(topic, partitions, &[("retention.ms", "-1")]);
    }
}

/// A bounded run into a topic of its own.
fn bounded(broker: &Broker, to: &str, more: &[&str]) -> WorkerProcess {
    let address = broker.address();
    let mut arguments = vec!["run", "--brokers", &address, "--input", "articles", "--output", to];
    arguments.extend(["--dead-letters", "articles.dlq", "--group", "rasid", "--http", "127.0.0.1:0"]);
    arguments.extend(more);
    WorkerProcess::start(&arguments)
}

fn done(mut run: WorkerProcess) -> String {
    let status = run.wait(PATIENCE);
    assert_eq!(status.code(), Some(0), "{}", run.log());
    run.log()
}

fn keys(broker: &Broker, topic: &str) -> Vec<usize> {
    let mut keys: Vec<usize> = broker.committed_keys(topic).iter().map(|key| key.parse().unwrap()).collect();
    keys.sort_unstable();
    keys
}

/// Groups of Rasid's that the broker knows.
fn groups(broker: &Broker) -> String {
    let tool = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
    let list = kafka_tool(&[tool, "--bootstrap-server", &broker.address(), "--list"]);
    let mut groups: Vec<&str> = list.lines().filter(|group| group.starts_with("rasid")).collect();
    groups.sort_unstable();
    groups.join("\n")
}

fn metric(worker: &WorkerProcess, name: &str) -> String {
    let metrics = worker.get("/metrics").1;
    let line =
        metrics.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}\n{metrics}"));
    line.rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn history_is_tagged_once_beside_a_live_worker_that_does_not_notice() {
    const OLD: usize = 3_000;
    let broker = Broker::start();
    dated_topics(&broker, 3);
    for topic in ["retagged", "middle", "nothing"] {
        broker.create_topic(topic, 3, &[("retention.ms", "-1")]);
    }
    let feeder = broker.producer();
    // the hours of an invented morning
    feed(&feeder, 0..1_000, Some(1_700_000_000_000));
    feed(&feeder, 1_000..2_000, Some(1_700_003_600_000));
    feed(&feeder, 2_000..OLD, Some(1_700_007_200_000));
    let live = broker.worker(&[]);
    let all = |records: usize| {
        within(PATIENCE, "all committed", || {
            (broker.committed("rasid", 3).iter().sum::<i64>() == records as i64).then_some(())
        });
    };
    all(OLD);
    let committed = broker.committed("rasid", 3);
    let rebalances = ["assign", "revoke"].map(|kind| format!("rasid_rebalances_total{{kind=\"{kind}\"}}"));
    let before = rebalances.each_ref().map(|name| metric(&live, name));

    let log = done(bounded(&broker, "retagged", &["--from", "earliest", "--until", "now"]));
    assert!(log.contains("everything between --from and --until is tagged"), "{log}");
    assert_eq!(keys(&broker, "retagged"), (0..OLD).collect::<Vec<_>>());
    // to the first record at or after a time
    let hour = ["--from", "2023-11-14T23:13:20Z", "--until", "2023-11-15T00:13:20Z"];
    done(bounded(&broker, "middle", &hour));
    assert_eq!(keys(&broker, "middle"), (1_000..2_000).collect::<Vec<_>>());
    // nothing in it
    let log = done(bounded(&broker, "nothing", &["--from", "2001-01-01", "--until", "2002-01-01"]));
    assert!(log.contains("bounded run"), "{log}");
    assert_eq!(broker.count("nothing"), 0);

    assert_eq!(broker.committed("rasid", 3), committed);
    assert_eq!(rebalances.each_ref().map(|name| metric(&live, name)), before);
    assert_eq!(groups(&broker), "rasid", "no other group is left behind");
    // the live worker goes on
    feed(&feeder, OLD..OLD + 10, None);
    all(OLD + 10);
    assert_eq!(broker.count("articles.tagged"), (OLD + 10) as i64);
    live.stop();
    // and what was done is no obstacle to doing it again, with other offsets
    done(bounded(&broker, "nothing", &["--from", "offset:2", "--until", "offset:5"]));
    assert_eq!(broker.count("nothing"), 9);
}

#[test]
fn it_ends_at_markers_gaps_and_aborted_transactions() {
    let broker = Broker::start();
    // three partitions, the last one without records
    broker.create_topic("articles", 3, &[]);
    broker.create_topic("articles.dlq", 1, &[]);
    for topic in ["once", "twice"] {
        broker.create_topic(topic, 1, &[]);
    }
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", broker.address())
        .set("transactional.id", "feed")
        .create()
        .unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    let send = |partition: i32, number: usize| {
        let (key, value) = (number.to_string(), article(number));
        producer.send(BaseRecord::to("articles").partition(partition).key(&key).payload(&value)).unwrap();
    };
    // partition 0 ends with the marker of a commit, partition 1 with aborted records and their marker
    let mut right = Vec::new();
    for round in 0..20 {
        producer.begin_transaction().unwrap();
        for number in round * 10..round * 10 + 10 {
            send((number % 2) as i32, number);
        }
        if round % 3 == 1 {
            producer.flush(PATIENCE).unwrap();
            producer.abort_transaction(PATIENCE).unwrap();
        } else {
            producer.commit_transaction(PATIENCE).unwrap();
            right.extend(round * 10..round * 10 + 10);
        }
    }
    producer.begin_transaction().unwrap();
    send(1, 900);
    producer.flush(PATIENCE).unwrap();
    producer.abort_transaction(PATIENCE).unwrap();
    // what is open when the run starts is not there yet
    producer.begin_transaction().unwrap();
    send(0, 901);
    producer.flush(PATIENCE).unwrap();
    done(bounded(&broker, "once", &["--until", "now"]));
    assert_eq!(keys(&broker, "once"), right);
    done(bounded(&broker, "twice", &["--until", "now", "--guarantee", "exactly-once"]));
    assert_eq!(keys(&broker, "twice"), right);
    assert_eq!(groups(&broker), "");
    producer.commit_transaction(PATIENCE).unwrap();
    // the record before the edge is a marker: the next one says that it is over
    done(bounded(&broker, "once", &["--from", "offset:5", "--until", "offset:6"]));
    assert_eq!(keys(&broker, "once"), right);
}

#[test]
fn a_run_that_is_stopped_says_so_and_goes_on_where_it_was() {
    const RECORDS: usize = 12_000;
    let broker = Broker::start();
    broker.topics(3);
    broker.create_topic("retagged", 3, &[]);
    feed(&broker.producer(), 0..RECORDS, None);
    let arguments = {
        let mut arguments = SLOW.to_vec();
        arguments.extend(["--guarantee", "exactly-once", "--transaction-age", "0.2"]);
        arguments.extend(["--from", "earliest", "--until", "now"]);
        arguments
    };
    let mut run = bounded(&broker, "retagged", &arguments);
    within(PATIENCE, "it is at work", || (broker.count("retagged") > 1_000).then_some(()));
    run.signal("-TERM");
    let status = run.wait(PATIENCE);
    assert_eq!(status.code(), Some(75), "{}", run.log());
    let log = run.log();
    assert!(log.contains("stopped before the end: ") && log.contains(" of 12000 offsets"), "{log}");
    let first = keys(&broker, "retagged").len();
    assert!((1_000..RECORDS).contains(&first), "{first}");
    assert!(log.contains(&format!("{first} of 12000")), "{first}\n{log}");
    assert!(groups(&broker).contains("rasid.until.retagged.earliest.now."), "its progress is kept");
    // killed at once, without a word
    let run = bounded(&broker, "retagged", &arguments);
    within(PATIENCE, "it is at work", || (broker.count("retagged") > first as i64 + 2_000).then_some(()));
    run.kill();
    let log = done(bounded(&broker, "retagged", &arguments));
    assert!(!log.contains("\"done_before\":0,"), "{log}");
    assert_eq!(keys(&broker, "retagged"), (0..RECORDS).collect::<Vec<_>>());
    assert_eq!(groups(&broker), "");
}

#[test]
fn a_broker_that_restarts_only_delays_it() {
    const RECORDS: usize = 12_000;
    let broker = Broker::start();
    broker.topics(2);
    broker.create_topic("retagged", 2, &[]);
    feed(&broker.producer(), 0..RECORDS, None);
    let mut arguments = SLOW.to_vec();
    arguments.extend(["--until", "now"]);
    let run = bounded(&broker, "retagged", &arguments);
    within(PATIENCE, "it is at work", || (broker.count("retagged") > 1_000).then_some(()));
    broker.kill();
    broker.restart();
    assert!(broker.count("retagged") < RECORDS as i64);
    done(run);
    let keys = keys(&broker, "retagged");
    eprintln!("{} outputs of {RECORDS} records", keys.len());
    assert_eq!(keys.into_iter().collect::<BTreeSet<_>>(), (0..RECORDS).collect());
}

#[test]
fn a_live_run_begins_where_it_is_told_and_only_once() {
    let broker = Broker::start();
    dated_topics(&broker, 2);
    let feeder = broker.producer();
    feed(&feeder, 0..100, Some(1_700_000_000_000));
    feed(&feeder, 100..200, Some(1_700_003_600_000));
    let later = ["--from", "2023-11-14T23:13:20Z"];
    let tagged = |records: i64| {
        within(PATIENCE, "tagged", || (broker.count("articles.tagged") == records).then_some(()));
    };
    let worker = broker.worker(&later);
    tagged(100);
    worker.stop();
    assert_eq!(keys(&broker, "articles.tagged"), (100..200).collect::<Vec<_>>());
    feed(&feeder, 200..300, None);
    // the group has offsets now: it goes on from them
    let worker = broker.worker(&later);
    tagged(200);
    worker.stop();
    assert_eq!(keys(&broker, "articles.tagged"), (100..300).collect::<Vec<_>>());
}

#[test]
fn wrong_edges_and_missing_topics_are_named() {
    let broker = Broker::start();
    broker.create_topic("articles", 1, &[]);
    for (more, code, words) in [
        (vec!["--until", "soon"], 64, "offset:1200"),
        (vec!["--from", "latest", "--until", "now"], 64, "nothing is between them"),
        (vec!["--until", "now"], 1, "topic `retagged`: there is no such topic"),
    ] {
        let mut run = bounded(&broker, "retagged", &more);
        assert_eq!(run.wait(PATIENCE).code(), Some(code), "{}", run.log());
        assert!(run.log().contains(words), "{}", run.log());
    }
}
