//! Hostile input: each record is tagged or rejected, quickly, and none is lost.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Broker, within};
use rasid::model::Classifier;
use rasid::pipeline::{Envelope, Options, Outcome, Room, process};
use std::time::{Duration, Instant};

/// What an article may take, here in a build for tests beside other tests.
const LIMIT: Duration = Duration::from_secs(10);

fn articles() -> Vec<(&'static str, Vec<u8>)> {
    let json =
        |text: &str| serde_json::json!({"id": "x", "title": "T", "text": text}).to_string().into_bytes();
    let sentence = "The council voted on the budget for schools and roads after a debate. ";
    let deep =
        |open: &str, close: &str, inner: &str| open.repeat(1_000_000) + inner + &close.repeat(1_000_000);
    let mut entities = String::from("<p>");
    for _ in 0..200_000 {
        entities += "&lt;&#x202e;&amp;&nbsp;&bogus;";
    }
    vec![
        ("script", json(&format!("<script>alert(1)</script><img src=x onerror=alert(1)>{sentence}"))),
        ("bidi", json(&format!("\u{202e}\u{2066}{sentence}\u{202d}\u{2069}\u{200f}"))),
        ("one letter", "a".repeat(10 << 20).into_bytes()),
        ("one Arabic letter", json(&"م".repeat(5 << 20))),
        ("spaces", json(&(" ".repeat(10 << 20) + sentence))),
        ("vowel marks", json(&"م\u{64e}\u{651}".repeat(1 << 20))),
        ("nested elements", json(&deep("<div>", "</div>", sentence))),
        ("nested formatting", json(&("<b><i><a><u>".repeat(100_000) + sentence))),
        ("nested tables", json(&("<table><tr><td>".repeat(50_000) + sentence))),
        ("unclosed", json(&"<p <p <p".repeat(500_000))),
        ("attributes", json(&format!("<p {}>{sentence}</p>", "a=1 ".repeat(500_000)))),
        ("comment", json(&format!("<!--{}{sentence}", "-".repeat(5 << 20)))),
        ("entities", json(&entities)),
        ("deep list", deep("[", "]", "1").into_bytes()),
        (
            "deep list in a field",
            format!("{{\"text\":\"{sentence}\",\"x\":{}}}", deep("[", "]", "1")).into_bytes(),
        ),
        ("deep object", ("{\"a\":".repeat(500_000) + "1" + &"}".repeat(500_000)).into_bytes()),
        ("many keys", {
            let keys: String = (0..200_000).map(|n| format!("\"k{n}\":{n},")).collect();
            format!("{{{keys}\"text\":\"{sentence}\"}}").into_bytes()
        }),
        (
            "one key again and again",
            format!("{{{}\"id\":1}}", "\"text\":\"a\",".repeat(200_000)).into_bytes(),
        ),
        ("long number", format!("{{\"id\":{},\"text\":\"a b\"}}", "9".repeat(1 << 20)).into_bytes()),
        ("zeros", vec![0; 1 << 20]),
        ("bytes", (0..1 << 20).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()),
        ("surrogates", br#"{"text":"\ud800\udc00 \ud800 x"}"#.to_vec()),
    ]
}

#[test]
fn hostile_articles_are_harmless() {
    let classifier = Classifier::bundled().unwrap();
    let mut room = Room::default();
    for (name, value) in articles() {
        let envelope = Envelope { topic: "in".into(), value: Some(value.into()), ..Envelope::default() };
        let start = Instant::now();
        let done = process(&envelope, &classifier, None, &Options::default(), &mut room, "now");
        let (outcome, output) = (done.outcome, done.output);
        let took = start.elapsed();
        let size = envelope.value.as_ref().unwrap().len();
        let what = match &outcome {
            Outcome::Tagged(_) => {
                // a reader's way, with its limit of depth
                let record: serde_json::Value =
                    serde_json::from_slice(output.value.as_deref().unwrap()).unwrap();
                let (id, topics) = (record["id"].as_str().unwrap(), record["topics"].as_array().unwrap());
                assert!(id.len() <= size && topics.len() <= 17);
                "tagged".to_owned()
            }
            Outcome::Rejected(rejection) => {
                assert_eq!(output.value, envelope.value, "{name}: the value is untouched");
                assert_ne!(rejection.reason(), "internal", "{name}");
                rejection.to_string()
            }
            Outcome::Tombstone => unreachable!(),
        };
        eprintln!("{name}: {size} bytes in {took:?}: {}", what.chars().take(100).collect::<String>());
        assert!(took < LIMIT, "{name}: {took:?}");
    }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same records from the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

/// A record made from good and bad ones by cutting, splicing and flipping.
fn mutated(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut value = seeds[random.below(seeds.len())].clone();
    for _ in 0..random.below(6) {
        let at = random.below(value.len() + 1);
        match random.below(6) {
            0 => value.truncate(at),
            1 => {
                let other = &seeds[random.below(seeds.len())];
                let tail = other[random.below(other.len() + 1)..].iter().take(400);
                value.truncate(at);
                value.extend(tail);
            }
            2 if at < value.len() => value[at] ^= 1 << random.below(8),
            3 => value.insert(at, random.below(256) as u8),
            4 => {
                let token = [
                    &b"\""[..],
                    b"{",
                    b"}",
                    b"[",
                    b"<",
                    b"\\u",
                    b"\\",
                    b"null",
                    b"\xd9",
                    b"&#",
                    b"\xef\xbb\xbf",
                ];
                let token = token[random.below(token.len())];
                value.splice(at..at, token.repeat(1 + random.below(19)));
            }
            _ => {
                let end = (at + random.below(40)).min(value.len());
                let piece = value[at..end].to_vec();
                value.splice(at..at, piece.repeat(3));
            }
        }
    }
    value.truncate(4000);
    value
}

/// 200,000 records (or `RASID_HOSTILE_RECORDS`) through a running worker; `RASID_SEED` repeats a run.
#[test]
#[ignore = "takes minutes: cargo test --test hostile -- --ignored --nocapture"]
fn mutated_records_are_each_accounted_for() {
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
    };
    let records = number("RASID_HOSTILE_RECORDS", 200_000) as usize;
    let seed = number("RASID_SEED", 20_260_101);
    eprintln!("RASID_SEED={seed}");
    let mut random = Random(seed);
    let mut seeds: Vec<Vec<u8>> = include_str!("../src/cli/samples.txt")
        .split("\n----\n")
        .map(|sample| sample.trim().as_bytes().to_vec())
        .collect();
    seeds.extend((0..8).map(|number| common::article(number).into_bytes()));
    let small = |value: &Vec<u8>| value.len() < 4000;
    seeds.extend(articles().into_iter().map(|(_, value)| value).filter(small));
    let broker = Broker::start();
    broker.topics(4);
    let worker = broker.worker(&["--max-rejected-in-a-row", "0", "--max-rejected-share", "1"]);
    let feeder = broker.producer();
    let (start, mut most) = (Instant::now(), 0);
    let mut watch = |what: usize| {
        assert_eq!(worker.get("/livez").0, 200, "a stall, after {what} records");
        most = most.max(worker.resident());
    };
    for sent in 0..records {
        feeder.send(&sent.to_string(), Some(&mutated(&mut random, &seeds)));
        if sent % 20_000 == 0 {
            watch(sent);
        }
    }
    feeder.flush();
    let mut last = (Instant::now(), 0);
    loop {
        let done = broker.count("articles.tagged") + broker.count("articles.dlq");
        if done >= records as i64 {
            break;
        }
        if done > last.1 {
            last = (Instant::now(), done);
        }
        assert!(
            last.0.elapsed() < common::patience(Duration::from_secs(60)),
            "a stall at {done} of {records}\n{}",
            worker.log()
        );
        watch(records);
        std::thread::sleep(Duration::from_millis(500));
    }
    let took = start.elapsed();
    let metrics = worker.get("/metrics").1;
    let log = worker.stop();
    assert!(!log.contains("panic"), "{log}");
    let mut seen = vec![0_u8; records];
    let mut by = [0, 0];
    for (place, topic) in ["articles.tagged", "articles.dlq"].into_iter().enumerate() {
        broker.each_committed_key(topic, |key| {
            seen[key.parse::<usize>().unwrap()] += 1;
            by[place] += 1;
        });
    }
    let [tagged, rejected] = by;
    assert!(seen.iter().all(|count| *count == 1), "missing or doubled");
    assert!(metrics.contains("rasid_records_rejected_total{reason=\"internal\"} 0"), "{metrics}");
    eprintln!(
        "{records} records in {:.0} s: {tagged} tagged, {rejected} dead letters, none missing, none twice; \
         at most {} MiB resident",
        took.as_secs_f64(),
        most >> 20
    );
    assert!(most < 400 << 20, "{most} bytes resident");
    within(Duration::from_secs(10), "everything committed", || {
        (broker.committed("rasid", 4).iter().sum::<i64>() == records as i64).then_some(())
    });
}
