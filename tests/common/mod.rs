//! A real Kafka broker and a real worker process for tests; both end with the test.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

mod admin;
mod cluster;
mod committed;
mod feeder;
pub mod program;
pub mod prometheus;
pub mod proxy;
mod worker;

#[allow(unused_imports, reason = "not every test needs each")]
pub use feeder::{Feeder, Feeding, article};
#[allow(unused_imports, reason = "not every test needs each")]
pub use worker::{SLOW, WorkerProcess};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message, OwnedMessage};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The first real input, where the evaluation data stand beside the checkout; else our own sample of its kind.
pub fn seed_article() -> Vec<u8> {
    let folder = std::env::var_os("RASID_EVAL").map_or(root().join("../shared/eval"), PathBuf::from);
    std::fs::read(folder.join("seed-article.txt")).unwrap_or_else(|_| {
        let samples = include_str!("../../src/cli/samples.txt");
        samples.split("\n----\n").next().unwrap().as_bytes().to_vec()
    })
}

/// Options of the Java machine that nearly halve what a start of Kafka takes (measured: 3.6 s of CPU for 6.7).
const QUICK_START: (&str, &str) = ("KAFKA_JAVA", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1");

/// A wait, on a machine that is busy with other work `RASID_PATIENCE` times as long.
pub fn patience(limit: Duration) -> Duration {
    limit * std::env::var("RASID_PATIENCE").map_or(1, |times| times.parse().expect("a whole number"))
}

pub fn within<T>(limit: Duration, what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let (start, limit) = (Instant::now(), patience(limit));
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(start.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Apache Kafka on loopback.
pub struct Broker {
    process: Mutex<Child>,
    folder: TempDir,
    port: u16,
    /// Lines of its settings, over those of `deploy/kafka/server.properties`.
    properties: Vec<String>,
    /// Copies of each partition.
    copies: i32,
    /// Where its data lies, if not on the disk of all.
    disk: Option<cluster::SmallDisk>,
    runtime: tokio::runtime::Runtime,
}

impl Broker {
    pub fn start() -> Self {
        Self::start_on(two_free_ports(), Vec::new())
    }

    /// A broker with a second listener that is reached through the proxy alone.
    pub fn behind_proxy() -> (Self, proxy::Proxy) {
        let port = two_free_ports();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let hidden = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let advertised = listener.local_addr().unwrap();
        let proxy = proxy::Proxy::on(listener, &hidden.to_string());
        let plain = format!("PLAINTEXT://127.0.0.1:{port}");
        let properties = vec![
            format!("listeners={plain},PROXIED://{hidden},CONTROLLER://127.0.0.1:{}", port + 1),
            format!("advertised.listeners={plain},PROXIED://{advertised}"),
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT"
                .to_owned(),
            "inter.broker.listener.name=PLAINTEXT".to_owned(),
        ];
        (Self::start_on(port, properties), proxy)
    }

    /// Plain text on `port`, the controller on the next one.
    pub fn start_on(port: u16, properties: Vec<String>) -> Self {
        Self::launch(port, properties, 1, |_| None)
    }

    fn launch(
        port: u16,
        properties: Vec<String>,
        copies: i32,
        disk: impl FnOnce(&Path) -> Option<cluster::SmallDisk>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let disk = disk(folder.path());
        let process = Mutex::new(spawn_broker(port, folder.path(), &properties, disk.as_ref()));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let broker = Self { process, folder, port, properties, copies, disk, runtime };
        broker.wait();
        broker
    }

    fn wait(&self) {
        let log = self.folder.path().join("log");
        let client: BaseConsumer = self.client().create().unwrap();
        let start = Instant::now();
        while client.fetch_metadata(None, Duration::from_secs(1)).is_err() {
            let said = || std::fs::read_to_string(&log).unwrap_or_default();
            let ended = self.has_ended();
            assert!(
                !ended && start.elapsed() < patience(Duration::from_secs(180)),
                "Kafka does not start:\n{}",
                said()
            );
        }
    }

    pub fn kill(&self) {
        let mut process = self.process.lock().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Whether it has given up by itself.
    pub fn has_ended(&self) -> bool {
        self.process.lock().unwrap().try_wait().unwrap().is_some()
    }

    pub fn restart(&self) {
        *self.process.lock().unwrap() =
            spawn_broker(self.port, self.folder.path(), &self.properties, self.disk.as_ref());
        self.wait();
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.address()).set("log_level", "0");
        config
    }

    pub fn create_topic(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) {
        let admin: AdminClient<DefaultClientContext> = self.client().create().unwrap();
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(self.copies));
        for (key, value) in settings {
            topic = topic.set(key, value);
        }
        let made = self.runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).unwrap();
        for result in made {
            result.unwrap();
        }
    }

    /// Input, output and dead letters with these partitions each.
    pub fn topics(&self, partitions: i32) {
        let large = ("max.message.bytes", "8000000");
        self.create_topic("articles", partitions, &[large]);
        self.create_topic("articles.tagged", partitions, &[]);
        self.create_topic("articles.dlq", 1, &[large]);
    }

    pub fn producer(&self) -> Feeder {
        self.producer_to("articles")
    }

    pub fn producer_to(&self, topic: &str) -> Feeder {
        let mut config = self.client();
        config.set("message.max.bytes", "10000000").set("linger.ms", "5").set("acks", "all");
        // a broker that restarts neither loses nor doubles what is fed
        config.set("enable.idempotence", "true").set("message.timeout.ms", "0");
        Feeder::new(&config, topic)
    }

    /// Everything in a topic now.
    pub fn read(&self, topic: &str) -> Vec<OwnedMessage> {
        let consumer: BaseConsumer = self
            .client()
            .set("group.id", "reader")
            .set("fetch.message.max.bytes", "8000000")
            .create()
            .unwrap();
        let timeout = Duration::from_secs(10);
        let metadata = consumer.fetch_metadata(Some(topic), timeout).unwrap();
        let mut list = TopicPartitionList::new();
        let mut left = 0;
        for partition in metadata.topics()[0].partitions() {
            let (low, high) = consumer.fetch_watermarks(topic, partition.id(), timeout).unwrap();
            list.add_partition_offset(topic, partition.id(), Offset::Offset(low)).unwrap();
            left += high - low;
        }
        consumer.assign(&list).unwrap();
        let mut messages = Vec::new();
        while left > 0 {
            let message = consumer.poll(timeout).expect("records that are there").unwrap();
            messages.push(message.detach());
            left -= 1;
        }
        messages
    }

    /// Records in a topic now, those of open transactions with them.
    pub fn count(&self, topic: &str) -> i64 {
        self.watermarks(topic, "read_uncommitted").iter().map(|(low, high)| high - low).sum()
    }

    /// The group's committed offsets of the input, by partition; −1 where none is.
    pub fn committed(&self, group: &str, partitions: i32) -> Vec<i64> {
        self.committed_of("articles", group, partitions)
    }

    /// The same of another topic.
    pub fn committed_of(&self, topic: &str, group: &str, partitions: i32) -> Vec<i64> {
        let consumer: BaseConsumer = self.client().set("group.id", group).create().unwrap();
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition(topic, partition);
        }
        // a broker that has just started has yet to find out which groups are its own
        let committed = within(Duration::from_secs(30), "an answer", || {
            consumer.committed_offsets(list.clone(), Duration::from_secs(10)).ok()
        });
        let elements = committed.elements();
        elements.iter().map(|element| element.offset().to_raw().unwrap_or(-1)).collect()
    }

    /// A worker on the three topics, its HTTP port free for the taking.
    pub fn worker(&self, more: &[&str]) -> WorkerProcess {
        Self::worker_at(&self.address(), more)
    }

    /// The same, by another address.
    pub fn worker_at(address: &str, more: &[&str]) -> WorkerProcess {
        let mut arguments = vec![
            "run",
            "--brokers",
            address,
            "--input",
            "articles",
            "--output",
            "articles.tagged",
            "--dead-letters",
            "articles.dlq",
            "--group",
            "rasid",
            "--http",
            "127.0.0.1:0",
        ];
        arguments.extend(more);
        WorkerProcess::start(&arguments)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = process.kill();
        let _ = process.wait();
    }
}

fn spawn_broker(port: u16, folder: &Path, properties: &[String], disk: Option<&cluster::SmallDisk>) -> Child {
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let script = root().join("tests/kafka/kafka.sh");
    // fetching the jars is no part of starting a broker
    let got = Command::new(&script).arg("get").status().unwrap();
    assert!(got.success(), "Kafka cannot be fetched: see the lines above for what to install");
    disk.map_or_else(|| Command::new(&script), |disk| disk.enter(&script))
        .env(QUICK_START.0, QUICK_START.1)
        .args(["run", &port.to_string(), &folder.display().to_string()])
        .args(properties)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// One of Kafka's own tools; what it said.
pub fn kafka_tool(arguments: &[&str]) -> String {
    let output = Command::new(root().join("tests/kafka/kafka.sh"))
        .env(QUICK_START.0, QUICK_START.1)
        .arg("tool")
        .args(arguments)
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}

/// Below the ports that the system gives away by itself: a broker takes its ports seconds after they were found
/// free, and meanwhile other tests ask for any.
pub fn two_free_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (std::process::id() % 1_000) as u16 * 20;
    loop {
        let port = first + NEXT.fetch_add(2, Ordering::Relaxed) % 2_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok()
            && TcpListener::bind(("127.0.0.1", port + 1)).is_ok()
        {
            return port;
        }
    }
}

pub fn json(message: &OwnedMessage) -> serde_json::Value {
    serde_json::from_slice(message.payload().unwrap()).unwrap()
}

pub fn key(message: &OwnedMessage) -> String {
    String::from_utf8(message.key().unwrap_or_default().to_vec()).unwrap()
}

pub fn header(message: &OwnedMessage, name: &str) -> Option<String> {
    let header = message.headers()?.iter().find(|header| header.key == name)?;
    Some(String::from_utf8(header.value?.to_vec()).unwrap())
}
