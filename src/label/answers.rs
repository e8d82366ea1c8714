//! Answers as lines of the file that they go to, which `rasid train` reads.

use crate::model::Task;
use serde::Serialize;
use serde_json::Value;

/// An answer, in the form of a training example.
#[derive(Serialize)]
pub(super) struct Example<'a> {
    pub id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub title: &'a str,
    pub text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stance: Option<&'a str>,
    pub lang: &'a str,
}

/// An answer of an earlier session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// Id of the article.
    pub id: String,
    /// Its title, may be empty.
    pub title: String,
    /// Its text.
    pub text: String,
    /// The code of its label; empty where the answer is to another task.
    pub code: String,
}

impl Earlier {
    /// Reads a line of the file of answers; `None` where it is none.
    pub fn read(line: &str, task: Task) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let code = match task {
            Task::Topic => &value["topics"][0],
            Task::Stance => &value["stance"],
        };
        let id = value["id"].as_str()?.to_owned();
        Some(Self { id, title: text(&value["title"]), text: text(&value["text"]), code: text(code) })
    }
}
