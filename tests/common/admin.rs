//! What an administrator does to topics while a worker runs.

use super::Broker;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

impl Broker {
    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.client().create().unwrap()
    }

    pub fn delete_topic(&self, name: &str) {
        let deleted = self.runtime.block_on(self.admin().delete_topics(&[name], &AdminOptions::new()));
        deleted.unwrap().pop().unwrap().unwrap();
    }

    /// As many partitions as this, from now on.
    pub fn add_partitions(&self, name: &str, partitions: usize) {
        let wanted = NewPartitions::new(name, partitions);
        let made = self.runtime.block_on(self.admin().create_partitions([&wanted], &AdminOptions::new()));
        made.unwrap().pop().unwrap().unwrap();
    }

    /// What retention does: every record of the partition before `offset` goes.
    pub fn delete_records(&self, topic: &str, partition: i32, offset: i64) {
        let mut before = TopicPartitionList::new();
        before.add_partition_offset(topic, partition, Offset::Offset(offset)).unwrap();
        let deleted = self.runtime.block_on(self.admin().delete_records(&before, &AdminOptions::new()));
        deleted.unwrap().elements().iter().for_each(|element| element.error().unwrap());
    }
}
