//! Input records, as many as a test asks for or until it ends.

use super::patience;
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Produces input records.
pub struct Feeder {
    producer: ThreadedProducer<DefaultProducerContext>,
    topic: String,
}

impl Feeder {
    pub fn new(client: &ClientConfig, topic: &str) -> Self {
        Self { producer: client.create().unwrap(), topic: topic.to_owned() }
    }

    pub fn send(&self, key: &str, value: Option<&[u8]>) {
        self.send_with(key, value, &[], None);
    }

    pub fn send_with(
        &self,
        key: &str,
        value: Option<&[u8]>,
        headers: &[(&str, &str)],
        timestamp: Option<i64>,
    ) {
        let mut record: BaseRecord<'_, str, [u8]> = BaseRecord::to(&self.topic).key(key);
        if let Some(value) = value {
            record = record.payload(value);
        }
        if let Some(timestamp) = timestamp {
            record = record.timestamp(timestamp);
        }
        let mut list = OwnedHeaders::new();
        for (key, value) in headers {
            list = list.insert(Header { key, value: Some(*value) });
        }
        record = record.headers(list);
        loop {
            match self.producer.send(record) {
                Ok(()) => return,
                Err((_, back)) => {
                    record = back;
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
    }

    pub fn flush(&self) {
        self.producer.flush(patience(Duration::from_secs(60))).unwrap();
    }
}

/// Articles with the keys 0, 1, 2, … that arrive until it ends, so that a fast worker does not run out of them.
pub struct Feeding {
    ended: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Feeding {
    /// `many` at a time, with a pause in between.
    pub fn start(feeder: Feeder, many: usize, pause: Duration) -> Self {
        let (ended, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (over, count) = (ended.clone(), sent.clone());
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::Acquire) {
                for _ in 0..many {
                    let number = count.fetch_add(1, Ordering::AcqRel);
                    feeder.send(&number.to_string(), Some(article(number).as_bytes()));
                }
                std::thread::sleep(pause);
            }
            feeder.flush();
        });
        Self { ended, sent, thread: Some(thread) }
    }

    /// How many articles the broker has in the end.
    pub fn stop(mut self) -> usize {
        self.ended.store(true, Ordering::Release);
        self.thread.take().unwrap().join().unwrap();
        self.sent.load(Ordering::Acquire)
    }
}

impl Drop for Feeding {
    /// A test that fails leaves no feeder behind.
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
    }
}

/// An article that is about sport, in two languages by turns.
pub fn article(number: usize) -> String {
    let text = if number.is_multiple_of(2) {
        "The striker scored twice as the home side won the cup final on penalties after extra time."
    } else {
        "سجل المهاجم هدفين وفاز الفريق بكأس البطولة بركلات الترجيح بعد مباراة مثيرة على ملعب العاصمة."
    };
    serde_json::json!({"id": format!("a-{number}"), "title": "Final", "text": text}).to_string()
}
