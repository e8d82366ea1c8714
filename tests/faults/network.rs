//! A network that cuts, swallows and refuses connections.

use super::{GUARANTEES, Scene, recovers, shared};
use std::time::Duration;

#[test]
fn a_network_that_stalls_resets_and_swallows_loses_nothing() {
    let shared = shared();
    let proxy = &shared.proxy;
    // requests are given up after three seconds, so that a stall of eight is one
    let more = ["-X", "socket.timeout.ms=3000"];
    let running = GUARANTEES.map(|guarantee| {
        let scene = Scene::new(&shared.broker, "network", guarantee, 4);
        let worker = scene.worker_at(&proxy.address(), &more);
        (scene, worker)
    });
    let feed =
        |range: std::ops::Range<usize>| running.iter().for_each(|(scene, _)| scene.feed(range.clone()));
    let long = || std::thread::sleep(Duration::from_secs(8));
    // connections that stay open and carry nothing, longer than the session
    feed(0..2_000);
    proxy.stall(true);
    feed(2_000..4_000);
    long();
    proxy.stall(false);
    // cut in the middle of the work, again and again, with unread bytes in them: a reset
    for number in 4..8 {
        feed(number * 1_000..(number + 1) * 1_000);
        proxy.cut();
        std::thread::sleep(Duration::from_millis(300));
    }
    // a black hole: new connections are taken and carry nothing either
    proxy.stall(true);
    proxy.cut();
    feed(8_000..9_000);
    long();
    for (_, worker) in &running {
        assert_eq!(worker.get("/livez").0, 200, "brokers that are away are no stall");
    }
    proxy.stall(false);
    proxy.cut();
    // refused
    proxy.refuse(true);
    proxy.cut();
    feed(9_000..10_000);
    std::thread::sleep(Duration::from_secs(2));
    proxy.refuse(false);
    for (scene, worker) in running {
        scene.all_came_out(0..10_000);
        recovers(&worker);
        worker.stop();
    }
}
