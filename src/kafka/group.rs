//! Follows the consumer group: which partitions are ours, what of them is in flight, how far behind we are.

use super::age::{Run, Unfinished};
use super::gaps::Gaps;
use super::{figures, log};
use crate::metrics::{Lag, Metrics};
use crate::pipeline::{Envelope, Health, Positions};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionList;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// How long a revocation waits for records in flight.
const REVOKE_WAIT: Duration = Duration::from_secs(5);
/// How often callbacks are served while there is nothing to read.
pub(super) const POLL: Duration = Duration::from_millis(100);

/// The consumer with its callbacks.
pub(super) type Consumed = BaseConsumer<Context>;

/// Callbacks of the consumer; all but statistics come on the reader's thread.
pub(super) struct Context {
    metrics: Metrics,
    health: Arc<Health>,
    /// Input topic.
    pub(super) input: String,
    /// Offsets are committed by transactions, not by this consumer.
    transactional: bool,
    progress: Mutex<Progress>,
    /// Signalled when a batch is done.
    moved: Condvar,
    /// Whether a revocation waits for what is in flight.
    leaving: watch::Sender<bool>,
}

#[derive(Default)]
struct Progress {
    assigned: HashSet<i32>,
    /// By partition: the first offset polled since it was assigned.
    first: HashMap<i32, i64>,
    /// By partition: next offset after the last record given to the pipeline, and after the last one done.
    given: HashMap<i32, i64>,
    done: HashMap<i32, i64>,
    revoked: HashSet<i32>,
    unfinished: HashMap<i32, Unfinished>,
    gaps: Gaps,
    /// A partition went with records of it in flight: their transaction must not be committed.
    spoiled: bool,
}

impl Progress {
    fn in_flight(&self, partitions: &[i32]) -> bool {
        partitions.iter().any(|partition| {
            let given = self.given.get(partition).copied().unwrap_or(0);
            given > self.done.get(partition).copied().unwrap_or(0)
        })
    }
}

impl Context {
    pub(super) fn new(input: String, metrics: Metrics, health: Arc<Health>, transactional: bool) -> Self {
        let leaving = watch::Sender::new(false);
        let (progress, moved) = (Mutex::default(), Condvar::new());
        Self { metrics, health, input, transactional, progress, moved, leaving }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Partitions in `batch` of which nobody knows whether records were skipped before it.
    pub(super) fn unknown(&self, batch: &[Envelope]) -> HashSet<i32> {
        self.progress().gaps.unknown(batch)
    }

    /// Reading of these partitions should have begun at these offsets.
    pub(super) fn expect(&self, places: &Positions) {
        let mut progress = self.progress();
        for (partition, offset) in places {
            progress.gaps.expect(*partition, *offset);
        }
    }

    /// These partitions are ours from now on.
    pub(super) fn assigned(&self, partitions: Vec<i32>) {
        let mut progress = self.progress();
        progress.assigned.extend(&partitions);
        for partition in &partitions {
            progress.revoked.remove(partition);
        }
        self.metrics.rebalanced("assign", progress.assigned.len());
        self.health.ready();
        self.metrics.ready.set(1);
        tracing::info!(?partitions, "assigned");
    }

    /// By partition: everything before this is done.
    pub(super) fn positions(&self) -> HashMap<i32, i64> {
        self.progress().done.clone()
    }

    /// These records were polled.
    pub(super) fn polled(&self, batch: &[Envelope]) {
        let mut progress = self.progress();
        for envelope in batch {
            progress.first.entry(envelope.partition).or_insert(envelope.offset);
        }
        for back in progress.gaps.read(batch) {
            let (topic, partition) = (&self.input, back.partition);
            tracing::warn!(%topic, partition, from = back.from, to = back.to, "offsets begin again: is this a new topic of the same name?");
            // what was done of the old topic says nothing of the new one
            progress.done.remove(&partition);
        }
    }

    /// Reading failed; librdkafka goes on by itself.
    pub(super) fn read_failed(&self, error: &KafkaError) {
        let code = error.rdkafka_error_code().map_or_else(|| "Other".to_owned(), |code| format!("{code:?}"));
        self.metrics.read_failed(&code);
        tracing::warn!(%error, "reading failed; trying again");
    }

    /// Every partition is read from another place now.
    pub(super) fn rewound(&self) {
        self.progress().gaps = Gaps::default();
    }

    /// The pipeline has this batch now.
    pub(super) fn given(&self, batch: &[Envelope]) {
        let now = now();
        let mut runs: HashMap<i32, Run> = HashMap::new();
        for envelope in batch {
            let time = envelope.timestamp.unwrap_or(now);
            let run = runs.entry(envelope.partition).or_insert(Run { next: 0, oldest: time });
            run.next = envelope.offset + 1;
            run.oldest = run.oldest.min(time);
        }
        let mut progress = self.progress();
        for (partition, run) in runs {
            progress.given.insert(partition, run.next);
            progress.unfinished.entry(partition).or_default().given(run);
        }
    }

    /// Everything before these offsets is done.
    pub(super) fn done(&self, next: &Positions) {
        let mut progress = self.progress();
        progress.done.extend(next);
        for (partition, next) in next {
            if let Some(unfinished) = progress.unfinished.get_mut(partition) {
                unfinished.done(*next);
            }
        }
        drop(progress);
        self.moved.notify_all();
    }

    /// Nobody works any more on what was given.
    pub(super) fn abandon(&self) {
        let mut progress = self.progress();
        progress.given.clear();
        progress.spoiled = false;
        drop(progress);
        self.moved.notify_all();
    }

    /// Where reading of a partition began.
    pub(super) fn first(&self, partition: i32) -> Option<i64> {
        self.progress().first.get(&partition).copied()
    }

    /// Whether a partition went with records of it in flight.
    pub(super) fn spoiled(&self) -> bool {
        self.progress().spoiled
    }

    /// Partitions that were revoked since the last call.
    pub(super) fn take_revoked(&self) -> HashSet<i32> {
        std::mem::take(&mut self.progress().revoked)
    }

    /// Resolves while a revocation waits for what is in flight.
    pub(super) async fn leaving(&self) {
        // the sender lives as long as this
        let _ = self.leaving.subscribe().wait_for(|leaving| *leaving).await;
    }

    /// Waits, bounded, until the records of `partitions` that the pipeline has are done.
    fn drain(&self, partitions: &[i32]) {
        self.leaving.send_replace(true);
        let waited = self
            .moved
            .wait_timeout_while(self.progress(), REVOKE_WAIT, |progress| progress.in_flight(partitions));
        self.leaving.send_replace(false);
        if waited.is_ok_and(|(_, timeout)| timeout.timed_out()) {
            tracing::warn!("revoked with records in flight; their next owner reads them again");
        }
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}

fn partitions(list: &TopicPartitionList) -> Vec<i32> {
    list.elements().iter().map(|element| element.partition()).collect()
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "kafka consumer");
    }

    fn stats(&self, statistics: Statistics) {
        self.metrics.client("consumer", &figures(&statistics));
        let up = statistics.brokers.values().any(|broker| broker.state == "UP" && broker.nodeid >= 0);
        let now = now();
        let mut progress = self.progress();
        let assigned = progress.assigned.clone();
        let mut lagging = HashSet::new();
        if let Some(topic) = statistics.topics.get(&self.input) {
            for partition in topic.partitions.values().filter(|p| assigned.contains(&p.partition)) {
                // stored offsets count what is acknowledged; before the first one, what was read
                let lag = match partition.consumer_lag_stored {
                    -1 => partition.consumer_lag,
                    lag => lag,
                };
                let unfinished = progress.unfinished.entry(partition.partition).or_default();
                let lag_shown = Lag {
                    records: (lag >= 0).then_some(lag),
                    seconds: (lag >= 0).then(|| unfinished.age(now, lag)),
                    offset: [partition.stored_offset, partition.committed_offset]
                        .into_iter()
                        .find(|offset| *offset >= 0),
                };
                self.metrics.lag(&self.input, partition.partition, &lag_shown);
                for gap in progress.gaps.deleted(partition.partition, partition.lo_offset) {
                    let (topic, partition, skipped) = (&self.input, gap.partition, gap.to - gap.from);
                    self.metrics.skipped.inc_by(skipped as u64);
                    tracing::error!(%topic, partition, from = gap.from, to = gap.to, skipped, "records were deleted before they were read: is the topic's retention too short?");
                }
                if lag > 0 {
                    lagging.insert(partition.partition);
                }
            }
        }
        drop(progress);
        self.health.observe(lagging, up);
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        self.health.progress();
        let Rebalance::Revoke(list) = rebalance else { return };
        let leaving = partitions(list);
        if consumer.assignment_lost() {
            tracing::warn!(partitions = ?leaving, "partitions lost: another worker has them already");
        } else {
            self.drain(&leaving);
            if !self.transactional {
                // nothing stored is no error
                let _ = consumer.commit_consumer_state(CommitMode::Sync);
            }
        }
        let mut progress = self.progress();
        progress.spoiled |= progress.in_flight(&leaving);
        for partition in &leaving {
            progress.assigned.remove(partition);
            progress.first.remove(partition);
            progress.given.remove(partition);
            progress.done.remove(partition);
            progress.unfinished.remove(partition);
            progress.gaps.forget(*partition);
            self.metrics.forget_partition(&self.input, *partition);
        }
        progress.revoked.extend(&leaving);
        if progress.assigned.is_empty() {
            // what stood in the way is the next owner's
            self.health.done();
        }
        self.metrics.rebalanced("revoke", progress.assigned.len());
        tracing::info!(partitions = ?leaving, "revoked");
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        self.health.progress();
        match rebalance {
            Rebalance::Assign(list) => self.assigned(partitions(list)),
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => tracing::warn!(%error, "rebalance failed"),
        }
    }

    fn main_queue_min_poll_interval(&self) -> rdkafka::util::Timeout {
        POLL.into()
    }
}
