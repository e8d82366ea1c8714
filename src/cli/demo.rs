//! `rasid demo`: the same worker on librdkafka's mock broker, fed with sample articles.

use super::bounded::Reach;
use super::run::{runtime, signals, work};
use crate::config::{Layer, Settings};
use crate::model::Classifier;
use crate::pipeline::{reloads, stopped};
use anyhow::{Context, anyhow};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, ThreadedProducer};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Show the worker at work, nothing to install: embedded broker, sample articles, live page
#[derive(clap::Args)]
#[command(after_help = "Examples:
  rasid demo            # then open http://127.0.0.1:9464/ ; Ctrl-C stops it
  rasid demo --once     # tag the samples, print them, stop
  rasid demo --articles mine.jsonl")]
pub struct Args {
    /// Address of the live page
    #[arg(long, default_value = "127.0.0.1:9464", value_name = "ADDR")]
    http: String,
    /// Feed these articles over and over instead of the samples: one a line, JSON or raw text
    #[arg(long, value_name = "FILE")]
    articles: Option<PathBuf>,
    /// Tag the samples once, print them, stop
    #[arg(long)]
    once: bool,
}

/// Articles of our own, parted by lines of four dashes; raw text and JSON.
const SAMPLES: &str = include_str!("samples.txt");
/// The mock broker forgets past 5 MiB a partition, so the feed is paced.
const PACE: Duration = Duration::from_millis(200);
/// How long `--once` waits for its answers.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn run(args: &Args) -> anyhow::Result<()> {
    let samples = samples(args.articles.as_deref())?;
    let samples: Vec<&str> = samples.iter().map(String::as_str).collect();
    let cluster = MockCluster::new(1)?;
    for topic in ["articles", "articles.tagged", "articles.dlq"] {
        cluster.create_topic(topic, 2, 1)?;
    }
    let brokers = cluster.bootstrap_servers();
    let http = if args.once { "127.0.0.1:0".to_owned() } else { args.http.clone() };
    let layer = Layer {
        brokers: Some(brokers.clone()),
        input: Some("articles".into()),
        output: Some("articles.tagged".into()),
        dead_letters: Some("articles.dlq".into()),
        group: Some("rasid-demo".into()),
        http: Some(http),
        ..Layer::default()
    };
    let settings = Settings::new(layer, None, []).map_err(|error| super::Usage(error.to_string()))?;
    let classifier = Arc::new(Classifier::bundled()?);
    let (stop, stopping) = watch::channel(false);
    runtime()?.block_on(async {
        let worker = async move {
            let (reach, nobody) = (Reach::default(), Arc::default());
            work(&settings, &reach, (classifier, None), nobody, stopping, reloads()).await
        };
        let worker = tokio::spawn(worker);
        if args.once {
            let count = samples.len();
            feed(&brokers, &samples)?;
            tokio::task::spawn_blocking(move || print(&brokers, count)).await??;
        } else {
            println!("The live page: http://{}/ (Ctrl-C stops)", args.http);
            let mut signals = signals()?;
            let mut next = samples.iter().cycle();
            let mut beat = tokio::time::interval(PACE);
            while !worker.is_finished() {
                tokio::select! {
                    () = stopped(&mut signals) => break,
                    _ = beat.tick() => if let Some(sample) = next.next() { feed(&brokers, &[sample])? },
                }
            }
        }
        // a worker that has ended by itself says why
        let _ = stop.send(true);
        worker.await?
    })
}

/// The articles of `path`, else our own.
fn samples(path: Option<&Path>) -> anyhow::Result<Vec<String>> {
    let Some(path) = path else {
        return Ok(SAMPLES.split("\n----\n").map(|sample| sample.trim().to_owned()).collect());
    };
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let articles: Vec<String> =
        text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    if articles.is_empty() {
        return Err(anyhow!("{}: no article in it; write one a line", path.display()));
    }
    Ok(articles)
}

fn feed(brokers: &str, samples: &[&str]) -> anyhow::Result<()> {
    thread_local! {
        static PRODUCER: std::cell::RefCell<Option<ThreadedProducer<DefaultProducerContext>>> =
            const { std::cell::RefCell::new(None) };
    }
    PRODUCER.with_borrow_mut(|producer| {
        let producer = match producer {
            Some(producer) => producer,
            None => producer.insert(ClientConfig::new().set("bootstrap.servers", brokers).create()?),
        };
        for sample in samples {
            let record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to("articles").payload(sample.as_bytes());
            producer.send(record).map_err(|(error, _)| error)?;
        }
        Ok(())
    })
}

/// Reads the tagged samples back and prints them.
fn print(brokers: &str, count: usize) -> anyhow::Result<()> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "rasid-demo-reader")
        .set("auto.offset.reset", "earliest")
        .create()?;
    consumer.subscribe(&["articles.tagged"])?;
    let mut out = std::io::stdout().lock();
    let start = Instant::now();
    let mut seen = 0;
    while seen < count {
        if start.elapsed() > PATIENCE {
            return Err(anyhow!("only {seen} of {count} samples came back"));
        }
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            let message = message?;
            out.write_all(message.payload().unwrap_or_default())?;
            writeln!(out)?;
            seen += 1;
        }
    }
    Ok(())
}
