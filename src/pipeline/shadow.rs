//! A second model beside the one that publishes: how far it agrees, article by article. Pure.

use crate::article::{Answer, Article, Disagreement, TaggedArticle, Tags};
use crate::model::{Classifier, Document, Task};
use bytes::Bytes;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Characters of a title in the record of a disagreement.
const TITLE: usize = 200;

/// In what the shadow gives an article the same first label. A label that it lacks is another one, and so
/// is none where the first model gives one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// Topic and stance.
    Both,
    /// The topic alone.
    Topic,
    /// The stance alone.
    Stance,
    /// Neither.
    Neither,
    /// It panicked: a bug, which the article that is published must not suffer from.
    Failed,
}

impl Agreement {
    fn of(published: &Tags<'_>, shadow: &Tags<'_>) -> Self {
        let same = |task: Task| task.first(published) == task.first(shadow);
        match (same(Task::Topic), same(Task::Stance)) {
            (true, true) => Self::Both,
            (true, false) => Self::Topic,
            (false, true) => Self::Stance,
            (false, false) => Self::Neither,
        }
    }

    /// As a metric label, and in the record of a disagreement.
    pub fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Topic => "topic",
            Self::Stance => "stance",
            Self::Neither => "neither",
            Self::Failed => "failed",
        }
    }
}

/// The shadow's answer to one article, beside the published one.
pub(super) struct Second<'a> {
    pub(super) agreement: Agreement,
    tags: Tags<'a>,
}

impl<'a> Second<'a> {
    /// Lets `shadow` tag the text of `pieces`, which was tagged as `published`.
    pub(super) fn opinion(
        shadow: &'a Classifier,
        document: &mut Document,
        pieces: &[&'a str],
        published: &Tags<'_>,
    ) -> Self {
        let tagged = catch_unwind(AssertUnwindSafe(|| shadow.classify(document, pieces, false)));
        match tagged {
            Ok(tags) => Self { agreement: Agreement::of(published, &tags), tags },
            Err(_) => Self { agreement: Agreement::Failed, tags: Tags::default() },
        }
    }

    /// The record of a disagreement; `None` where there is none to tell of.
    pub(super) fn disagreement(
        &self,
        article: &Article<'_>,
        published: &TaggedArticle<'_>,
        shadow: &Classifier,
    ) -> Option<Bytes> {
        if matches!(self.agreement, Agreement::Both | Agreement::Failed) {
            return None;
        }
        let record = Disagreement {
            id: published.id,
            title: &article.headline(TITLE),
            language: published.tags.language,
            agreement: self.agreement.name(),
            published: Answer::of(published.tags, published.model),
            shadow: Answer::of(&self.tags, shadow.tag()),
            source: published.source,
            tagged_at: published.tagged_at,
        };
        // strings, numbers and lists of them: nothing that JSON could refuse
        serde_json::to_vec(&record).ok().map(Bytes::from)
    }
}
