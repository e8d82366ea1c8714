//! The worker with a shadow, as a process on Apache Kafka, against `rasid classify` with either model.

use super::common::{self, Broker, WorkerProcess, json, key, root, within};
use super::{PATIENCE, bundled, changed, compared};
use rasid::model::{Task, sha256};
use rasid::text::Language;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Message, OwnedMessage};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Timestamp of the first article; zero would be the time of sending.
const SINCE: i64 = 1_700_000_000_000;

/// Written examples in both languages, and one in a third.
fn articles() -> Vec<String> {
    let mut articles = Vec::new();
    for language in ["ar", "en"] {
        for name in ["01-culture", "04-economy", "10-lifestyle", "15-sport"] {
            let path = root().join(format!("models/examples/{language}/{name}.jsonl"));
            let text = std::fs::read_to_string(path).unwrap();
            articles.extend(text.lines().take(60).map(str::to_owned));
        }
    }
    let french = "Le conseil municipal a adopté hier soir le budget des écoles et des routes.";
    articles.push(serde_json::json!({"id": "fr", "text": french}).to_string());
    articles
}

fn first_labels(record: &serde_json::Value) -> (String, String) {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("none").to_owned();
    (text(&record["topics"][0]["code"]), text(&record["stance"]["label"]))
}

/// First topic and stance by id, as `rasid classify` says.
fn classified(model: &Path, articles: &Path) -> BTreeMap<String, (String, String)> {
    let output = Command::new(env!("CARGO_BIN_EXE_rasid"))
        .args(["classify", "--model"])
        .args([model, articles])
        .output()
        .unwrap();
    assert!(output.status.success());
    let records = String::from_utf8(output.stdout).unwrap();
    let records = records.lines().map(|line| serde_json::from_str(line).unwrap());
    records
        .map(|record: serde_json::Value| (record["id"].as_str().unwrap().to_owned(), first_labels(&record)))
        .collect()
}

/// What readers of committed records see of a topic of two partitions.
fn read(broker: &Broker, topic: &str) -> Vec<OwnedMessage> {
    let consumer: BaseConsumer = broker
        .client()
        .set("group.id", "reader")
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..2 {
        list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let (mut messages, mut left) = (Vec::new(), 2);
    while left > 0 {
        match consumer.poll(PATIENCE).expect("records that are there") {
            Err(KafkaError::PartitionEOF(_)) => left -= 1,
            message => messages.push(message.unwrap().detach()),
        }
    }
    messages
}

/// Everything of a topic but the time of tagging, in the order of the input.
fn published(broker: &Broker, topic: &str) -> Vec<(i32, i64, String, Option<i64>, String)> {
    let plain = |message: &OwnedMessage| {
        let text = String::from_utf8(message.payload().unwrap().to_vec()).unwrap();
        let source = &json(message)["source"];
        let (before, after) = text.split_once("\"tagged_at\":\"").unwrap();
        let (time, after) = after.split_once('"').unwrap();
        assert!(time.ends_with('Z'));
        (
            source["partition"].as_i64().unwrap() as i32,
            source["offset"].as_i64().unwrap(),
            key(message),
            message.timestamp().to_millis(),
            format!("{before}{after}"),
        )
    };
    let mut records: Vec<_> = read(broker, topic).iter().map(plain).collect();
    records.sort();
    records
}

fn worker(broker: &Broker, group: &str, output: &str, more: &[&str]) -> WorkerProcess {
    let address = broker.address();
    let mut arguments = vec!["run", "--brokers", &address, "--input", "articles", "--output", output];
    arguments.extend(["--dead-letters", "articles.dlq", "--group", group, "--http", "127.0.0.1:0"]);
    arguments.extend(more);
    WorkerProcess::start(&arguments)
}

/// Waits until everything is tagged, and stops the worker; its metrics.
fn finish(broker: &Broker, worker: WorkerProcess, group: &str, records: i64) -> String {
    within(PATIENCE, "everything committed", || {
        (broker.committed(group, 2).iter().sum::<i64>() == records).then_some(())
    });
    let metrics = worker.get("/metrics").1;
    worker.stop();
    metrics
}

#[test]
fn on_a_real_broker_the_first_model_publishes_and_the_shadow_is_counted() {
    let broker = Broker::start();
    // the records keep timestamps of a morning long ago
    let for_ever = [("retention.ms", "-1")];
    broker.create_topic("articles", 2, &for_ever);
    broker.create_topic("articles.dlq", 1, &[]);
    for topic in ["plain", "shadowed", "exact", "small", "compacted", "compacted.exact", "promoted"] {
        broker.create_topic(topic, 2, &for_ever);
    }
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    // culture and lifestyle change places, and there is no stance in English
    let shadow_bytes = changed(|model| {
        model.info.version = "next".into();
        model.info.topics.swap(0, 9);
        model.heads.remove(&(Language::English, Task::Stance));
    });
    let (model, shadow) = (file("model", &bundled()), file("shadow", &shadow_bytes));
    let shadow_argument = shadow.to_str().unwrap();

    // a topic that is missing is named and waited for, as any other
    let more = ["--shadow-model", shadow_argument, "--shadow-disagreements", "told"];
    let waiting = worker(&broker, "shadowed", "shadowed", &more);
    within(PATIENCE, "a reason", || waiting.get("/readyz").1.contains("topic `told`").then_some(()));
    broker.create_topic("told", 2, &for_ever);
    broker.create_topic("told.exact", 2, &for_ever);
    broker.create_topic("told.small", 1, &[("max.message.bytes", "400")]);
    for topic in ["told.compacted", "told.compacted.exact"] {
        broker.create_topic(topic, 2, &[("cleanup.policy", "compact")]);
    }

    let articles = articles();
    let lines = file("articles.jsonl", articles.join("\n").as_bytes());
    let feeder = broker.producer();
    for (number, article) in articles.iter().enumerate() {
        feeder.send_with(
            &number.to_string(),
            Some(article.as_bytes()),
            &[("trace", "1")],
            Some(SINCE + number as i64),
        );
    }
    feeder.send("bad", Some(b"{\"text\":"));
    feeder.flush();
    let records = articles.len() as i64 + 1;

    let metrics = finish(&broker, worker(&broker, "plain", "plain", &[]), "plain", records);
    assert!(!metrics.contains("rasid_shadow"), "without a shadow there is no trace of one");
    let live = within(PATIENCE, "the page has counted", || {
        let live: serde_json::Value = serde_json::from_str(&waiting.get("/live.json").1).unwrap();
        let shadow = live["live"]["shadow"].clone();
        (shadow["articles"].as_u64() == Some(articles.len() as u64)).then_some(shadow)
    });
    let metrics = finish(&broker, waiting, "shadowed", records);
    let more = ["--shadow-model", shadow_argument, "--shadow-disagreements", "told.exact", "--guarantee"];
    let exact = worker(&broker, "exact", "exact", &[&more[..], &["exactly-once"]].concat());
    let exact_metrics = finish(&broker, exact, "exact", records);

    // published is what the first model says, to the byte
    let plain = published(&broker, "plain");
    assert_eq!(plain.len(), articles.len());
    assert!(plain == published(&broker, "shadowed"), "the shadow changes what is published");
    assert!(plain == published(&broker, "exact"), "the shadow changes what is published");

    // counted is what `rasid classify` says with either model
    let (first, second) = (classified(&model, &lines), classified(&shadow, &lines));
    let mut expected: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut differing: BTreeMap<&str, &str> = BTreeMap::new();
    for (id, published) in &first {
        let other = &second[id];
        let agreement = match (published.0 == other.0, published.1 == other.1) {
            (true, true) => "both",
            (true, false) => "topic",
            (false, true) => "stance",
            (false, false) => "neither",
        };
        *expected.entry((published.0.clone(), agreement.to_owned())).or_default() += 1;
        if agreement != "both" {
            differing.insert(id, agreement);
        }
    }
    eprintln!("{expected:#?}");
    let kinds: std::collections::BTreeSet<&String> =
        expected.keys().map(|(_, agreement)| agreement).collect();
    assert_eq!(kinds.len(), 4, "all kinds of agreement occur: {kinds:?}");
    assert_eq!(compared(&metrics), expected);
    assert_eq!(compared(&exact_metrics), expected);
    assert!(metrics.contains(&format!(
        "rasid_shadow_model_info{{name=\"rasid-news\",sha256=\"{}\"",
        sha256(&shadow_bytes)
    )));
    let sum = |wanted: &[&str]| -> u64 {
        expected.iter().filter(|((_, agreement), _)| wanted.contains(&&**agreement)).map(|(_, n)| n).sum()
    };
    assert_eq!(live["same_topic"], sum(&["both", "topic"]));
    assert_eq!(live["same_stance"], sum(&["both", "stance"]));
    assert_eq!((&live["version"], &live["resting"]), (&"next".into(), &false.into()));

    // told is each disagreement, once, with what both say
    let schema = std::fs::read_to_string(root().join("docs/shadow-disagreement.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    for topic in ["told", "told.exact"] {
        let told = read(&broker, topic);
        assert_eq!(told.len(), differing.len(), "{topic}");
        for message in &told {
            let record = json(message);
            let faults: Vec<String> = schema.iter_errors(&record).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{faults:?}");
            let id = record["id"].as_str().unwrap();
            assert_eq!(record["agreement"], differing[id]);
            assert_eq!(first_labels(&record["published"]), first[id]);
            assert_eq!(first_labels(&record["shadow"]), second[id]);
            assert_eq!(record["published"]["model"]["sha256"], sha256(&bundled()));
            assert_eq!(record["shadow"]["model"]["sha256"], sha256(&shadow_bytes));
            assert!(!record["title"].as_str().unwrap().is_empty());
            let number: usize = key(message).parse().unwrap();
            assert!(
                articles[number].contains(id)
                    && message.timestamp().to_millis() == Some(SINCE + number as i64)
            );
        }
    }

    // a topic that takes none of them stops nothing
    let more = ["--shadow-model", shadow_argument, "--shadow-disagreements", "told.small"];
    let metrics = finish(&broker, worker(&broker, "small", "small", &more), "small", records);
    assert!(plain == published(&broker, "small"));
    let dropped = format!("rasid_extra_outputs_dropped_total{{output=\"disagreement\"}} {}", differing.len());
    assert!(metrics.contains(&dropped), "{dropped} in\n{metrics}");
    assert_eq!((compared(&metrics), broker.count("told.small")), (expected, 0));

    // nor does one that takes some of them: a compacted topic wants keys
    let without_key: BaseProducer = broker.client().create().unwrap();
    let culture = articles.iter().find(|article| differing.contains_key(id(article).as_str())).unwrap();
    without_key.send(BaseRecord::<(), _>::to("articles").payload(culture)).unwrap();
    without_key.flush(PATIENCE).unwrap();
    for (group, guarantee) in [("compacted", "at-least-once"), ("compacted.exact", "exactly-once")] {
        let told = format!("told.{group}");
        let more = ["--shadow-disagreements", &told, "--guarantee", guarantee];
        let more = [&more[..], &["--shadow-model", shadow_argument]].concat();
        let metrics = finish(&broker, worker(&broker, group, group, &more), group, records + 1);
        assert_eq!(published(&broker, group).len(), plain.len() + 1);
        // the broker refuses the batch that such a record is in
        let dropped = metrics.lines().find_map(|line| {
            line.strip_prefix("rasid_extra_outputs_dropped_total{output=\"disagreement\"} ")?.parse().ok()
        });
        let dropped: usize = dropped.unwrap();
        assert!(dropped >= 1, "{group}");
        assert_eq!(read(&broker, &told).len() + dropped, differing.len() + 1, "{group}");
        let refused = "rasid_publish_errors_total{kind=\"refused\"}";
        assert!(metrics.contains(refused) && !metrics.contains(&format!("{refused} 0")), "{metrics}");
        assert_eq!(metrics.contains("rasid_transactions_total{result=\"abort\"} 0"), group == "compacted");
    }

    promotes(&broker, [&model, &shadow], &shadow_bytes);
}

fn id(article: &str) -> String {
    let article: serde_json::Value = serde_json::from_str(article).unwrap();
    article["id"].as_str().unwrap().to_owned()
}

/// The shadow's file takes the place of the model's, and the shadow rests.
fn promotes(broker: &Broker, [model, shadow]: [&Path; 2], shadow_bytes: &[u8]) {
    let records = broker.count("articles");
    let (model_argument, shadow_argument) = (model.to_str().unwrap(), shadow.to_str().unwrap());
    let more = ["--model", model_argument, "--shadow-model", shadow_argument, "--http-reload"];
    let free = ["--reload-max-accuracy-drop", "1", "--reload-min-agreement", "0"];
    let worker = worker(broker, "promoted", "promoted", &[&more[..], &free[..]].concat());
    let done = |all: i64| {
        within(PATIENCE, "tagged", || {
            (broker.committed("promoted", 2).iter().sum::<i64>() == all).then_some(())
        });
    };
    done(records);
    let before = compared(&worker.get("/metrics").1);
    std::fs::copy(shadow, model).unwrap();
    let (status, answer) = worker.ask("POST", "/-/reload");
    assert_eq!(status, 200, "{answer}");
    let sha = sha256(shadow_bytes);
    assert!(answer.contains(&format!("model {sha} loaded")), "{answer}");
    assert!(answer.contains(&format!("shadow model {sha} is the running one already")), "{answer}");
    let feeder = broker.producer();
    feeder.send("after", Some(common::article(0).as_bytes()));
    feeder.flush();
    done(records + 1);
    let metrics = worker.get("/metrics").1;
    assert_eq!(compared(&metrics), before, "a shadow that is the model itself rests");
    assert!(
        metrics.contains(&format!("rasid_model_info{{name=\"rasid-news\",sha256=\"{sha}\"")),
        "{metrics}"
    );
    let last = read(broker, "promoted").into_iter().find(|message| key(message) == "after").unwrap();
    assert_eq!(json(&last)["model"]["sha256"], sha.as_str());
    // a bad file: the old shadow goes on, and so does the model
    std::fs::write(shadow, b"no model").unwrap();
    let (status, answer) = worker.ask("POST", "/-/reload");
    assert!(
        status == 500 && answer.contains("is the running one already") && answer.contains(shadow_argument),
        "{answer}"
    );
    // the next one is compared at once
    std::fs::write(shadow, bundled()).unwrap();
    worker.signal("-HUP");
    within(PATIENCE, "SIGHUP is answered", || worker.log().contains("shadow model reloaded").then_some(()));
    feeder.send("compared", Some(common::article(0).as_bytes()));
    feeder.flush();
    done(records + 2);
    let metrics = worker.get("/metrics").1;
    let sum = |cells: &BTreeMap<_, u64>| cells.values().sum::<u64>();
    assert_eq!(sum(&compared(&metrics)), sum(&before) + 1);
    for line in ["corrupt\"} 1", "loaded\"} 1", "unchanged\"} 1"] {
        assert!(metrics.contains(&format!("rasid_shadow_model_reloads_total{{result=\"{line}")), "{metrics}");
    }
    worker.stop();
}
