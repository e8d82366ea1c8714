//! The loop with fake ports: order, acknowledgement before storing, refusals, stop.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use rasid::metrics::Metrics;
use rasid::model::Classifier;
use rasid::pipeline::{
    Destination, Envelope, Failure, FailureKind, Health, Live, Options, Output, PipelineError, Sink, Source,
    Worker,
};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// Gives what it has, then ends.
struct FakeSource {
    batches: VecDeque<Vec<Envelope>>,
    /// Offsets in the order of storing.
    stored: Arc<Mutex<Vec<i64>>>,
    /// Waits for more instead of ending.
    open: bool,
}

impl Source for FakeSource {
    async fn next(&mut self) -> Result<Option<Vec<Envelope>>, PipelineError> {
        match self.batches.pop_front() {
            Some(batch) => Ok(Some(batch)),
            None if self.open => std::future::pending().await,
            None => Ok(None),
        }
    }

    fn stop(&mut self) {
        self.open = false;
        self.batches.clear();
    }

    fn store(&self, batch: &[Envelope]) {
        self.stored.lock().unwrap().extend(batch.iter().map(|envelope| envelope.offset));
    }
}

/// What was published: offset, destination, whether it had a value.
type Published = Vec<(i64, Destination, bool)>;

/// Acknowledges after a delay that differs from batch to batch; refuses as told.
#[derive(Default)]
struct FakeSink {
    published: Mutex<Published>,
    /// Failures by offset, taken one an attempt.
    refuse: Mutex<HashMap<i64, VecDeque<FailureKind>>>,
    calls: Mutex<u64>,
}

impl Sink for FakeSink {
    type Acknowledged = Pin<Box<dyn Future<Output = Vec<Failure>> + Send>>;

    async fn publish(&self, batch: &[(&Envelope, &Output)]) -> Result<Self::Acknowledged, PipelineError> {
        let mut failures = Vec::new();
        for (index, (envelope, output)) in batch.iter().enumerate() {
            let mut refuse = self.refuse.lock().unwrap();
            match refuse.get_mut(&envelope.offset).and_then(VecDeque::pop_front) {
                Some(kind) => failures.push(Failure { index, kind, message: "refused".into() }),
                None => {
                    let entry = (envelope.offset, output.destination, output.value.is_some());
                    self.published.lock().unwrap().push(entry);
                }
            }
        }
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        // the first batches answer last
        let delay = Duration::from_millis(50u64.saturating_sub(5 * *calls));
        Ok(Box::pin(async move {
            tokio::time::sleep(delay).await;
            failures
        }))
    }
}

fn envelope(offset: i64, value: &str) -> Envelope {
    Envelope { topic: "in".into(), offset, value: Some(value.as_bytes().to_vec()), ..Envelope::default() }
}

fn batches(count: i64, size: i64) -> VecDeque<Vec<Envelope>> {
    let text = "The council voted on the budget for schools and roads after a debate.";
    (0..count).map(|batch| (0..size).map(|n| envelope(batch * size + n, text)).collect()).collect()
}

struct Run {
    result: Result<(), PipelineError>,
    stored: Vec<i64>,
    sink: FakeSink,
    metrics: Metrics,
}

async fn run(batches: VecDeque<Vec<Envelope>>, sink: FakeSink, max_rejected_in_a_row: u64) -> Run {
    let stored = Arc::new(Mutex::new(Vec::new()));
    let mut source = FakeSource { batches, stored: stored.clone(), open: false };
    let metrics = Metrics::new().unwrap();
    let worker = worker(metrics.clone(), max_rejected_in_a_row);
    let (_stop, stopped) = watch::channel(false);
    let result = worker.run(&mut source, &sink, stopped).await;
    let stored = stored.lock().unwrap().clone();
    Run { result, stored, sink, metrics }
}

fn worker(metrics: Metrics, max_rejected_in_a_row: u64) -> Worker {
    Worker {
        model: watch::channel(Arc::new(Classifier::bundled().unwrap())).1,
        options: Options::default(),
        metrics,
        health: Arc::new(Health::new(Duration::from_secs(60))),
        live: Arc::new(Live::default()),
        max_rejected_in_a_row,
    }
}

#[tokio::test]
async fn offsets_are_stored_in_order_whatever_order_the_broker_answers_in() {
    let run = run(batches(20, 10), FakeSink::default(), 0).await;
    run.result.unwrap();
    assert_eq!(run.stored, (0..200).collect::<Vec<_>>());
    let published = run.sink.published.into_inner().unwrap();
    assert_eq!(published.iter().map(|entry| entry.0).collect::<Vec<_>>(), run.stored);
    assert_eq!(run.metrics.in_flight.get(), 0);
}

#[tokio::test]
async fn a_refused_record_is_tried_again_before_anything_past_it_is_stored() {
    let refuse = HashMap::from([(3, VecDeque::from([FailureKind::Retriable, FailureKind::Retriable]))]);
    let run = run(batches(3, 5), FakeSink { refuse: refuse.into(), ..FakeSink::default() }, 0).await;
    run.result.unwrap();
    assert_eq!(run.stored, (0..15).collect::<Vec<_>>());
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
    run.result.unwrap();
    assert_eq!(run.stored, [0, 1, 2, 3]);
    let published = run.sink.published.into_inner().unwrap();
    assert!(published.contains(&(1, Destination::DeadLetter, true)), "{published:?}");
    assert!(published.contains(&(2, Destination::DeadLetter, false)), "{published:?}");
    assert!(run.metrics.snapshot().rejected["too_large"] == 2);
}

#[tokio::test]
async fn a_fatal_refusal_ends_the_loop_and_nothing_past_it_is_stored() {
    let refuse = HashMap::from([(7, VecDeque::from([FailureKind::Fatal]))]);
    let run = run(batches(4, 5), FakeSink { refuse: refuse.into(), ..FakeSink::default() }, 0).await;
    assert!(matches!(run.result, Err(PipelineError::Sink(_))));
    assert_eq!(run.stored, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn too_many_rejections_in_a_row_stop_the_worker() {
    let bad = |offset| envelope(offset, "{\"text\":");
    let mut input = batches(1, 2);
    input.push_back((2..12).map(bad).collect());
    let run = run(input, FakeSink::default(), 5).await;
    let message = run.result.unwrap_err().to_string();
    assert!(message.contains("5 records in a row") && message.contains("in 0 6 (json)"), "{message}");
}

#[tokio::test]
async fn shutdown_drains_what_was_read() {
    let stored = Arc::new(Mutex::new(Vec::new()));
    let mut source = FakeSource { batches: batches(2, 5), stored: stored.clone(), open: true };
    let metrics = Metrics::new().unwrap();
    let worker = worker(metrics.clone(), 0);
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.send(true).unwrap();
        stop.closed().await;
    });
    let sink = FakeSink::default();
    tokio::time::timeout(Duration::from_secs(5), worker.run(&mut source, &sink, stopped))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.lock().unwrap().len(), 10);
}

#[tokio::test]
async fn what_a_batch_tells_of_drift_is_counted_by_language() {
    let arabic = "فاز الفريق بكأس البطولة بعد مباراة مثيرة سجل فيها المهاجم هدفين زبرقعطنش";
    let french = "Le conseil municipal a adopté hier soir le budget des écoles et des routes.";
    let mut input = batches(1, 3);
    input.push_back(vec![envelope(3, arabic), envelope(4, french), envelope(5, "{\"text\":")]);
    let run = run(input, FakeSink::default(), 0).await;
    run.result.unwrap();
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
