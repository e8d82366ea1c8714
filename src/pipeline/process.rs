//! One record to its outcome: pure, no Kafka, no clock but the one it is given.

use super::ports::{Destination, Envelope, Header, Output};
use super::shadow::{Agreement, Second};
use crate::article::{Abstained, Article, ArticleCopy, Pointers, Rejection, Source, TaggedArticle, Tags};
use crate::model::{Classifier, Document, WatchList};
use crate::text::{DecodeError, charset, decode, encoding};
use bytes::BytesMut;
use encoding_rs::Encoding;
use std::borrow::Cow;
use std::sync::Arc;

/// What became of a record.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Tagged.
    Tagged(Summary),
    /// Went to the dead letters.
    Rejected(Rejection),
    /// Had no value and was passed through.
    Tombstone,
}

/// A record with all that is published of it.
#[derive(Clone, Debug)]
pub struct Processed {
    /// What became of it.
    pub outcome: Outcome,
    /// Its own output.
    pub output: Output,
    /// Outputs besides, to [extra](Destination::is_extra) destinations.
    pub also: Vec<Output>,
}

impl Processed {
    fn of(outcome: Outcome, output: Output) -> Self {
        Self { outcome, output, also: Vec::new() }
    }

    /// A dead letter.
    pub fn rejected(envelope: &Envelope, rejection: Rejection) -> Self {
        let output = dead_letter(envelope, &rejection, true);
        Self::of(Outcome::Rejected(rejection), output)
    }
}

/// What metrics and the live page want to know of a tagged article.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Code and confidence of the first topic.
    pub topic: Option<(std::sync::Arc<str>, f32)>,
    /// Label of the stance.
    pub stance: Option<std::sync::Arc<str>>,
    /// Language code.
    pub language: &'static str,
    /// How much of it the model knows.
    pub terms: crate::article::TermCounts,
    /// How far the shadow model agrees, where there is one.
    pub agreement: Option<Agreement>,
    /// Why there is no topic.
    pub abstained: Option<crate::article::Abstained>,
}

/// How records are read and what the output carries.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where fields are looked for.
    pub pointers: Pointers,
    /// Encoding of records that name none.
    pub encoding: &'static Encoding,
    /// Put the input into the output.
    pub article: bool,
    /// Say which terms carried the tag.
    pub explain: bool,
    /// Write down what the shadow model says otherwise.
    pub disagreements: bool,
    /// Send what has no topic that is so sure for review, too; `None` for nothing.
    pub review: Option<f32>,
    /// Names to judge the stance toward.
    pub watch: Arc<WatchList>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pointers: Pointers::default(),
            encoding: encoding_rs::UTF_8,
            article: true,
            explain: true,
            disagreements: false,
            review: None,
            watch: Arc::default(),
        }
    }
}

/// Bytes that are asked for at a time to write outputs to.
const JSON: usize = 64 << 10;

/// What records are tagged in and written to, one after the other: outputs share memory, which is asked for once for a
/// dozen of them. What one thread asks for and another frees costs more than to write it.
#[derive(Debug)]
pub struct Room {
    document: Document,
    json: BytesMut,
}

impl Default for Room {
    fn default() -> Self {
        Self { document: Document::default(), json: BytesMut::with_capacity(JSON) }
    }
}

/// Reads, tags and writes one record, and lets the `shadow` tag it too; `now` is RFC 3339.
pub fn process(
    envelope: &Envelope,
    classifier: &Classifier,
    shadow: Option<&Classifier>,
    options: &Options,
    room: &mut Room,
    now: &str,
) -> Processed {
    let Some(value) = &envelope.value else {
        return Processed::of(Outcome::Tombstone, Output::to(Destination::Tagged, None));
    };
    match tag(envelope, value, classifier, shadow, options, room, now) {
        Ok(done) => done,
        Err(rejection) => Processed::rejected(envelope, rejection),
    }
}

fn tag(
    envelope: &Envelope,
    value: &[u8],
    classifier: &Classifier,
    shadow: Option<&Classifier>,
    options: &Options,
    Room { document, json }: &mut Room,
    now: &str,
) -> Result<Processed, Rejection> {
    let text = decode(value, Some(declared(envelope)?.unwrap_or(options.encoding)))?;
    let article = Article::read(&text, &options.pointers)?;
    let pieces = [&*article.title, &*article.text];
    let mut tags = classifier.classify(document, &pieces, options.explain);
    tags.targets = classifier.targets(document, &pieces, &options.watch);
    let id = id(envelope, &article);
    let tagged = TaggedArticle {
        id: &id,
        tags: &tags,
        model: classifier.tag(),
        source: Some(Source {
            topic: &envelope.topic,
            partition: envelope.partition,
            offset: envelope.offset,
        }),
        tagged_at: now,
    };
    let copy = ArticleCopy::of(&article, &text);
    let mut write = |copy| tagged.to_json(copy, json).map_err(|error| Rejection::Json(error.to_string()));
    let bytes = write(options.article.then_some(copy))?;
    let mut also = Vec::new();
    if options.review.is_some_and(|below| is_unsure(&tags, below)) {
        // nobody can judge it, nor the model learn from it, without the article
        let record = if options.article { bytes.clone() } else { write(Some(copy))? };
        also.push(Output::to(Destination::Review, Some(record)));
    }
    let agreement = shadow.map(|shadow| {
        let second = Second::opinion(shadow, document, &pieces, &tags);
        if options.disagreements {
            let record = second.disagreement(&article, &tagged, shadow);
            also.extend(record.map(|record| Output::to(Destination::Disagreement, Some(record))));
        }
        second.agreement
    });
    let summary = Summary {
        topic: tags.topics.first().map(|topic| (topic.code.clone(), topic.confidence)),
        stance: tags.stance.as_ref().map(|stance| stance.label.clone()),
        language: tags.language,
        terms: tags.terms,
        agreement,
        abstained: tags.abstained,
    };
    let output = Output::to(Destination::Tagged, Some(bytes));
    Ok(Processed { outcome: Outcome::Tagged(summary), output, also })
}

/// Whether a person should look at it: it has no topic that is as sure as `enough`.
fn is_unsure(tags: &Tags<'_>, enough: f32) -> bool {
    match tags.topics.first() {
        Some(topic) => topic.confidence < enough,
        None => tags.abstained == Some(Abstained::LowConfidence),
    }
}

/// The encoding in the record's `content-type` header.
fn declared(envelope: &Envelope) -> Result<Option<&'static Encoding>, DecodeError> {
    let header = envelope.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let Some((_, Some(value))) = header else { return Ok(None) };
    let value = String::from_utf8_lossy(value);
    charset(&value).map(encoding).transpose()
}

fn id<'a>(envelope: &'a Envelope, article: &'a Article<'_>) -> Cow<'a, str> {
    if let Some(id) = &article.id {
        return Cow::Borrowed(id);
    }
    match envelope.key.as_deref().map(std::str::from_utf8) {
        Some(Ok(key)) if !key.is_empty() => Cow::Borrowed(key),
        _ => format!("{}-{}-{}", envelope.topic, envelope.partition, envelope.offset).into(),
    }
}

/// The title of an article, or the first words of one without, `most` characters of it; `None` where
/// it cannot be read.
pub(super) fn headline(envelope: &Envelope, options: &Options, most: usize) -> Option<String> {
    read_article(envelope, options, |article| article.headline(most)).ok()
}

/// Reads the article of a record and hands it to `then`.
///
/// # Errors
/// Why the worker would reject it; a record without a value has no text.
pub fn read_article<T>(
    envelope: &Envelope,
    options: &Options,
    then: impl FnOnce(&Article<'_>) -> T,
) -> Result<T, Rejection> {
    let value = envelope.value.as_deref().ok_or(Rejection::NoText)?;
    let text = decode(value, Some(declared(envelope)?.unwrap_or(options.encoding)))?;
    Ok(then(&Article::read(&text, &options.pointers)?))
}

/// The dead letter of a record, with Kafka Connect's headers. Without `value` (where even the
/// dead-letter topic refuses the size) the headers say where the record still stands.
pub fn dead_letter(envelope: &Envelope, rejection: &Rejection, value: bool) -> Output {
    let header = |name: &str, value: String| -> Header {
        (format!("__connect.errors.{name}"), Some(value.into_bytes()))
    };
    let mut headers = vec![
        header("topic", envelope.topic.to_string()),
        header("partition", envelope.partition.to_string()),
        header("offset", envelope.offset.to_string()),
        header("stage", "TASK".to_owned()),
        header("exception.class.name", rejection.class_name().to_owned()),
        header("exception.message", rejection.to_string()),
    ];
    if !value {
        headers.push(("rasid.value.omitted".to_owned(), Some(b"true".to_vec())));
    }
    let value = envelope.value.clone().filter(|_| value);
    Output { destination: Destination::DeadLetter, value, headers, trace: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static CLASSIFIER: LazyLock<Classifier> = LazyLock::new(|| Classifier::bundled().unwrap());
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = include_str!("../../docs/tagged-article.schema.json");
        jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
    });

    fn run(value: &[u8], header: Option<&str>) -> Processed {
        let headers = header.map(|value| ("content-type".to_owned(), Some(value.as_bytes().to_vec())));
        let envelope = Envelope {
            topic: "in".into(),
            value: Some(value.to_vec().into()),
            headers: headers.into_iter().collect(),
            ..Envelope::default()
        };
        let (options, now) = (Options::default(), "2026-01-31T08:15:30Z");
        process(&envelope, &CLASSIFIER, None, &options, &mut Room::default(), now)
    }

    fn tagged(value: &[u8], header: Option<&str>) -> serde_json::Value {
        let Processed { outcome, output, .. } = run(value, header);
        assert!(matches!(outcome, Outcome::Tagged(_)), "{outcome:?}");
        serde_json::from_slice(output.value.as_deref().unwrap()).unwrap()
    }

    #[test]
    fn the_header_names_the_encoding() {
        let text = "فاز الفريق بكأس البطولة بعد مباراة مثيرة";
        let (bytes, _, _) = encoding_rs::WINDOWS_1256.encode(text);
        let record = tagged(&bytes, Some("text/plain; charset=windows-1256"));
        assert_eq!((&record["article"]["text"], &record["language"]), (&text.into(), &"ar".into()));
        let Processed { outcome, .. } = run(&bytes, None);
        assert!(matches!(outcome, Outcome::Rejected(Rejection::Encoding(_))), "{outcome:?}");
        let Processed { outcome, .. } = run(text.as_bytes(), Some("text/plain; charset=klingon"));
        assert!(matches!(outcome, Outcome::Rejected(Rejection::Encoding(_))), "{outcome:?}");
    }

    #[test]
    fn records_fit_the_schema() {
        for sample in include_str!("../cli/samples.txt").split("\n----\n") {
            let record = tagged(sample.trim().as_bytes(), None);
            let faults: Vec<String> = SCHEMA.iter_errors(&record).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{faults:?}");
        }
    }

    #[test]
    fn what_is_unsure_goes_to_review_with_its_article() {
        let samples = include_str!("../cli/samples.txt").split("\n----\n");
        let process = |text: &str, review, article| {
            let envelope =
                Envelope { topic: "in".into(), value: Some(text.to_owned().into()), ..Envelope::default() };
            let options = Options { review, article, ..Options::default() };
            super::process(
                &envelope,
                &CLASSIFIER,
                None,
                &options,
                &mut Room::default(),
                "2026-01-31T08:15:30Z",
            )
        };
        for sample in samples {
            let none = process(sample, None, true);
            assert!(none.also.is_empty());
            let Outcome::Tagged(summary) = &none.outcome else { panic!("{sample}") };
            let confidence = summary.topic.as_ref().map_or(0.0, |(_, confidence)| *confidence);
            let known = summary.language != "und";
            assert_eq!(
                process(sample, Some(confidence), true).also.len(),
                usize::from(known && summary.topic.is_none())
            );
            // a text in another language is nothing to be unsure of
            let all = process(sample, Some(1.1), false);
            assert_eq!(all.also.len(), usize::from(known), "{sample}");
            for output in all.also {
                let record: serde_json::Value = serde_json::from_slice(&output.value.unwrap()).unwrap();
                assert_eq!(output.destination, Destination::Review);
                assert!(record["article"].is_object());
                assert!(SCHEMA.is_valid(&record), "{record}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_tagged_or_rejected(value in proptest::collection::vec(any::<u8>(), 0..300)) {
            let Processed { outcome, output, .. } = run(&value, None);
            match outcome {
                Outcome::Rejected(_) => prop_assert_eq!(output.value, Some(value.into())),
                _ => prop_assert!(output.destination == Destination::Tagged),
            }
        }

        #[test]
        fn any_text_gives_a_record_of_the_schema(text in any::<String>(), title in any::<String>()) {
            let value = serde_json::json!({"title": title, "text": text}).to_string();
            let Processed { outcome, output, .. } = run(value.as_bytes(), None);
            if let Outcome::Tagged(_) = outcome {
                let record = serde_json::from_slice(output.value.as_deref().unwrap()).unwrap();
                prop_assert!(SCHEMA.is_valid(&record), "{}", record);
            }
        }
    }
}
