//! A bounded stretch of a topic: each partition from an offset to another, as they are now; and what of
//! it is still to be read.

use super::METADATA_TIMEOUT;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::BTreeMap;

/// Where a stretch begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The oldest record that is still there.
    Earliest,
    /// Behind the newest record.
    Latest,
    /// The first record with this timestamp (milliseconds since 1970) or a later one.
    Time(i64),
    /// This offset, in every partition.
    Offset(i64),
}

/// Part of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) partition: i32,
    /// Offset of the first record.
    pub(super) from: i64,
    /// Offset behind the last one.
    pub(super) until: i64,
}

/// Asks the brokers where `from` and `until` are in each partition of `topic`; partitions with
/// nothing between them are left out.
pub(super) fn stretches<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
    from: Edge,
    until: Edge,
) -> Result<Vec<Stretch>, KafkaError> {
    let ends = ends(client, topic)?;
    let starts = offsets(client, topic, &ends, from)?;
    let stops = offsets(client, topic, &ends, until)?;
    let stretch = |(partition, from)| {
        let until = stops.get(&partition).copied().unwrap_or(from);
        Stretch { partition, from, until }
    };
    Ok(starts.into_iter().map(stretch).filter(|stretch| stretch.from < stretch.until).collect())
}

/// Where `edge` is, by partition of `topic`.
pub(super) fn edge_of<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
    edge: Edge,
) -> Result<BTreeMap<i32, i64>, KafkaError> {
    offsets(client, topic, &ends(client, topic)?, edge)
}

/// The oldest offset and the one behind the newest, by partition.
fn ends<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
) -> Result<BTreeMap<i32, (i64, i64)>, KafkaError> {
    let metadata = client.fetch_metadata(Some(topic), METADATA_TIMEOUT)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let partitions = found.map_or(&[][..], |found| found.partitions()).iter().map(|partition| partition.id());
    partitions.map(|id| Ok((id, client.fetch_watermarks(topic, id, METADATA_TIMEOUT)?))).collect()
}

/// The offset of `edge` by partition; `ends` are the oldest offset and the one behind the newest.
fn offsets<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
    ends: &BTreeMap<i32, (i64, i64)>,
    edge: Edge,
) -> Result<BTreeMap<i32, i64>, KafkaError> {
    let time = match edge {
        Edge::Earliest => return Ok(ends.iter().map(|(partition, (low, _))| (*partition, *low)).collect()),
        Edge::Latest => return Ok(ends.iter().map(|(partition, (_, high))| (*partition, *high)).collect()),
        Edge::Offset(offset) => {
            return Ok(ends
                .iter()
                .map(|(partition, (low, high))| (*partition, offset.clamp(*low, *high)))
                .collect());
        }
        Edge::Time(time) => time,
    };
    let mut asked = TopicPartitionList::new();
    for partition in ends.keys() {
        asked.add_partition_offset(topic, *partition, Offset::Offset(time.max(0)))?;
    }
    let answer = client.offsets_for_times(asked, METADATA_TIMEOUT)?;
    let mut offsets = BTreeMap::new();
    for element in answer.elements() {
        element.error()?;
        let (low, high) = ends.get(&element.partition()).copied().unwrap_or_default();
        // no record that late: the end
        let offset = element.offset().to_raw().filter(|offset| *offset >= 0).unwrap_or(high);
        offsets.insert(element.partition(), offset.clamp(low, high));
    }
    Ok(offsets)
}

/// The stretches as an assignment.
pub(super) fn assignment(topic: &str, stretches: &[Stretch]) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for stretch in stretches {
        list.add_partition_offset(topic, stretch.partition, Offset::Offset(stretch.from))?;
    }
    Ok(list)
}

/// Partitions of a topic.
pub(super) fn places(topic: &str, partitions: &[i32]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(topic, *partition);
    }
    list
}

/// What of some stretches is still to be read. The last offset of a stretch need not be a record: it
/// may be a marker of a transaction, or was compacted away. Then a later record or the end of the
/// partition says that nothing more comes; the end by now is not before the end at the start.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// By partition: the next offset, and the one behind the last.
    open: BTreeMap<i32, (i64, i64)>,
    newly_done: Vec<i32>,
}

impl Left {
    pub(super) fn of(stretches: &[Stretch]) -> Self {
        let open = stretches.iter().map(|stretch| (stretch.partition, (stretch.from, stretch.until)));
        Self { open: open.collect(), newly_done: Vec::new() }
    }

    /// Offsets, records or not.
    pub(super) fn offsets(&self) -> i64 {
        self.open.values().map(|(next, until)| until - next).sum()
    }

    /// Whether a record that came is one of the stretches.
    pub(super) fn takes(&mut self, partition: i32, offset: i64) -> bool {
        let Some((next, until)) = self.open.get_mut(&partition) else { return false };
        let until = *until;
        *next = (offset + 1).min(until);
        if offset + 1 >= until {
            self.ended(partition);
        }
        offset < until
    }

    /// Nothing more comes of a partition.
    pub(super) fn ended(&mut self, partition: i32) {
        if self.open.remove(&partition).is_some() {
            self.newly_done.push(partition);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Those of which more comes.
    pub(super) fn partitions(&self) -> Vec<i32> {
        self.open.keys().copied().collect()
    }

    /// Partitions that are done since the last call.
    pub(super) fn newly_done(&mut self) -> Vec<i32> {
        std::mem::take(&mut self.newly_done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_ends_at_its_last_record_a_later_one_or_the_end() {
        let stretch = |partition, until| Stretch { partition, from: 3, until };
        let mut left = Left::of(&[stretch(0, 5), stretch(1, 5), stretch(2, 5)]);
        assert_eq!(left.offsets(), 6);
        assert!(left.takes(0, 3) && left.takes(0, 4), "the last one is its own");
        assert_eq!((left.offsets(), left.partitions()), (4, vec![1, 2]));
        assert!(!left.takes(0, 5), "done already");
        assert!(!left.takes(1, 7), "4 was no record");
        assert!(left.takes(2, 3));
        assert_eq!(left.offsets(), 1);
        left.ended(2);
        assert!(left.is_empty());
        assert_eq!(left.newly_done(), [0, 1, 2]);
        assert!(left.newly_done().is_empty());
    }
}
