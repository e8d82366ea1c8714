//! Machines: clocks that jump, a process that is frozen, a disk that is full, brokers that fall out.

use super::common::{Broker, WorkerProcess, within};
use super::{GUARANTEES, PATIENCE, Scene, metric, recovers, shared};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// libfaketime, of Debian's package `faketime`.
fn faketime() -> String {
    let places = ["x86_64-linux-gnu", "aarch64-linux-gnu"];
    let place = places.map(|place| format!("/usr/lib/{place}/faketime/libfaketimeMT.so.1"));
    let there = place.into_iter().find(|path| std::path::Path::new(path).exists());
    there.expect("libfaketime is missing: apt-get install faketime")
}

#[test]
#[ignore = "goes by the clock of the machine, and a busy one loses its session: tests/faults.sh"]
fn a_clock_that_jumps_stops_nothing() {
    let shared = shared();
    let (library, folder) = (faketime(), tempfile::tempdir().unwrap());
    let clock = folder.path().join("clock");
    let set = |offset: &str| {
        let part = folder.path().join("part");
        std::fs::write(&part, offset).unwrap();
        std::fs::rename(part, &clock).unwrap();
    };
    set("+0");
    // wall clock alone, as a step of the system's clock is
    let environment = [
        ("LD_PRELOAD", library.as_str()),
        ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ];
    let scene = Scene::new(&shared.broker, "clock", "at-least-once", 2);
    let address = shared.broker.address();
    let worker = scene.worker_with(&address, &["--stall-timeout", "20"], &environment);
    for (number, offset) in ["+0", "+1d", "-1d", "+400d", "+0"].into_iter().enumerate() {
        set(offset);
        scene.feed(number * 200..(number + 1) * 200);
        scene.all_came_out(0..(number + 1) * 200);
        // idle, over a heartbeat or two
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(worker.get("/livez").0, 200, "{offset}");
        let metrics = worker.get("/metrics").1;
        let negative =
            metrics.lines().filter(|line| line.starts_with("rasid_")).any(|line| line.contains(" -"));
        assert!(!negative, "{metrics}");
    }
    assert_eq!(metric(&worker, "rasid_rebalances_total{kind=\"revoke\"}"), 0, "it never left the group");
    worker.stop();
}

#[test]
fn a_worker_that_is_frozen_past_its_poll_interval_comes_back() {
    let shared = shared();
    for guarantee in GUARANTEES {
        let scene = Scene::new(&shared.broker, "frozen", guarantee, 4);
        let more = ["-X", "max.poll.interval.ms=6000"];
        let mut first = scene.worker(&more);
        let second = scene.worker(&more);
        let assigned = |worker: &WorkerProcess, count: u64| {
            within(PATIENCE, "partitions", || {
                (metric(worker, "rasid_assigned_partitions") == count).then_some(())
            });
        };
        assigned(&first, 2);
        assigned(&second, 2);
        scene.feed(0..2_000);
        first.signal("-STOP");
        scene.feed(2_000..3_000);
        assigned(&second, 4);
        scene.wait(0..3_000);
        first.signal("-CONT");
        scene.feed(3_000..4_000);
        scene.all_came_out(0..4_000);
        within(PATIENCE, "it is back", || match first.ended() {
            // its transaction was given up meanwhile
            Some(status) => {
                assert!(guarantee == "exactly-once" && status.code() == Some(75), "{status} {}", first.log());
                Some(())
            }
            None => (metric(&first, "rasid_assigned_partitions") == 2).then_some(()),
        });
        second.stop();
    }
}

#[test]
fn leaders_that_fall_out_lose_nothing() {
    let cluster = Broker::three();
    let running = GUARANTEES.map(|guarantee| {
        let scene = Scene::new(&cluster[0], "leaders", guarantee, 3);
        let worker = scene.worker(&[]);
        (scene, worker)
    });
    let feed = |range: Range<usize>| running.iter().for_each(|(scene, _)| scene.feed(range.clone()));
    feed(0..2_000);
    for (number, broker) in cluster[1..].iter().enumerate() {
        broker.kill();
        let first = 2_000 * (number + 1);
        feed(first..first + 2_000);
        running.iter().for_each(|(scene, _)| scene.wait(0..first + 2_000));
        broker.restart();
    }
    for (scene, worker) in running {
        scene.all_came_out(0..6_000);
        recovers(&worker);
        worker.stop();
    }
}

#[test]
#[ignore = "takes two minutes: tests/faults.sh"]
fn a_broker_whose_disk_is_full_is_waited_for() {
    let broker = Broker::on_small_disk(192 << 20);
    let scenes = GUARANTEES.map(|guarantee| Scene::new(&broker, "disk", guarantee, 1));
    let workers = scenes.each_ref().map(|scene| scene.worker(&[]));
    scenes.iter().for_each(|scene| scene.feed(0..500));
    scenes.iter().for_each(|scene| scene.wait(0..500));
    broker.fill_disk(4 << 20);
    let full = AtomicBool::new(false);
    let last = std::thread::scope(|scope| {
        // the feeder keeps what the broker does not take
        let feeders = scenes.each_ref().map(|scene| {
            let full = &full;
            scope.spawn(move || {
                let mut last = 500;
                while !full.load(Ordering::Relaxed) {
                    scene.send(last..last + 100);
                    last += 100;
                    std::thread::sleep(Duration::from_millis(20));
                }
                last
            })
        });
        within(PATIENCE, "the broker gives up", || broker.has_ended().then_some(()));
        full.store(true, Ordering::Relaxed);
        let last = feeders.map(|feeder| feeder.join().unwrap());
        std::thread::sleep(Duration::from_secs(8));
        for worker in &workers {
            assert_eq!(worker.get("/livez").0, 200, "a restart of the worker would not help");
            assert!(metric(worker, "rasid_kafka_client_request_errors_total") > 0);
        }
        broker.tidy_disk();
        broker.restart();
        last
    });
    for ((scene, worker), last) in scenes.into_iter().zip(workers).zip(last) {
        scene.all_came_out(0..last);
        recovers(&worker);
        worker.stop();
    }
}
