//! Dead letters go back to the input as they were, carry their history, and cannot loop for ever.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Broker, header, key, within};
use rdkafka::message::{Headers, Message, Timestamp};
use std::process::{Command, Output};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn replay(broker: &Broker, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rasid"))
        .args([
            "replay",
            "--brokers",
            &broker.address(),
            "--dead-letters",
            "articles.dlq",
            "--to",
            "articles",
        ])
        .args(more)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The figures behind a name in the summary: replayed, filtered, exhausted, omitted, failed.
fn row(output: &Output, name: &str) -> Vec<u64> {
    let text = said(output);
    let line =
        text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} in\n{text}"));
    line[name.len()..].split_whitespace().map(|number| number.parse().unwrap()).collect()
}

#[test]
fn dead_letters_come_back_with_their_history_until_the_limit() {
    let broker = Broker::start();
    broker.create_topic("articles", 2, &[("max.message.bytes", "8000000")]);
    broker.create_topic("articles.tagged", 2, &[]);
    broker.create_topic("articles.dlq", 2, &[("max.message.bytes", "20000")]);
    let feeder = broker.producer();
    let bad = b"{\"text\": \"cut";
    for number in 0..3 {
        let headers = [("traceparent", "00-1-2-01")];
        feeder.send_with(&format!("json-{number}"), Some(bad), &headers, Some(1_700_000_000_000));
    }
    let (arabic, _, _) = encoding_rs::WINDOWS_1256.encode("فاز الفريق بكأس البطولة بعد مباراة مثيرة");
    feeder.send("encoding", Some(&arabic));
    feeder.send("large", Some("word ".repeat(400_000).as_bytes()));
    feeder.flush();
    let worker = broker.worker(&[]);
    within(PATIENCE, "five dead letters", || (broker.count("articles.dlq") == 5).then_some(()));

    let dry = replay(&broker, &["--dry-run"]);
    assert_eq!(dry.status.code(), Some(0), "{}", said(&dry));
    assert!(said(&dry).contains("would go"), "{}", said(&dry));
    assert_eq!(row(&dry, "rasid.JsonRejection"), [3, 0, 0, 0, 0]);
    assert_eq!(row(&dry, "rasid.TooLargeRejection"), [0, 0, 0, 1, 0]);
    assert!(said(&dry).contains("its value was left out; it stands in articles "), "{}", said(&dry));
    let later = replay(&broker, &["--since", "2100-01-01"]);
    assert_eq!(row(&later, "all"), [0, 0, 0, 0, 0], "nothing is read that is older");
    assert_eq!(broker.count("articles"), 5, "nothing was sent");

    // the worker rejects it again: the dead letter remembers, and nothing else has changed
    let one = replay(&broker, &["--reason", "json", "--key", "json-1"]);
    assert_eq!(one.status.code(), Some(0), "{}", said(&one));
    assert_eq!(row(&one, "all"), [1, 4, 0, 0, 0]);
    within(PATIENCE, "the sixth dead letter", || (broker.count("articles.dlq") == 6).then_some(()));
    let letters = broker.read("articles.dlq");
    let again = letters.iter().find(|letter| header(letter, "rasid.replay.count").is_some()).unwrap();
    assert_eq!((key(again).as_str(), again.payload()), ("json-1", Some(&bad[..])));
    assert_eq!(again.timestamp(), Timestamp::CreateTime(1_700_000_000_000));
    assert_eq!(header(again, "traceparent").as_deref(), Some("00-1-2-01"));
    assert_eq!(header(again, "rasid.replay.count").as_deref(), Some("1"));
    let history: serde_json::Value =
        serde_json::from_str(&header(again, "rasid.replay.history").unwrap()).unwrap();
    assert_eq!(history[0]["reason"], "rasid.JsonRejection");
    assert_eq!(history[0]["topic"], "articles");
    let errors = again.headers().unwrap().iter().filter(|header| header.key.starts_with("__connect.errors."));
    assert_eq!(errors.count(), 6, "those of the last rejection alone");

    // and at the limit it stays
    let limited = replay(&broker, &["--key", "json-1", "--max-replays", "1"]);
    assert_eq!(row(&limited, "rasid.JsonRejection")[2], 1, "{}", said(&limited));
    assert!(said(&limited).contains("replayed 1 times already"), "{}", said(&limited));
    within(PATIENCE, "the seventh dead letter", || (broker.count("articles.dlq") == 7).then_some(()));
    for round in 2..=5 {
        // whoever replays everything again and again: what went three times stays
        let output = replay(&broker, &["--key", "json-1"]);
        let [sent, _, exhausted, ..] = row(&output, "all")[..] else { panic!() };
        within(PATIENCE, "all rejected again", || {
            (broker.count("articles.dlq") == broker.count("articles")).then_some(())
        });
        assert_eq!(exhausted > 0, round > 3, "round {round}: {sent} sent, {exhausted} exhausted");
    }
    worker.stop();

    // what was wrong is mended: the worker knows the encoding now
    let worker = broker.worker(&["--encoding", "windows-1256"]);
    let mended = replay(&broker, &["--reason", "rasid.EncodingRejection"]);
    assert_eq!(row(&mended, "rasid.EncodingRejection"), [1, 0, 0, 0, 0]);
    within(PATIENCE, "tagged", || (broker.count("articles.tagged") == 1).then_some(()));
    worker.stop();
    let tagged = &broker.read("articles.tagged")[0];
    assert_eq!(key(tagged), "encoding");
    assert_eq!(header(tagged, "rasid.replay.count").as_deref(), Some("1"));
    assert_eq!(header(tagged, "__connect.errors.offset"), None);
}

#[test]
fn what_stands_in_the_way_is_said() {
    let broker = Broker::start();
    let missing = replay(&broker, &[]);
    assert_eq!(missing.status.code(), Some(1), "{}", said(&missing));
    assert!(said(&missing).contains("topic `articles.dlq`"), "{}", said(&missing));
    broker.create_topic("articles.dlq", 1, &[]);
    // a broker learns of a new topic a moment after it was made
    let until = |what: &str, right: &dyn Fn(&Output) -> bool| {
        within(PATIENCE, what, || Some(replay(&broker, &[])).filter(right))
    };
    until("the topic to send to is missing", &|output| said(output).contains("topic `articles`"));
    broker.create_topic("articles", 1, &[]);
    let empty = until("nothing to send", &|output| output.status.code() == Some(0));
    assert_eq!(row(&empty, "all"), [0, 0, 0, 0, 0]);
    for (wrong, words) in [
        (vec!["--reason", "mood"], "no_text"),
        (vec!["--since", "yesterday"], "2026-01-31T08:15:30Z"),
        (vec!["-X", "acks=0"], "itself"),
        (vec!["-X", "no.such=1"], "no.such"),
    ] {
        let output = replay(&broker, &wrong);
        assert_eq!(output.status.code(), Some(64), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
    }
    let looping = Command::new(env!("CARGO_BIN_EXE_rasid"))
        .args(["replay", "--brokers", &broker.address(), "--dead-letters", "a", "--to", "a"])
        .output()
        .unwrap();
    assert!(looping.status.code() == Some(64) && said(&looping).contains("loop"), "{}", said(&looping));
    let away = Command::new(env!("CARGO_BIN_EXE_rasid"))
        .args(["replay", "--brokers", "127.0.0.1:1", "--dead-letters", "a", "--to", "b"])
        .output()
        .unwrap();
    assert!(away.status.code() == Some(1) && said(&away).contains("127.0.0.1:1"), "{}", said(&away));
}
