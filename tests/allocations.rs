//! What tagging an article asks of the allocator, once there is room to work in.

use allocation_counter::measure;
use rasid::model::{Classifier, Document};
use rasid::pipeline::{Envelope, Options, Outcome, Room, process};
use std::hint::black_box;

/// The first Arabic article of the samples.
fn text() -> &'static str {
    include_str!("../src/cli/samples.txt").split("\n----\n").next().unwrap_or_default().trim()
}

#[test]
fn scoring_allocates_only_what_it_answers_with() {
    let classifier = Classifier::bundled().unwrap();
    let mut document = Document::default();
    // words that are new take other ways, and other room, than words that are known
    drop(classifier.classify(&mut document, &[text()], true));
    let tags = classifier.classify(&mut document, &[text()], true);
    assert!(
        tags.language == "ar" && !tags.topics.is_empty() && !tags.explain.is_empty() && tags.stance.is_some()
    );
    let mut allocated = |explain| {
        measure(|| drop(black_box(classifier.classify(&mut document, &[text()], explain)))).count_total
    };
    // the list of topics; that of terms
    assert_eq!((allocated(false), allocated(true)), (1, 2));
}

#[test]
fn a_record_is_no_allocation_more_and_many_share_their_memory() {
    let classifier = Classifier::bundled().unwrap();
    let (mut room, options) = (Room::default(), Options::default());
    for value in [text().to_owned(), serde_json::json!({"id": "7", "title": "", "text": text()}).to_string()]
    {
        let envelope = Envelope {
            topic: "articles".into(),
            key: Some("7".into()),
            value: Some(value.into()),
            ..Envelope::default()
        };
        let mut tag = || process(&envelope, &classifier, None, &options, &mut room, "2026-01-31T08:15:30Z");
        (0..2).for_each(|_| assert!(matches!(tag().outcome, Outcome::Tagged(_))));
        assert_eq!(measure(|| drop(black_box(tag()))).count_total, 2);
        let mut kept = Vec::with_capacity(100);
        let allocated = measure(|| kept.extend((0..100).map(|_| tag().output))).count_total;
        assert!((201..=225).contains(&allocated), "{allocated}");
    }
}
