//! Topics that are deleted, made again, grow, or lose records.

use super::common::within;
use super::{GUARANTEES, PATIENCE, Scene, metric, recovers, says, shared};

/// Deletes a topic that the worker writes to and makes it again.
fn comes_back(name: &str, topic: fn(&Scene<'_>) -> String) {
    let shared = shared();
    for guarantee in GUARANTEES {
        let scene = Scene::new(&shared.broker, name, guarantee, 2);
        let worker = scene.worker(&[]);
        scene.feed(0..200);
        scene.all_came_out(0..200);
        let topic = topic(&scene);
        shared.broker.delete_topic(&topic);
        scene.feed(200..400);
        says(&worker, if guarantee == "exactly-once" { "were aborted" } else { "nknown" });
        assert!(
            metric(&worker, "rasid_publish_errors_total") > 0
                || metric(&worker, "rasid_transactions_total{result=\"abort\"}") > 0
        );
        shared.broker.create_topic(&topic, 2, &[]);
        scene.all_came_out(200..400);
        recovers(&worker);
        scene.feed(400..500);
        scene.all_came_out(400..500);
        worker.stop();
    }
}

#[test]
fn an_output_topic_that_is_away_is_waited_for() {
    comes_back("output-away", |scene| scene.tagged());
}

#[test]
fn a_dead_letter_topic_that_is_away_is_waited_for() {
    comes_back("dead-letters-away", |scene| scene.dlq());
}

#[test]
fn an_input_topic_that_is_made_again_is_read_from_its_beginning() {
    let shared = shared();
    for guarantee in GUARANTEES {
        let scene = Scene::new(&shared.broker, "input-again", guarantee, 2);
        let worker = scene.worker(&[]);
        scene.feed(0..600);
        scene.all_came_out(0..600);
        shared.broker.delete_topic(&scene.name);
        within(PATIENCE, "it is seen", || (metric(&worker, "rasid_read_errors_total") > 0).then_some(()));
        shared.broker.create_topic(&scene.name, 2, &[]);
        // fewer records than the old topic had: its offsets say nothing of these
        scene.feed(600..800);
        scene.all_came_out(600..800);
        worker.stop();
        scene.feed(800..900);
        let worker = scene.worker(&[]);
        scene.all_came_out(800..900);
        worker.stop();
    }
}

#[test]
fn partitions_that_are_added_are_read_from_their_beginning() {
    let shared = shared();
    for guarantee in GUARANTEES {
        let scene = Scene::new(&shared.broker, "grows", guarantee, 1);
        let worker = scene.worker(&[]);
        scene.feed(0..100);
        shared.broker.add_partitions(&scene.name, 4);
        within(PATIENCE, "the feeder sees them", || {
            scene.feed(100..200);
            (shared.broker.count(&scene.name) > 100).then_some(())
        });
        within(PATIENCE, "they are assigned", || {
            (metric(&worker, "rasid_assigned_partitions") == 4).then_some(())
        });
        scene.feed(200..400);
        scene.all_came_out(0..400);
        worker.stop();
    }
}

#[test]
fn records_that_were_deleted_unread_are_counted_and_named() {
    let shared = shared();
    for guarantee in GUARANTEES {
        let scene = Scene::new(&shared.broker, "retention", guarantee, 1);
        let worker = scene.worker(&[]);
        scene.feed(0..100);
        scene.all_came_out(0..100);
        worker.stop();
        let read = shared.broker.committed_of(&scene.name, &scene.name, 1)[0];
        scene.feed(100..400);
        let end = shared.broker.count(&scene.name);
        let oldest = end - 150;
        shared.broker.delete_records(&scene.name, 0, oldest);
        let worker = scene.worker(&[]);
        scene.all_came_out(250..400);
        let skipped = (oldest - read) as u64;
        within(PATIENCE, "they are counted", || {
            (metric(&worker, "rasid_records_skipped_total") == skipped).then_some(())
        });
        let log = worker.stop();
        let line = log.lines().find(|line| line.contains("deleted before they were read")).expect("a line");
        for word in [format!("\"from\":{read}"), format!("\"to\":{oldest}"), format!("\"skipped\":{skipped}")]
        {
            assert!(line.contains(&word), "{word} in {line}");
        }
        // whoever wants to be asked is
        scene.feed(400..500);
        shared.broker.delete_records(&scene.name, 0, end + 50);
        let more = ["-X", "auto.offset.reset=error"];
        let mut asked = scene.start(&shared.broker.address(), &more, &[]);
        let status = asked.wait(PATIENCE);
        assert_eq!(status.code(), Some(1), "{}", asked.log());
    }
}
