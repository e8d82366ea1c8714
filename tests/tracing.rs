//! Traces over OTLP: records on a real broker, spans at a collector that takes what OpenTelemetry's protocol sends.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Broker, header, json, seed_article, within};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const PATIENCE: Duration = Duration::from_secs(60);

/// An OTLP receiver: HTTP, protobuf.
struct Collector {
    address: String,
    received: Arc<Mutex<Vec<(String, ExportTraceServiceRequest)>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::<Mutex<Vec<_>>>::default();
        let kept = received.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let kept = kept.clone();
                std::thread::spawn(move || {
                    while let Some((head, body)) = request(&mut reader) {
                        kept.lock().unwrap().push((head, ExportTraceServiceRequest::decode(&*body).unwrap()));
                        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
                        reader.get_mut().write_all(answer.as_bytes()).unwrap();
                    }
                });
            }
        });
        Self { address, received }
    }

    fn spans(&self) -> Vec<Span> {
        let received = self.received.lock().unwrap();
        let resources = received.iter().flat_map(|(_, request)| &request.resource_spans);
        resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| scope.spans.clone()).collect()
    }
}

/// Head and body of a request; `None` where the connection ends.
fn request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_lowercase();
    let length = lower.split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((lower, body))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn value(attributes: &[KeyValue], key: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    Some(match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_sampled_trace_goes_on_and_the_others_pass_through() {
    let broker = Broker::start();
    broker.topics(1);
    let collector = Collector::start();
    let worker = broker.worker(&["--otlp-endpoint", &collector.address]);
    let seed = seed_article();
    let sampled = format!("00-{TRACE}-{PARENT}-01");
    let unsampled = format!("00-{TRACE}-{PARENT}-00");
    let feeder = broker.producer();
    let state = ("tracestate", "vendor=1");
    feeder.send_with("sampled", Some(&seed), &[("a", "1"), ("traceparent", &sampled), state], None);
    feeder.send_with("unsampled", Some(&seed), &[("traceparent", &unsampled)], None);
    feeder.send_with("nonsense", Some(&seed), &[("traceparent", "00-trace-parent-01")], None);
    feeder.send_with("none", Some(&seed), &[], None);
    feeder.send_with("broken", Some(b"{\"text\":"), &[("traceparent", &sampled)], None);
    feeder.flush();
    let spans = within(PATIENCE, "two spans", || Some(collector.spans()).filter(|spans| spans.len() >= 2));
    worker.stop();
    assert_eq!(collector.spans().len(), 2, "sampled traces alone");

    let tagged = broker.read("articles.tagged");
    let mut sent: Vec<_> = tagged.iter().map(|record| header(record, "traceparent")).collect();
    assert_eq!(sent.split_off(1), [Some(unsampled), Some("00-trace-parent-01".into()), None]);
    let of = |offset: &str| {
        spans
            .iter()
            .find(|span| value(&span.attributes, "messaging.kafka.offset").unwrap() == offset)
            .unwrap()
    };
    let span = of("0");
    assert_eq!((hex(&span.trace_id).as_str(), hex(&span.parent_span_id).as_str()), (TRACE, PARENT));
    assert_eq!(
        sent[0],
        Some(format!("00-{TRACE}-{}-01", hex(&span.span_id))),
        "readers of the output are its children"
    );
    assert_eq!(header(&tagged[0], "tracestate").as_deref(), Some("vendor=1"));
    assert_eq!(header(&tagged[0], "a").as_deref(), Some("1"));
    assert_eq!((span.name.as_str(), span.kind().as_str_name()), ("process articles", "SPAN_KIND_CONSUMER"));
    let record = json(&tagged[0]);
    for (key, expected) in [
        ("messaging.system", "kafka"),
        ("messaging.destination.name", "articles"),
        ("messaging.destination.partition.id", "0"),
        ("messaging.consumer.group.name", "rasid"),
        ("rasid.language", "ar"),
        ("rasid.topic", record["topics"][0]["code"].as_str().unwrap()),
        ("rasid.stance", record["stance"]["label"].as_str().unwrap()),
    ] {
        assert_eq!(value(&span.attributes, key).as_deref(), Some(expected), "{key}");
    }
    let events: Vec<(&str, u64)> =
        span.events.iter().map(|event| (event.name.as_str(), event.time_unix_nano)).collect();
    assert_eq!(events.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["tagged", "published"]);
    let times = [span.start_time_unix_nano, events[0].1, events[1].1];
    assert!(times.is_sorted() && span.end_time_unix_nano == times[2], "{span:?}");

    let broken = of("4");
    assert_eq!(value(&broken.attributes, "error.type").as_deref(), Some("json"));
    assert_eq!(broken.status.as_ref().unwrap().message, "rasid.JsonRejection");
    let letters = broker.read("articles.dlq");
    assert_eq!(header(&letters[0], "traceparent"), Some(sampled), "a dead letter keeps its headers");

    let received = collector.received.lock().unwrap();
    let (head, request) = &received[0];
    assert!(
        head.starts_with("post /v1/traces http/1.1") && head.contains("application/x-protobuf"),
        "{head}"
    );
    let resource = &request.resource_spans[0].resource.as_ref().unwrap().attributes;
    assert_eq!(value(resource, "service.name").as_deref(), Some("rasid"));
}

#[test]
fn records_begin_traces_where_asked_and_a_collector_that_is_away_holds_nothing_up() {
    let broker = Broker::start();
    broker.topics(1);
    let feeder = broker.producer();
    let seed = seed_article();
    for number in 0..200 {
        feeder.send(&number.to_string(), Some(&seed));
    }
    feeder.flush();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let worker =
        broker.worker(&["--otlp-endpoint", &format!("http://{nobody}"), "--otlp-sampling-ratio", "1"]);
    within(PATIENCE, "all tagged", || (broker.count("articles.tagged") == 200).then_some(()));
    worker.stop();
    let parents: Vec<String> =
        broker.read("articles.tagged").iter().map(|record| header(record, "traceparent").unwrap()).collect();
    assert!(parents.iter().all(|parent| parent.ends_with("-01")), "{parents:?}");
    let traces: std::collections::BTreeSet<&str> =
        parents.iter().map(|parent| parent.split('-').nth(1).unwrap()).collect();
    assert_eq!(traces.len(), 200, "a trace each");
}
