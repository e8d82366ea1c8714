//! Says what is wrong with a set of labelled examples, and what to do about it.

use super::examples::{Example, ExamplesError};
use super::features::Document;
use super::labels::{LabelSet, Task};
use super::sources::Unused;
use super::texts::language_of;
use crate::text::Language;
use serde::Serialize;
use std::collections::BTreeMap;

mod each;
mod mistakes;
mod whole;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Training on it goes wrong or measures wrong.
    Error,
    /// Worth a look.
    Warning,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// The line is an example.
    Schema,
    /// Ids are unique.
    Id,
    /// Topic, stance and concept are known.
    Code,
    /// The text is Arabic or English, as its folder says.
    Language,
    /// Like texts stand in one fold.
    Leakage,
    /// The concept belongs to a topic of the example.
    Concept,
    /// The text is neither short nor long.
    Length,
    /// No text stands twice.
    Duplicate,
    /// Each event is told with every stance.
    Event,
    /// Labels have alike numbers of examples.
    Balance,
    /// All fields are used.
    Field,
    /// No two labels are spelled nearly alike.
    Label,
    /// A model that has not seen the example says the same.
    Mistake,
}

impl Check {
    /// Whether a finding is an error or a warning.
    pub fn severity(self) -> Severity {
        match self {
            Self::Schema | Self::Id | Self::Code | Self::Language | Self::Leakage => Severity::Error,
            Self::Concept | Self::Length | Self::Duplicate | Self::Event | Self::Balance => Severity::Warning,
            Self::Field | Self::Label | Self::Mistake => Severity::Warning,
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// File and line.
    pub place: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was looked at.
    pub check: Check,
    /// What is wrong and what to do.
    pub message: String,
}

/// The examples of one language and task.
#[derive(Clone, Debug, Serialize)]
pub struct Set {
    /// The language of the texts.
    pub language: Language,
    /// The task.
    pub task: Task,
    /// How many there are.
    pub examples: usize,
    /// How many have this main label.
    pub labels: BTreeMap<String, usize>,
}

/// What the linter found.
#[derive(Clone, Debug, Serialize)]
pub struct Lint {
    /// Examples that were read, without keyword lists.
    pub examples: usize,
    /// Findings that are errors.
    pub errors: usize,
    /// Findings that are warnings.
    pub warnings: usize,
    /// In the order of files and lines.
    pub findings: Vec<Finding>,
    /// By language and task.
    pub sets: Vec<Set>,
    /// By language: second- and third-level concepts that no example is about, nor about one below.
    pub not_illustrated: BTreeMap<&'static str, Vec<&'static str>>,
}

/// An example with what its text says.
struct Read<'a> {
    example: &'a Example,
    language: Option<Language>,
}

/// By what examples are judged, and what else is known of them.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The labels that they may have.
    pub labels: LabelSet,
    /// Names that are no fields.
    pub unused: Unused,
    /// Labels that are spelled nearly alike: where the rarer one stands first, and what to do.
    pub near: Vec<(String, String)>,
    /// Whether to look for likely label mistakes; takes a cross-validation.
    pub mistakes: bool,
}

impl Default for Scope {
    fn default() -> Self {
        Self { labels: LabelSet::iptc(), unused: Unused::new(), near: Vec::new(), mistakes: false }
    }
}

/// As [`Scope::lint`], by the topics of IPTC and the rules of this repository's examples.
pub fn lint(examples: &[Example], faults: &[ExamplesError]) -> Lint {
    Scope::default().lint(examples, faults)
}

impl Scope {
    /// Looks at `examples`, in the order in which training would see them, and at what is none.
    pub fn lint(&self, examples: &[Example], faults: &[ExamplesError]) -> Lint {
        let mut findings: Vec<Finding> = faults.iter().map(fault).collect();
        let all: Vec<Read> = examples
            .iter()
            .map(|example| {
                let document = Document::of(&[&example.title, &example.text]);
                Read { example, language: language_of(example, &document) }
            })
            .collect();
        // a keyword list is no text: only the folds that it takes count
        let texts: Vec<&Read> = all.iter().filter(|read| !read.example.keywords).collect();
        let own = self.labels.topics != LabelSet::iptc().topics;
        each::one_by_one(&texts, own, &mut findings);
        whole::events(&texts, &self.labels.stances, &mut findings);
        whole::duplicates(&all, &mut findings);
        let sets = whole::balance(&texts, &mut findings);
        if self.mistakes {
            mistakes::mistakes(&all, &self.labels, &mut findings);
        }
        for (file, names) in &self.unused {
            let message = format!("not used: {}", names.join(", "));
            findings.push(finding(Check::Field, &file.display().to_string(), message));
        }
        findings
            .extend(self.near.iter().map(|(place, message)| finding(Check::Label, place, message.clone())));
        findings.sort_by(|a, b| order(a).cmp(&order(b)));
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        Lint {
            examples: texts.len(),
            errors,
            warnings: findings.len() - errors,
            findings,
            sets,
            not_illustrated: if own { BTreeMap::new() } else { whole::not_illustrated(&texts) },
        }
    }
}

fn finding(check: Check, place: &str, message: String) -> Finding {
    Finding { place: place.to_owned(), severity: check.severity(), check, message }
}

fn fault(fault: &ExamplesError) -> Finding {
    match fault {
        ExamplesError::Line { place, message } => finding(Check::Schema, place, message.clone()),
        ExamplesError::Label { place, message } => finding(Check::Code, place, message.clone()),
        ExamplesError::Io { path, source } => {
            finding(Check::Schema, &path.display().to_string(), source.to_string())
        }
        ExamplesError::None(paths) => finding(Check::Schema, paths, fault.to_string()),
    }
}

/// Files by name, lines by number.
fn order(finding: &Finding) -> (&str, usize, Check) {
    let parts = finding.place.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
    let (file, line) = parts.unwrap_or((&finding.place, 0));
    (file, line, finding.check)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words that no two numbers share in a row, in English.
    pub fn text(number: usize) -> String {
        let letters =
            |n: usize| (0..4).map(|i| char::from(b'a' + (n >> (4 * i) & 15) as u8)).collect::<String>();
        let words: Vec<String> = (0..25).map(|i| format!("the {}", letters(number * 25 + i))).collect();
        words.join(" ")
    }

    pub fn example(number: usize, labels: &str) -> Example {
        let line = format!(r#"{{"id": "{number}", "text": "{}", {labels}}}"#, text(number));
        let mut example = super::super::sources::example_of(&line);
        example.place = format!("en/a.jsonl:{number}");
        example
    }

    /// Place and check of each finding.
    pub fn found(examples: &[Example]) -> Vec<(String, Check)> {
        let lint = lint(examples, &[]);
        lint.findings.into_iter().map(|finding| (finding.place, finding.check)).collect()
    }

    #[test]
    fn findings_stand_in_order_of_lines_and_are_counted() {
        let fault = |place: &str| ExamplesError::Line { place: place.into(), message: "m".into() };
        let label = ExamplesError::Label { place: "a:3".into(), message: "m".into() };
        let lint = lint(&[], &[fault("a:10"), label, fault("b:1"), fault("a:9")]);
        let order: Vec<_> = lint.findings.iter().map(|f| (f.place.as_str(), f.check)).collect();
        let schema = Check::Schema;
        assert_eq!(order, [("a:3", Check::Code), ("a:9", schema), ("a:10", schema), ("b:1", schema)]);
        assert_eq!((lint.errors, lint.warnings), (4, 0));
    }
}
