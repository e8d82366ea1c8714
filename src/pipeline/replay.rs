//! A dead letter back to the record that it was: its error headers become its history. Pure, no Kafka.

use super::ports::{Envelope, Header};
use crate::article::Rejection;
use serde::{Deserialize, Serialize};

/// Header: how often the record was replayed.
pub const COUNT: &str = "rasid.replay.count";
/// Header: a JSON list, one object for each replay with what had been wrong.
pub const HISTORY: &str = "rasid.replay.history";
/// What Kafka Connect's dead-letter headers begin with.
const ERRORS: &str = "__connect.errors.";
/// Header of a dead letter whose value was left out.
const OMITTED: &str = "rasid.value.omitted";

/// A record of the dead-letter topic.
#[derive(Clone, Debug)]
pub struct DeadLetter<'a> {
    envelope: &'a Envelope,
    /// Why it was rejected.
    pub failure: PastFailure,
    /// How often it was replayed before.
    pub replays: u32,
    /// Whether its value was left out; topic, partition and offset of the failure say where it stands.
    pub omitted: bool,
}

/// One entry of the history; what a header did not say is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PastFailure {
    /// Topic it was read from.
    pub topic: String,
    /// Its partition.
    pub partition: String,
    /// Its offset.
    pub offset: String,
    /// Class name of the reason, such as `rasid.JsonRejection`.
    pub reason: String,
    /// What was wrong, in words.
    pub message: String,
    /// When it was replayed, RFC 3339.
    pub replayed_at: String,
}

impl<'a> DeadLetter<'a> {
    /// Reads the headers. A record of the topic that has none is a dead letter without a reason.
    pub fn of(envelope: &'a Envelope) -> Self {
        // where headers repeat, the last one was added last
        let last = |name: &str| {
            let header = envelope.headers.iter().rev().find(|(key, _)| key == name)?;
            Some(String::from_utf8_lossy(header.1.as_deref()?).into_owned())
        };
        let error = |name: &str| last(&format!("{ERRORS}{name}")).unwrap_or_default();
        let failure = PastFailure {
            topic: error("topic"),
            partition: error("partition"),
            offset: error("offset"),
            reason: error("exception.class.name"),
            message: error("exception.message"),
            replayed_at: String::new(),
        };
        let replays = last(COUNT).and_then(|count| count.parse().ok()).unwrap_or(0);
        Self { envelope, failure, replays, omitted: last(OMITTED).is_some() }
    }

    /// Whether it was rejected for `reason`: a class name, or the metric label of one of Rasid's.
    pub fn is(&self, reason: &str) -> bool {
        self.failure.reason == reason || class_name(reason).is_some_and(|name| name == self.failure.reason)
    }

    /// The record as it was, with its history in the headers; `now` is RFC 3339.
    pub fn restored(&self, now: &str) -> Envelope {
        let history = self.envelope.headers.iter().rev().find(|(name, _)| name == HISTORY);
        let history = history.and_then(|(_, value)| value.as_deref());
        // a history that somebody else wrote is no reason to keep the record back
        let mut history: Vec<PastFailure> =
            history.and_then(|json| serde_json::from_slice(json).ok()).unwrap_or_default();
        history.push(PastFailure { replayed_at: now.to_owned(), ..self.failure.clone() });
        let ours = |name: &str| name.starts_with(ERRORS) || [OMITTED, COUNT, HISTORY].contains(&name);
        let kept = self.envelope.headers.iter().filter(|(name, _)| !ours(name)).cloned();
        let count = self.replays.saturating_add(1).to_string().into_bytes();
        let added: [Header; 2] =
            [(COUNT.to_owned(), Some(count)), (HISTORY.to_owned(), serde_json::to_vec(&history).ok())];
        Envelope { headers: kept.chain(added).collect(), ..self.envelope.clone() }
    }
}

/// The class name behind a metric label of Rasid's: `no_text` is `rasid.NoTextRejection`.
pub fn class_name(reason: &str) -> Option<String> {
    let known = Rejection::REASONS.contains(&reason);
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    known.then(|| format!("rasid.{}Rejection", reason.split('_').map(capital).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::dead_letter;

    fn header(envelope: &Envelope, name: &str) -> Option<String> {
        let header = envelope.headers.iter().find(|(key, _)| key == name)?;
        Some(String::from_utf8(header.1.clone().unwrap()).unwrap())
    }

    /// What the worker would publish for `envelope`.
    fn rejected(envelope: &Envelope, rejection: &Rejection) -> Envelope {
        let output = dead_letter(envelope, rejection, true);
        let headers = envelope.headers.iter().cloned().chain(output.headers).collect();
        Envelope { topic: "dlq".into(), headers, ..envelope.clone() }
    }

    #[test]
    fn a_dead_letter_comes_back_as_it_was_and_remembers() {
        let input = Envelope {
            topic: "in".into(),
            partition: 3,
            offset: 41,
            timestamp: Some(1),
            key: Some(b"k"[..].into()),
            value: Some(b"{"[..].into()),
            headers: vec![("traceparent".into(), Some(b"00".to_vec())), ("empty".into(), None)],
        };
        let first = rejected(&input, &Rejection::Json("cut".into()));
        let letter = DeadLetter::of(&first);
        assert!(letter.is("json") && letter.is("rasid.JsonRejection") && !letter.is("field"));
        assert_eq!((letter.replays, letter.omitted), (0, false));
        let back = letter.restored("2026-01-31T08:15:30Z");
        assert_eq!((&back.key, &back.value, back.timestamp), (&input.key, &input.value, Some(1)));
        assert_eq!(back.headers[..2], input.headers[..]);
        assert_eq!(back.headers.len(), 4, "{:?}", back.headers);
        assert_eq!(header(&back, COUNT).as_deref(), Some("1"));
        // rejected again: what was appended last counts
        let second = rejected(&Envelope { offset: 99, ..back }, &Rejection::NoText);
        let letter = DeadLetter::of(&second);
        assert_eq!((letter.replays, letter.failure.offset.as_str()), (1, "99"));
        let back = letter.restored("2026-02-01T00:00:00Z");
        assert_eq!(header(&back, COUNT).as_deref(), Some("2"));
        let history: Vec<PastFailure> = serde_json::from_str(&header(&back, HISTORY).unwrap()).unwrap();
        let reasons: Vec<&str> = history.iter().map(|past| past.reason.as_str()).collect();
        assert_eq!(reasons, ["rasid.JsonRejection", "rasid.NoTextRejection"]);
        assert_eq!((history[0].offset.as_str(), history[0].message.as_str()), ("41", "bad JSON: cut"));
    }

    #[test]
    fn foreign_headers_are_no_obstacle() {
        let headers = vec![
            (COUNT.to_owned(), Some(b"many".to_vec())),
            (HISTORY.to_owned(), Some(b"[1".to_vec())),
            ("__connect.errors.exception.class.name".to_owned(), Some(b"org.example.Oops".to_vec())),
        ];
        let envelope = Envelope { headers, ..Envelope::default() };
        let letter = DeadLetter::of(&envelope);
        assert!(letter.is("org.example.Oops"));
        assert_eq!(header(&letter.restored("now"), COUNT).as_deref(), Some("1"));
        assert_eq!(DeadLetter::of(&Envelope::default()).failure, PastFailure::default());
        assert_eq!(class_name("too_large").as_deref(), Some("rasid.TooLargeRejection"));
        assert_eq!(class_name("mood"), None);
    }
}
