//! The output record; `docs/tagged-article.schema.json` says the same as JSON Schema.

use super::Article;
use super::numbers::{Decimals, rounded};
use super::strings::write_string;
use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde_json::Serializer;
use std::borrow::Cow;
use std::sync::Arc;

/// What the classifier says of one article. Labels and names are the model's, terms stand in the article: all are borrowed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Tags<'a> {
    /// `ar`, `en` or `und` (ISO 639-2: undetermined).
    pub language: &'static str,
    /// Every topic above its threshold, best first.
    pub topics: Vec<TopicTag<'a>>,
    /// Why `topics` is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abstained: Option<Abstained>,
    /// The attitude of the text toward its main subject; absent in unknown languages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stance: Option<StanceTag<'a>>,
    /// Stance toward each name of the watch-list that the text mentions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetTag<'a>>,
    /// The terms that carried the first topic.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub explain: Vec<TermWeight<'a>>,
    /// How much of the text the model knows; for metrics, no part of the record.
    #[serde(skip)]
    pub terms: TermCounts,
}

/// How many terms of a text have weights in the model, repetitions included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TermCounts {
    /// Terms with weights.
    pub known: u32,
    /// All terms.
    pub total: u32,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TopicTag<'a> {
    /// The IPTC code, such as `medtop:11000000`.
    pub code: &'a Arc<str>,
    /// English name.
    pub name: &'a str,
    /// Arabic name.
    pub name_ar: &'a str,
    /// Calibrated probability.
    #[serde(serialize_with = "rounded")]
    pub confidence: f32,
}

/// The stance of the text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StanceTag<'a> {
    /// `favor`, `against` or `neutral`.
    pub label: &'a Arc<str>,
    /// Calibrated probability.
    #[serde(serialize_with = "rounded")]
    pub confidence: f32,
}

/// The stance toward one name of the watch-list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetTag<'a> {
    /// The name, as the watch-list writes it.
    pub name: Arc<str>,
    /// How often the text mentions it or an alias.
    pub mentions: usize,
    /// `favor`, `against` or `neutral`.
    pub label: &'a str,
    /// Calibrated probability.
    #[serde(serialize_with = "rounded")]
    pub confidence: f32,
}

/// A term of the text with what it adds, in log-odds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TermWeight<'a> {
    /// The term in the article's own spelling.
    pub term: Cow<'a, str>,
    /// What it adds for the first topic against the runner-up, all mentions together.
    #[serde(serialize_with = "rounded")]
    pub weight: f32,
    /// What it adds for the first topic against the average topic.
    #[serde(serialize_with = "rounded")]
    pub support: f32,
}

impl TermWeight<'_> {
    /// One that outlives its article.
    pub fn into_owned(self) -> TermWeight<'static> {
        TermWeight { term: self.term.into_owned().into(), weight: self.weight, support: self.support }
    }
}

/// Why no topic is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Abstained {
    /// The language is neither Arabic nor English.
    #[serde(rename = "language")]
    Language,
    /// No topic reaches its threshold.
    #[serde(rename = "low confidence")]
    LowConfidence,
}

impl Abstained {
    /// The reason as a metric label.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Language => "language",
            Self::LowConfidence => "low_confidence",
        }
    }
}

/// Which model tagged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelTag {
    /// Name of the model.
    pub name: String,
    /// Version of the model.
    pub version: String,
    /// SHA-256 of the model file, as `sha256sum` prints it.
    pub sha256: String,
}

/// Where the record came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Source<'a> {
    /// Input topic.
    pub topic: &'a str,
    /// Its partition.
    pub partition: i32,
    /// Offset in it.
    pub offset: i64,
}

/// The output record, all but the article.
#[derive(Clone, Debug, Serialize)]
pub struct TaggedArticle<'a> {
    /// The article's id, else the record's key, else `topic-partition-offset`.
    pub id: &'a str,
    /// The tags.
    #[serde(flatten)]
    pub tags: &'a Tags<'a>,
    /// Which model tagged.
    pub model: &'a ModelTag,
    /// Where the article came from; absent outside Kafka.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source<'a>>,
    /// When, RFC 3339 in UTC.
    pub tagged_at: &'a str,
}

/// The input as the output carries it, in the field `article`.
#[derive(Clone, Copy, Debug)]
pub enum ArticleCopy<'a> {
    /// JSON, byte for byte.
    Json(&'a str),
    /// Raw text, as the field `text`.
    Text(&'a str),
}

impl<'a> ArticleCopy<'a> {
    /// The copy of `article`, which was read from `input`.
    pub fn of(article: &Article<'a>, input: &'a str) -> Self {
        article.json.map_or(Self::Text(input), Self::Json)
    }

    fn text(self) -> &'a str {
        let (Self::Json(text) | Self::Text(text)) = self;
        text
    }
}

/// Bytes of a record without its article: enough for several topics and eight terms.
const HEAD: usize = 1536;

impl TaggedArticle<'_> {
    /// The record as JSON, with the article if there is one; written once, to the memory of `json`. What stands there is
    /// forgotten.
    ///
    /// # Errors
    /// As serde_json's writer, which fails on nothing that a record has.
    pub fn to_json(
        &self,
        article: Option<ArticleCopy<'_>>,
        json: &mut BytesMut,
    ) -> serde_json::Result<Bytes> {
        let copied = article.map_or(0, |article| article.text().len());
        json.clear();
        json.reserve(HEAD + copied + copied / 32);
        self.serialize(&mut Serializer::with_formatter((&mut *json).writer(), Decimals))?;
        if let Some(article) = article {
            // the closing brace gives way to one field more
            json.truncate(json.len() - 1);
            json.extend_from_slice(b",\"article\":");
            match article {
                ArticleCopy::Json(object) => json.extend_from_slice(object.as_bytes()),
                ArticleCopy::Text(text) => {
                    json.extend_from_slice(b"{\"text\":");
                    write_string(text, json);
                    json.put_u8(b'}');
                }
            }
            json.put_u8(b'}');
        }
        Ok(json.split().freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_article_is_the_last_field() {
        let tags = Tags { language: "ar", ..Tags::default() };
        let model = ModelTag { name: "m".into(), version: "1".into(), sha256: "0".into() };
        let tagged = TaggedArticle {
            id: "a\"1",
            tags: &tags,
            model: &model,
            source: None,
            tagged_at: "2026-01-31T08:15:30Z",
        };
        let mut room = BytesMut::new();
        let mut json = |article| {
            let before = tagged.to_json(article, &mut room).unwrap();
            // what is written next lies behind it
            assert_ne!(tagged.to_json(None, &mut room).unwrap(), "");
            String::from_utf8(before.to_vec()).unwrap()
        };
        let head = serde_json::to_string(&tagged).unwrap();
        assert_eq!(json(None), head);
        let head = head.strip_suffix('}').unwrap();
        let object = r#"{"b" : 1.0e0,"a":"\u0061"}"#;
        assert_eq!(json(Some(ArticleCopy::Json(object))), format!("{head},\"article\":{object}}}"));
        assert_eq!(
            json(Some(ArticleCopy::Text("x\n"))),
            format!("{head},\"article\":{{\"text\":\"x\\n\"}}}}")
        );
    }
}
