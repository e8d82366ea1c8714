//! What can be said of an article: the 17 top IPTC Media Topics and the three stances.
//!
//! Codes and names of the topics are IPTC's (MediaTopic NewsCodes, release of 2025-03-31,
//! © IPTC, iptc.org, CC BY 4.0).

use serde::{Deserialize, Serialize};

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

const TOPICS: [(&str, &str, &str); 17] = [
    ("medtop:01000000", "arts, culture, entertainment and media", "فنون، ثقافة وترفيه"),
    ("medtop:02000000", "crime, law and justice", "جريمة، قانون وقضاء"),
    ("medtop:03000000", "disaster, accident and emergency incident", "كوارث وحوادث"),
    ("medtop:04000000", "economy, business and finance", "اقتصاد، اعمال ومال"),
    ("medtop:05000000", "education", "تربية"),
    ("medtop:06000000", "environment", "بيئة"),
    ("medtop:07000000", "health", "صحة"),
    ("medtop:08000000", "human interest", "قضية انسانية"),
    ("medtop:09000000", "labour", "عمل"),
    ("medtop:10000000", "lifestyle and leisure", "حياة يومية وترفيه"),
    ("medtop:11000000", "politics and government", "سياسة"),
    ("medtop:12000000", "religion", "ديانة ومعتقدات"),
    ("medtop:13000000", "science and technology", "علوم وتكنولوجيا"),
    ("medtop:14000000", "society", "قضايا اجتماعية"),
    ("medtop:15000000", "sport", "رياضة"),
    ("medtop:16000000", "conflict, war and peace", "نزاعات، حرب وسلام"),
    ("medtop:17000000", "weather", "طقس"),
];

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
        Task::Topic => TOPICS.iter().map(|(code, name, ar)| label(code, name, ar)).collect(),
        Task::Stance => STANCES.iter().map(|(code, ar)| label(code, code, ar)).collect(),
    }
}
