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
    /// How much it counts, in [`UNIT`]s.
    pub(super) weight: u32,
    /// Texts of one event, concept or id have one number; they never stand in two folds.
    pub(super) group: u64,
}

impl Text {
    /// Which of `folds` it stands in.
    pub fn fold(&self, folds: usize) -> usize {
        fold(self.group, folds)
    }

    /// Columns of its labels, the main one first.
    pub fn labels(&self) -> &[usize] {
        &self.right
    }

    /// What it counts for each of its labels; `None` where it counts for nothing.
    pub(super) fn shares(&self, keyword_weight: u32) -> Option<Vec<(usize, u32)>> {
        let share = UNIT / self.right.len() as u32;
        let share = if self.keywords { UNIT * keyword_weight } else { share };
        let share = (u64::from(share) * u64::from(self.weight) / u64::from(UNIT)) as u32;
        (share > 0).then(|| self.right.iter().map(|label| (*label, share)).collect())
    }
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
        taught.then(|| {
            (
                task,
                Text {
                    document: document.clone(),
                    right,
                    keywords: example.keywords,
                    weight: example.weight,
                    group,
                },
            )
        })
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

/// Texts of one language and task on which settings are compared: all of them up to 50,000, and of
/// more the groups whose numbers are smallest.
#[derive(Default)]
pub struct Sample {
    texts: Vec<Text>,
    below: Option<u64>,
    /// How many there were.
    pub seen: usize,
}

/// Texts that settings are compared on in one language and task.
pub const SAMPLE: usize = 50_000;

impl Sample {
    /// One more.
    pub fn add(&mut self, text: Text) {
        self.seen += 1;
        if self.below.is_none_or(|below| text.group < below) {
            self.texts.push(text);
        }
        if self.texts.len() > 2 * SAMPLE {
            self.cut(SAMPLE);
        }
    }

    /// Those that are kept.
    pub fn texts(mut self) -> Vec<Text> {
        if self.texts.len() > SAMPLE {
            self.cut(SAMPLE);
        }
        self.texts
    }

    fn cut(&mut self, most: usize) {
        self.texts.sort_by_key(|text| text.group);
        if let Some(over) = self.texts.get(most).map(|text| text.group) {
            self.texts.truncate(self.texts.partition_point(|text| text.group < over));
            self.below = Some(over);
        }
    }
}
