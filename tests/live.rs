//! What feeds the live page: its files, its events, and the samples drawn from the stream.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Broker, article, within};
use rasid::http::{self, Shared};
use rasid::metrics::Metrics;
use rasid::model::{Classifier, Model, sha256};
use rasid::pipeline::{Health, Live};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(60);

/// The routes without a worker behind them.
struct Site {
    runtime: Option<tokio::runtime::Runtime>,
    address: SocketAddr,
    metrics: Metrics,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<()>,
}

fn site(classifier: Classifier) -> Site {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let metrics = Metrics::new().unwrap();
    let shared = Shared {
        metrics: metrics.clone(),
        health: Arc::new(Health::new(Duration::from_secs(60))),
        live: Arc::new(Live::default()),
        model: watch::channel(Arc::new(classifier)).1,
        shadow: None,
        reload: None,
    };
    let listener = runtime.block_on(http::bind(([127, 0, 0, 1], 0).into())).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let server = runtime.spawn(http::serve(listener, shared, stopped));
    Site { runtime: Some(runtime), address, metrics, stop, server }
}

fn get(address: impl std::net::ToSocketAddrs, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

/// An open event stream.
struct Events(BufReader<TcpStream>);

impl Events {
    /// `None` where the worker sends the viewer away.
    fn open(address: impl std::net::ToSocketAddrs) -> Option<Self> {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut events = Self(BufReader::new(stream));
        let status = events.line().unwrap();
        status.contains(" 200 ").then_some(events)
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).unwrap();
        (read > 0).then_some(line)
    }

    /// Kind and content of the next event; `None` at the end of the stream.
    fn next(&mut self) -> Option<(String, serde_json::Value)> {
        let kind = loop {
            if let Some(kind) = self.line()?.strip_prefix("event: ") {
                break kind.trim().to_owned();
            }
        };
        let data = self.line()?;
        Some((kind, serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap()))
    }
}

#[test]
fn every_file_of_the_page_comes_with_the_content_policy() {
    let site = site(Classifier::bundled().unwrap());
    let page = get(site.address, "/").1;
    let linked: Vec<&str> = page
        .split('"')
        .filter(|part| [".css", ".js", ".svg"].iter().any(|end| part.ends_with(end)))
        .collect();
    assert_eq!(linked, ["icon.svg", "colours.css", "page.css", "page.js"], "and nothing from elsewhere");
    for path in
        ["/", "/colours.css", "/page.css", "/page.js", "/view.js", "/words.js", "/icon.svg", "/live.json"]
    {
        let (head, body) = get(site.address, path);
        assert!(head.starts_with("http/1.1 200") && body.len() > 100, "{path}: {head}");
        assert!(head.contains("content-security-policy: default-src 'none'; script-src 'self'; "), "{head}");
        assert!(head.contains("frame-ancestors 'none'") && !head.contains("unsafe"), "{head}");
        for header in ["x-content-type-options: nosniff", "referrer-policy: no-referrer"] {
            assert!(head.contains(header), "{header} in\n{head}");
        }
    }
}

#[test]
fn the_labels_are_the_models_own() {
    let bundled = include_bytes!("../models/rasid-news.safetensors");
    let mut model = Model::from_bytes(bundled).unwrap();
    model.info.topics[14].code = "desk:sport".to_owned();
    model.info.topics[14].name_ar = "ملاعب".to_owned();
    model.info.stances[0].name = "hostile".to_owned();
    let site = site(Classifier::new(model, sha256(b"mine")).unwrap());
    site.metrics.tagged(Some("desk:sport"), Some("against"), "ar");
    let live = within(PATIENCE, "the next frame", || {
        let live: serde_json::Value = serde_json::from_str(&get(site.address, "/live.json").1).unwrap();
        (live["live"]["counts"]["tagged"] == 1).then_some(live)
    });
    let (model, live) = (&live["model"], &live["live"]);
    assert_eq!(
        (&model["topics"][14]["code"], &model["topics"][14]["name_ar"]),
        (&"desk:sport".into(), &"ملاعب".into())
    );
    assert_eq!(model["stances"][0]["name"], "hostile");
    assert_eq!(model["sha256"], sha256(b"mine"));
    assert!(
        model["figures"]
            .as_array()
            .unwrap()
            .iter()
            .all(|figures| figures["accuracy"].as_f64().unwrap() > 0.0)
    );
    assert_eq!(live["hour"]["topics"], serde_json::json!({"desk:sport": {"against": 1}}));
    assert_eq!(live["hour"]["languages"], serde_json::json!({"ar": 1}));
}

#[test]
fn viewers_are_counted_and_sent_home_at_shutdown() {
    let mut site = site(Classifier::bundled().unwrap());
    let mut viewers: Vec<Events> = (0..64).map(|_| Events::open(site.address).unwrap()).collect();
    assert!(Events::open(site.address).is_none(), "one too many");
    assert!(get(site.address, "/live.json").0.starts_with("http/1.1 200"), "the numbers are there for all");
    drop(viewers.pop());
    let seat = within(PATIENCE, "a seat is free again", || {
        site.metrics.tagged(None, None, "und");
        Events::open(site.address)
    });
    viewers.push(seat);
    for viewer in &mut viewers {
        assert_eq!(viewer.next().unwrap().0, "model");
        assert_eq!(viewer.next().unwrap().0, "live");
    }
    let start = Instant::now();
    site.stop.send(true).unwrap();
    let runtime = site.runtime.take().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(5), site.server).await })
        .unwrap()
        .unwrap();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    while viewers[0].next().is_some() {}
}

#[test]
fn a_thousand_articles_a_second_are_an_event_a_second() {
    const RATE: usize = 1_000;
    const SECONDS: usize = 8;
    let broker = Broker::start();
    broker.topics(4);
    let worker = broker.worker(&[]);
    within(PATIENCE, "ready", || (worker.get("/readyz").0 == 200).then_some(()));
    let feeder = broker.producer();
    let address = worker.http();
    let reader = std::thread::spawn(move || {
        let mut events = Events::open(address).unwrap();
        let mut seen = Vec::new();
        while let Some((kind, event)) = events.next() {
            seen.push((Instant::now(), kind, event));
        }
        seen
    });
    let start = Instant::now();
    for number in 0..RATE * SECONDS {
        let due = Duration::from_secs_f64(number as f64 / RATE as f64);
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        feeder.send(&number.to_string(), Some(article(number).as_bytes()));
    }
    for value in ["{\"text\": \"a secret\"", "{\"title\": [\"a secret\"], \"text\": 7}", " "] {
        feeder.send("bad", Some(value.as_bytes()));
    }
    feeder.flush();
    within(PATIENCE, "all of it on the page", || {
        let live: serde_json::Value = serde_json::from_str(&worker.get("/live.json").1).unwrap();
        (live["live"]["counts"]["tagged"] == RATE * SECONDS && live["live"]["letters"][2].is_object())
            .then_some(())
    });
    worker.stop();
    let seen = reader.join().unwrap();
    assert_eq!(seen[0].1, "model");
    let mut a_second: BTreeMap<u64, usize> = BTreeMap::new();
    // after the welcome
    for (at, _, _) in &seen[2..] {
        *a_second.entry(at.saturating_duration_since(start).as_secs()).or_default() += 1;
    }
    assert!(a_second.values().all(|count| *count <= 2), "{a_second:?}");
    assert!(a_second.len() >= SECONDS, "{a_second:?}");
    let live: Vec<&serde_json::Value> =
        seen.iter().filter(|(_, kind, _)| kind == "live").map(|(.., event)| event).collect();
    let rates: Vec<f64> = live.iter().map(|event| event["rate"].as_f64().unwrap()).collect();
    let about = RATE as f64 * 0.8..RATE as f64 * 1.2;
    assert!(rates.iter().any(|rate| about.contains(rate)), "{rates:?}");
    // drawn slowly enough to be read: at most ten at once, then two a second
    let mut sources: Vec<&str> = live
        .iter()
        .flat_map(|event| event["articles"].as_array().unwrap())
        .map(|shown| shown["source"].as_str().unwrap())
        .collect();
    sources.sort_unstable();
    sources.dedup();
    assert!((10..=10 + 2 * (SECONDS + 4)).contains(&sources.len()), "{}", sources.len());
    let last = live.last().unwrap();
    let shown = &last["articles"][0];
    assert_eq!((&shown["title"], &shown["topics"][0]["code"]), (&"Final".into(), &"medtop:15000000".into()));
    assert!(
        shown["explain"][0]["weight"].as_f64().unwrap() > 0.0 && shown["stance"]["confidence"].is_number(),
        "{shown}"
    );
    assert!(shown.get("article").is_none());
    let letters = last["letters"].as_array().unwrap();
    let reasons: Vec<&str> = letters.iter().map(|letter| letter["reason"].as_str().unwrap()).collect();
    assert!(["json", "field", "no_text"].iter().all(|reason| reasons.contains(reason)), "{reasons:?}");
    assert!(
        !serde_json::to_string(&seen.last().unwrap().2).unwrap().contains("secret"),
        "no text of a dead letter"
    );
    let largest = seen.iter().map(|(.., event)| event.to_string().len()).max().unwrap();
    eprintln!("{} events, the largest {largest} bytes, {} articles drawn", seen.len(), sources.len());
    assert!(largest < 40_000);
}
