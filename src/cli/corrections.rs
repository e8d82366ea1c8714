//! `rasid train --from-kafka`: a topic of corrected output records to examples.

use super::connect::{Connect, failed};
use super::progress::Bar;
use crate::article::{Correction, Pointers};
use crate::config::Layer;
use crate::kafka::{Edge, TopicReader};
use crate::model::{Example, LabelSet, check_labels};
use crate::pipeline::Envelope;
use anyhow::anyhow;
use bytes::Bytes;
use std::collections::HashMap;

/// Faults that are named one by one; of more, only how many.
const NAMED: usize = 20;

/// Reads `topic` to its end as it is now. Of several corrections of an article the last one holds; labels
/// are out of `set`, or any where there is none. What cannot be used is named on stderr.
pub fn read(connect: &Connect, topic: &str, set: Option<&LabelSet>) -> anyhow::Result<Vec<Example>> {
    let connection = connect.connection(Layer::default())?;
    let wrong = |error| failed(error, &connection);
    let reader = TopicReader::open(&connection, "rasid-train").map_err(wrong)?;
    reader.require(topic).map_err(wrong)?;
    let bar = Bar::new("corrections");
    let mut found = Corrections::default();
    let progress = |done, all| bar.at(done, all);
    let take = |record: Envelope| found.take(&record, &connection.pointers, set);
    reader.read(topic, Edge::Earliest, Edge::Latest, progress, take).map_err(wrong)?;
    drop(bar);
    found.examples(topic)
}

/// Where a record stands in its topic.
#[derive(Clone, Copy)]
struct Place {
    time: i64,
    partition: i32,
    offset: i64,
}

impl Place {
    /// Records of one key are in one partition, where the offset counts; else the time does.
    fn is_after(self, other: Self) -> bool {
        match self.partition == other.partition {
            true => self.offset > other.offset,
            false => (self.time, self.partition) > (other.time, other.partition),
        }
    }
}

/// The last word on an article.
struct Last {
    place: Place,
    key: Option<Bytes>,
    /// `None` where the correction was taken back.
    example: Option<Example>,
}

#[derive(Default)]
struct Corrections {
    /// By the article's id.
    last: HashMap<String, Last>,
    /// By key: the last record without a value, which takes back what came before it.
    deleted: HashMap<Bytes, Place>,
    open: usize,
    replaced: usize,
    faults: Vec<String>,
}

impl Corrections {
    fn take(&mut self, record: &Envelope, pointers: &Pointers, set: Option<&LabelSet>) {
        let Envelope { partition, offset, timestamp, .. } = *record;
        let place = Place { time: timestamp.unwrap_or(0), partition, offset };
        let Some(value) = &record.value else {
            if let Some(key) = &record.key {
                let last = self.deleted.entry(key.clone()).or_insert(place);
                *last = if place.is_after(*last) { place } else { *last };
            }
            return;
        };
        let name = format!("{} {partition} {offset}", record.topic);
        let (id, example) = match Correction::read(value, pointers) {
            Ok(Correction::Open) => {
                self.open += 1;
                return;
            }
            Ok(Correction::Withdrawn { id }) => (id, None),
            Ok(Correction::Made { id, article, correct }) => {
                let (title, text) = (article.title.into_owned(), article.text.into_owned());
                let mut example = Example::new(id.clone(), title, text, name);
                (example.topics, example.stance) = (correct.topics, correct.stance);
                if let Err(error) = check_labels(&example, set) {
                    self.faults.push(error.to_string());
                    return;
                }
                (id, Some(example))
            }
            Err(error) => {
                self.faults.push(format!("{name}: {error}"));
                return;
            }
        };
        let last = Last { place, key: record.key.clone(), example };
        match self.last.get_mut(&id) {
            Some(known) => {
                self.replaced += 1;
                if place.is_after(known.place) {
                    *known = last;
                }
            }
            None => {
                self.last.insert(id, last);
            }
        }
    }

    fn examples(self, topic: &str) -> anyhow::Result<Vec<Example>> {
        let Self { last, deleted, open, replaced, faults } = self;
        let holds = |last: &Last| {
            let deleted = last.key.as_ref().and_then(|key| deleted.get(key));
            deleted.is_none_or(|deleted| last.place.is_after(*deleted))
        };
        let mut examples: Vec<Example> =
            last.into_values().filter(holds).filter_map(|last| last.example).collect();
        examples.sort_by(|a, b| a.id.cmp(&b.id));
        for fault in faults.iter().take(NAMED) {
            eprintln!("rasid: {fault}");
        }
        eprintln!(
            "rasid: {topic}: {} corrected articles; left out: {replaced} earlier corrections, {open} records that nobody corrected, {} that cannot be used",
            examples.len(),
            faults.len()
        );
        if examples.is_empty() {
            return Err(anyhow!(
                "topic `{topic}` has no corrections: they are output records with the right labels in `correct`, such as {{\"topics\":[\"medtop:15000000\"]}}"
            ));
        }
        Ok(examples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(partition: i32, offset: i64, time: i64, key: &str, value: Option<&str>) -> Envelope {
        Envelope {
            topic: "corrections".into(),
            partition,
            offset,
            timestamp: Some(time),
            key: Some(key.to_owned().into()),
            value: value.map(|value| value.to_owned().into()),
            headers: Vec::new(),
        }
    }

    fn corrected(id: &str, stance: &str) -> String {
        format!(r#"{{"id":"{id}","article":{{"text":"x y"}},"correct":{stance}}}"#)
    }

    #[test]
    fn the_last_correction_of_an_article_holds() {
        let favor = r#"{"stance":"favor"}"#;
        let against = r#"{"stance":"against"}"#;
        let mut found = Corrections::default();
        let mut take = |partition, offset, time, key: &str, value: Option<String>| {
            let record = record(partition, offset, time, key, value.as_deref());
            found.take(&record, &Pointers::default(), Some(&LabelSet::iptc()));
        };
        // partitions come in any order; within one the offset counts, not the clock
        take(0, 5, 10, "a", Some(corrected("a", against)));
        take(0, 4, 20, "a", Some(corrected("a", favor)));
        take(1, 0, 30, "b", Some(corrected("b", favor)));
        take(0, 0, 20, "b", Some(corrected("b", against)));
        // taken back, deleted, deleted and corrected again
        take(2, 0, 1, "c", Some(corrected("c", favor)));
        take(2, 1, 1, "c", Some(corrected("c", "null")));
        take(2, 2, 1, "d", Some(corrected("d", favor)));
        take(2, 3, 1, "d", None);
        take(2, 4, 1, "e", None);
        take(2, 5, 1, "e", Some(corrected("e", favor)));
        // nobody's, and nothing
        take(3, 0, 1, "f", Some(r#"{"id":"a","article":{"text":"x"}}"#.into()));
        take(3, 1, 1, "g", Some(corrected("g", r#"{"stance":"angry"}"#)));
        take(3, 2, 1, "h", Some("hello".into()));
        assert_eq!((found.open, found.replaced, found.faults.len()), (1, 3, 2));
        assert!(found.faults[0].starts_with("corrections 3 1: unknown stance `angry`"), "{:?}", found.faults);
        let examples = found.examples("corrections").unwrap();
        let labels: Vec<_> =
            examples.iter().map(|example| (&*example.id, example.stance.as_deref().unwrap())).collect();
        assert_eq!(labels, [("a", "against"), ("b", "favor"), ("e", "favor")]);
        assert!(Corrections::default().examples("empty").is_err());
    }
}
