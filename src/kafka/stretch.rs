//! A bounded stretch of a topic: each partition from an offset to another, as they are now.

use super::METADATA_TIMEOUT;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::HashMap;

/// Where a stretch begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The oldest record that is still there.
    Earliest,
    /// Behind the newest record.
    Latest,
    /// The first record with this timestamp (milliseconds since 1970) or a later one.
    Time(i64),
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
    let metadata = client.fetch_metadata(Some(topic), METADATA_TIMEOUT)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let partitions = found.map_or(&[][..], |found| found.partitions());
    let mut ends = HashMap::new();
    for partition in partitions {
        ends.insert(partition.id(), client.fetch_watermarks(topic, partition.id(), METADATA_TIMEOUT)?);
    }
    let starts = offsets(client, topic, &ends, from)?;
    let stops = offsets(client, topic, &ends, until)?;
    let mut stretches: Vec<Stretch> = starts
        .into_iter()
        .map(|(partition, from)| Stretch {
            partition,
            from,
            until: stops.get(&partition).copied().unwrap_or(from),
        })
        .filter(|stretch| stretch.from < stretch.until)
        .collect();
    stretches.sort_by_key(|stretch| stretch.partition);
    Ok(stretches)
}

/// The offset of `edge` by partition; `ends` are the oldest offset and the one behind the newest.
fn offsets<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
    ends: &HashMap<i32, (i64, i64)>,
    edge: Edge,
) -> Result<HashMap<i32, i64>, KafkaError> {
    let time = match edge {
        Edge::Earliest => return Ok(ends.iter().map(|(partition, (low, _))| (*partition, *low)).collect()),
        Edge::Latest => return Ok(ends.iter().map(|(partition, (_, high))| (*partition, *high)).collect()),
        Edge::Time(time) => time,
    };
    let mut asked = TopicPartitionList::new();
    for partition in ends.keys() {
        asked.add_partition_offset(topic, *partition, Offset::Offset(time.max(0)))?;
    }
    let answer = client.offsets_for_times(asked, METADATA_TIMEOUT)?;
    let mut offsets = HashMap::new();
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
