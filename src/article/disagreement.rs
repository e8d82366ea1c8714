//! What a shadow model says otherwise; `docs/shadow-disagreement.schema.json` says the same as JSON Schema.

use super::{Abstained, ModelTag, Source, StanceTag, Tags, TopicTag};
use serde::Serialize;

/// An article that two models tag differently.
#[derive(Clone, Debug, Serialize)]
pub struct Disagreement<'a> {
    /// The article's id, else the record's key, else `topic-partition-offset`.
    pub id: &'a str,
    /// Its title, or the first words of one without.
    pub title: &'a str,
    /// `ar`, `en` or `und`.
    pub language: &'a str,
    /// In what they agree all the same: `topic`, `stance` or `neither`.
    pub agreement: &'a str,
    /// What the output record says.
    pub published: Answer<'a>,
    /// What the shadow model would have said.
    pub shadow: Answer<'a>,
    /// Where the article came from; absent outside Kafka.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source<'a>>,
    /// When, RFC 3339 in UTC; as in the output record.
    pub tagged_at: &'a str,
}

/// What one model says.
#[derive(Clone, Debug, Serialize)]
pub struct Answer<'a> {
    /// Every topic above its threshold, best first.
    pub topics: &'a [TopicTag<'a>],
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abstained: Option<Abstained>,
    /// The stance of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stance: Option<&'a StanceTag<'a>>,
    /// Which model it is.
    pub model: &'a ModelTag,
}

impl<'a> Answer<'a> {
    /// What `model` says in `tags`.
    pub fn of(tags: &'a Tags<'a>, model: &'a ModelTag) -> Self {
        Self { topics: &tags.topics, abstained: tags.abstained, stance: tags.stance.as_ref(), model }
    }
}
