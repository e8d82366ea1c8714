//! A record, as the worker reads it: whatever the bytes, it is tagged or a dead letter with its value untouched, and
//! what comes out is JSON that carries the input.
//!
//! The first byte chooses the encoding that the record's header names, and whether pointers override the fields.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rasid_fuzz::article::Pointers;
use rasid_fuzz::model::Classifier;
use rasid_fuzz::ports::{Destination, Envelope};
use rasid_fuzz::process::{Options, Outcome, Processed, Room, process};
use std::sync::LazyLock;

static CLASSIFIER: LazyLock<Classifier> = LazyLock::new(|| Classifier::bundled().unwrap());
const HEADERS: [Option<&str>; 4] = [
    None,
    Some("text/plain; charset=windows-1256"),
    Some("application/json; charset=utf-16"),
    Some("text/html; charset=\"utf-8\""),
];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, value)) = bytes.split_first() else { return };
    let header = HEADERS[usize::from(choice & 3)];
    let headers = header.map(|header| ("content-type".to_owned(), Some(header.as_bytes().to_vec())));
    let envelope = Envelope {
        topic: "in".into(),
        value: Some(value.to_vec().into()),
        headers: headers.into_iter().collect(),
        ..Envelope::default()
    };
    let pointer = |name: &str| (choice & 4 != 0).then(|| name.to_owned());
    let pointers =
        Pointers { id: pointer("/data/id"), title: pointer("/data/title"), text: pointer("/data/0/text") };
    let options = Options { pointers, ..Options::default() };
    let mut room = Room::default();
    let now = "2026-01-31T08:15:30Z";
    let Processed { outcome, output, .. } =
        process(&envelope, &CLASSIFIER, None, &options, &mut room, now);
    match outcome {
        Outcome::Tagged(_) => {
            assert!(output.destination == Destination::Tagged);
            let record: serde_json::Value = serde_json::from_slice(output.value.as_deref().unwrap()).unwrap();
            assert!(record["id"].is_string() && record["topics"].is_array() && record["article"].is_object());
        }
        Outcome::Rejected(_) => {
            assert!(output.destination == Destination::DeadLetter);
            assert_eq!(output.value, envelope.value, "a dead letter is untouched");
        }
        Outcome::Tombstone => unreachable!("it has a value"),
    }
});
