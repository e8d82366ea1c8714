//! Reads labelled examples (JSON Lines) and keyword lists (one word a line).

use super::labels::{Label, LabelSet, Task, labels};
use crate::text::Language;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// One labelled text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Unique within the set.
    pub id: String,
    /// Title, may be empty.
    #[serde(default)]
    pub title: String,
    /// The text.
    pub text: String,
    /// Topic codes, the main one first; empty where only the stance is labelled.
    #[serde(default)]
    pub topics: Vec<String>,
    /// The one topic, for sets that name it so; stands first in `topics` once read.
    #[serde(default)]
    topic: Option<String>,
    /// Stance label.
    #[serde(default)]
    pub stance: Option<String>,
    /// What the stance is toward.
    #[serde(default)]
    pub target: Option<String>,
    /// Examples of one event never stand on both sides of a fold.
    #[serde(default)]
    pub event: Option<String>,
    /// The second- or third-level concept that the example illustrates.
    #[serde(default)]
    pub concept: Option<String>,
    /// The language, where the set says it; otherwise the text does.
    #[serde(default, alias = "language")]
    pub lang: Option<Language>,
    /// How the text speaks: report, editorial, quote, post.
    #[serde(default)]
    pub form: Option<String>,
    /// Whether this is a keyword list and no running text.
    #[serde(skip)]
    pub keywords: bool,
    /// Where it was read, for messages.
    #[serde(skip)]
    pub place: String,
}

impl Example {
    /// A text that has no label yet.
    pub fn new(id: String, title: String, text: String, place: String) -> Self {
        Self {
            id,
            title,
            text,
            topics: Vec::new(),
            topic: None,
            stance: None,
            target: None,
            event: None,
            concept: None,
            lang: None,
            form: None,
            keywords: false,
            place,
        }
    }

    /// The labels for `task`, main one first.
    pub fn labels(&self, task: Task) -> &[String] {
        match task {
            Task::Topic => &self.topics,
            Task::Stance => self.stance.as_slice(),
        }
    }
}

impl LabelSet {
    /// The labels that occur in `examples`, called by their codes.
    pub fn of_examples(examples: &[Example]) -> Self {
        let of = |task| -> Vec<Label> {
            let codes = examples.iter().flat_map(|example| example.labels(task));
            let codes: BTreeSet<&String> = codes.collect();
            let label =
                |code: &String| Label { code: code.clone(), name: code.clone(), name_ar: code.clone() };
            // a model file has labels for both tasks
            if codes.is_empty() { labels(task) } else { codes.into_iter().map(label).collect() }
        };
        Self { topics: of(Task::Topic), stances: of(Task::Stance) }
    }
}

/// Examples that cannot be read.
#[derive(Debug, Error)]
pub enum ExamplesError {
    /// A file or folder cannot be opened.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is no example.
    #[error("{place}: {message}")]
    Line {
        /// File and line.
        place: String,
        /// What is wrong and what to write.
        message: String,
    },
    /// A label that is none of the task's.
    #[error("{place}: {message}")]
    Label {
        /// File and line.
        place: String,
        /// What is wrong and what to write.
        message: String,
    },
    /// Nothing there.
    #[error("no examples under {0}: expected .jsonl files of examples or .txt lists of keywords")]
    None(String),
}

/// Reads every `.jsonl` and `.txt` file under `paths`, folders deep, in the order of their names.
///
/// # Errors
/// The first file that cannot be opened or line that is no example, by name and number.
pub fn read_examples(paths: &[PathBuf]) -> Result<Vec<Example>, ExamplesError> {
    read_labelled(paths, Some(&LabelSet::iptc()))
}

/// As [`read_examples`], with labels out of `set`, or any where there is none.
///
/// # Errors
/// As [`read_examples`].
pub fn read_labelled(paths: &[PathBuf], set: Option<&LabelSet>) -> Result<Vec<Example>, ExamplesError> {
    let (examples, mut faults) = read(paths, set)?;
    if faults.is_empty() { Ok(examples) } else { Err(faults.swap_remove(0)) }
}

/// As [`read_examples`], but goes on past lines that are no examples: those come second.
///
/// # Errors
/// The first file that cannot be opened; that there is nothing under `paths`.
pub fn read_all(paths: &[PathBuf]) -> Result<(Vec<Example>, Vec<ExamplesError>), ExamplesError> {
    read(paths, Some(&LabelSet::iptc()))
}

type Outcomes = (Vec<Example>, Vec<ExamplesError>);

fn read(paths: &[PathBuf], set: Option<&LabelSet>) -> Result<Outcomes, ExamplesError> {
    let mut files = Vec::new();
    for path in paths {
        list(path, true, &mut files)?;
    }
    files.sort();
    files.dedup();
    let (mut examples, mut faults) = (Vec::new(), Vec::new());
    for file in &files {
        let text = std::fs::read_to_string(file)
            .map_err(|source| ExamplesError::Io { path: file.clone(), source })?;
        let mut take = |example| match example {
            Ok(example) => examples.push(example),
            Err(fault) => faults.push(fault),
        };
        if file.extension().is_some_and(|extension| extension == "txt") {
            take(keyword_list(file, &text));
        } else {
            read_lines(file, &text, set).for_each(take);
        }
    }
    if examples.is_empty() && faults.is_empty() {
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(ExamplesError::None(names.join(", ")));
    }
    Ok((examples, faults))
}

fn list(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> Result<(), ExamplesError> {
    let io = |source| ExamplesError::Io { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(io)?.is_dir() {
        for entry in std::fs::read_dir(path).map_err(io)? {
            list(&entry.map_err(io)?.path(), false, files)?;
        }
    } else if named || path.extension().is_some_and(|e| e == "jsonl" || e == "txt") {
        files.push(path.to_owned());
    }
    Ok(())
}

fn read_lines(
    file: &Path,
    text: &str,
    set: Option<&LabelSet>,
) -> impl Iterator<Item = Result<Example, ExamplesError>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(move |(index, line)| read_line(format!("{}:{}", file.display(), index + 1), line, set))
}

fn read_line(place: String, line: &str, set: Option<&LabelSet>) -> Result<Example, ExamplesError> {
    let mut example: Example = match serde_json::from_str(line) {
        Ok(example) => example,
        Err(error) => return Err(ExamplesError::Line { place, message: error.to_string() }),
    };
    if let Some(topic) = example.topic.take() {
        example.topics.insert(0, topic);
    }
    if example.topics.is_empty() && example.stance.is_none() {
        let message = "neither `topics` nor `stance`: give at least one label".into();
        return Err(ExamplesError::Line { place, message });
    }
    example.place = place;
    check_labels(&example, set)?;
    Ok(example)
}

/// Whether the labels of an example are out of `set`, or any where there is none.
///
/// # Errors
/// The first one that is not, by place.
pub fn check_labels(example: &Example, set: Option<&LabelSet>) -> Result<(), ExamplesError> {
    let fault = |message| Err(ExamplesError::Label { place: example.place.clone(), message });
    for task in Task::ALL {
        for label in example.labels(task) {
            let name = task.name();
            if label.trim().is_empty() {
                return fault(format!("an empty {name}"));
            }
            let Some(known) = set.map(|set| set.of(task)) else { continue };
            if !known.iter().any(|one| one.code == *label) {
                let first = &known[0].code;
                return fault(format!("unknown {name} `{label}`: write one such as `{first}`"));
            }
        }
    }
    Ok(())
}

/// A list named after its topic: `07-health.txt` is for `medtop:07000000`.
fn keyword_list(file: &Path, text: &str) -> Result<Example, ExamplesError> {
    let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let digits = name.split('-').next().unwrap_or_default();
    let code = format!("medtop:{digits:0<8}");
    if digits.len() != 2 || !labels(Task::Topic).iter().any(|label| label.code == code) {
        return Err(ExamplesError::Line {
            place: file.display().to_string(),
            message: "name a keyword list after its topic, such as 07-health.txt".into(),
        });
    }
    let place = file.display().to_string();
    Ok(Example {
        topics: vec![code],
        keywords: true,
        ..Example::new(name, String::new(), text.to_owned(), place)
    })
}
