//! How far a shadow model agrees, for the live page.

use crate::article::ModelTag;
use serde::Serialize;
use std::collections::BTreeMap;

/// Articles by published topic and in what both models agree.
type Cells = BTreeMap<[String; 2], u64>;

/// Since when two models are compared.
#[derive(Default)]
pub(super) struct Comparing {
    /// Digests of both.
    models: [String; 2],
    /// What was compared before they were in use together.
    before: Cells,
}

impl Comparing {
    /// What the shadow `tag` has agreed to since it and the model with that digest are in use.
    pub(super) fn since(&mut self, model: &str, tag: ModelTag, counts: &Cells) -> Shadow {
        if self.models != [model, &tag.sha256] {
            *self = Self { models: [model.to_owned(), tag.sha256.clone()], before: counts.clone() };
        }
        let resting = tag.sha256 == model;
        Shadow { tag: Some(tag), resting, ..Shadow::of(counts, &self.before) }
    }
}

/// How far the shadow model agrees, since it and the first model are in use.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Shadow {
    #[serde(flatten)]
    tag: Option<ModelTag>,
    /// It is the same as the first model, so nothing is compared.
    resting: bool,
    /// Articles that both tagged.
    articles: u64,
    /// Of them, those with the same first topic.
    same_topic: u64,
    /// Of them, those with the same stance.
    same_stance: u64,
    /// Articles on which it panicked.
    failed: u64,
    /// By published topic: articles, and those with the same topic.
    topics: BTreeMap<String, [u64; 2]>,
}

impl Shadow {
    fn of(counts: &Cells, before: &Cells) -> Self {
        let mut shadow = Self::default();
        for (cell @ [topic, agreement], count) in counts {
            let count = count - before.get(cell).unwrap_or(&0);
            let (same_topic, same_stance) = match agreement.as_str() {
                "failed" => {
                    shadow.failed += count;
                    continue;
                }
                agreement => (matches!(agreement, "both" | "topic"), matches!(agreement, "both" | "stance")),
            };
            let by_topic = shadow.topics.entry(topic.clone()).or_default();
            for sum in [&mut shadow.articles, &mut by_topic[0]] {
                *sum += count;
            }
            if same_topic {
                shadow.same_topic += count;
                by_topic[1] += count;
            }
            if same_stance {
                shadow.same_stance += count;
            }
        }
        shadow.topics.retain(|_, [articles, _]| *articles > 0);
        shadow
    }
}
