//! What readers of committed records see.

use super::{Broker, patience, within};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message, OwnedMessage};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::HashMap;
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
        let consumer = || -> BaseConsumer {
            self.client()
                .set("group.id", "reader")
                .set("isolation.level", "read_committed")
                .set("enable.partition.eof", "true")
                .set("fetch.message.max.bytes", "8000000")
                .create()
                .unwrap()
        };
        // by partition that is not read to its end: where to go on
        let mut left: HashMap<i32, Offset> =
            (0..).zip(self.ends(topic, "read_committed")).map(|(id, _)| (id, Offset::Beginning)).collect();
        // a reader of a million records may fall silent before the end; another one goes on from there
        for _ in 0..5 {
            let mut list = TopicPartitionList::new();
            for (id, offset) in &left {
                list.add_partition_offset(topic, *id, *offset).unwrap();
            }
            let reader = consumer();
            reader.assign(&list).unwrap();
            while let Some(read) = reader.poll(patience(Duration::from_secs(10))) {
                match read {
                    Err(KafkaError::PartitionEOF(id)) => drop(left.remove(&id)),
                    message => {
                        let message = message.unwrap();
                        left.insert(message.partition(), Offset::Offset(message.offset() + 1));
                        see(&message);
                    }
                }
                if left.is_empty() {
                    return;
                }
            }
            eprintln!("a reader of {topic} fell silent before the ends of {left:?}");
        }
        panic!("{topic} is not read to its end: {left:?}");
    }

    /// Last offsets of a topic's partitions for readers of that isolation level.
    fn ends(&self, topic: &str, level: &str) -> Vec<i64> {
        self.watermarks(topic, level).into_iter().map(|(_, high)| high).collect()
    }

    /// First and last offsets of a topic's partitions for readers of that isolation level.
    pub(super) fn watermarks(&self, topic: &str, level: &str) -> Vec<(i64, i64)> {
        let consumer: BaseConsumer =
            self.client().set("group.id", "reader").set("isolation.level", level).create().unwrap();
        // a topic that was made a moment ago may have no leader yet, nor a broker that has just started
        within(Duration::from_secs(60), "the ends of a topic", || {
            let timeout = Duration::from_secs(10);
            let metadata = consumer.fetch_metadata(Some(topic), timeout).ok()?;
            let partitions = metadata.topics()[0].partitions().iter();
            partitions
                .map(|partition| consumer.fetch_watermarks(topic, partition.id(), timeout).ok())
                .collect()
        })
    }
}
