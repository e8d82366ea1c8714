//! What can be said of an article: the 17 top IPTC Media Topics and the three stances.
//!
//! Codes and names of the topics are IPTC's (MediaTopic NewsCodes, release of 2025-03-31,
//! © IPTC, iptc.org, CC BY 4.0).

use crate::article::Tags;
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

    /// The label that an output record with these tags has first.
    pub fn first<'a>(self, tags: &Tags<'a>) -> Option<&'a str> {
        match self {
            Self::Topic => tags.topics.first().map(|topic| &**topic.code),
            Self::Stance => tags.stance.as_ref().map(|stance| &**stance.label),
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

/// What a model answers: its topics and its stances, each in the order of their codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LabelSet {
    /// Topics; a newsroom's own sections, or IPTC's.
    pub topics: Vec<Label>,
    /// Stances.
    pub stances: Vec<Label>,
}

/// What a labels file may say of one label.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    code: String,
    name: Option<String>,
    name_ar: Option<String>,
}

impl LabelSet {
    /// The 17 top IPTC Media Topics and the three stances.
    pub fn iptc() -> Self {
        Self { topics: labels(Task::Topic), stances: labels(Task::Stance) }
    }

    /// The labels of a task.
    pub fn of(&self, task: Task) -> &[Label] {
        match task {
            Task::Topic => &self.topics,
            Task::Stance => &self.stances,
        }
    }

    /// Reads `{"topics": [{"code": "…", "name": "…", "name_ar": "…"}], "stances": […]}`; what is left
    /// out of the two is IPTC's topics and the three stances, a name that is left out is the code.
    ///
    /// # Errors
    /// What is wrong with `json`, in words.
    pub fn read(json: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            topics: Option<Vec<Written>>,
            stances: Option<Vec<Written>>,
        }
        let file: File = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if file.topics.is_none() && file.stances.is_none() {
            return Err("neither `topics` nor `stances`: give at least one list".into());
        }
        Ok(Self {
            topics: file.topics.map_or_else(|| Ok(labels(Task::Topic)), |list| named(list, "topics"))?,
            stances: file.stances.map_or_else(|| Ok(labels(Task::Stance)), |list| named(list, "stances"))?,
        })
    }
}

fn named(list: Vec<Written>, what: &str) -> Result<Vec<Label>, String> {
    let mut all = Vec::new();
    for Written { code, name, name_ar } in list {
        if code.trim().is_empty() {
            return Err(format!("{what}: an empty code"));
        }
        let name = name.unwrap_or_else(|| code.clone());
        let name_ar = name_ar.unwrap_or_else(|| name.clone());
        all.push(Label { code, name, name_ar });
    }
    // the columns of equal label sets are equal, however the file lists them
    all.sort_by(|a, b| a.code.cmp(&b.code));
    if let Some(twice) = all.windows(2).find(|pair| pair[0].code == pair[1].code) {
        return Err(format!("{what}: the code `{}` stands twice", twice[0].code));
    }
    if all.len() < 2 || all.len() > usize::from(u16::MAX) {
        return Err(format!("{what}: {} labels where at least two are needed", all.len()));
    }
    Ok(all)
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

    #[test]
    fn own_labels_are_read_in_the_order_of_their_codes() {
        let own = LabelSet::read(
            r#"{"topics": [{"code": "sport", "name": "Sport", "name_ar": "رياضة"}, {"code": "culture"}]}"#,
        )
        .unwrap_or_else(|message| panic!("{message}"));
        let codes: Vec<&str> = own.topics.iter().map(|label| label.code.as_str()).collect();
        assert_eq!((codes, own.stances.len()), (vec!["culture", "sport"], 3));
        assert_eq!((&*own.topics[0].name, &*own.topics[1].name_ar), ("culture", "رياضة"));
        for wrong in [
            "{}",
            r#"{"topics": []}"#,
            r#"{"topics": [{"code": "a"}, {"code": "a"}]}"#,
            r#"{"topics": [{"code": "a"}, {"code": " "}]}"#,
            r#"{"topics": [{"code": "a", "nmae": "b"}]}"#,
        ] {
            assert!(LabelSet::read(wrong).is_err(), "{wrong}");
        }
    }
}
