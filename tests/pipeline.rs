//! The loop with fake ports: order, acknowledgement before the commit, refusals, transactions, stop.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod fakes;

use fakes::{Cluster, FakeCommit, FakeSink, FakeSource, Published};
use rasid::metrics::Metrics;
use rasid::model::Classifier;
use rasid::pipeline::{
    BreakerLimits, Commitment, Destination, Envelope, FailureKind, Health, Live, Options, PipelineError,
    Span, Worker,
};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

fn envelope(offset: i64, value: &str) -> Envelope {
    Envelope { topic: "in".into(), offset, value: Some(value.to_owned().into()), ..Envelope::default() }
}

fn batches(count: i64, size: i64) -> VecDeque<Vec<Envelope>> {
    let text = "The council voted on the budget for schools and roads after a debate.";
    (0..count).map(|batch| (0..size).map(|n| envelope(batch * size + n, text)).collect()).collect()
}

struct Run {
    result: Result<(), PipelineError>,
    cluster: Arc<Cluster>,
    metrics: Metrics,
    aborts: u64,
}

impl Run {
    fn published(&self) -> Published {
        self.cluster.published.lock().unwrap().clone()
    }

    fn commits(&self) -> Vec<i64> {
        self.cluster.commits.lock().unwrap().clone()
    }

    /// Offsets that readers of committed records see.
    fn visible(&self) -> Vec<i64> {
        self.cluster.visible.lock().unwrap().iter().map(|entry| entry.0).collect()
    }
}

async fn run(batches: VecDeque<Vec<Envelope>>, sink: FakeSink, max_rejected_in_a_row: u64) -> Run {
    run_with(batches, sink, FakeCommit::default(), max_rejected_in_a_row).await
}

async fn run_with(
    batches: VecDeque<Vec<Envelope>>,
    mut sink: FakeSink,
    mut commit: FakeCommit,
    max_rejected_in_a_row: u64,
) -> Run {
    let cluster = Arc::new(Cluster::default());
    let mut source = FakeSource { cluster: cluster.clone(), batches, ..FakeSource::default() };
    sink.cluster = cluster.clone();
    sink.transactional = commit.span.is_some();
    commit.cluster = cluster.clone();
    commit.spoiled = sink.spoiled.clone();
    let metrics = Metrics::new().unwrap();
    let worker = worker(metrics.clone(), max_rejected_in_a_row);
    let (_stop, stopped) = watch::channel(false);
    let running = worker.run(&mut source, &sink, &commit, stopped);
    let result = tokio::time::timeout(Duration::from_secs(60), running).await.expect("it ends");
    let aborts = *commit.aborts.lock().unwrap();
    Run { result, cluster, metrics, aborts }
}

/// Ends the worker, but at nothing.
const NEVER: BreakerLimits =
    BreakerLimits { in_a_row: 0, share: 1.0, window: 100, wait: Duration::from_millis(100), stop: true };

fn worker(metrics: Metrics, max_rejected_in_a_row: u64) -> Worker {
    Worker {
        model: watch::channel(Arc::new(Classifier::bundled().unwrap())).1,
        shadow: None,
        options: Options::default(),
        metrics,
        health: Arc::new(Health::new(Duration::from_secs(60))),
        live: Arc::new(Live::default()),
        breaker: BreakerLimits { in_a_row: max_rejected_in_a_row, ..NEVER },
        spans: None,
    }
}

#[tokio::test]
async fn positions_are_committed_in_order_whatever_order_the_broker_answers_in() {
    let run = run(batches(20, 10), FakeSink::default(), 0).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.commits(), (1..=20).map(|batch| batch * 10).collect::<Vec<_>>());
    let published = run.published();
    assert_eq!(published.iter().map(|entry| entry.0).collect::<Vec<_>>(), (0..200).collect::<Vec<_>>());
    assert_eq!(run.metrics.in_flight.get(), 0);
}

#[tokio::test]
async fn a_refused_record_is_tried_again_before_anything_past_it_is_committed() {
    let refuse = HashMap::from([(3, VecDeque::from([FailureKind::Retriable, FailureKind::Retriable]))]);
    let run = run(batches(3, 5), FakeSink { refuse: refuse.into(), ..FakeSink::default() }, 0).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.commits(), [5, 10, 15]);
    assert_eq!(run.metrics.publish_retries.get(), 2);
    let text = String::from_utf8(run.metrics.text().unwrap()).unwrap();
    assert!(text.contains("rasid_publish_errors_total{kind=\"retriable\"} 2"), "{text}");
}

#[tokio::test]
async fn a_record_too_large_becomes_a_dead_letter_and_then_loses_its_value() {
    let refuse = HashMap::from([
        (1, VecDeque::from([FailureKind::TooLarge(10)])),
        (2, VecDeque::from([FailureKind::TooLarge(10), FailureKind::TooLarge(10)])),
    ]);
    let run = run(batches(1, 4), FakeSink { refuse: refuse.into(), ..FakeSink::default() }, 0).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.commits(), [4]);
    let published = run.published();
    assert!(published.contains(&(1, Destination::DeadLetter, true)), "{published:?}");
    assert!(published.contains(&(2, Destination::DeadLetter, false)), "{published:?}");
    assert!(run.metrics.snapshot().rejected["too_large"] == 2);
}

#[tokio::test]
async fn a_fatal_refusal_ends_the_loop_and_nothing_past_it_is_committed() {
    let refuse = HashMap::from([(7, VecDeque::from([FailureKind::Fatal]))]);
    let run = run(batches(4, 5), FakeSink { refuse: refuse.into(), ..FakeSink::default() }, 0).await;
    assert!(matches!(run.result, Err(PipelineError::Sink(_))));
    assert!(run.commits().iter().all(|next| *next <= 5), "{:?}", run.commits());
}

#[tokio::test]
async fn too_many_rejections_in_a_row_stop_the_worker() {
    let bad = |offset| envelope(offset, "{\"text\":");
    let mut input = batches(1, 2);
    input.push_back((2..12).map(bad).collect());
    let run = run(input, FakeSink::default(), 5).await;
    let message = run.result.unwrap_err().to_string();
    assert!(message.contains("5 records in a row") && message.contains("in 0 11 (json)"), "{message}");
}

#[tokio::test]
async fn too_many_rejections_pause_reading_until_a_try_can_be_read() {
    // at least once, and with transactions that hold more than a batch
    for span in [None, Some(Span { age: Duration::from_millis(20), records: 1000 })] {
        let bad = |offset: i64, value: &str| envelope(offset, value);
        let mut input = batches(1, 2);
        // what opens the breaker, two tries in vain, one that can be read, and what comes after it
        input.push_back((2..8).map(|n| bad(n, "{\"text\":")).collect());
        input.push_back(vec![bad(8, "{"), bad(9, "{")]);
        input.push_back(vec![bad(10, "{")]);
        input.extend((0..10).map(|n| vec![envelope(11 + n, "The council voted on the budget.")]));
        let cluster = Arc::new(Cluster::default());
        let mut source =
            FakeSource { cluster: cluster.clone(), batches: input, lockstep: true, ..FakeSource::default() };
        let metrics = Metrics::new().unwrap();
        let limits = BreakerLimits { in_a_row: 5, stop: false, ..NEVER };
        let worker = Worker { breaker: limits, ..worker(metrics.clone(), 0) };
        let (_stop, stopped) = watch::channel(false);
        let sink = FakeSink { cluster: cluster.clone(), ..FakeSink::default() };
        let commit = FakeCommit { cluster: cluster.clone(), span, ..FakeCommit::default() };
        let health = worker.health.clone();
        health.ready();
        let start = std::time::Instant::now();
        let watching = tokio::spawn(async move {
            let mut seen = Vec::new();
            loop {
                let reason = health.waiting_for();
                if seen.last() != Some(&reason) {
                    seen.push(reason);
                }
                if let [None, Some(_), .., None] = seen[..] {
                    return seen;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        worker.run(&mut source, &sink, &commit, stopped).await.unwrap();
        assert!(start.elapsed() >= 3 * limits.wait, "it waited before each try");
        assert_eq!(cluster.committed(), 21);
        let published: Vec<i64> = cluster.published.lock().unwrap().iter().map(|entry| entry.0).collect();
        assert_eq!(published, (0..21).collect::<Vec<_>>(), "nothing is lost");
        let seen = watching.await.unwrap();
        let why = seen[1].as_deref().unwrap();
        assert!(why.contains("5 records in a row") && why.contains("in 0 7 (json)"), "{why}");
        let text = String::from_utf8(metrics.text().unwrap()).unwrap();
        assert!(text.contains("rasid_circuit_breaker_state 0"), "{text}");
        for (state, times) in [("open", 3), ("half_open", 3), ("closed", 1)] {
            let line = format!("rasid_circuit_breaker_transitions_total{{state=\"{state}\"}} {times}");
            assert!(text.contains(&line), "{line} in\n{text}");
        }
    }
}

#[tokio::test]
async fn a_high_share_of_rejections_opens_the_breaker_too() {
    let mixed = |offset: i64| envelope(offset, if offset % 3 == 0 { "Some words to read." } else { "{" });
    let input = VecDeque::from([(0..50).map(mixed).collect(), (50..200).map(mixed).collect()]);
    let limits = BreakerLimits { share: 0.6, ..NEVER };
    let cluster = Arc::new(Cluster::default());
    let mut source = FakeSource { cluster: cluster.clone(), batches: input, ..FakeSource::default() };
    let worker = Worker { breaker: limits, ..worker(Metrics::new().unwrap(), 0) };
    let (_stop, stopped) = watch::channel(false);
    let sink = FakeSink { cluster: cluster.clone(), ..FakeSink::default() };
    let commit = FakeCommit { cluster, ..FakeCommit::default() };
    let message = worker.run(&mut source, &sink, &commit, stopped).await.unwrap_err().to_string();
    assert!(message.contains("66 of the last 100 records could not be read"), "{message}");
}

#[tokio::test]
async fn a_worker_that_pauses_can_be_stopped() {
    let input = VecDeque::from([(0..10).map(|n| envelope(n, "{")).collect(), vec![envelope(10, "x y z")]]);
    let cluster = Arc::new(Cluster::default());
    let mut source = FakeSource {
        cluster: cluster.clone(),
        batches: input,
        open: true,
        lockstep: true,
        ..FakeSource::default()
    };
    let limits = BreakerLimits { in_a_row: 5, wait: Duration::from_secs(3600), stop: false, ..NEVER };
    let worker = Worker { breaker: limits, ..worker(Metrics::new().unwrap(), 0) };
    let stopped = stopped_soon();
    let sink = FakeSink { cluster: cluster.clone(), ..FakeSink::default() };
    let commit = FakeCommit { cluster: cluster.clone(), ..FakeCommit::default() };
    let run = worker.run(&mut source, &sink, &commit, stopped);
    tokio::time::timeout(Duration::from_secs(5), run).await.expect("it ends").unwrap();
    assert_eq!(cluster.committed(), 10, "what was not read is left for the next worker");
}

/// A shutdown that comes after 300 ms.
fn stopped_soon() -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.send(true).unwrap();
        stop.closed().await;
    });
    stopped
}

/// Ten records, and a source that stays open after them.
fn ten_and_more(cluster: &Arc<Cluster>) -> FakeSource {
    FakeSource { cluster: cluster.clone(), batches: batches(2, 5), open: true, ..FakeSource::default() }
}

#[tokio::test]
async fn shutdown_drains_what_was_read() {
    for span in [None, Some(Span { age: Duration::from_secs(60), records: 1000 })] {
        let cluster = Arc::new(Cluster::default());
        let mut source = ten_and_more(&cluster);
        let worker = worker(Metrics::new().unwrap(), 0);
        let stopped = stopped_soon();
        let sink = FakeSink { cluster: cluster.clone(), ..FakeSink::default() };
        let commit = FakeCommit { cluster: cluster.clone(), span, ..FakeCommit::default() };
        tokio::time::timeout(Duration::from_secs(5), worker.run(&mut source, &sink, &commit, stopped))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(cluster.committed(), 10);
    }
}

fn transactions(age: Duration, records: usize) -> FakeCommit {
    FakeCommit { span: Some(Span { age, records }), ..FakeCommit::default() }
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_transaction_ends_by_size_and_what_is_left_at_the_end() {
    let run = run_with(batches(7, 10), FakeSink::default(), transactions(LONG, 30), 0).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.commits(), [30, 60, 70]);
    assert_eq!(run.visible(), (0..70).collect::<Vec<_>>());
    assert_eq!(run.metrics.in_flight.get(), 0);
    assert_eq!(run.metrics.snapshot().tagged, 70);
}

#[tokio::test]
async fn a_transaction_ends_by_age_or_when_a_partition_is_about_to_go() {
    for (age, urged) in [(Duration::from_millis(20), false), (LONG, true)] {
        let cluster = Arc::new(Cluster::default());
        let mut source = ten_and_more(&cluster);
        let worker = worker(Metrics::new().unwrap(), 0);
        let sink = FakeSink { cluster: cluster.clone(), ..FakeSink::default() };
        let commit = FakeCommit { cluster: cluster.clone(), urged, ..transactions(age, 1000) };
        let (_stop, stopped) = watch::channel(false);
        tokio::select! {
            _ = worker.run(&mut source, &sink, &commit, stopped) => panic!("it goes on"),
            () = async {
                while cluster.committed() < 10 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            } => {}
            () = tokio::time::sleep(Duration::from_secs(10)) => panic!("no commit: {age:?} {urged}"),
        }
    }
}

#[tokio::test]
async fn tagging_goes_on_during_a_commit_and_publishing_waits() {
    let commit = FakeCommit { delay: Duration::from_millis(200), ..transactions(LONG, 10) };
    let run = run_with(batches(4, 10), FakeSink::default(), commit, 0).await;
    run.result.as_ref().unwrap();
    // `begin` of the fake panics while a transaction is open
    assert_eq!(run.commits(), [10, 20, 30, 40]);
}

#[tokio::test]
async fn an_aborted_transaction_is_read_again_and_seen_once() {
    let abort = || Commitment::Abort("generation".into());
    let commit = FakeCommit {
        script: Mutex::new([Commitment::Done, abort(), abort(), Commitment::Done, abort()].into()),
        ..transactions(LONG, 20)
    };
    let run = run_with(batches(8, 10), FakeSink::default(), commit, 0).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.visible(), (0..80).collect::<Vec<_>>());
    assert_eq!(run.aborts, 3);
    assert!(run.published().len() > 80, "it was published again");
    assert_eq!(run.metrics.snapshot().tagged, 80, "what was aborted is not counted");
    assert_eq!(run.metrics.in_flight.get(), 0);
}

#[tokio::test]
async fn a_delivery_that_fails_in_a_transaction_aborts_it() {
    let refuse = HashMap::from([(13, VecDeque::from([FailureKind::Abort, FailureKind::Abort]))]);
    let sink = FakeSink { refuse: refuse.into(), ..FakeSink::default() };
    let run = run_with(batches(4, 10), sink, transactions(LONG, 1000), 0).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.visible(), (0..40).collect::<Vec<_>>());
    assert_eq!(run.aborts, 2);
}

#[tokio::test]
async fn a_record_that_the_broker_finds_too_large_costs_a_transaction_and_becomes_a_dead_letter() {
    let sink = FakeSink { large: HashMap::from([(3, false), (5, true)]), ..FakeSink::default() };
    let run = run_with(batches(2, 5), sink, transactions(LONG, 1000), 0).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.visible(), (0..10).collect::<Vec<_>>());
    let visible = run.cluster.visible.lock().unwrap().clone();
    assert!(visible.contains(&(3, Destination::DeadLetter, true)), "{visible:?}");
    assert!(visible.contains(&(5, Destination::DeadLetter, false)), "{visible:?}");
    assert_eq!(run.metrics.snapshot().rejected["too_large"], 2);
}

#[tokio::test]
async fn transactions_that_are_aborted_again_and_again_are_made_until_they_commit() {
    let aborts = std::iter::repeat_n(Commitment::Abort("no rights".into()), 6).collect();
    let commit = FakeCommit { script: Mutex::new(aborts), ..transactions(LONG, 10) };
    let run = run_with(batches(2, 10), FakeSink::default(), commit, 0).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.aborts, 6);
    assert_eq!(run.visible(), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_a_batch_tells_of_drift_is_counted_by_language() {
    let arabic = "فاز الفريق بكأس البطولة بعد مباراة مثيرة سجل فيها المهاجم هدفين زبرقعطنش";
    let french = "Le conseil municipal a adopté hier soir le budget des écoles et des routes.";
    let mut input = batches(1, 3);
    input.push_back(vec![envelope(3, arabic), envelope(4, french), envelope(5, "{\"text\":")]);
    let run = run(input, FakeSink::default(), 0).await;
    run.result.as_ref().unwrap();
    let text = String::from_utf8(run.metrics.text().unwrap()).unwrap();
    let value = |series: &str| -> f64 {
        let line =
            text.lines().find(|line| line.starts_with(series)).unwrap_or_else(|| panic!("{series}\n{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    for language in ["ar", "en"] {
        assert!(value(&format!("rasid_terms_total{{language=\"{language}\",vocabulary=\"known\"}}")) > 3.0);
        assert!(value(&format!("rasid_confidence_ratio_count{{language=\"{language}\"}}")) >= 1.0);
    }
    assert!(value("rasid_terms_total{language=\"ar\",vocabulary=\"unknown\"}") >= 1.0);
    assert!(!text.contains("rasid_terms_total{language=\"und\""), "no vocabulary, no share of it");
}
