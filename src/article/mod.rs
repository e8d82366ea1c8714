//! The wire format: what a record may look like going in, what it looks like coming out, and why one is refused.

mod correction;
mod disagreement;
mod fields;
mod numbers;
mod read;
mod strings;
mod tagged;

pub use correction::{Correct, Correction, CorrectionError};
pub use disagreement::{Answer, Disagreement};
pub use read::{Article, Pointers};
pub use tagged::{
    Abstained, ArticleCopy, ModelTag, Source, StanceTag, TaggedArticle, Tags, TargetTag, TermCounts,
    TermWeight, TopicTag,
};

use crate::text::DecodeError;
use thiserror::Error;

/// Why a record goes to the dead letters.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Rejection {
    /// The bytes are not text.
    #[error("{0}")]
    Encoding(#[from] DecodeError),
    /// It opens like a JSON object and is none.
    #[error("bad JSON: {0}")]
    Json(String),
    /// A field holds something else than text.
    #[error("field `{field}`: expected text, found {found}")]
    Field {
        /// Name or JSON pointer of the field.
        field: String,
        /// What stands there.
        found: &'static str,
    },
    /// There is nothing to read.
    #[error(
        "no text: none of the fields title, headline, text, body, content, articleBody, body_text, bodies has any"
    )]
    NoText,
    /// The tagged record would be larger than the output topic takes.
    #[error("tagged record of {size} bytes is larger than the output takes ({limit} bytes)")]
    TooLarge {
        /// Bytes of the record.
        size: usize,
        /// `max.message.bytes` of the topic.
        limit: usize,
    },
    /// Tagging it panicked: a bug of Rasid's that must not stop the stream.
    #[error("internal error while tagging; please report it with this record")]
    Internal,
}

impl Rejection {
    /// The reason as a metric label.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Encoding(_) => "encoding",
            Self::Json(_) => "json",
            Self::Field { .. } => "field",
            Self::NoText => "no_text",
            Self::TooLarge { .. } => "too_large",
            Self::Internal => "internal",
        }
    }

    /// The reason as the class name that Kafka Connect's dead-letter header has room for.
    pub fn class_name(&self) -> &'static str {
        match self {
            Self::Encoding(_) => "rasid.EncodingRejection",
            Self::Json(_) => "rasid.JsonRejection",
            Self::Field { .. } => "rasid.FieldRejection",
            Self::NoText => "rasid.NoTextRejection",
            Self::TooLarge { .. } => "rasid.TooLargeRejection",
            Self::Internal => "rasid.InternalRejection",
        }
    }

    /// Every reason, for metrics that start at zero.
    pub const REASONS: [&str; 6] = ["encoding", "json", "field", "no_text", "too_large", "internal"];
}
