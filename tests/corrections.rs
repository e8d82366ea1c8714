//! A Kafka topic as teacher, on a real broker: `train --from-kafka` learns from corrected output records
//! what it learns from the same examples in a file, and `adapt --from-kafka N` from the last articles.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::program::rasid;
use common::{Broker, json, key, within};
use rdkafka::message::OwnedMessage;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs it and gives the model that it wrote.
fn model(folder: &Path, arguments: &[&str]) -> (Vec<u8>, String) {
    let out = folder.join("out.safetensors");
    let out = out.to_str().unwrap();
    let mut all = arguments.to_vec();
    all.extend(["--out", out]);
    let output = rasid(&all);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    (std::fs::read(out).unwrap(), said(&output))
}

struct Topic {
    producer: BaseProducer,
    name: &'static str,
}

impl Topic {
    fn of(broker: &Broker, name: &'static str, partitions: i32) -> Self {
        // the timestamps are old
        broker.create_topic(name, partitions, &[("retention.ms", "-1")]);
        Self { producer: broker.client().create().unwrap(), name }
    }

    fn send(&self, key: &str, value: Option<&str>, timestamp: i64) {
        let mut record = BaseRecord::to(self.name).key(key).timestamp(timestamp);
        if let Some(value) = value {
            record = record.payload(value);
        }
        self.producer.send(record).unwrap();
        self.producer.flush(PATIENCE).unwrap();
    }
}

/// An article of some length on a topic that its words give away.
fn article(number: usize) -> (&'static str, String) {
    const KINDS: [(&str, &str); 3] = [
        ("medtop:15000000", "The striker scored twice as the home side won the cup final on penalties."),
        ("medtop:07000000", "Doctors at the hospital treated patients with the new vaccine against fever."),
        ("medtop:17000000", "Heavy rain and strong wind are forecast, with temperatures falling at night."),
    ];
    let (topic, sentence) = KINDS[number % 3];
    (topic, format!("{sentence} Item {number} says that {}", sentence.to_lowercase()))
}

#[test]
fn a_corrected_record_teaches_what_the_same_example_in_a_file_does() {
    let broker = Broker::start();
    broker.topics(2);
    let feeder = broker.producer();
    for number in 0..6 {
        let (_, text) = article(number);
        let value = json!({"id": format!("a-{number}"), "headline": format!("Item {number}"), "body": text});
        feeder.send(&number.to_string(), Some(value.to_string().as_bytes()));
    }
    feeder.flush();
    let worker = broker.worker(&[]);
    within(PATIENCE, "tagged", || (broker.count("articles.tagged") == 6).then_some(()));
    worker.stop();
    let tagged = broker.read("articles.tagged");
    let record = |number: usize| -> Value {
        json(tagged.iter().find(|record: &&OwnedMessage| key(record) == number.to_string()).unwrap())
    };
    let corrected = |number: usize, correct: Value| {
        let mut record = record(number);
        record["correct"] = correct;
        let schema: Value = serde_json::from_str(include_str!("../docs/tagged-article.schema.json")).unwrap();
        let schema = jsonschema::validator_for(&schema).unwrap();
        let faults: Vec<String> = schema.iter_errors(&record).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty() || record["correct"] == json!({"topic": "x"}), "{faults:?}");
        record.to_string()
    };

    let topic = Topic::of(&broker, "corrected", 2);
    let send = |number: usize, value: Option<String>, time: i64| {
        topic.send(&number.to_string(), value.as_deref(), time);
    };
    // the first one holds until the second comes; the third was taken back, the fourth deleted
    send(0, Some(corrected(0, json!({"topics": ["medtop:01000000"]}))), 1);
    send(
        0,
        Some(corrected(0, json!({"topics": ["medtop:15000000", "medtop:08000000"], "stance": "favor"}))),
        2,
    );
    send(1, Some(corrected(1, json!({"stance": "neutral"}))), 3);
    send(2, Some(corrected(2, json!({"topics": ["medtop:02000000"]}))), 4);
    send(2, Some(corrected(2, Value::Null)), 5);
    send(3, Some(corrected(3, json!({"topics": ["medtop:02000000"]}))), 6);
    send(3, None, 7);
    // as the review topic has it, and what cannot be used
    send(4, Some(record(4).to_string()), 8);
    send(5, Some(corrected(5, json!({"topic": "x"}))), 9);
    send(5, Some(corrected(5, json!({"topics": ["sport"]}))), 10);
    send(5, Some("no JSON".into()), 11);

    let folder = tempfile::tempdir().unwrap();
    let example = |number: usize, labels: Value| {
        let mut example = json!({
            "id": format!("a-{number}"), "title": format!("Item {number}"), "text": article(number).1,
        });
        example.as_object_mut().unwrap().extend(labels.as_object().unwrap().clone());
        example.to_string()
    };
    let file = folder.path().join("same.jsonl");
    let lines = [
        example(1, json!({"stance": "neutral"})),
        example(0, json!({"topics": ["medtop:15000000", "medtop:08000000"], "stance": "favor"})),
    ];
    std::fs::write(&file, lines.join("\n")).unwrap();

    let base = common::root().join("models/rasid-news.safetensors");
    let (base, address) = (base.to_str().unwrap(), broker.address());
    let from_file = model(folder.path(), &["train", "--from", base, "--examples", file.to_str().unwrap()]);
    let kafka = ["--from-kafka", "corrected", "--brokers", &address];
    let mut arguments = vec!["train", "--from", base];
    arguments.extend(kafka);
    let (from_kafka, log) = model(folder.path(), &arguments);
    assert!(from_file.0 == from_kafka, "the models differ");
    assert!(from_kafka != std::fs::read(base).unwrap(), "it learnt something");
    assert!(
        log.contains("corrected: 2 corrected articles; left out: 2 earlier corrections, 1 records that nobody corrected, 3 that cannot be used"),
        "{log}"
    );
    assert!(log.contains("unknown field `topic`") && log.contains("unknown topic `sport`"), "{log}");

    // without any base, and with one in files: a set of labels of its own
    let own = folder.path().join("own.jsonl");
    let lines: Vec<String> = (0..12)
        .map(|number| {
            json!({"id": format!("o-{number}"), "text": article(number).1, "topic": article(number).0})
                .to_string()
        })
        .collect();
    std::fs::write(&own, lines.join("\n")).unwrap();
    let own = own.to_str().unwrap();
    let mut arguments = vec!["train", "--examples", own];
    arguments.extend(kafka);
    let with_kafka = model(folder.path(), &arguments).0;
    let with_file = model(folder.path(), &["train", "--examples", own, file.to_str().unwrap()]).0;
    assert!(with_kafka == with_file, "the models differ");

    // what stands in the way
    let train = |topic: &str| {
        rasid(&["train", "--from", base, "--from-kafka", topic, "--brokers", &address, "--out", "never"])
    };
    let missing = train("nowhere");
    assert!(
        missing.status.code() == Some(1) && said(&missing).contains("topic `nowhere`"),
        "{}",
        said(&missing)
    );
    broker.create_topic("empty", 1, &[]);
    let empty = within(PATIENCE, "the broker knows the topic", || {
        Some(train("empty")).filter(|output| !said(output).contains("there is no such topic"))
    });
    assert!(
        empty.status.code() == Some(1) && said(&empty).contains("has no corrections"),
        "{}",
        said(&empty)
    );
    let nobody = rasid(&["train", "--from-kafka", "corrected", "--out", "never"]);
    assert!(nobody.status.code() == Some(64) && said(&nobody).contains("--brokers"), "{}", said(&nobody));
}

#[test]
fn adapt_learns_from_the_last_records_of_the_input() {
    const LAST: usize = 150;
    let broker = Broker::start();
    let topic = Topic::of(&broker, "articles", 3);
    // transactions leave an offset without a record behind each of them
    let producer: BaseProducer =
        broker.client().set("transactional.id", "feed").set("linger.ms", "0").create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    for round in 0..100_usize {
        producer.begin_transaction().unwrap();
        for number in round * 3..round * 3 + 3 {
            let value = json!({"id": number, "text": article(number).1}).to_string();
            let (name, time) = (number.to_string(), 1_700_000_000_000 + number as i64);
            // partition 0 has the newest ones alone
            let partition = if number >= 250 { 0 } else { 1 + (number % 2) as i32 };
            let record = BaseRecord::to("articles").key(&name).payload(&value).partition(partition);
            producer.send(record.timestamp(time)).unwrap();
        }
        producer.commit_transaction(PATIENCE).unwrap();
    }
    topic.send("gone", None, 1_700_000_100_000);
    topic.send("bad", Some("{\"text\": \"cut"), 1_700_000_100_001);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("last.jsonl");
    // the broken one is the last of the last
    let lines: Vec<String> =
        (300 - LAST + 1..300).map(|number| json!({"text": article(number).1}).to_string()).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let (from_file, _) = model(folder.path(), &["adapt", "--unlabelled", file.to_str().unwrap()]);
    let config = folder.path().join("rasid.toml");
    std::fs::write(&config, format!("brokers = \"{}\"\ninput = \"articles\"\n", broker.address())).unwrap();
    let (from_kafka, log) = model(
        folder.path(),
        &["adapt", "--from-kafka", &LAST.to_string(), "--config", config.to_str().unwrap()],
    );
    assert!(log.contains("1 articles could not be read"), "{log}");
    assert!(log.contains("articles ") && log.contains("bad JSON"), "{log}");
    assert!(from_file == from_kafka, "the models differ:\n{log}");
}

#[test]
fn the_worker_sends_what_it_is_unsure_of_to_review() {
    const RECORDS: usize = 300;
    let broker = Broker::start();
    broker.topics(2);
    broker.create_topic("review", 1, &[("max.message.bytes", "6000")]);
    let feeder = broker.producer();
    for number in 0..RECORDS {
        // every tenth has no word that the model knows, one of them too many
        let text = match number % 10 {
            3 => format!(
                "The {number} zorble quixed, and the flarn of {number} was in the wumpet. {}",
                if number == 203 { "And the flarn was in the wumpet. ".repeat(300) } else { String::new() }
            ),
            _ => article(number).1,
        };
        feeder.send(&number.to_string(), Some(json!({"id": number, "text": text}).to_string().as_bytes()));
    }
    feeder.flush();
    let unsure: Vec<usize> = (0..RECORDS).filter(|number| number % 10 == 3 && *number != 203).collect();
    let review = [
        "--review-topic",
        "review",
        "--guarantee",
        "exactly-once",
        "--transaction-age",
        "0.2",
        "--omit-article",
    ];
    let worker = broker.worker(&review);
    within(PATIENCE, "all committed", || {
        (broker.committed("rasid", 2).iter().sum::<i64>() == RECORDS as i64).then_some(())
    });
    let metrics = worker.get("/metrics").1;
    assert!(metrics.contains("rasid_extra_outputs_dropped_total{output=\"review\"} 1\n"), "{metrics}");
    worker.stop();
    assert_eq!(broker.committed_keys("articles.tagged").len(), RECORDS);
    let mut keys: Vec<usize> =
        broker.committed_keys("review").iter().map(|key| key.parse().unwrap()).collect();
    keys.sort_unstable();
    assert_eq!(keys, unsure);

    // what came back from there teaches
    let reviewed = broker.read_committed("review");
    let topic = Topic::of(&broker, "corrected", 1);
    for record in &reviewed {
        let mut value = json(record);
        assert_eq!(value["abstained"], "low confidence");
        value["correct"] = json!({"topics": ["medtop:13000000"]});
        topic.send(&key(record), Some(&value.to_string()), 1);
    }
    let folder = tempfile::tempdir().unwrap();
    let base = common::root().join("models/rasid-news.safetensors");
    let address = broker.address();
    let arguments =
        ["train", "--from", base.to_str().unwrap(), "--from-kafka", "corrected", "--brokers", &address];
    let (_, log) = model(folder.path(), &arguments);
    assert!(log.contains(&format!("corrected: {} corrected articles", unsure.len())), "{log}");
    let out = folder.path().join("out.safetensors");
    let text = folder.path().join("new.txt");
    std::fs::write(&text, "A zorble quixed: the flarn was in the wumpet.").unwrap();
    let tagged = rasid(&["classify", "--model", out.to_str().unwrap(), text.to_str().unwrap()]);
    let tagged: Value = serde_json::from_slice(&tagged.stdout).unwrap();
    assert_eq!(tagged["topics"][0]["code"], "medtop:13000000", "{tagged}");
}
