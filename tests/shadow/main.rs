//! A shadow model beside the one that publishes: what it says is counted and told, and changes nothing else.
//! Here with fake ports, in `broker.rs` on a real broker.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod broker;
#[path = "../common/mod.rs"]
mod common;
#[path = "../fakes/mod.rs"]
mod fakes;

use fakes::{Cluster, FakeCommit, FakeSink, FakeSource};
use rasid::metrics::Metrics;
use rasid::model::{Classifier, Model, Task};
use rasid::pipeline::{
    BreakerLimits, Destination, Envelope, FailureKind, Health, Live, Options, Running, Span, Worker,
};
use rasid::text::Language;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(60);

fn bundled() -> Vec<u8> {
    std::fs::read(common::root().join("models/rasid-news.safetensors")).unwrap()
}

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::from_bytes(&bundled()).unwrap());

/// The model that ships, with something changed; its checksum is right.
fn changed(change: impl FnOnce(&mut Model)) -> Vec<u8> {
    let mut model = MODEL.clone();
    change(&mut model);
    model.to_bytes().unwrap()
}

fn in_use(model: Classifier) -> Running {
    watch::channel(Arc::new(model)).1
}

fn classifier(bytes: &[u8]) -> Running {
    in_use(Classifier::from_bytes(bytes).unwrap())
}

/// What the counter says, by topic and agreement.
fn compared(metrics: &str) -> BTreeMap<(String, String), u64> {
    let lines = metrics.lines().filter_map(|line| line.strip_prefix("rasid_shadow_articles_total{"));
    let cells = lines.map(|line| {
        let parts: Vec<&str> = line.split('"').collect();
        // agreement="…",topic="…"} n
        ((parts[3].to_owned(), parts[1].to_owned()), parts[4].trim_matches(['}', ' ']).parse().unwrap())
    });
    cells.collect()
}

struct Run {
    cluster: Arc<Cluster>,
    compared: BTreeMap<String, u64>,
    metrics: String,
    aborts: u64,
}

/// Ten articles about sport, through the loop with fake ports.
async fn run(shadow: Running, refuse_extra: HashMap<i64, FailureKind>, span: Option<Span>) -> Run {
    let text = "The striker scored twice as the home side won the cup final on penalties after extra time.";
    let envelope =
        |offset| Envelope { topic: "in".into(), offset, value: Some(text.into()), ..Envelope::default() };
    let cluster = Arc::new(Cluster::default());
    let batches = VecDeque::from([(0..5).map(envelope).collect(), (5..10).map(envelope).collect()]);
    let mut source = FakeSource { cluster: cluster.clone(), batches, ..FakeSource::default() };
    let sink = FakeSink {
        cluster: cluster.clone(),
        refuse_extra,
        transactional: span.is_some(),
        ..FakeSink::default()
    };
    let spoiled = sink.spoiled.clone();
    let commit = FakeCommit { cluster: cluster.clone(), span, spoiled, ..FakeCommit::default() };
    let metrics = Metrics::new().unwrap();
    let worker = Worker {
        model: in_use(Classifier::bundled().unwrap()),
        shadow: Some(shadow),
        options: Options { disagreements: true, ..Options::default() },
        metrics: metrics.clone(),
        health: Arc::new(Health::new(PATIENCE)),
        live: Arc::new(Live::default()),
        breaker: BreakerLimits { in_a_row: 0, share: 1.0, window: 100, wait: PATIENCE, stop: true },
        spans: None,
    };
    let (_stop, stopped) = watch::channel(false);
    let running = worker.run(&mut source, &sink, &commit, stopped);
    tokio::time::timeout(PATIENCE, running).await.expect("it ends").unwrap();
    assert_eq!(cluster.committed(), 10, "whatever the shadow does");
    let text = String::from_utf8(metrics.text().unwrap()).unwrap();
    let mut by_agreement = BTreeMap::new();
    for ((topic, agreement), count) in compared(&text) {
        assert_eq!(topic, "medtop:15000000", "by the published topic");
        *by_agreement.entry(agreement).or_default() += count;
    }
    let aborts = *commit.aborts.lock().unwrap();
    Run { cluster, compared: by_agreement, metrics: text, aborts }
}

/// Offsets of the disagreements that readers of committed records see.
fn told(run: &Run) -> Vec<i64> {
    let visible = run.cluster.visible.lock().unwrap();
    visible.iter().filter(|entry| entry.1 == Destination::Disagreement).map(|entry| entry.0).collect()
}

fn only(agreement: &str) -> BTreeMap<String, u64> {
    BTreeMap::from([(agreement.to_owned(), 10)])
}

#[tokio::test]
async fn agreement_is_counted_and_only_disagreements_are_told() {
    let none = HashMap::new;
    let alike = run(classifier(&changed(|model| model.info.version = "next".into())), none(), None).await;
    assert_eq!((alike.compared.clone(), told(&alike)), (only("both"), vec![]));
    // the labels of another newsroom: what the first model says is none of them
    let foreign = changed(|model| {
        model.info.topics.iter_mut().for_each(|label| label.code = format!("desk-{}", label.code));
    });
    let foreign = run(classifier(&foreign), none(), None).await;
    assert_eq!((foreign.compared.clone(), told(&foreign)), (only("stance"), (0..10).collect()));
    // a model that knows no stance in English
    let silent = changed(|model| {
        model.heads.remove(&(Language::English, Task::Stance));
    });
    let silent = run(classifier(&silent), none(), None).await;
    assert_eq!((silent.compared.clone(), told(&silent)), (only("topic"), (0..10).collect()));
    // a model that knows no English at all
    let arabic = changed(|model| model.heads.retain(|(language, _), _| *language == Language::Arabic));
    let arabic = run(classifier(&arabic), none(), None).await;
    assert_eq!((arabic.compared.clone(), told(&arabic)), (only("neither"), (0..10).collect()));
    // the same file: there is nothing to compare
    let same = run(classifier(&bundled()), none(), None).await;
    assert_eq!((same.compared.clone(), told(&same)), (BTreeMap::new(), vec![]));
}

#[tokio::test]
async fn a_shadow_that_panics_harms_no_article() {
    // labels are missing, which no file that is read may have
    let mut broken = MODEL.clone();
    broken.info.topics.clear();
    let run = run(in_use(Classifier::new(broken, "0".into()).unwrap()), HashMap::new(), None).await;
    assert_eq!((run.compared.clone(), told(&run)), (only("failed"), vec![]));
    assert!(run.metrics.contains("rasid_records_rejected_total{reason=\"internal\"} 0"));
    let visible = run.cluster.visible.lock().unwrap();
    assert!(visible.iter().all(|entry| entry.1 == Destination::Tagged), "{visible:?}");
}

#[tokio::test]
async fn a_disagreement_that_its_topic_does_not_take_is_left_out() {
    let shadow = classifier(&changed(|model| model.info.topics.rotate_left(1)));
    let refuse = HashMap::from([(3, FailureKind::TooLarge(10)), (7, FailureKind::Refused)]);
    let kept = [0, 1, 2, 4, 5, 6, 8, 9];
    let transaction = Span { age: PATIENCE, records: 10 };
    // a transaction that one of them has spoiled takes no other: each is found out by an abort of its own
    for (span, aborts) in [(None, 0), (Some(transaction), 2)] {
        let run = run(shadow.clone(), refuse.clone(), span).await;
        assert_eq!((told(&run), run.aborts), (kept.to_vec(), aborts), "{span:?}");
        assert_eq!(run.compared, only("stance"), "it is counted all the same");
        let dropped = "rasid_extra_outputs_dropped_total{output=\"disagreement\"} 2";
        assert!(run.metrics.contains(dropped), "{}", run.metrics);
    }
}

#[tokio::test]
async fn a_transaction_that_disagreements_keep_from_being_committed_goes_without_them() {
    let shadow = classifier(&changed(|model| model.info.topics.rotate_left(1)));
    let refuse = HashMap::from([(3, FailureKind::Abort)]);
    let run = run(shadow, refuse, Some(Span { age: PATIENCE, records: 10 })).await;
    assert_eq!((told(&run), run.aborts), (vec![], 3));
    assert!(run.metrics.contains("rasid_extra_outputs_dropped_total{output=\"disagreement\"} 10"));
}
