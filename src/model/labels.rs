//! What can be said of an article: the 17 top IPTC Media Topics and the three stances.
//!
//! Codes and names of the topics are IPTC's (MediaTopic NewsCodes, release of 2025-03-31,
//! © IPTC, iptc.org, CC BY 4.0).

use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a classifier answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// What the article is about.
    Topic,
    /// Which attitude it takes.
    Stance,
}

impl Task {
    /// Both tasks, in order.
    pub const ALL: [Self; 2] = [Self::Topic, Self::Stance];

    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Stance => "stance",
        }
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// What records and examples call it.
    pub code: String,
    /// English name.
    pub name: String,
    /// Arabic name.
    pub name_ar: String,
}

/// Columns: code, top, parent, level, English name, Arabic name.
const MEDIATOPICS: &str = include_str!("../../models/mediatopics.tsv");

/// Every concept: code, top, parent, level, English and Arabic name.
pub fn concepts() -> impl Iterator<Item = [&'static str; 6]> {
    MEDIATOPICS.lines().skip(1).map(|line| {
        let mut columns = line.split('\t');
        std::array::from_fn(|_| columns.next().unwrap_or_default())
    })
}

/// The second-level concept that a deeper one belongs to; a code that is none of IPTC's is its own.
pub fn second_level(code: &str) -> &str {
    static PARENTS: LazyLock<HashMap<&'static str, (&'static str, bool)>> = LazyLock::new(|| {
        concepts().map(|[code, _, parent, level, ..]| (code, (parent, matches!(level, "1" | "2")))).collect()
    });
    let mut code = code;
    while let Some((parent, false)) = PARENTS.get(code) {
        code = parent;
    }
    code
}

/// Stance labels of SemEval-2016 task 6.
const STANCES: [(&str, &str); 3] = [("against", "ضد"), ("favor", "مع"), ("neutral", "محايد")];

/// The labels of a task, in the order of the model's columns.
pub fn labels(task: Task) -> Vec<Label> {
    let label = |code: &str, name: &str, name_ar: &str| Label {
        code: code.to_owned(),
        name: name.to_owned(),
        name_ar: name_ar.to_owned(),
    };
    match task {
        Task::Topic => {
            // asked for with every example that is read: the list is read once
            static TOPICS: LazyLock<Vec<[&str; 6]>> = LazyLock::new(|| {
                let mut top: Vec<_> = concepts().filter(|[_, _, _, level, ..]| *level == "1").collect();
                top.sort_by_key(|[code, ..]| *code);
                top
            });
            TOPICS.iter().map(|[code, _, _, _, name, ar]| label(code, name, ar)).collect()
        }
        Task::Stance => STANCES.iter().map(|(code, ar)| label(code, code, ar)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seventeen_topics_and_their_families() {
        let topics = labels(Task::Topic);
        assert_eq!(topics.len(), 17);
        assert_eq!((topics[6].code.as_str(), topics[6].name_ar.as_str()), ("medtop:07000000", "صحة"));
        // ballet < dance < arts and entertainment
        assert_eq!(second_level("medtop:20000008"), "medtop:20000002");
        assert_eq!(second_level("medtop:20000002"), "medtop:20000002");
        assert_eq!(second_level("mine"), "mine");
    }
}
