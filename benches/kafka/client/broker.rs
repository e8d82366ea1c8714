//! The broker: topics, and how far a topic or a group is.

use anyhow::{Context, anyhow};
use clap::Args;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::net::TcpListener;
use std::time::{Duration, Instant};

pub const TIMEOUT: Duration = Duration::from_secs(10);

/// A client's settings with the broker in them.
pub fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("log_level", "3");
    config
}

/// A producer's settings: keys go to the partitions that Kafka's own producers give them, so that who passes records on
/// keeps a key in its partition.
pub fn producer(brokers: &str) -> ClientConfig {
    let mut config = client(brokers);
    config.set("partitioner", "murmur2_random");
    config
}

/// The broker takes a port and the next one.
pub fn port() -> anyhow::Result<()> {
    loop {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            println!("{port}");
            return Ok(());
        }
    }
}

#[derive(Args)]
pub struct Wait {
    brokers: String,
}

impl Wait {
    pub fn run(self) -> anyhow::Result<()> {
        let client: BaseConsumer = client(&self.brokers).set("log_level", "0").create()?;
        let start = Instant::now();
        while let Err(error) = client.fetch_metadata(None, Duration::from_secs(1)) {
            if start.elapsed() > Duration::from_secs(60) {
                return Err(error).context("no broker after 60 s");
            }
        }
        Ok(())
    }
}

#[derive(Args)]
pub struct Create {
    brokers: String,
    topic: String,
    partitions: i32,
}

impl Create {
    pub fn run(self) -> anyhow::Result<()> {
        let admin: AdminClient<DefaultClientContext> = client(&self.brokers).create()?;
        // deleted topics give their disk space back at once
        let topic = NewTopic::new(&self.topic, self.partitions, TopicReplication::Fixed(1))
            .set("file.delete.delay.ms", "0")
            .set("max.message.bytes", "8000000");
        let made = runtime()?.block_on(admin.create_topics([&topic], &AdminOptions::new()))?;
        made.into_iter()
            .try_for_each(|made| made.map(drop))
            .map_err(|(topic, error)| anyhow!("{topic}: {error}"))?;
        // the next client must find it
        let client: BaseConsumer = client(&self.brokers).create()?;
        while partitions(&client, &self.topic)? < self.partitions {
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

#[derive(Args)]
pub struct Delete {
    brokers: String,
    topics: Vec<String>,
}

impl Delete {
    pub fn run(self) -> anyhow::Result<()> {
        let admin: AdminClient<DefaultClientContext> = client(&self.brokers).create()?;
        let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        runtime()?.block_on(admin.delete_topics(&topics, &AdminOptions::new()))?;
        Ok(())
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Partitions of `topic`.
pub fn partitions(client: &BaseConsumer, topic: &str) -> anyhow::Result<i32> {
    let metadata = client.fetch_metadata(Some(topic), TIMEOUT)?;
    Ok(metadata.topics().first().map_or(0, |topic| topic.partitions().len() as i32))
}

/// Says how many records a topic has, or how many of them a group has committed.
pub struct Progress {
    client: BaseConsumer,
    list: TopicPartitionList,
    committed: bool,
}

impl Progress {
    /// Records in `topic`.
    pub fn of_topic(brokers: &str, topic: &str) -> anyhow::Result<Self> {
        Self::new(brokers, topic, "bench-watch", false)
    }

    /// Records of `topic` that `group` has committed.
    pub fn of_group(brokers: &str, topic: &str, group: &str) -> anyhow::Result<Self> {
        Self::new(brokers, topic, group, true)
    }

    fn new(brokers: &str, topic: &str, group: &str, committed: bool) -> anyhow::Result<Self> {
        let client: BaseConsumer = client(brokers).set("group.id", group).create()?;
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions(&client, topic)? {
            // in place of a time stamp it asks for the end
            list.add_partition_offset(topic, partition, Offset::End)?;
        }
        Ok(Self { client, list, committed })
    }

    /// The sum over all partitions.
    pub fn records(&self) -> anyhow::Result<i64> {
        let start = Instant::now();
        let answer = loop {
            let answer = if self.committed {
                self.client.committed_offsets(self.list.clone(), TIMEOUT)
            } else {
                self.client.offsets_for_times(self.list.clone(), TIMEOUT)
            };
            match answer {
                // a topic that was just made may have no leader yet
                Err(_) if start.elapsed() < TIMEOUT => std::thread::sleep(Duration::from_millis(50)),
                answer => break answer?,
            }
        };
        Ok(answer
            .elements()
            .iter()
            .filter_map(|element| element.offset().to_raw())
            .map(|offset| offset.max(0))
            .sum())
    }
}
