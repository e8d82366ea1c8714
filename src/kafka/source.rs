//! Reads batches from a consumer group on a thread of its own, and stores offsets.

use super::{consumer_config, figures, log};
use crate::config::Settings;
use crate::metrics::Metrics;
use crate::pipeline::{Envelope, Health, PipelineError, Source};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::{ClientContext, config::RDKafkaLogLevel};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// A batch is given on when it has this many bytes or records, or nothing more is there.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_RECORDS: usize = 500;
/// How long one poll waits for a record.
const POLL: Duration = Duration::from_millis(100);
/// How long a revocation waits for records in flight.
const REVOKE_WAIT: Duration = Duration::from_secs(5);
/// How long closing may take; a broker that is away would hold it for the session timeout.
const CLOSE_WAIT: Duration = Duration::from_secs(3);

type Consumed = BaseConsumer<Context>;

/// The input topic as a [`Source`].
pub struct KafkaSource {
    consumer: Arc<Consumed>,
    batches: mpsc::Receiver<Result<Vec<Envelope>, PipelineError>>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl KafkaSource {
    /// Joins the group and starts to read.
    ///
    /// # Errors
    /// When librdkafka refuses a property.
    pub fn open(settings: &Settings, metrics: Metrics, health: Arc<Health>) -> Result<Self, KafkaError> {
        let context = Context {
            metrics,
            health,
            input: settings.input.clone(),
            progress: Mutex::default(),
            moved: Condvar::new(),
        };
        let consumer: Consumed = consumer_config(settings).create_with_context(context)?;
        consumer.subscribe(&[&settings.input])?;
        let consumer = Arc::new(consumer);
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, batches) = mpsc::channel(2);
        let reader = Reader { consumer: consumer.clone(), sender, stop: stop.clone() };
        let reader = std::thread::Builder::new()
            .name("rasid-reader".to_owned())
            .spawn(move || reader.run())
            .map_err(|error| KafkaError::ClientCreation(error.to_string()))?;
        Ok(Self { consumer, batches, stop, reader: Some(reader) })
    }

    /// Commits what is stored, leaves the group and closes, within a few seconds whatever the broker does.
    ///
    /// # Errors
    /// What stood in the way of the commit.
    pub fn close(mut self) -> Result<(), String> {
        self.stop();
        let (sender, done) = std::sync::mpsc::channel();
        let (consumer, reader) = (self.consumer.clone(), self.reader.take());
        drop(self);
        std::thread::spawn(move || {
            if let Some(reader) = reader {
                let _ = reader.join();
            }
            let committed = match consumer.commit_consumer_state(CommitMode::Sync) {
                // nothing was stored since the last commit
                Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) | Ok(()) => Ok(()),
                Err(error) => Err(error.to_string()),
            };
            let _ = sender.send(committed);
            drop(consumer);
            let _ = sender.send(Ok(()));
        });
        let committed = done
            .recv_timeout(CLOSE_WAIT)
            .map_err(|_| format!("the last commit took longer than {} s", CLOSE_WAIT.as_secs()))?;
        // leaving the group politely spares the others the session timeout
        let _ = done.recv_timeout(CLOSE_WAIT);
        committed
    }
}

impl Source for KafkaSource {
    async fn next(&mut self) -> Result<Option<Vec<Envelope>>, PipelineError> {
        self.batches.recv().await.transpose()
    }

    fn stop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.batches.close();
    }

    fn store(&self, batch: &[Envelope]) {
        let mut next: HashMap<i32, i64> = HashMap::new();
        for envelope in batch {
            next.insert(envelope.partition, envelope.offset + 1);
        }
        let context = self.consumer.context();
        let mut offsets = TopicPartitionList::new();
        for (partition, offset) in &next {
            // a negative offset is the only thing refused here
            let _ = offsets.add_partition_offset(&context.input, *partition, Offset::Offset(*offset));
        }
        // `_STATE` means that the partition is no longer ours: its next owner reads on from the last commit
        if let Err(error) = self.consumer.store_offsets(&offsets) {
            tracing::debug!(%error, "offset not stored");
        }
        context.done(&next);
    }
}

/// The thread that polls.
struct Reader {
    consumer: Arc<Consumed>,
    sender: mpsc::Sender<Result<Vec<Envelope>, PipelineError>>,
    stop: Arc<AtomicBool>,
}

impl Reader {
    fn run(self) {
        let topic: Arc<str> = self.consumer.context().input.as_str().into();
        while !self.stop.load(Ordering::Acquire) {
            match self.batch(&topic) {
                Ok(batch) if batch.is_empty() => {}
                Ok(batch) => {
                    if !self.give(Ok(batch)) {
                        return;
                    }
                }
                Err(error) => {
                    let _ = self.give(Err(PipelineError::Source(error.to_string())));
                    return;
                }
            }
        }
    }

    /// Polls until a batch is full or nothing more is waiting.
    fn batch(&self, topic: &Arc<str>) -> Result<Vec<Envelope>, KafkaError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut wait = POLL;
        while bytes < BATCH_BYTES && batch.len() < BATCH_RECORDS {
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    let envelope = envelope(&message, topic);
                    bytes += envelope.size();
                    batch.push(envelope);
                    wait = Duration::ZERO;
                }
                None => break,
                Some(Err(error)) => match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::Fatal) => return Err(error),
                    // the client goes on by itself: a topic that is away, a broker that is down
                    _ => {
                        tracing::warn!(%error, "reading failed; trying again");
                        std::thread::sleep(POLL);
                        break;
                    }
                },
            }
        }
        // a rebalance inside poll took partitions away: their records are the next owner's
        let revoked = self.consumer.context().take_revoked();
        batch.retain(|envelope: &Envelope| !revoked.contains(&envelope.partition));
        Ok(batch)
    }

    /// Gives a batch on. While the pipeline is busy the group is kept alive by polling paused partitions.
    fn give(&self, batch: Result<Vec<Envelope>, PipelineError>) -> bool {
        if let Ok(batch) = &batch {
            self.consumer.context().sent(batch);
        }
        let mut batch = match self.sender.try_send(batch) {
            Ok(()) => return true,
            Err(mpsc::error::TrySendError::Closed(_)) => return false,
            Err(mpsc::error::TrySendError::Full(batch)) => batch,
        };
        let mut since = Instant::now();
        loop {
            std::thread::sleep(Duration::from_millis(1));
            batch = match self.sender.try_send(batch) {
                Ok(()) => return true,
                Err(mpsc::error::TrySendError::Closed(_)) => return false,
                Err(mpsc::error::TrySendError::Full(batch)) => batch,
            };
            if since.elapsed() > Duration::from_secs(1) {
                self.poll_paused();
                since = Instant::now();
            }
        }
    }

    /// Serves rebalances and callbacks without taking records.
    fn poll_paused(&self) {
        let Ok(assignment) = self.consumer.assignment() else { return };
        if self.consumer.pause(&assignment).is_err() {
            return;
        }
        if let Some(Ok(message)) = self.consumer.poll(Duration::from_millis(10)) {
            // a partition that came with a rebalance was not paused: read this record again later
            let offset = Offset::Offset(message.offset());
            let (partition, topic) = (message.partition(), message.topic());
            let _ = self.consumer.seek(topic, partition, offset, Duration::from_secs(1));
        }
        if let Ok(assignment) = self.consumer.assignment() {
            let _ = self.consumer.resume(&assignment);
        }
    }
}

fn envelope(message: &BorrowedMessage<'_>, topic: &Arc<str>) -> Envelope {
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
    });
    Envelope {
        topic: topic.clone(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers,
    }
}

/// Callbacks of the consumer; all but statistics come on the reader's thread.
struct Context {
    metrics: Metrics,
    health: Arc<Health>,
    input: String,
    progress: Mutex<Progress>,
    /// Signalled when a batch is done.
    moved: Condvar,
}

#[derive(Default)]
struct Progress {
    assigned: HashSet<i32>,
    /// By partition: next offset after the last record given to the pipeline, and after the last one done.
    given: HashMap<i32, i64>,
    done: HashMap<i32, i64>,
    revoked: HashSet<i32>,
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
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sent(&self, batch: &[Envelope]) {
        let mut progress = self.progress();
        for envelope in batch {
            progress.given.insert(envelope.partition, envelope.offset + 1);
        }
    }

    fn done(&self, next: &HashMap<i32, i64>) {
        self.progress().done.extend(next);
        self.moved.notify_all();
    }

    fn take_revoked(&self) -> HashSet<i32> {
        std::mem::take(&mut self.progress().revoked)
    }

    /// Waits, bounded, until the records of `partitions` that the pipeline has are done.
    fn drain(&self, partitions: &[i32]) {
        let waited = self
            .moved
            .wait_timeout_while(self.progress(), REVOKE_WAIT, |progress| progress.in_flight(partitions));
        if waited.is_ok_and(|(_, timeout)| timeout.timed_out()) {
            tracing::warn!("revoked with records in flight; their next owner reads them again");
        }
    }
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
        let assigned = self.progress().assigned.clone();
        let mut lagging = HashSet::new();
        if let Some(topic) = statistics.topics.get(&self.input) {
            for partition in topic.partitions.values().filter(|p| assigned.contains(&p.partition)) {
                // stored offsets count what is acknowledged; before the first one, what was read
                let lag = match partition.consumer_lag_stored {
                    -1 => partition.consumer_lag,
                    lag => lag,
                };
                if lag >= 0 {
                    self.metrics.lag(&self.input, partition.partition, lag);
                }
                if lag > 0 {
                    lagging.insert(partition.partition);
                }
            }
        }
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
            // nothing stored is no error
            let _ = consumer.commit_consumer_state(CommitMode::Sync);
        }
        let mut progress = self.progress();
        for partition in &leaving {
            progress.assigned.remove(partition);
            progress.given.remove(partition);
            progress.done.remove(partition);
            self.metrics.forget_partition(&self.input, *partition);
        }
        progress.revoked.extend(&leaving);
        self.metrics.rebalanced("revoke", progress.assigned.len());
        tracing::info!(partitions = ?leaving, "revoked");
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        self.health.progress();
        match rebalance {
            Rebalance::Assign(list) => {
                let coming = partitions(list);
                let mut progress = self.progress();
                progress.assigned.extend(&coming);
                for partition in &coming {
                    progress.revoked.remove(partition);
                }
                self.metrics.rebalanced("assign", progress.assigned.len());
                self.health.ready();
                self.metrics.ready.set(1);
                tracing::info!(partitions = ?coming, "assigned");
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => tracing::warn!(%error, "rebalance failed"),
        }
    }

    fn main_queue_min_poll_interval(&self) -> rdkafka::util::Timeout {
        POLL.into()
    }
}
