//! Articles at a steady rate through a program, timed from the call that sends one to its arrival.

use super::broker::{TIMEOUT, client, partitions, producer};
use super::fill::Texts;
use super::process::Programs;
use super::table::{Note, quantile};
use anyhow::{Context, ensure};
use clap::Args;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct Latency {
    brokers: String,
    input: String,
    output: String,
    #[command(flatten)]
    note: Note,
    /// Articles a second.
    #[arg(long, default_value_t = 1000)]
    rate: usize,
    /// For so long.
    #[arg(long, default_value_t = 30)]
    seconds: usize,
    #[command(flatten)]
    texts: Texts,
    /// What the program prints.
    #[arg(long)]
    log: PathBuf,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

type Sender = ThreadedProducer<DefaultProducerContext>;

impl Latency {
    pub fn run(self) -> anyhow::Result<()> {
        let articles = self.texts.articles()?;
        let receiver = self.receiver()?;
        let sender: Sender = producer(&self.brokers).set("linger.ms", "0").create()?;
        let programs = Programs::start(&self.command, 1, &self.log)?;
        self.until_it_runs(&sender, &receiver, &articles[0])?;
        let count = self.rate * self.seconds;
        let every = Duration::from_secs(1) / self.rate as u32;
        let start = Instant::now() + Duration::from_millis(100);
        let mut times: Vec<f64> = std::thread::scope(|scope| {
            let arrivals = scope.spawn(|| receive(&receiver, count, start, every));
            for number in 0..count {
                let due = start + every * number as u32;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                self.send(&sender, number as i64, &articles[number % articles.len()])?;
            }
            arrivals.join().map_err(|_| anyhow::anyhow!("the receiver panicked"))?
        })?;
        programs.stop()?;
        self.note.append(&[
            ("median ms", quantile(&mut times, 0.5)),
            ("p99 ms", quantile(&mut times, 0.99)),
            ("most ms", quantile(&mut times, 1.0)),
        ])
    }

    fn receiver(&self) -> anyhow::Result<BaseConsumer> {
        let receiver: BaseConsumer = client(&self.brokers)
            .set("group.id", "bench-latency")
            .set("enable.auto.commit", "false")
            .create()?;
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions(&receiver, &self.output)? {
            list.add_partition_offset(&self.output, partition, Offset::End)?;
        }
        receiver.assign(&list)?;
        // positions are looked up at the first poll
        receiver.poll(Duration::from_millis(500));
        Ok(receiver)
    }

    fn send(&self, sender: &Sender, number: i64, article: &[u8]) -> anyhow::Result<()> {
        let key = number.to_string();
        sender
            .send(BaseRecord::to(&self.input).key(key.as_bytes()).payload(article))
            .map_err(|(error, _)| anyhow::Error::from(error))
    }

    /// Sends articles out of the count until none of them is missing.
    fn until_it_runs(&self, sender: &Sender, receiver: &BaseConsumer, article: &[u8]) -> anyhow::Result<()> {
        let (start, mut open) = (Instant::now(), 0);
        while open > 0 || start.elapsed() < Duration::from_secs(3) {
            ensure!(start.elapsed() < Duration::from_secs(60), "{}: nothing arrives", self.note.name);
            if start.elapsed() < Duration::from_secs(3) {
                self.send(sender, -1, article)?;
                open += 1;
            }
            while let Some(message) = receiver.poll(Duration::from_millis(10)) {
                message?;
                open -= 1;
            }
        }
        Ok(())
    }
}

/// Milliseconds of each article from the moment at which it was due to be sent.
fn receive(
    receiver: &BaseConsumer,
    count: usize,
    start: Instant,
    every: Duration,
) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::with_capacity(count);
    while times.len() < count {
        let message = receiver.poll(TIMEOUT).context("articles are missing")??;
        let arrived = Instant::now();
        let number: u32 = std::str::from_utf8(message.key().context("no key")?)?.parse()?;
        times.push(arrived.saturating_duration_since(start + every * number).as_secs_f64() * 1e3);
    }
    Ok(times)
}
