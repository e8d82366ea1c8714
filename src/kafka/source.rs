//! Reads batches from a consumer group on a thread of its own, and goes back when a transaction was aborted.

use super::consumer_config;
use super::group::{Context, POLL};
use crate::config::{Guarantee, Settings};
use crate::metrics::Metrics;
use crate::pipeline::{Envelope, Health, PipelineError, Positions, Source};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// A batch is given on when it has this many bytes or records, or nothing more is there.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_RECORDS: usize = 500;
/// How long the brokers may take to say what is committed; then they are asked again.
const ASK_WAIT: Duration = Duration::from_secs(5);
/// How long closing may take; a broker that is away would hold it for the session timeout.
const CLOSE_WAIT: Duration = Duration::from_secs(3);

pub(super) type Consumed = BaseConsumer<Context>;

/// The input topic as a [`Source`].
pub struct KafkaSource {
    pub(super) consumer: Arc<Consumed>,
    items: mpsc::Receiver<Item>,
    signals: Arc<Signals>,
    reader: Option<JoinHandle<()>>,
    transactional: bool,
}

/// What the reader gives.
enum Item {
    Batch(Vec<Envelope>),
    /// Everything before this was read before the way back.
    Rewound,
    Failed(PipelineError),
}

/// What the reader is told.
#[derive(Default)]
struct Signals {
    stop: AtomicBool,
    rewind: AtomicBool,
}

impl KafkaSource {
    /// Joins the group and starts to read.
    ///
    /// # Errors
    /// When librdkafka refuses a property.
    pub fn open(settings: &Settings, metrics: Metrics, health: Arc<Health>) -> Result<Self, KafkaError> {
        let transactional = settings.guarantee == Guarantee::ExactlyOnce;
        let context = Context::new(settings.input.clone(), metrics, health, transactional);
        let consumer: Consumed = consumer_config(settings).create_with_context(context)?;
        consumer.subscribe(&[&settings.input])?;
        let consumer = Arc::new(consumer);
        let signals = Arc::new(Signals::default());
        let (sender, items) = mpsc::channel(2);
        let reader = Reader {
            consumer: consumer.clone(),
            sender,
            signals: signals.clone(),
            topic: settings.input.as_str().into(),
            kept: Vec::new(),
        };
        let reader = std::thread::Builder::new()
            .name("rasid-reader".to_owned())
            .spawn(move || reader.run())
            .map_err(|error| KafkaError::ClientCreation(error.to_string()))?;
        Ok(Self { consumer, items, signals, reader: Some(reader), transactional })
    }

    /// Commits what is stored, leaves the group and closes, within a few seconds whatever the broker does.
    ///
    /// # Errors
    /// What stood in the way of the commit.
    pub fn close(mut self) -> Result<(), String> {
        self.stop();
        let (sender, done) = std::sync::mpsc::channel();
        let (consumer, reader) = (self.consumer.clone(), self.reader.take());
        let transactional = self.transactional;
        // nobody works on what was given and is not done: the revocation below need not wait for it
        consumer.context().abandon();
        drop(self);
        std::thread::spawn(move || {
            if let Some(reader) = reader {
                let _ = reader.join();
            }
            let committed = match consumer.commit_consumer_state(CommitMode::Sync) {
                _ if transactional => Ok(()),
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
        loop {
            match self.items.recv().await {
                Some(Item::Batch(batch)) => return Ok(Some(batch)),
                Some(Item::Failed(error)) => return Err(error),
                Some(Item::Rewound) => {}
                None => return Ok(None),
            }
        }
    }

    fn stop(&mut self) {
        self.signals.stop.store(true, Ordering::Release);
        self.items.close();
    }

    async fn rewind(&mut self) -> Result<(), PipelineError> {
        let context = self.consumer.context();
        context.abandon();
        self.signals.rewind.store(true, Ordering::Release);
        loop {
            match self.items.recv().await {
                Some(Item::Batch(_)) => {}
                Some(Item::Failed(error)) => return Err(error),
                Some(Item::Rewound) => break,
                None => {
                    let message = "stopped after a transaction was aborted; its records will be read again";
                    return Err(PipelineError::Source(message.to_owned()));
                }
            }
        }
        Ok(())
    }
}

/// The thread that polls.
struct Reader {
    consumer: Arc<Consumed>,
    sender: mpsc::Sender<Item>,
    signals: Arc<Signals>,
    topic: Arc<str>,
    /// Polled out of turn.
    kept: Vec<Envelope>,
}

impl Reader {
    fn run(mut self) {
        while !self.stopped() {
            let read = if self.signals.rewind.load(Ordering::Acquire) {
                self.rewind().map(|()| Item::Rewound)
            } else {
                self.batch().map(Item::Batch)
            };
            let last = read.is_err();
            let item = read.unwrap_or_else(|error| Item::Failed(self.failed(&error)));
            let empty = matches!(&item, Item::Batch(batch) if batch.is_empty());
            if !empty && !self.give(item) || last {
                return;
            }
        }
    }

    fn stopped(&self) -> bool {
        self.signals.stop.load(Ordering::Acquire)
    }

    fn failed(&self, error: &KafkaError) -> PipelineError {
        match self.consumer.client().fatal_error() {
            Some((RDKafkaErrorCode::FencedInstanceId, reason)) => PipelineError::Fenced(reason),
            Some((_, reason)) => PipelineError::Source(reason),
            None => PipelineError::Source(error.to_string()),
        }
    }

    /// Seeks every partition back to its committed offset, or to where reading of it began.
    fn rewind(&mut self) -> Result<(), KafkaError> {
        self.kept.clear();
        self.signals.rewind.store(false, Ordering::Release);
        self.consumer.context().abandon();
        self.consumer.context().rewound();
        loop {
            match self.seek_back() {
                Ok(()) => return Ok(()),
                Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::warn!(%error, "going back to the committed offsets failed; trying again");
                    // a rebalance may stand in the way
                    self.poll_paused();
                    self.kept.clear();
                    std::thread::sleep(POLL);
                    if self.stopped() {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn seek_back(&self) -> Result<(), KafkaError> {
        let assignment = self.consumer.assignment()?;
        if assignment.count() == 0 {
            return Ok(());
        }
        let committed = self.consumer.committed_offsets(assignment, ASK_WAIT)?;
        let context = self.consumer.context();
        let mut places = TopicPartitionList::new();
        for element in committed.elements() {
            element.error()?;
            let partition = element.partition();
            let offset = match element.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => context.first(partition),
            };
            // without either nothing was read of it
            if let Some(offset) = offset {
                places.add_partition_offset(&context.input, partition, Offset::Offset(offset))?;
            }
        }
        if places.count() > 0 {
            for element in self.consumer.seek_partitions(places, ASK_WAIT)?.elements() {
                element.error()?;
            }
        }
        Ok(())
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
                        self.consumer.context().read_failed(&error);
                        std::thread::sleep(POLL);
                        break;
                    }
                },
            }
        }
        self.drop_revoked(&mut batch);
        let context = self.consumer.context();
        let unknown = context.unknown(&batch);
        if !unknown.is_empty() {
            context.expect(&self.committed(unknown));
        }
        context.polled(&batch);
        Ok(batch)
    }

    /// What the group has committed of `partitions`, where the brokers say so.
    fn committed(&self, partitions: HashSet<i32>) -> Positions {
        let mut asked = TopicPartitionList::new();
        for partition in partitions {
            asked.add_partition(&self.topic, partition);
        }
        let Ok(answer) = self.consumer.committed_offsets(asked, ASK_WAIT) else { return Positions::new() };
        let offset = |element: &TopicPartitionListElem<'_>| match element.offset() {
            Offset::Offset(offset) => Some((element.partition(), offset)),
            _ => None,
        };
        answer.elements().iter().filter_map(offset).collect()
    }

    /// A rebalance inside poll took partitions away: their records are the next owner's.
    fn drop_revoked(&self, batch: &mut Vec<Envelope>) {
        let revoked = self.consumer.context().take_revoked();
        if !revoked.is_empty() {
            batch.retain(|envelope| !revoked.contains(&envelope.partition));
        }
    }

    /// Gives something on; `false` when nobody takes it any more. While the pipeline is busy the group
    /// is kept alive by polling paused partitions.
    fn give(&mut self, mut item: Item) -> bool {
        let mut since = Instant::now();
        loop {
            match self.sender.try_reserve() {
                // read before the way back that is wanted now
                Ok(_) if self.signals.rewind.load(Ordering::Acquire) => return true,
                Ok(place) => {
                    if let Item::Batch(batch) = &item {
                        self.consumer.context().given(batch);
                    }
                    place.send(item);
                    return true;
                }
                Err(mpsc::error::TrySendError::Closed(())) => return false,
                Err(mpsc::error::TrySendError::Full(())) => std::thread::sleep(Duration::from_millis(1)),
            }
            if since.elapsed() > Duration::from_secs(1) {
                self.poll_paused();
                if let Item::Batch(batch) = &mut item {
                    self.drop_revoked(batch);
                }
                since = Instant::now();
            }
        }
    }

    /// Serves rebalances and callbacks without taking records.
    fn poll_paused(&mut self) {
        let Ok(paused) = self.consumer.assignment() else { return };
        if self.consumer.pause(&paused).is_ok() {
            // a partition that came with a rebalance was not paused: its record opens the next batch
            if let Some(Ok(message)) = self.consumer.poll(Duration::from_millis(10)) {
                self.kept.push(envelope(&message, &self.topic));
            }
        }
        // those too that have gone meanwhile: librdkafka remembers the pause until they come back
        let _ = self.consumer.resume(&paused);
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
