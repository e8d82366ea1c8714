//! Examples to texts: stems, labels as columns, and the group that is never parted.

use super::counts::UNIT;
use super::examples::Example;
use super::features::Document;
use super::folds::{fold, group};
use super::labels::{LabelSet, Task};
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

/// The language of an example, and its texts for the tasks that it has labels of `set` for; `None`
/// where it teaches nothing, being neither Arabic nor English.
pub fn read(example: &Example, set: &LabelSet) -> Option<(Language, Vec<(Task, Text)>)> {
    let document = Document::of(&[&example.title, &example.text]);
    let language = language_of(example, &document)?;
    let group = group(example);
    let text = |task| {
        let column = |code: &String| set.of(task).iter().position(|label| label.code == *code);
        let right: Vec<usize> = example.labels(task).iter().filter_map(column).collect();
        let taught = !right.is_empty();
        taught.then(|| (task, Text { document: document.clone(), right, keywords: example.keywords, group }))
    };
    Some((language, Task::ALL.into_iter().filter_map(text).collect()))
}

/// The language that an example teaches: what it says itself, else what its words say; a keyword list has no grammar to tell it by, so its letters do.
pub fn language_of(example: &Example, document: &Document) -> Option<Language> {
    if !example.keywords {
        return example.lang.or_else(|| document.language());
    }
    let arabic = document.stems.iter().filter(|stem| stem.word.is_arabic()).count();
    Some(if arabic * 2 > document.stems.len() { Language::Arabic } else { Language::English })
}
