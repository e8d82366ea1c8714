//! Reads batches from a consumer group on a thread of its own, and stores offsets.

use super::consumer_config;
use super::group::{Context, POLL};
use crate::config::Settings;
use crate::metrics::Metrics;
use crate::pipeline::{Envelope, Health, PipelineError, Source};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// A batch is given on when it has this many bytes or records, or nothing more is there.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_RECORDS: usize = 500;
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
        let context = Context::new(settings.input.clone(), metrics, health);
        let consumer: Consumed = consumer_config(settings).create_with_context(context)?;
        consumer.subscribe(&[&settings.input])?;
        let consumer = Arc::new(consumer);
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, batches) = mpsc::channel(2);
        let reader = Reader {
            consumer: consumer.clone(),
            sender,
            stop: stop.clone(),
            topic: settings.input.as_str().into(),
            kept: Vec::new(),
        };
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
        // nobody works on what was given and is not done: the revocation below need not wait for it
        consumer.context().abandon();
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
    topic: Arc<str>,
    /// Polled out of turn.
    kept: Vec<Envelope>,
}

impl Reader {
    fn run(mut self) {
        while !self.stop.load(Ordering::Acquire) {
            match self.batch() {
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
    fn batch(&mut self) -> Result<Vec<Envelope>, KafkaError> {
        let mut batch = std::mem::take(&mut self.kept);
        let mut bytes = 0;
        let mut wait = POLL;
        while bytes < BATCH_BYTES && batch.len() < BATCH_RECORDS {
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    let envelope = envelope(&message, &self.topic);
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
        self.drop_revoked(&mut batch);
        Ok(batch)
    }

    /// A rebalance inside poll took partitions away: their records are the next owner's.
    fn drop_revoked(&self, batch: &mut Vec<Envelope>) {
        let revoked = self.consumer.context().take_revoked();
        if !revoked.is_empty() {
            batch.retain(|envelope| !revoked.contains(&envelope.partition));
        }
    }

    /// Gives a batch on; `false` when nobody takes it any more. While the pipeline is busy the group
    /// is kept alive by polling paused partitions.
    fn give(&mut self, batch: Result<Vec<Envelope>, PipelineError>) -> bool {
        let mut batch = batch;
        let mut since = Instant::now();
        loop {
            match self.sender.try_reserve() {
                Ok(place) => {
                    if let Ok(batch) = &batch {
                        self.consumer.context().given(batch);
                    }
                    place.send(batch);
                    return true;
                }
                Err(mpsc::error::TrySendError::Closed(())) => return false,
                Err(mpsc::error::TrySendError::Full(())) => std::thread::sleep(Duration::from_millis(1)),
            }
            if since.elapsed() > Duration::from_secs(1) {
                self.poll_paused();
                if let Ok(batch) = &mut batch {
                    self.drop_revoked(batch);
                }
                since = Instant::now();
            }
        }
    }

    /// Serves rebalances and callbacks without taking records.
    fn poll_paused(&mut self) {
        let Ok(assignment) = self.consumer.assignment() else { return };
        if self.consumer.pause(&assignment).is_err() {
            return;
        }
        // a partition that came with a rebalance was not paused: its record opens the next batch
        if let Some(Ok(message)) = self.consumer.poll(Duration::from_millis(10)) {
            self.kept.push(envelope(&message, &self.topic));
        }
        if let Ok(assignment) = self.consumer.assignment() {
            // refused only for partitions that have just gone
            let _ = self.consumer.resume(&assignment);
        }
    }
}

/// A record of librdkafka's, copied.
pub(super) fn envelope(message: &BorrowedMessage<'_>, topic: &Arc<str>) -> Envelope {
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
