//! What differs between two models: labels, settings, and the terms whose weights moved.

use super::labels::{Label, Task};
use super::parts::{Head, Model};
use crate::text::Language;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// Labels that only one of the two has, or that are called otherwise.
    pub labels: Vec<LabelChange>,
    /// All else that the header says: settings, calibration, thresholds, numbers of examples, figures.
    pub settings: Vec<Change>,
    /// By language, task and label: what moved toward it and away from it. Labels of both models alone.
    pub terms: Vec<Moved>,
}

/// A label that is not what it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelChange {
    /// Whose label.
    pub task: Task,
    /// Its code.
    pub code: String,
    /// English and Arabic name in the first model, where it has the label.
    pub before: Option<(String, String)>,
    /// English and Arabic name in the second.
    pub after: Option<(String, String)>,
}

/// A value that is not what it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Which, such as `ar.topic.calibration.slope`.
    pub name: String,
    /// In the first model; null where it has none.
    pub before: Value,
    /// In the second.
    pub after: Value,
}

/// The terms of one label that moved most.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moved {
    /// In which language.
    pub language: Language,
    /// Whose label.
    pub task: Task,
    /// Its code.
    pub code: String,
    /// Terms that speak more for the label than before, the most moved first.
    pub toward: Vec<Shift>,
    /// Terms that speak less for it.
    pub away: Vec<Shift>,
}

/// A term whose weight moved. Weights are what one occurrence adds to the label's log-odds in a text of
/// [`TEXT`] terms; that of a term which a model does not know is zero.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shift {
    /// The stem or pair of stems.
    pub term: String,
    /// Its weight in the first model.
    pub before: f32,
    /// Its weight in the second.
    pub after: f32,
    /// Texts that it was counted in, of the model with more of them.
    pub texts: u32,
}

/// Terms of the text that weights are told for: two models may be calibrated otherwise, so that their raw
/// weights have no common unit.
pub const TEXT: u32 = 100;

impl Diff {
    /// What differs from `a` to `b`, with up to `most` terms a label in each direction.
    pub fn of(a: &Model, b: &Model, most: usize) -> Self {
        let mut terms = Vec::new();
        for (key, after) in &b.heads {
            let Some(before) = a.heads.get(key) else { continue };
            if before.weights != after.weights || before.calibration != after.calibration {
                terms.extend(moved(
                    *key,
                    (before, a.info.labels(key.1)),
                    (after, b.info.labels(key.1)),
                    most,
                ));
            }
        }
        Self { labels: label_changes(a, b), settings: changes(&settings(a), &settings(b)), terms }
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.settings.is_empty() && self.terms.is_empty()
    }
}

fn label_changes(a: &Model, b: &Model) -> Vec<LabelChange> {
    let mut changes = Vec::new();
    for task in Task::ALL {
        let names = |model: &Model| -> BTreeMap<String, (String, String)> {
            let named = |label: &Label| (label.code.clone(), (label.name.clone(), label.name_ar.clone()));
            model.info.labels(task).iter().map(named).collect()
        };
        let (before, after) = (names(a), names(b));
        let codes: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let change = |code: &String| LabelChange {
            task,
            code: code.clone(),
            before: before.get(code).cloned(),
            after: after.get(code).cloned(),
        };
        changes.extend(codes.into_iter().map(change).filter(|change| change.before != change.after));
    }
    changes
}

/// All values of a model's header but the labels, by name.
fn settings(model: &Model) -> BTreeMap<String, Value> {
    let info = &model.info;
    let mut all = BTreeMap::from([
        ("name".to_owned(), Value::from(info.name.clone())),
        ("version".to_owned(), info.version.clone().into()),
        ("normaliser".to_owned(), info.normaliser.into()),
        ("examples".to_owned(), info.examples.into()),
        ("examples_sha256".to_owned(), info.examples_sha256.clone().into()),
    ]);
    for figures in &info.figures {
        let name = format!("{}.{}.cross_validated", figures.language.code(), figures.task.name());
        let own = ["language", "task"];
        flatten(&name, &serde_json::json!(figures), &own, &mut all);
    }
    for done in &info.adaptation {
        let name = format!("{}.adaptation", done.language.code());
        flatten(&name, &serde_json::json!(done), &["language", "topics"], &mut all);
    }
    for ((language, task), head) in &model.heads {
        let codes = info.labels(*task).iter().map(|label| &label.code);
        let thresholds: BTreeMap<_, _> = codes.zip(&head.thresholds).collect();
        let said = serde_json::json!({
            "terms": head.terms,
            "fitting": head.fitting,
            "keyword_weight": head.keyword_weight,
            "calibration": head.calibration,
            "thresholds": thresholds,
            "texts": head.texts,
            "vocabulary": head.counts.terms.len(),
            "weighed": head.weights.rows.len(),
        });
        flatten(&format!("{}.{}", language.code(), task.name()), &said, &[], &mut all);
    }
    all
}

/// The leaves of `value` under dotted names, `without` some.
fn flatten(name: &str, value: &Value, without: &[&str], into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields.iter().filter(|(field, _)| !without.contains(&field.as_str())) {
                flatten(&format!("{name}.{field}"), value, without, into);
            }
        }
        leaf => {
            into.insert(name.to_owned(), leaf.clone());
        }
    }
}

fn changes(a: &BTreeMap<String, Value>, b: &BTreeMap<String, Value>) -> Vec<Change> {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let of = |all: &BTreeMap<String, Value>, name: &String| all.get(name).cloned().unwrap_or_default();
    let change = |name: &String| Change { name: name.clone(), before: of(a, name), after: of(b, name) };
    names.into_iter().map(change).filter(|change| change.before != change.after).collect()
}

/// A head's terms with their weights in a text of [`TEXT`] terms.
struct Weighed<'a> {
    head: &'a Head,
    labels: usize,
    scale: f32,
    /// Term to texts and, where it has some, place of its weights.
    terms: BTreeMap<&'a str, (u32, Option<usize>)>,
}

impl<'a> Weighed<'a> {
    fn of(head: &'a Head) -> Self {
        let counts = &head.counts;
        let texts = counts.terms.iter().zip(&counts.texts);
        let mut terms: BTreeMap<&str, _> = texts.map(|(term, n)| (term, (*n, None))).collect();
        for (place, row) in head.weights.rows.iter().enumerate() {
            if let Some(term) = terms.get_mut(&counts.terms[*row as usize]) {
                term.1 = Some(place);
            }
        }
        Self { head, labels: counts.labels(), scale: head.calibration.scale(TEXT), terms }
    }

    fn weight(&self, term: &str, label: usize) -> f32 {
        let place = self.terms.get(term).and_then(|(_, place)| *place);
        place.map_or(0.0, |place| self.scale * self.head.weights.table[place * self.labels + label])
    }

    fn texts(&self, term: &str) -> u32 {
        self.terms.get(term).map_or(0, |(texts, _)| *texts)
    }
}

fn moved(
    (language, task): (Language, Task),
    (before, labels_before): (&Head, &[Label]),
    (after, labels_after): (&Head, &[Label]),
    most: usize,
) -> Vec<Moved> {
    let (before, after) = (Weighed::of(before), Weighed::of(after));
    let terms: BTreeSet<&str> = before.terms.keys().chain(after.terms.keys()).copied().collect();
    let of = |(column, label): (usize, &Label)| {
        let column_before = labels_before.iter().position(|one| one.code == label.code)?;
        let shifts = terms.iter().map(|term| Shift {
            term: (*term).to_owned(),
            before: before.weight(term, column_before),
            after: after.weight(term, column),
            texts: before.texts(term).max(after.texts(term)),
        });
        let mut shifts: Vec<Shift> = shifts.filter(|shift| shift.before != shift.after).collect();
        shifts.sort_by(|a, b| b.size().total_cmp(&a.size()).then_with(|| a.term.cmp(&b.term)));
        let side = |toward: bool| {
            let side = shifts.iter().filter(|shift| (shift.after > shift.before) == toward);
            side.take(most).cloned().collect::<Vec<_>>()
        };
        let moved = Moved { language, task, code: label.code.clone(), toward: side(true), away: side(false) };
        (!shifts.is_empty()).then_some(moved)
    };
    labels_after.iter().enumerate().filter_map(of).collect()
}

impl Shift {
    /// How far it moved against how well it is known: the standard error of the logarithm of a count falls
    /// with its square root, and without that the terms of a single text would come first.
    fn size(&self) -> f32 {
        (self.after - self.before).abs() * (self.texts.max(1) as f32).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Info, UNIT, Weights};

    /// A model of one head: terms with texts and weights of labels.
    fn model(labels: &[(&str, &str)], terms: &[(&str, u32, &[f32])], slope: f32) -> Model {
        let mut bundled = Model::bundled().unwrap_or_else(|error| panic!("{error}"));
        let key = (Language::Arabic, Task::Topic);
        let mut head = bundled.heads.remove(&key).unwrap_or_else(|| panic!("no head"));
        head.calibration = crate::model::Calibration { slope, pad: 0.0, noise: 0.0 };
        head.thresholds = vec![0.2; labels.len()];
        head.kept.clear();
        head.counts = crate::model::Counts::from_parts(
            terms.iter().map(|(term, ..)| term).collect(),
            terms.iter().map(|(_, texts, _)| *texts).collect(),
            vec![UNIT; terms.len() * labels.len()],
            vec![UNIT; labels.len()],
        );
        head.weights = Weights {
            rows: (0..terms.len() as u32).collect(),
            table: terms.iter().flat_map(|(_, _, weights)| weights.iter().copied()).collect(),
        };
        let label = |(code, name): &(&str, &str)| Label {
            code: (*code).into(),
            name: (*name).into(),
            name_ar: "".into(),
        };
        let info = Info {
            topics: labels.iter().map(label).collect(),
            figures: Vec::new(),
            examples: terms.len(),
            ..bundled.info
        };
        Model { info, heads: BTreeMap::from([(key, head)]) }
    }

    #[test]
    fn nothing_differs_from_itself() {
        let bundled = Model::bundled().unwrap_or_else(|error| panic!("{error}"));
        assert!(Diff::of(&bundled, &bundled, 5).is_empty());
    }

    #[test]
    fn known_changes_are_found() {
        let a = model(
            &[("arts", "Arts"), ("sport", "Sport"), ("war", "War")],
            &[("goal", 9, &[-1.0, 1.0, 0.0]), ("film", 4, &[1.0, -1.0, 0.0]), ("old", 1, &[0.5, 0.0, -0.5])],
            100.0,
        );
        // another slope alone moves every weight; here raw weights are halved too, so goal is where it was
        let b = model(
            &[("arts", "Culture"), ("money", "Money"), ("sport", "Sport")],
            &[
                ("goal", 16, &[-0.5, 0.0, 0.5]),
                ("film", 4, &[1.0, 0.0, -1.0]),
                ("new", 1, &[-0.25, 0.0, 0.25]),
            ],
            200.0,
        );
        let diff = Diff::of(&a, &b, 1);
        let labels: Vec<_> = diff
            .labels
            .iter()
            .map(|change| (change.code.as_str(), change.before.is_some(), change.after.is_some()))
            .collect();
        assert_eq!(labels, [("arts", true, true), ("money", false, true), ("war", true, false)]);
        let slope = diff.settings.iter().find(|change| change.name == "ar.topic.calibration.slope");
        assert_eq!(slope.map(|c| (c.before.clone(), c.after.clone())), Some((100.0.into(), 200.0.into())));
        assert!(
            diff.settings
                .iter()
                .any(|change| change.name == "ar.topic.thresholds.war" && change.after.is_null())
        );
        assert!(!diff.settings.iter().any(|change| change.name == "version"));
        let codes: Vec<&str> = diff.terms.iter().map(|moved| moved.code.as_str()).collect();
        assert_eq!(codes, ["arts", "sport"], "labels of both");
        let shift = |term: &str, before, after, texts| Shift { term: term.into(), before, after, texts };
        // in a text of 100 terms: slope / 100 times the weight. film +1 in 4 texts; old −0.5 and new −0.5 in one
        assert_eq!(diff.terms[0].toward, [shift("film", 1.0, 2.0, 4)]);
        assert_eq!(diff.terms[0].away, [shift("new", 0.0, -0.5, 1)]);
        assert_eq!(diff.terms[1].toward, [shift("new", 0.0, 0.5, 1)]);
        assert_eq!(diff.terms[1].away, [shift("film", -1.0, -2.0, 4)]);
        let backwards = Diff::of(&b, &a, 1);
        assert_eq!(backwards.terms[0].away, [shift("film", 2.0, 1.0, 4)]);
    }
}
