//! The thread that polls: batches for the source, the end of a bounded stretch, and the way back after
//! an aborted transaction.

use super::group::{Consumed, POLL};
use super::stretch::{Left, Stretch, places};
use crate::pipeline::{Envelope, PipelineError, Positions};
use bytes::{Bytes, BytesMut};
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// A batch is given on when it has this many bytes or records, or nothing more is there. As many bytes as are fetched of a
/// partition at a time: its outputs go to one partition mostly, and the larger a request the cheaper for the broker.
const BATCH_BYTES: usize = 512 << 10;
const BATCH_RECORDS: usize = 500;
/// Bytes that are asked for at a time to copy records to.
const ROOM: usize = 64 << 10;
/// How long the brokers may take to say what is committed; then they are asked again.
const ASK_WAIT: Duration = Duration::from_secs(5);

/// What the reader gives.
pub(super) enum Item {
    Batch(Vec<Envelope>),
    /// Everything before this was read before the way back.
    Rewound,
    /// Nothing more comes of a bounded stretch.
    End,
    Failed(PipelineError),
}

/// What the reader is told.
#[derive(Default)]
pub(super) struct Signals {
    pub(super) stop: AtomicBool,
    pub(super) rewind: AtomicBool,
}

/// The thread that polls.
pub(super) struct Reader {
    consumer: Arc<Consumed>,
    sender: mpsc::Sender<Item>,
    signals: Arc<Signals>,
    topic: Arc<str>,
    /// Records are copied to it one after the other: memory is asked for once for a dozen of them.
    room: BytesMut,
    /// Polled out of turn.
    kept: Vec<Envelope>,
    /// What is bounded; nothing in a group.
    stretches: Vec<Stretch>,
    /// What of it is not read yet.
    left: Option<Left>,
    /// The end was given.
    told: bool,
}

impl Reader {
    /// Of a stretch, or of all that comes.
    pub(super) fn new(
        consumer: Arc<Consumed>,
        sender: mpsc::Sender<Item>,
        signals: Arc<Signals>,
        topic: Arc<str>,
        stretches: Option<Vec<Stretch>>,
    ) -> Self {
        let left = stretches.as_deref().map(Left::of);
        let stretches = stretches.unwrap_or_default();
        let room = BytesMut::with_capacity(ROOM);
        Self { consumer, sender, signals, topic, room, kept: Vec::new(), stretches, left, told: false }
    }

    pub(super) fn run(mut self) {
        while !self.stopped() {
            let read = if self.signals.rewind.load(Ordering::Acquire) {
                self.rewind().map(|()| Item::Rewound)
            } else if !self.told && self.left.as_ref().is_some_and(Left::is_empty) {
                self.told = true;
                Ok(Item::End)
            } else {
                // after the end too: callbacks are served in polls, and a way back may come
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
        if self.left.is_some() {
            self.left = Some(Left::of(&self.stretches));
            self.told = false;
        }
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
        if self.left.is_some() {
            // those too that were read to their end
            self.consumer.resume(&self.consumer.assignment()?)?;
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
                    if takes(&mut self.left, &message) {
                        let envelope = envelope(&message, &self.topic, |bytes| copied(&mut self.room, bytes));
                        bytes += envelope.size();
                        batch.push(envelope);
                    }
                    wait = Duration::ZERO;
                }
                None => break,
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    if let Some(left) = &mut self.left {
                        left.ended(partition);
                    }
                }
                Some(Err(error)) => match error.rdkafka_error_code() {
                    // the second where `auto.offset.reset` is `error`: whoever sets that wants to be asked
                    Some(RDKafkaErrorCode::Fatal | RDKafkaErrorCode::AutoOffsetReset) => return Err(error),
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
        // a stretch begins where it was asked to
        if !unknown.is_empty() && self.left.is_none() {
            context.expect(&self.committed(unknown));
        }
        context.polled(&batch);
        let done = self.left.as_mut().map(Left::newly_done).unwrap_or_default();
        if !done.is_empty() {
            // what lies behind the stretch need not be fetched
            self.consumer.pause(&places(&self.topic, &done))?;
        }
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
            match self.consumer.poll(Duration::from_millis(10)) {
                Some(Ok(message)) if takes(&mut self.left, &message) => {
                    self.kept.push(envelope(&message, &self.topic, Bytes::copy_from_slice));
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    if let Some(left) = &mut self.left {
                        left.ended(partition);
                    }
                }
                _ => {}
            }
        }
        // those too that have gone meanwhile: librdkafka remembers the pause until they come back
        let resumed = match &self.left {
            None => paused,
            Some(left) => places(&self.topic, &left.partitions()),
        };
        let _ = self.consumer.resume(&resumed);
    }
}

/// Whether a record is to be read.
fn takes(left: &mut Option<Left>, message: &BorrowedMessage<'_>) -> bool {
    left.as_mut().is_none_or(|left| left.takes(message.partition(), message.offset()))
}

/// A copy behind those that `room` was used for before.
fn copied(room: &mut BytesMut, bytes: &[u8]) -> Bytes {
    room.extend_from_slice(bytes);
    room.split().freeze()
}

/// A record of librdkafka's; `copy` copies key and value.
pub(super) fn envelope(
    message: &BorrowedMessage<'_>,
    topic: &Arc<str>,
    mut copy: impl FnMut(&[u8]) -> Bytes,
) -> Envelope {
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
    });
    Envelope {
        topic: topic.clone(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        key: message.key().map(&mut copy),
        value: message.payload().map(&mut copy),
        headers,
    }
}
