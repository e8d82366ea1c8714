//! A correction: an output record of the worker's with the right labels filled in.

use super::{Article, Pointers, Rejection};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use thiserror::Error;

/// The right labels, in the field `correct`. What is left out was not judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correct {
    /// Topic codes, the main one first.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Label of the stance.
    #[serde(default)]
    pub stance: Option<String>,
}

/// What an output record says of its own tags.
#[derive(Debug)]
pub enum Correction<'a> {
    /// Nothing: nobody has looked at it.
    Open,
    /// `"correct": null`: an earlier correction no longer holds.
    Withdrawn {
        /// The article's id.
        id: String,
    },
    /// These labels are right.
    Made {
        /// The article's id.
        id: String,
        /// The input, as the record carries it.
        article: Article<'a>,
        /// The labels.
        correct: Correct,
    },
}

/// Why a record is no correction.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CorrectionError {
    /// It is no output record.
    #[error("no output record: {0}")]
    Json(String),
    /// It has no article to learn from.
    #[error("no `article` to learn from: let the worker run without omit_article")]
    NoArticle,
    /// The article cannot be read.
    #[error("article: {0}")]
    Article(#[from] Rejection),
    /// It says nothing.
    #[error("`correct` has neither `topics` nor `stance`: give at least one label, or null to take it back")]
    Empty,
}

#[derive(Deserialize)]
struct Record<'a> {
    id: String,
    #[serde(borrow, default)]
    article: Option<&'a RawValue>,
    /// Absent and null are two things.
    #[serde(default, deserialize_with = "there")]
    correct: Option<Option<Correct>>,
}

fn there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Correct>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl<'a> Correction<'a> {
    /// Reads a record; `pointers` say where the article has its title and text.
    ///
    /// # Errors
    /// [`CorrectionError`] says what to write.
    pub fn read(json: &'a [u8], pointers: &Pointers) -> Result<Self, CorrectionError> {
        let record: Record<'a> =
            serde_json::from_slice(json).map_err(|error| CorrectionError::Json(error.to_string()))?;
        let id = record.id;
        let Some(correct) = record.correct else { return Ok(Self::Open) };
        let Some(correct) = correct else { return Ok(Self::Withdrawn { id }) };
        if correct.topics.is_empty() && correct.stance.is_none() {
            return Err(CorrectionError::Empty);
        }
        let article = record.article.ok_or(CorrectionError::NoArticle)?;
        let article = Article::read(article.get(), pointers)?;
        Ok(Self::Made { id, article, correct })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Correction<'_>, CorrectionError> {
        Correction::read(json.as_bytes(), &Pointers::default())
    }

    #[test]
    fn a_record_is_open_corrected_or_taken_back() {
        let record =
            |more: &str| format!(r#"{{"id":"7","topics":[],"article":{{"title":"T","text":"x"}}{more}}}"#);
        assert!(matches!(read(&record("")), Ok(Correction::Open)));
        assert!(matches!(read(&record(r#","correct":null"#)), Ok(Correction::Withdrawn { id }) if id == "7"));
        let json = record(r#","correct":{"topics":["a","b"]}"#);
        let Ok(Correction::Made { id, article, correct }) = read(&json) else { panic!("{json}") };
        assert_eq!((&*id, &*article.title, &*article.text), ("7", "T", "x"));
        assert_eq!(correct, Correct { topics: vec!["a".into(), "b".into()], stance: None });
        assert_eq!(read(&record(r#","correct":{}"#)).unwrap_err(), CorrectionError::Empty);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, words) in [
            ("{", "no output record"),
            ("\u{feff}text", "no output record"),
            (r#"{"id":"7","correct":{"topic":"a"}}"#, "unknown field `topic`"),
            (r#"{"correct":{"stance":"favor"}}"#, "missing field `id`"),
            (r#"{"id":"7","correct":{"stance":"favor"}}"#, "omit_article"),
            (r#"{"id":"7","article":{"text":3},"correct":{"stance":"favor"}}"#, "field `text`"),
        ] {
            let said = read(json).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }
}
