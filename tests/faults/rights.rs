//! Rights that are taken away from a running worker, and given back.

use super::common::{kafka_tool, within};
use super::{GUARANTEES, PASSWORD, PATIENCE, Scene, Shared, USER, metric, recovers, says, shared};

const TOPICS: [&str; 4] = ["--topic", "rights", "--resource-pattern-type", "prefixed"];
const GROUPS: [&str; 4] = ["--group", "rights", "--resource-pattern-type", "prefixed"];
const TRANSACTIONS: [&str; 4] = ["--transactional-id", "rights", "--resource-pattern-type", "prefixed"];

/// Adds (`--add`) or removes (`--remove`) a rule that allows (`--allow-principal`) or denies.
fn acl(shared: &Shared, change: &str, principal: &str, operation: &str, resource: &[&str]) {
    let (address, user) = (shared.broker.address(), format!("User:{USER}"));
    let mut arguments = vec!["org.apache.kafka.tools.AclCommand", "--bootstrap-server", &address, change];
    arguments.extend(["--force", "--operation", operation, principal, &user]);
    arguments.extend(resource);
    kafka_tool(&arguments);
}

#[test]
fn rights_that_are_revoked_are_waited_for() {
    let shared = shared();
    for (operation, resource) in [("All", TOPICS), ("Read", GROUPS), ("Write", TRANSACTIONS)] {
        acl(&shared, "--add", "--allow-principal", operation, &resource);
    }
    let (user, password) = (format!("sasl.username={USER}"), format!("sasl.password={PASSWORD}"));
    let login = ["security.protocol=sasl_plaintext", "sasl.mechanisms=PLAIN", &user, &password];
    let more: Vec<&str> = login.into_iter().flat_map(|property| ["-X", property]).collect();
    let running = GUARANTEES.map(|guarantee| {
        let scene = Scene::new(&shared.broker, "rights", guarantee, 2);
        let worker = scene.worker_at(&shared.login, &more);
        scene.feed(0..100);
        scene.all_came_out(0..100);
        (scene, worker)
    });
    let deny = |operation, resource| acl(&shared, "--add", "--deny-principal", operation, resource);
    let allow = |operation, resource| acl(&shared, "--remove", "--deny-principal", operation, resource);

    deny("Write", &TOPICS);
    for (scene, worker) in &running {
        scene.feed(100..200);
        says(worker, "uthoriz");
    }
    allow("Write", &TOPICS);
    for (scene, worker) in &running {
        scene.all_came_out(100..200);
        recovers(worker);
    }

    deny("Read", &TOPICS);
    for (scene, worker) in &running {
        scene.feed(200..300);
        within(PATIENCE, "it is counted", || {
            let denied = "rasid_read_errors_total{error=\"TopicAuthorizationFailed\"}";
            (metric(worker, denied) > 0).then_some(())
        });
        assert_eq!(worker.get("/livez").0, 200, "a restart would not help");
    }
    allow("Read", &TOPICS);
    running.iter().for_each(|(scene, _)| scene.all_came_out(200..300));

    deny("Read", &GROUPS);
    for (scene, worker) in &running {
        scene.feed(300..400);
        within(PATIENCE, "it is said", || {
            worker.log().to_lowercase().contains("group authorization failed").then_some(())
        });
        assert_eq!(worker.get("/livez").0, 200, "a restart would not help");
    }
    allow("Read", &GROUPS);
    for (scene, worker) in running {
        scene.feed(400..500);
        scene.all_came_out(300..500);
        recovers(&worker);
        worker.stop();
    }
}
