//! Bare rdkafka between two topics: the least that any program must do.

use super::broker::{client, producer};
use anyhow::ensure;
use clap::Args;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::producer::DefaultProducerContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ThreadedProducer};
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct Pass {
    brokers: String,
    input: String,
    output: String,
    group: String,
    /// Milliseconds from one transaction to the next; without it none.
    #[arg(long, value_name = "MS")]
    transactions: Option<u64>,
    /// A property of the consumer or the producer.
    #[arg(short = 'C', value_name = "NAME=VALUE")]
    consumer: Vec<String>,
    #[arg(short = 'P', value_name = "NAME=VALUE")]
    producer: Vec<String>,
}

impl Pass {
    pub fn run(self) -> anyhow::Result<()> {
        let mut consumer = client(&self.brokers);
        consumer
            .set("group.id", &self.group)
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", if self.transactions.is_some() { "false" } else { "true" })
            .set("auto.commit.interval.ms", "1000")
            // refill the queue at once
            .set("fetch.queue.backoff.ms", "2")
            .set("queued.max.messages.kbytes", "32768");
        set(&mut consumer, &self.consumer)?;
        let consumer: BaseConsumer = consumer.create()?;
        consumer.subscribe(&[&self.input])?;
        let mut producer = producer(&self.brokers);
        producer
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("batch.size", "1000000")
            .set("message.max.bytes", "8000000")
            .set("queue.buffering.max.kbytes", "32768");
        set(&mut producer, &self.producer)?;
        match self.transactions {
            None => self.pass(&consumer, &producer.create()?),
            Some(milliseconds) => {
                producer.set("transactional.id", &self.group);
                self.pass_in_transactions(&consumer, &producer.create()?, Duration::from_millis(milliseconds))
            }
        }
    }

    fn pass(&self, consumer: &BaseConsumer, producer: &BaseProducer) -> anyhow::Result<()> {
        let mut sent = 0_u32;
        loop {
            if let Some(message) = consumer.poll(Duration::from_millis(50)) {
                let message = message?;
                let mut record = self.record(&message);
                while let Err((error, back)) = producer.send(record) {
                    ensure!(error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull), error);
                    record = back;
                    producer.poll(Duration::from_millis(1));
                }
                sent += 1;
            }
            if sent.is_multiple_of(64) {
                producer.poll(Duration::ZERO);
            }
        }
    }

    fn pass_in_transactions(
        &self,
        consumer: &BaseConsumer,
        producer: &ThreadedProducer<DefaultProducerContext>,
        interval: Duration,
    ) -> anyhow::Result<()> {
        let wait = Duration::from_secs(30);
        producer.init_transactions(wait)?;
        loop {
            let mut begun: Option<Instant> = None;
            while begun.is_none_or(|begun| begun.elapsed() < interval) {
                let Some(message) = consumer.poll(Duration::from_millis(10)) else { continue };
                let message = message?;
                if begun.is_none() {
                    producer.begin_transaction()?;
                    begun = Some(Instant::now());
                }
                let mut record = self.record(&message);
                while let Err((error, back)) = producer.send(record) {
                    ensure!(error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull), error);
                    record = back;
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            let Some(group) = consumer.group_metadata() else { continue };
            producer.send_offsets_to_transaction(&consumer.position()?, &group, wait)?;
            producer.commit_transaction(wait)?;
        }
    }

    fn record<'a>(&'a self, message: &'a BorrowedMessage<'_>) -> BaseRecord<'a, [u8], [u8]> {
        let mut record = BaseRecord::to(&self.output).payload(message.payload().unwrap_or_default());
        if let Some(key) = message.key() {
            record = record.key(key);
        }
        if let Some(timestamp) = message.timestamp().to_millis() {
            record = record.timestamp(timestamp);
        }
        record
    }
}

fn set(config: &mut ClientConfig, properties: &[String]) -> anyhow::Result<()> {
    for property in properties {
        let (name, value) =
            property.split_once('=').ok_or_else(|| anyhow::anyhow!("{property}: name=value is wanted"))?;
        config.set(name, value);
    }
    Ok(())
}
