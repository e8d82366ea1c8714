//! What readers of committed records see.

use super::{Broker, within};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message, OwnedMessage};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::time::Duration;

impl Broker {
    /// Keys of the records of a topic that readers of committed records see.
    pub fn committed_keys(&self, topic: &str) -> Vec<String> {
        let mut keys = Vec::new();
        self.each_committed_key(topic, |key| keys.push(key.to_owned()));
        keys
    }

    /// The records that readers of committed records see.
    pub fn read_committed(&self, topic: &str) -> Vec<OwnedMessage> {
        let mut records = Vec::new();
        self.each_committed(topic, |message| records.push(message.detach()));
        records
    }

    /// Their keys one by one, so that no number of records fills the memory.
    pub fn each_committed_key(&self, topic: &str, mut see: impl FnMut(&str)) {
        self.each_committed(topic, |message| see(std::str::from_utf8(message.key().unwrap()).unwrap()));
    }

    /// Reads to the end; waits until no transaction is open.
    fn each_committed(&self, topic: &str, mut see: impl FnMut(&BorrowedMessage<'_>)) {
        let limit = Duration::from_secs(60);
        within(limit, "no transaction is open", || {
            let ends = ["read_committed", "read_uncommitted"].map(|level| self.ends(topic, level));
            (ends[0] == ends[1]).then_some(())
        });
        let consumer: BaseConsumer = self
            .client()
            .set("group.id", "reader")
            .set("isolation.level", "read_committed")
            .set("enable.partition.eof", "true")
            .set("fetch.message.max.bytes", "8000000")
            .create()
            .unwrap();
        let ends = self.ends(topic, "read_committed");
        let mut list = TopicPartitionList::new();
        for (partition, _) in ends.iter().enumerate() {
            list.add_partition_offset(topic, partition as i32, Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        let mut left = ends.len();
        while left > 0 {
            match consumer.poll(Duration::from_secs(60)).expect("records that are there") {
                Err(KafkaError::PartitionEOF(_)) => left -= 1,
                message => see(&message.unwrap()),
            }
        }
    }

    /// Last offsets of a topic's partitions for readers of that isolation level.
    fn ends(&self, topic: &str, level: &str) -> Vec<i64> {
        let consumer: BaseConsumer =
            self.client().set("group.id", "reader").set("isolation.level", level).create().unwrap();
        // a topic that was made a moment ago may have no leader yet
        within(Duration::from_secs(60), "the ends of a topic", || {
            let timeout = Duration::from_secs(10);
            let metadata = consumer.fetch_metadata(Some(topic), timeout).ok()?;
            let partitions = metadata.topics()[0].partitions().iter();
            let end = |id| consumer.fetch_watermarks(topic, id, timeout).ok().map(|(_, high)| high);
            partitions.map(|partition| end(partition.id())).collect()
        })
    }
}
