//! The worker as a process on a real Kafka broker: every record is found exactly where it belongs.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Broker, Feeding, SLOW, article, header, json, key, root, seed_article, within};
use rdkafka::message::{Message, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn the_seed_article_comes_out_tagged_in_every_shape() {
    let broker = Broker::start();
    broker.topics(1);
    let worker = broker.worker(&[]);
    // raw text, as kcat sends it: one record, no key
    let mut kcat = Command::new("kcat")
        .args(["-P", "-b", &broker.address(), "-t", "articles", "-D", "\u{1}"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("kcat is missing: apt-get install kcat");
    let seed = seed_article();
    kcat.stdin.take().unwrap().write_all(&seed).unwrap();
    assert!(kcat.wait().unwrap().success());
    let text = String::from_utf8(seed).unwrap();
    let feeder = broker.producer();
    let shapes = [
        serde_json::json!({"id": "plain", "text": text, "mine": {"kept": [1, 2.50]}}),
        serde_json::json!({"uri": "ninjs", "bodies": [{"role": "main", "contenttype": "text/plain", "value": text}], "headlines": [{"value": "قمة"}]}),
        serde_json::json!({"@context": "https://schema.org", "@type": "NewsArticle", "@id": "schema", "articleBody": text}),
    ];
    for shape in &shapes {
        let headers = [("traceparent", "00-1-2-01"), ("content-type", "application/json; charset=utf-8")];
        feeder.send_with("k", Some(shape.to_string().as_bytes()), &headers, Some(1_700_000_000_000));
        feeder.flush();
    }
    within(PATIENCE, "four tagged records", || (broker.count("articles.tagged") == 4).then_some(()));
    worker.stop();
    let digest = rasid::model::sha256(&std::fs::read(root().join("models/rasid-news.safetensors")).unwrap());
    let tagged = broker.read("articles.tagged");
    for (offset, message) in tagged.iter().enumerate() {
        let record = json(message);
        assert_eq!(record["language"], "ar", "{record}");
        assert_eq!(record["topics"][0]["code"], "medtop:11000000", "{record}");
        assert_eq!(record["stance"]["label"], "neutral", "{record}");
        assert_eq!(record["model"]["sha256"], digest);
        assert_eq!(
            record["source"],
            serde_json::json!({"topic": "articles", "partition": 0, "offset": offset})
        );
        assert!(record["topics"][0]["confidence"].as_f64().unwrap() <= 1.0);
    }
    assert_eq!(json(&tagged[0])["id"], "articles-0-0");
    assert_eq!(json(&tagged[0])["article"]["text"], text);
    for (message, (shape, id)) in tagged[1..].iter().zip(shapes.iter().zip(["plain", "ninjs", "schema"])) {
        assert_eq!(json(message)["id"], id);
        assert_eq!(&json(message)["article"], shape, "unknown fields are kept");
        assert_eq!(key(message), "k");
        assert_eq!(header(message, "traceparent").as_deref(), Some("00-1-2-01"));
        assert_eq!(message.timestamp(), Timestamp::CreateTime(1_700_000_000_000));
    }
}

/// What a test record is, and so where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Good,
    BadJson,
    NoText,
    BadUtf8,
    Tombstone,
    TooLarge,
}

/// Of twenty records one is broken; the five ways take turns.
fn kind(number: usize) -> Kind {
    use Kind::{BadJson, BadUtf8, Good, NoText, Tombstone, TooLarge};
    match number % 20 {
        0 => [BadJson, NoText, BadUtf8, Tombstone, TooLarge][number / 20 % 5],
        _ => Good,
    }
}

fn value(number: usize, large: &str) -> Option<Vec<u8>> {
    match kind(number) {
        Kind::Good => Some(article(number).into_bytes()),
        Kind::BadJson => Some(b"{\"text\": \"cut".to_vec()),
        Kind::NoText => Some(br#"{"id": "x", "title": "  "}"#.to_vec()),
        Kind::BadUtf8 => Some(b"caf\xe9".to_vec()),
        Kind::Tombstone => None,
        Kind::TooLarge => Some(large.as_bytes().to_vec()),
    }
}

#[test]
fn ten_thousand_mixed_records_are_found_exactly_where_they_belong() {
    const RECORDS: usize = 10_000;
    let broker = Broker::start();
    broker.topics(4);
    let large = "كلمة ".repeat(230_000);
    assert!(large.len() > 2_000_000);
    let feeder = broker.producer();
    for number in 0..RECORDS {
        feeder.send(&number.to_string(), value(number, &large).as_deref());
    }
    feeder.flush();
    let worker = broker.worker(&[]);
    within(PATIENCE, "all records", || {
        let done = broker.count("articles.tagged") + broker.count("articles.dlq");
        (done >= RECORDS as i64).then_some(())
    });
    let (_, metrics) = worker.get("/metrics");
    worker.stop();
    let mut found: BTreeMap<usize, Vec<Kind>> = BTreeMap::new();
    let mut last = BTreeMap::new();
    for message in broker.read("articles.tagged") {
        let number: usize = key(&message).parse().unwrap();
        let is = if message.payload().is_none() { Kind::Tombstone } else { Kind::Good };
        if is == Kind::Good {
            let record = json(&message);
            assert_eq!(record["id"], format!("a-{number}"));
            let [partition, offset] =
                ["partition", "offset"].map(|name| record["source"][name].as_u64().unwrap());
            let before = last.insert((message.partition(), partition), offset);
            assert!(before.is_none_or(|before| before < offset), "the order of the input is kept");
        }
        found.entry(number).or_default().push(is);
    }
    for message in broker.read("articles.dlq") {
        let number: usize = key(&message).parse().unwrap();
        let name = |name: &str| header(&message, &format!("__connect.errors.{name}")).unwrap();
        let is = match name("exception.class.name").as_str() {
            "rasid.JsonRejection" => Kind::BadJson,
            "rasid.NoTextRejection" => Kind::NoText,
            "rasid.EncodingRejection" => Kind::BadUtf8,
            "rasid.TooLargeRejection" => Kind::TooLarge,
            other => panic!("{other}"),
        };
        assert_eq!(message.payload(), value(number, &large).as_deref(), "the value is untouched");
        assert_eq!((name("topic"), name("stage")), ("articles".into(), "TASK".into()));
        assert!(name("offset").parse::<i64>().is_ok() && name("partition").parse::<i32>().is_ok());
        if is == Kind::BadUtf8 {
            assert_eq!(name("exception.message"), "not valid UTF-8: byte offset 3");
        }
        found.entry(number).or_default().push(is);
    }
    let expected: BTreeMap<usize, Vec<Kind>> = (0..RECORDS).map(|n| (n, vec![kind(n)])).collect();
    assert!(found == expected, "records missing, doubled or misplaced");
    assert!(metrics.contains("rasid_records_consumed_total 10000"), "{metrics}");
    assert!(metrics.contains("rasid_records_rejected_total{reason=\"json\"} 100"), "{metrics}");
    assert!(metrics.contains("rasid_tombstones_total 100"), "{metrics}");
}

#[test]
fn three_kills_lose_nothing() {
    const RECORDS: usize = 30_000;
    let broker = Broker::start();
    broker.topics(4);
    let feeder = broker.producer();
    for number in 0..RECORDS {
        feeder.send(&number.to_string(), value(number, "x").as_deref());
    }
    feeder.flush();
    // a short session, so that a killed worker is missed soon
    let short = [&SLOW[..], &["-X", "session.timeout.ms=6000"]].concat();
    for kill in 1..=3 {
        let before = broker.count("articles.tagged");
        let worker = broker.worker(&short);
        within(PATIENCE, "the worker is at work", || {
            (broker.count("articles.tagged") > before).then_some(())
        });
        worker.kill();
        eprintln!("kill {kill} after {} outputs", broker.count("articles.tagged"));
    }
    let worker = broker.worker(&short);
    within(PATIENCE, "everything committed", || {
        let done: i64 = broker.committed("rasid", 4).iter().sum();
        (done == RECORDS as i64).then_some(())
    });
    worker.stop();
    let outputs: Vec<String> = ["articles.tagged", "articles.dlq"]
        .iter()
        .flat_map(|topic| broker.read(topic))
        .map(|m| key(&m))
        .collect();
    let distinct: BTreeSet<&String> = outputs.iter().collect();
    eprintln!("{RECORDS} records, {} outputs, {} twice", outputs.len(), outputs.len() - distinct.len());
    assert_eq!(distinct.len(), RECORDS, "missing");
}

#[test]
fn sigterm_under_load_commits_what_was_acknowledged() {
    const PARTITIONS: i32 = 4;
    let broker = Broker::start();
    broker.topics(PARTITIONS);
    let feeding = Feeding::start(broker.producer(), 1_000, Duration::ZERO);
    let mut worker = broker.worker(&[]);
    within(PATIENCE, "it is at work", || (broker.count("articles.tagged") > 1000).then_some(()));
    let start = Instant::now();
    worker.signal("-TERM");
    let status = worker.wait(Duration::from_secs(20));
    assert_eq!(status.code(), Some(0), "{}", worker.log());
    let (took, sent) = (start.elapsed(), feeding.stop());
    let mut acknowledged = vec![0; PARTITIONS as usize];
    let outputs = broker.read("articles.tagged");
    eprintln!("stopped in {took:?} after {} of {sent}", outputs.len());
    assert!(outputs.len() < sent, "it was under load");
    for message in &outputs {
        let source = &json(message)["source"];
        let next = source["offset"].as_i64().unwrap() + 1;
        let partition = source["partition"].as_i64().unwrap() as usize;
        acknowledged[partition] = next.max(acknowledged[partition]);
    }
    let committed: Vec<i64> = broker.committed("rasid", PARTITIONS).iter().map(|o| (*o).max(0)).collect();
    assert_eq!(committed, acknowledged);
    assert_eq!(outputs.len() as i64, acknowledged.iter().sum::<i64>(), "no gaps, none twice");
}

#[test]
fn missing_topics_are_named_and_waited_for() {
    let broker = Broker::start();
    let check = || {
        Command::new(env!("CARGO_BIN_EXE_rasid"))
            .args(["run", "--check", "--brokers", &broker.address(), "--input", "articles", "--output"])
            .args(["articles.tagged", "--dead-letters", "articles.dlq", "--group", "g"])
            .args(["-X", "sasl.password=hush"])
            .output()
            .unwrap()
    };
    let missing = check();
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert_eq!(missing.status.code(), Some(1));
    assert!(said.contains("topic `articles`") && said.contains("topic `articles.dlq`"), "{said}");
    assert!(!String::from_utf8_lossy(&missing.stdout).contains("hush"));
    let worker = broker.worker(&[]);
    let (status, reason) = within(PATIENCE, "a reason", || {
        let answer = worker.get("/readyz");
        answer.1.contains("topic `articles`").then_some(answer)
    });
    assert_eq!(status, 503, "{reason}");
    assert_eq!(worker.get("/livez").0, 200, "waiting is no reason to be restarted");
    broker.topics(2);
    within(PATIENCE, "ready", || (worker.get("/readyz").0 == 200).then_some(()));
    assert_eq!(check().status.code(), Some(0), "with the topics there, --check is content");
    let feeder = broker.producer();
    feeder.send("1", Some("النص وصل إلى العاصمة في الموعد".as_bytes()));
    feeder.flush();
    within(PATIENCE, "tagged", || (broker.count("articles.tagged") == 1).then_some(()));
    let metrics = worker.get("/metrics").1;
    for name in
        ["rasid_model_info{", "rasid_build_info{", "rasid_assigned_partitions 2", "process_cpu_seconds_total"]
    {
        assert!(metrics.contains(name), "{name} in\n{metrics}");
    }
    promtool(&metrics);
    let log = worker.stop();
    assert!(!log.contains("النص وصل"), "article text stays out of the log");
}

fn promtool(metrics: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is missing: apt-get install prometheus");
    promtool.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&said.stderr).into_owned() + &String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success() && text.trim().is_empty(), "{text}");
}

#[test]
fn a_dead_letter_that_is_too_large_itself_goes_without_its_value() {
    let broker = Broker::start();
    broker.create_topic("articles", 1, &[("max.message.bytes", "8000000")]);
    broker.create_topic("articles.tagged", 1, &[]);
    broker.create_topic("articles.dlq", 1, &[("max.message.bytes", "20000")]);
    let worker = broker.worker(&[]);
    let feeder = broker.producer();
    let trace = [("traceparent", "00-1-2-01")];
    feeder.send_with("large", Some("word ".repeat(400_000).as_bytes()), &trace, None);
    feeder.send("small", Some(article(1).as_bytes()));
    feeder.flush();
    within(PATIENCE, "both", || {
        (broker.count("articles.tagged") + broker.count("articles.dlq") == 2).then_some(())
    });
    worker.stop();
    let letters = broker.read("articles.dlq");
    assert_eq!((key(&letters[0]).as_str(), letters[0].payload()), ("large", None));
    assert_eq!(header(&letters[0], "rasid.value.omitted").as_deref(), Some("true"));
    assert_eq!(header(&letters[0], "traceparent").as_deref(), Some("00-1-2-01"), "a trace goes on");
    assert_eq!(header(&letters[0], "__connect.errors.offset").as_deref(), Some("0"));
    assert_eq!(broker.committed("rasid", 1), [2]);
}

#[test]
fn a_second_worker_comes_and_goes_and_the_broker_restarts() {
    const RECORDS: usize = 20_000;
    let broker = Broker::start();
    broker.topics(6);
    let first = broker.worker(&[]);
    let feeder = broker.producer();
    let mut second = None;
    for number in 0..RECORDS {
        feeder.send(&number.to_string(), Some(article(number).as_bytes()));
        match number {
            5_000 => second = Some(broker.worker(&[])),
            7_500 => {
                let second: &common::WorkerProcess = second.as_ref().unwrap();
                within(PATIENCE, "a share of the partitions", || {
                    let metrics = second.get("/metrics").1;
                    metrics.contains("rasid_assigned_partitions 3").then_some(())
                });
            }
            10_000 => {
                second.take().unwrap().stop();
            }
            15_000 => {
                feeder.flush();
                broker.kill();
                broker.restart();
            }
            _ => {}
        }
    }
    feeder.flush();
    within(PATIENCE, "everything committed", || {
        (broker.committed("rasid", 6).iter().sum::<i64>() == RECORDS as i64).then_some(())
    });
    first.stop();
    let outputs: Vec<String> = broker.read("articles.tagged").iter().map(key).collect();
    let distinct: BTreeSet<&String> = outputs.iter().collect();
    eprintln!("{} outputs, {} twice", outputs.len(), outputs.len() - distinct.len());
    assert_eq!(distinct.len(), RECORDS, "missing");
}

#[test]
fn a_changed_format_pauses_reading_until_records_can_be_read_again() {
    let broker = Broker::start();
    broker.topics(1);
    let worker =
        broker.worker(&["--max-rejected-in-a-row", "20", "--rejected-wait", "1", "--stall-timeout", "2"]);
    let feeder = broker.producer();
    for number in 0..50 {
        feeder.send(&number.to_string(), Some(b"{\"text\": \"cut"));
    }
    feeder.flush();
    let reason = within(PATIENCE, "reading pauses", || {
        let (status, answer) = worker.get("/readyz");
        (status == 503 && answer.contains("reading pauses")).then_some(answer)
    });
    assert!(reason.contains("records in a row could not be read") && reason.contains("(json)"), "{reason}");
    // more of the same: tried, a batch at a time, and never called a stall
    for number in 50..60 {
        feeder.send(&number.to_string(), Some(b"{\"text\": \"cut"));
    }
    feeder.flush();
    within(PATIENCE, "tries", || (broker.count("articles.dlq") == 60).then_some(()));
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(worker.get("/livez").0, 200);
    let metrics = worker.get("/metrics").1;
    assert!(metrics.contains("rasid_ready 0"), "{metrics}");
    for number in 0..200 {
        feeder.send(&number.to_string(), Some(article(number).as_bytes()));
    }
    feeder.flush();
    within(PATIENCE, "reading goes on", || (broker.count("articles.tagged") == 200).then_some(()));
    within(PATIENCE, "ready", || (worker.get("/readyz").0 == 200).then_some(()));
    let metrics = worker.get("/metrics").1;
    assert!(
        metrics.contains("rasid_circuit_breaker_state 0") && metrics.contains("rasid_ready 1"),
        "{metrics}"
    );
    worker.stop();
    assert_eq!(broker.committed("rasid", 1), [260]);
}
