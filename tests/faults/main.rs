//! The faults of docs/OPERATIONS.md that take an administrator, a machine or a network, each against a real broker:
//! nothing is lost, nothing stops, and what went wrong can be seen.
//!
//! The tests share one broker, with topics and a group for each.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;
mod machine;
mod network;
mod rights;
mod topics;

use common::proxy::Proxy;
use common::{Broker, Feeder, WorkerProcess, article, within};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::ops::Range;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);

/// Both guarantees: every test that can tell them apart tries them both.
const GUARANTEES: [&str; 2] = ["at-least-once", "exactly-once"];

/// A broker that can be reached plainly, through a proxy, and as a user with ACLs.
struct Shared {
    broker: Broker,
    proxy: Proxy,
    /// Where users log in.
    login: String,
}

/// The one user of [`Shared::login`].
const USER: &str = "worker";
const PASSWORD: &str = "pw-of-the-worker-5e1d";

/// The broker that all tests use which run at the moment; it ends with the last of them.
fn shared() -> Arc<Shared> {
    static SHARED: Mutex<Weak<Shared>> = Mutex::new(Weak::new());
    // a test that failed leaves the broker as it is
    let mut place = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    place.upgrade().unwrap_or_else(|| {
        let shared = Arc::new(Shared::start());
        *place = Arc::downgrade(&shared);
        shared
    })
}

impl Shared {
    fn start() -> Self {
        let port = common::two_free_ports();
        let free = || TcpListener::bind("127.0.0.1:0").unwrap();
        let listener = free();
        let [hidden, login] = [free(), free()].map(|listener| listener.local_addr().unwrap());
        let advertised = listener.local_addr().unwrap();
        let proxy = Proxy::on(listener, &hidden.to_string());
        let plain = format!("PLAINTEXT://127.0.0.1:{port}");
        let login_module = "org.apache.kafka.common.security.plain.PlainLoginModule required";
        let properties = vec![
            format!("listeners={plain},PROXIED://{hidden},LOGIN://{login},CONTROLLER://127.0.0.1:{}", port + 1),
            format!("advertised.listeners={plain},PROXIED://{advertised},LOGIN://{login}"),
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,LOGIN:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT"
                .to_owned(),
            "inter.broker.listener.name=PLAINTEXT".to_owned(),
            "sasl.enabled.mechanisms=PLAIN".to_owned(),
            format!("listener.name.login.plain.sasl.jaas.config={login_module} user_{USER}=\"{PASSWORD}\";"),
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned(),
            "super.users=User:ANONYMOUS".to_owned(),
        ];
        Self { broker: Broker::start_on(port, properties), proxy, login: login.to_string() }
    }
}

/// Topics `NAME`, `NAME.tagged` and `NAME.dlq`, and the group `NAME`.
struct Scene<'a> {
    broker: &'a Broker,
    name: String,
    guarantee: &'static str,
    feeder: Feeder,
}

impl<'a> Scene<'a> {
    fn new(broker: &'a Broker, name: &str, guarantee: &'static str, partitions: i32) -> Self {
        let name = format!("{name}.{guarantee}");
        broker.create_topic(&name, partitions, &[]);
        broker.create_topic(&format!("{name}.tagged"), partitions, &[]);
        broker.create_topic(&format!("{name}.dlq"), 1, &[]);
        let feeder = broker.producer_to(&name);
        Self { broker, name, guarantee, feeder }
    }

    fn tagged(&self) -> String {
        format!("{}.tagged", self.name)
    }

    fn dlq(&self) -> String {
        format!("{}.dlq", self.name)
    }

    fn worker(&self, more: &[&str]) -> WorkerProcess {
        self.worker_at(&self.broker.address(), more)
    }

    /// A worker that notices changes soon, and is itself missed soon.
    fn worker_at(&self, address: &str, more: &[&str]) -> WorkerProcess {
        self.worker_with(address, more, &[])
    }

    fn worker_with(&self, address: &str, more: &[&str], environment: &[(&str, &str)]) -> WorkerProcess {
        let worker = self.start(address, more, environment);
        within(PATIENCE, "ready", || (worker.get("/readyz").0 == 200).then_some(()));
        worker
    }

    /// The same, which may end soon.
    fn start(&self, address: &str, more: &[&str], environment: &[(&str, &str)]) -> WorkerProcess {
        let (tagged, dlq) = (self.tagged(), self.dlq());
        let mut arguments = vec!["run", "--brokers", address, "--input", &self.name, "--output", &tagged];
        arguments.extend(["--dead-letters", &dlq, "--group", &self.name, "--http", "127.0.0.1:0"]);
        arguments.extend(["--guarantee", self.guarantee]);
        for property in [
            "topic.metadata.refresh.interval.ms=1000",
            "topic.metadata.propagation.max.ms=1000",
            "session.timeout.ms=6000",
            "transaction.timeout.ms=10000",
        ] {
            arguments.extend(["-X", property]);
        }
        arguments.extend(more);
        WorkerProcess::start_with(&arguments, environment)
    }

    /// Sends these records, one in fifty of them broken, and waits until the broker has them.
    fn feed(&self, numbers: Range<usize>) {
        self.send(numbers);
        self.feeder.flush();
    }

    fn send(&self, numbers: Range<usize>) {
        for number in numbers {
            let value =
                if number % 50 == 0 { b"{\"text\": \"cut".to_vec() } else { article(number).into_bytes() };
            self.feeder.send(&number.to_string(), Some(&value));
        }
    }

    /// How often each record came out, for readers of committed records.
    fn outputs(&self) -> BTreeMap<usize, usize> {
        let mut seen = BTreeMap::new();
        for (topic, dead) in [(self.tagged(), false), (self.dlq(), true)] {
            self.broker.each_committed_key(&topic, |key| {
                let number: usize = key.parse().unwrap();
                assert_eq!(number.is_multiple_of(50), dead, "record {number} in {topic}");
                *seen.entry(number).or_default() += 1;
            });
        }
        seen
    }

    /// Waits until as many outputs are there as there are records in `numbers`.
    fn wait(&self, numbers: Range<usize>) {
        within(PATIENCE, "all come out", || {
            let count = self.broker.count(&self.tagged()) + self.broker.count(&self.dlq());
            (count >= numbers.len() as i64).then_some(())
        });
    }

    /// These records came out, and with exactly once none of them twice.
    fn all_came_out(&self, numbers: Range<usize>) {
        let seen = within(PATIENCE, "all come out", || {
            let seen = self.outputs();
            numbers.clone().all(|number| seen.contains_key(&number)).then_some(seen)
        });
        let twice: usize = numbers.map(|number| seen[&number] - 1).sum();
        eprintln!("{}: none missing, {twice} twice", self.name);
        assert!(self.guarantee == "at-least-once" || twice == 0, "{twice} twice");
    }
}

/// The sum of the series whose lines begin so.
fn metric(worker: &WorkerProcess, name: &str) -> u64 {
    let metrics = worker.get("/metrics").1;
    let series = metrics.lines().filter(|line| line.starts_with(name));
    series.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// Waits until `/readyz` says no, for this reason; a restart would not help, so `/livez` says yes.
fn says(worker: &WorkerProcess, reason: &str) {
    within(PATIENCE, reason, || {
        let (status, answer) = worker.get("/readyz");
        (status == 503 && answer.contains(reason)).then_some(())
    });
    assert_eq!(worker.get("/livez").0, 200);
    assert_eq!(metric(worker, "rasid_ready"), 0);
}

fn recovers(worker: &WorkerProcess) {
    within(PATIENCE, "ready again", || (worker.get("/readyz").0 == 200).then_some(()));
}
