//! A bounded run of the worker: which stretch of the input it reads, how far it has come, and where the
//! groups without offsets begin.
//!
//! It reads assigned partitions, so no group sees it come or go. How far it has come is committed under
//! a group name of its own, which is deleted at the end: a run that was stopped goes on from there.

use super::group::Consumed;
use super::stretch::{Edge, Stretch, edge_of, places, stretches};
use super::topics::Quiet;
use super::{CONSUMER_ONLY, METADATA_TIMEOUT, apply, base, consumer_config};
use crate::config::Settings;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the group's name is tried to be deleted: the broker may still be writing the end of the
/// last transaction.
const FORGET: Duration = Duration::from_secs(10);

/// What a bounded run reads.
#[derive(Clone, Debug)]
pub struct Bounded {
    /// What is left of it, by partition.
    pub(super) stretches: Vec<Stretch>,
    /// Offsets between the edges.
    pub offsets: i64,
    /// Offsets that an earlier run has done.
    pub done_before: i64,
}

impl Bounded {
    /// Asks the brokers where the edges are, and how far an earlier run of the same group came.
    ///
    /// # Errors
    /// When the brokers do not say.
    pub fn find(settings: &Settings, from: Edge, until: Edge) -> Result<Self, KafkaError> {
        let client = client(settings)?;
        let all = stretches(&client, &settings.input, from, until)?;
        let committed = committed(&client, &settings.input, all.iter().map(|stretch| stretch.partition))?;
        let offsets = all.iter().map(|stretch| stretch.until - stretch.from).sum();
        let rest = |stretch: Stretch| {
            let next = committed.get(&stretch.partition).copied().unwrap_or(stretch.from);
            Stretch { from: next.clamp(stretch.from, stretch.until), ..stretch }
        };
        let rest = all.into_iter().map(rest).filter(|stretch| stretch.from < stretch.until);
        let stretches: Vec<Stretch> = rest.collect();
        let left: i64 = stretches.iter().map(|stretch| stretch.until - stretch.from).sum();
        Ok(Self { stretches, offsets, done_before: offsets - left })
    }

    /// Whether nothing is left to read.
    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// Partitions that have something to read.
    pub fn partitions(&self) -> usize {
        self.stretches.len()
    }

    /// Deletes the group's name, so that the same run may be made again.
    ///
    /// # Errors
    /// When the broker does not.
    pub async fn forget(settings: &Settings) -> Result<(), KafkaError> {
        let mut config = base(&settings.brokers);
        config.set("statistics.interval.ms", "0");
        apply(&mut config, &settings.kafka, &CONSUMER_ONLY);
        let admin: AdminClient<DefaultClientContext> = config.create()?;
        let start = Instant::now();
        loop {
            let answers = admin.delete_groups(&[&settings.group], &AdminOptions::new()).await?;
            let refused = answers.into_iter().find_map(|answer| answer.err().map(|(_, code)| code));
            match refused {
                // none was made where nothing was committed
                None | Some(RDKafkaErrorCode::GroupIdNotFound) => return Ok(()),
                Some(code) if start.elapsed() > FORGET => return Err(KafkaError::AdminOp(code)),
                Some(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    }
}

/// How far a bounded run has come; alive for no longer than its source.
pub struct Come {
    consumer: Arc<Consumed>,
    bounded: Bounded,
}

impl Come {
    /// Of `consumer`, which reads `bounded`.
    pub(super) fn of(consumer: Arc<Consumed>, bounded: &Bounded) -> Self {
        Self { consumer, bounded: bounded.clone() }
    }

    /// Offsets that are done; an offset need not be a record.
    pub fn offsets(&self) -> i64 {
        let positions = self.consumer.context().positions();
        let done = |stretch: &Stretch| {
            let next = positions.get(&stretch.partition).copied().unwrap_or(stretch.from);
            next.clamp(stretch.from, stretch.until) - stretch.from
        };
        self.bounded.done_before + self.bounded.stretches.iter().map(done).sum::<i64>()
    }
}

/// Where the group has no offset yet it begins at `edge`: commits that, for partitions that nobody else
/// reads. Returns how many partitions that were.
///
/// # Errors
/// When the brokers do not answer.
pub fn begin_at(settings: &Settings, edge: Edge) -> Result<usize, KafkaError> {
    let client = client(settings)?;
    let input = &settings.input;
    let found = edge_of(&client, input, edge)?;
    let committed = committed(&client, input, found.keys().copied())?;
    let mut list = TopicPartitionList::new();
    for (partition, offset) in found {
        if !committed.contains_key(&partition) {
            list.add_partition_offset(input, partition, Offset::Offset(offset))?;
        }
    }
    if list.count() == 0 {
        return Ok(0);
    }
    match client.commit(&list, CommitMode::Sync) {
        Ok(()) => Ok(list.count()),
        // the group has members: they have begun already
        Err(error) if is_taken(&error) => Ok(0),
        Err(error) => Err(error),
    }
}

/// A client of the group that neither joins it nor commits by itself.
fn client(settings: &Settings) -> Result<BaseConsumer<Quiet>, KafkaError> {
    let mut config = consumer_config(settings);
    config.set("statistics.interval.ms", "0").set("enable.auto.commit", "false");
    config.create_with_context(Quiet::default())
}

/// The group's committed offsets.
fn committed(
    client: &BaseConsumer<Quiet>,
    topic: &str,
    partitions: impl Iterator<Item = i32>,
) -> Result<HashMap<i32, i64>, KafkaError> {
    let asked = places(topic, &partitions.collect::<Vec<_>>());
    if asked.count() == 0 {
        return Ok(HashMap::new());
    }
    let mut committed = HashMap::new();
    for element in client.committed_offsets(asked, METADATA_TIMEOUT)?.elements() {
        element.error()?;
        let Offset::Offset(offset) = element.offset() else { continue };
        committed.insert(element.partition(), offset);
    }
    Ok(committed)
}

/// Whether a commit was refused because the group has members.
fn is_taken(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(error.rdkafka_error_code(), Some(Code::UnknownMemberId | Code::IllegalGeneration))
}
