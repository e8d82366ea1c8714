//! Fills a topic with articles made of given texts.

use super::broker::producer;
use anyhow::{Context, ensure};
use clap::Args;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Args)]
pub struct Fill {
    brokers: String,
    topic: String,
    /// How many.
    #[arg(long)]
    articles: usize,
    #[command(flatten)]
    texts: Texts,
}

/// Where the articles come from.
#[derive(Args)]
pub struct Texts {
    /// JSON Lines with a field `text`; they are repeated as often as needed.
    #[arg(long, num_args = 1.., required = true)]
    texts: Vec<PathBuf>,
    /// Bytes of a text, put together from several; as they are without it. The last one counts.
    #[arg(long, overrides_with = "bytes")]
    bytes: Option<usize>,
}

impl Texts {
    /// The articles as JSON, each with an id and a text.
    pub fn articles(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut texts = Vec::new();
        for path in &self.texts {
            let file = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            for line in file.lines() {
                let line: serde_json::Value = serde_json::from_str(line)?;
                texts.extend(line["text"].as_str().map(str::to_owned));
            }
        }
        ensure!(!texts.is_empty(), "no texts in {:?}", self.texts);
        if let Some(bytes) = self.bytes {
            texts = shape(&texts, bytes);
        }
        let article = |(number, text)| {
            serde_json::to_vec(&serde_json::json!({"id": format!("bench-{number}"), "text": text}))
        };
        Ok(texts.iter().enumerate().map(article).collect::<Result<_, _>>()?)
    }
}

/// As many texts again, each of about `bytes` bytes.
fn shape(texts: &[String], bytes: usize) -> Vec<String> {
    let mut words = texts.iter().flat_map(|text| text.split_inclusive(' ')).cycle();
    let shaped = texts.iter().take(2000).map(|_| {
        let mut text = String::with_capacity(bytes + 32);
        while text.len() < bytes {
            text.push_str(words.next().unwrap_or(" "));
        }
        text
    });
    shaped.collect()
}

impl Fill {
    pub fn run(self) -> anyhow::Result<()> {
        let articles = self.texts.articles()?;
        let producer: ThreadedProducer<DefaultProducerContext> = producer(&self.brokers)
            .set("linger.ms", "20")
            .set("batch.size", "900000")
            .set("message.max.bytes", "8000000")
            .set("queue.buffering.max.kbytes", "65536")
            .create()?;
        for number in 0..self.articles {
            let key = number.to_string();
            let mut record =
                BaseRecord::to(&self.topic).key(key.as_bytes()).payload(&articles[number % articles.len()]);
            while let Err((error, back)) = producer.send(record) {
                ensure!(error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull), error);
                record = back;
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        producer.flush(Duration::from_secs(120))?;
        Ok(())
    }
}
