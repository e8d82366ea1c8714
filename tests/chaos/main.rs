//! The worker under fire: killed, cut off, its broker restarted, its partitions moved, again and again.
//!
//! The short form runs with all tests. `tests/chaos/run.sh` runs the long one: these variables set its size.
//!
//! | variable | default | |
//! |---|---|---|
//! | `CHAOS_RECORDS` | 40000 | records to tag, 2 % of them broken |
//! | `CHAOS_FAULTS` | 8 | faults, a quarter of each kind |
//! | `CHAOS_SEED` | from the clock | the order of the faults and the pauses between them; printed |

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;

use common::proxy::Proxy;
use common::{Broker, Feeder, WorkerProcess, article, patience};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const PARTITIONS: i32 = 6;

/// How long the workers may take to catch up after a fault.
const PATIENCE: Duration = Duration::from_secs(180);

/// SplitMix64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pause(&mut self, most: u64) {
        std::thread::sleep(Duration::from_millis(self.below(most)));
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// `kill -9` of a worker, and another start.
    Kill,
    /// `kill -9` of the broker, and another start.
    Broker,
    /// The connections to the broker are cut, refused or stalled.
    Network,
    /// A second worker comes, or goes again.
    Rebalance,
}

struct Chaos {
    random: Random,
    broker: Broker,
    proxy: Proxy,
    workers: Vec<WorkerProcess>,
    exactly_once: bool,
    fenced: usize,
}

impl Chaos {
    fn start(exactly_once: bool, seed: u64) -> Self {
        let (broker, proxy) = Broker::behind_proxy();
        broker.topics(PARTITIONS);
        let mut chaos =
            Self { random: Random(seed), broker, proxy, workers: Vec::new(), exactly_once, fenced: 0 };
        chaos.another();
        chaos
    }

    fn another(&mut self) {
        let mut arguments = vec!["-X", "session.timeout.ms=6000"];
        if self.exactly_once {
            arguments.extend(["--guarantee", "exactly-once", "-X", "transaction.timeout.ms=15000"]);
        }
        self.workers.push(Broker::worker_at(&self.proxy.address(), &arguments));
    }

    fn strike(&mut self, fault: Fault) -> &'static str {
        match fault {
            Fault::Kill => {
                let victim = self.random.below(self.workers.len() as u64) as usize;
                self.workers.swap_remove(victim).kill();
                self.random.pause(500);
                self.another();
                "worker killed"
            }
            Fault::Broker => {
                self.broker.kill();
                self.random.pause(2000);
                self.broker.restart();
                "broker killed"
            }
            Fault::Network => match self.random.below(3) {
                0 => {
                    for _ in 0..=self.random.below(4) {
                        self.proxy.cut();
                        self.random.pause(300);
                    }
                    "connections cut"
                }
                1 => {
                    self.proxy.refuse(true);
                    self.proxy.cut();
                    self.random.pause(4000);
                    self.proxy.refuse(false);
                    "connections refused"
                }
                _ => {
                    self.proxy.stall(true);
                    self.random.pause(4000);
                    self.proxy.stall(false);
                    self.random.pause(20);
                    self.proxy.cut();
                    "connections stalled"
                }
            },
            Fault::Rebalance if self.workers.len() == 1 => {
                self.another();
                "worker added"
            }
            Fault::Rebalance => {
                let leaver = self.random.below(self.workers.len() as u64) as usize;
                leave(self.workers.swap_remove(leaver));
                "worker stopped"
            }
        }
    }

    /// Starts again what has been fenced, as whoever runs a worker does; anything else is a failure.
    fn reap(&mut self) {
        for index in (0..self.workers.len()).rev() {
            let Some(status) = self.workers[index].ended() else { continue };
            let ended = self.workers.swap_remove(index);
            assert!(self.exactly_once && status.code() == Some(75), "{status}: {}", ended.log());
            self.fenced += 1;
            self.another();
        }
    }

    fn done(&self) -> i64 {
        self.broker.committed("rasid", PARTITIONS).iter().map(|offset| offset.max(&0)).sum()
    }

    fn catch_up(&mut self, records: usize) {
        let start = Instant::now();
        while self.done() < records as i64 {
            self.reap();
            let logs = || self.workers.iter().map(WorkerProcess::log).collect::<Vec<_>>().join("\n--\n");
            assert!(start.elapsed() < patience(PATIENCE), "{} of {records} done\n{}", self.done(), logs());
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Stops a worker. While the network is cut its last commit may fail, and after it, where the group has lost the worker
/// meanwhile; then it says so, as the README promises.
fn leave(mut worker: WorkerProcess) {
    worker.signal("-TERM");
    let (status, log) = (worker.wait(Duration::from_secs(60)), worker.log());
    let told = status.code() == Some(1) && log.contains("will be read again");
    // asked before it listened to signals: it has read nothing yet
    let unborn = status.signal() == Some(15) && log.is_empty();
    assert!(status.success() || told || unborn, "{status}: {log}");
}

fn is_broken(number: usize) -> bool {
    number.is_multiple_of(50)
}

fn feed(feeder: &Feeder, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let value = match number / 50 % 3 {
            _ if !is_broken(number) => article(number).into_bytes(),
            0 => b"{\"text\": \"cut".to_vec(),
            1 => br#"{"id": "x", "title": "  "}"#.to_vec(),
            _ => b"caf\xe9".to_vec(),
        };
        feeder.send(&number.to_string(), Some(&value));
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect(name))
}

fn under_fire(exactly_once: bool) {
    let (records, faults) = (setting("CHAOS_RECORDS", 40_000) as usize, setting("CHAOS_FAULTS", 8) as usize);
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = setting("CHAOS_SEED", clock);
    let guarantee = if exactly_once { "exactly-once" } else { "at-least-once" };
    eprintln!("{guarantee}: CHAOS_SEED={seed} CHAOS_RECORDS={records} CHAOS_FAULTS={faults}");
    let mut chaos = Chaos::start(exactly_once, seed);
    let kinds = [Fault::Kill, Fault::Broker, Fault::Network, Fault::Rebalance];
    let mut plan: Vec<Fault> = kinds.into_iter().cycle().take(faults).collect();
    chaos.random.shuffle(&mut plan);
    let feeder = chaos.broker.producer();
    let (start, mut struck) = (Instant::now(), BTreeMap::new());
    for (number, fault) in plan.into_iter().enumerate() {
        let end = records * (number + 1) / faults;
        feed(&feeder, records * number / faults..end);
        // into the work on what was fed just now, and sometimes into what the last fault left
        chaos.random.pause(1500);
        let what = chaos.strike(fault);
        *struck.entry(what).or_insert(0) += 1;
        eprintln!("{:6.1} s  {what}", start.elapsed().as_secs_f64());
        chaos.reap();
        if chaos.random.below(2) == 0 {
            feeder.flush();
            chaos.catch_up(end);
        }
    }
    feeder.flush();
    chaos.catch_up(records);
    for worker in std::mem::take(&mut chaos.workers) {
        leave(worker);
    }
    let took = start.elapsed();
    let (mut seen, mut outputs) = (vec![false; records], 0);
    for (topic, dead) in [("articles.tagged", false), ("articles.dlq", true)] {
        chaos.broker.each_committed_key(topic, |key| {
            let number: usize = key.parse().unwrap();
            assert_eq!(is_broken(number), dead, "record {number} in {topic}");
            seen[number] = true;
            outputs += 1;
        });
    }
    let missing = seen.iter().filter(|seen| !**seen).count();
    let twice = outputs - (records - missing);
    eprintln!(
        "{guarantee}: {faults} faults {struck:?}, {records} records, {outputs} outputs, {missing} missing, \
         {twice} duplicates, {} workers fenced, {:.0} s, CHAOS_SEED={seed}",
        chaos.fenced,
        took.as_secs_f64()
    );
    assert_eq!(missing, 0, "CHAOS_SEED={seed}");
    assert!(!exactly_once || twice == 0, "CHAOS_SEED={seed}");
}

#[test]
fn at_least_once_loses_nothing() {
    under_fire(false);
}

#[test]
fn exactly_once_loses_nothing_and_doubles_nothing() {
    under_fire(true);
}
