//! The input topic as a source: a consumer group, or a bounded stretch.

use super::bounded::{Bounded, Come};
use super::consumer_config;
use super::group::{Consumed, Context};
use super::reader::{Item, Reader, Signals};
use super::stretch::{Stretch, assignment};
use crate::config::{Guarantee, Settings};
use crate::metrics::Metrics;
use crate::pipeline::{Envelope, Health, PipelineError, Source};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How long the last commit and leaving the group may take together. While the group is being divided anew the
/// coordinator holds the commit back: until each member has sent a heartbeat (3 s) and given back its partitions
/// (`REVOKE_WAIT`). A broker that is away would hold it for the session timeout.
const CLOSE_WAIT: Duration = Duration::from_secs(10);
/// How often librdkafka's thread is woken.
const PULSE: Duration = Duration::from_secs(1);

/// The input topic as a [`Source`].
pub struct KafkaSource {
    pub(super) consumer: Arc<Consumed>,
    items: mpsc::Receiver<Item>,
    signals: Arc<Signals>,
    reader: Option<JoinHandle<()>>,
    transactional: bool,
    /// All of a bounded stretch was given.
    ended: bool,
}

impl KafkaSource {
    /// How far the reading of `bounded` has come.
    pub fn come(&self, bounded: &Bounded) -> Come {
        Come::of(self.consumer.clone(), bounded)
    }

    /// Joins the group and starts to read.
    ///
    /// # Errors
    /// When librdkafka refuses a property.
    pub fn open(settings: &Settings, metrics: Metrics, health: Arc<Health>) -> Result<Self, KafkaError> {
        let consumer = consume(consumer_config(settings), settings, metrics, health)?;
        consumer.subscribe(&[&settings.input])?;
        Self::start(consumer, settings, None)
    }

    /// Reads a bounded stretch: partitions are assigned, no group is joined.
    ///
    /// # Errors
    /// When librdkafka refuses a property.
    pub fn over(
        bounded: &Bounded,
        settings: &Settings,
        metrics: Metrics,
        health: Arc<Health>,
    ) -> Result<Self, KafkaError> {
        let mut config = consumer_config(settings);
        config.set("enable.partition.eof", "true");
        let consumer = consume(config, settings, metrics, health)?;
        let stretches = &bounded.stretches;
        consumer.context().assigned(stretches.iter().map(|stretch| stretch.partition).collect());
        consumer.assign(&assignment(&settings.input, stretches)?)?;
        Self::start(consumer, settings, Some(stretches.clone()))
    }

    fn start(
        consumer: Consumed,
        settings: &Settings,
        stretches: Option<Vec<Stretch>>,
    ) -> Result<Self, KafkaError> {
        let consumer = Arc::new(consumer);
        let signals = Arc::new(Signals::default());
        let (sender, items) = mpsc::channel(2);
        let topic = settings.input.as_str().into();
        let reader = Reader::new(consumer.clone(), sender, signals.clone(), topic, stretches);
        let reader = std::thread::Builder::new()
            .name("rasid-reader".to_owned())
            .spawn(move || reader.run())
            .map_err(|error| KafkaError::ClientCreation(error.to_string()))?;
        pulse(Arc::downgrade(&consumer), signals.clone());
        let transactional = settings.guarantee == Guarantee::ExactlyOnce;
        Ok(Self { consumer, items, signals, reader: Some(reader), transactional, ended: false })
    }

    /// Whether all of a bounded stretch was given.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Commits what is stored (a transaction has done so already), leaves the group and closes, within a few seconds whatever the broker does.
    ///
    /// # Errors
    /// What stood in the way of the commit.
    pub fn close(mut self) -> Result<(), String> {
        self.stop();
        let until = Instant::now() + CLOSE_WAIT;
        let (sender, done) = std::sync::mpsc::channel();
        let (consumer, reader) = (self.consumer.clone(), self.reader.take());
        let transactional = self.transactional;
        // nobody works on what was given and is not done: the revocation below need not wait for it
        consumer.context().abandon();
        drop(self);
        std::thread::spawn(move || {
            if let Some(reader) = reader {
                let _ = reader.join();
            }
            let _ = sender.send(if transactional { Ok(()) } else { commit_stored(&consumer) });
            drop(consumer);
            let _ = sender.send(Ok(()));
        });
        let committed = done
            .recv_timeout(until.saturating_duration_since(Instant::now()))
            .map_err(|_| format!("the last commit took longer than {} s", CLOSE_WAIT.as_secs()))?;
        // leaving the group politely spares the others the session timeout
        let _ = done.recv_timeout(until.saturating_duration_since(Instant::now()));
        committed
    }
}

fn consume(
    config: ClientConfig,
    settings: &Settings,
    metrics: Metrics,
    health: Arc<Health>,
) -> Result<Consumed, KafkaError> {
    let transactional = settings.guarantee == Guarantee::ExactlyOnce;
    config.create_with_context(Context::new(settings.input.clone(), metrics, health, transactional))
}

fn commit_stored(consumer: &Consumed) -> Result<(), String> {
    match consumer.commit_consumer_state(CommitMode::Sync) {
        // nothing was stored since the last commit
        Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) | Ok(()) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Wakes librdkafka's thread now and then. It sleeps by the wall clock: where that is set back meanwhile it would send
/// no heartbeat until the old time has come again.
fn pulse(consumer: Weak<Consumed>, signals: Arc<Signals>) {
    let beat = move || {
        while !signals.stop.load(Ordering::Acquire) {
            std::thread::sleep(PULSE);
            let Some(consumer) = consumer.upgrade() else { return };
            // any question does
            let _ = consumer.assignment();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("rasid-pulse".to_owned()).spawn(beat) {
        tracing::warn!(%error, "no thread that wakes the client after a jump of the clock");
    }
}

impl Source for KafkaSource {
    async fn next(&mut self) -> Result<Option<Vec<Envelope>>, PipelineError> {
        loop {
            match self.items.recv().await {
                Some(Item::Batch(batch)) => return Ok(Some(batch)),
                Some(Item::Failed(error)) => return Err(error),
                Some(Item::Rewound) => {}
                Some(Item::End) => {
                    self.ended = true;
                    return Ok(None);
                }
                None => return Ok(None),
            }
        }
    }

    fn stop(&mut self) {
        self.signals.stop.store(true, Ordering::Release);
        self.items.close();
    }

    async fn rewind(&mut self) -> Result<(), PipelineError> {
        self.ended = false;
        self.consumer.context().abandon();
        self.signals.rewind.store(true, Ordering::Release);
        loop {
            match self.items.recv().await {
                Some(Item::Batch(_) | Item::End) => {}
                Some(Item::Failed(error)) => return Err(error),
                Some(Item::Rewound) => break,
                None => {
                    let message = "stopped after a transaction was aborted; its records will be read again";
                    return Err(PipelineError::Source(message.to_owned()));
                }
            }
        }
        Ok(())
    }
}
