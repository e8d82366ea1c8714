//! Examples to texts: stems, labels as columns, and the group that is never parted.

use super::counts::UNIT;
use super::examples::Example;
use super::features::Document;
use super::folds::{fold, group};
use super::labels::{Label, Task};
use crate::text::Language;

/// An example with its stems, ready to be counted.
pub struct Text {
    pub(super) document: Document,
    /// Columns of the labels, the main one first.
    pub(super) right: Vec<usize>,
    pub(super) keywords: bool,
    /// Texts of one event, concept or id have one number; they never stand in two folds.
    pub(super) group: u64,
}

impl Text {
    /// Which of `folds` it stands in.
    pub fn fold(&self, folds: usize) -> usize {
        fold(self.group, folds)
    }

    /// What it counts for each of its labels; `None` where it counts for nothing.
    pub(super) fn shares(&self, keyword_weight: u32) -> Option<Vec<(usize, u32)>> {
        let share = UNIT / self.right.len() as u32;
        let share = if self.keywords { UNIT * keyword_weight } else { share };
        (share > 0).then(|| self.right.iter().map(|label| (*label, share)).collect())
    }
}

/// How many labels have texts.
pub fn taught(texts: &[Text]) -> usize {
    texts.iter().flat_map(|text| &text.right).collect::<std::collections::BTreeSet<_>>().len()
}

/// The examples of one language and task, with folds that part no event or concept.
pub fn texts(examples: &[Example], language: Language, task: Task, all: &[Label]) -> Vec<Text> {
    let mut texts = Vec::new();
    for example in examples {
        let right: Vec<usize> = example
            .labels(task)
            .iter()
            .filter_map(|code| all.iter().position(|label| label.code == *code))
            .collect();
        if right.is_empty() {
            continue;
        }
        let document = Document::of(&[&example.title, &example.text]);
        if language_of(example, &document) != Some(language) {
            continue;
        }
        let group = group(example);
        texts.push(Text { document, right, keywords: example.keywords, group });
    }
    texts
}

/// The language that an example teaches: what it says itself, else what its words say; a keyword list has no grammar to tell it by, so its letters do.
pub fn language_of(example: &Example, document: &Document) -> Option<Language> {
    if !example.keywords {
        return example.lang.or_else(|| document.language());
    }
    let arabic = document.stems.iter().filter(|stem| stem.word.is_arabic()).count();
    Some(if arabic * 2 > document.stems.len() { Language::Arabic } else { Language::English })
}

/// Examples that teach nothing because they are neither Arabic nor English.
pub fn unknown_language(examples: &[Example]) -> Vec<&Example> {
    let unknown =
        |example: &&Example| language_of(example, &Document::of(&[&example.title, &example.text])).is_none();
    examples.iter().filter(unknown).collect()
}
