//! Fields by name, of a JSON object or of a row, to an example.

use super::super::counts::UNIT;
use super::super::examples::{DERIVED, Example, ExamplesError, check_labels};
use super::super::labels::LabelSet;
use crate::text::{Language, to_text};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Names of fields in sources, and the field that each is.
const NAMES: [(&str, &str); 14] = [
    ("text", "text"),
    ("title", "title"),
    ("topic", "topic"),
    ("topics", "topics"),
    ("stance", "stance"),
    ("target", "target"),
    ("id", "id"),
    ("lang", "lang"),
    ("language", "lang"),
    ("published", "published"),
    ("date", "published"),
    ("event", "event"),
    ("concept", "concept"),
    ("form", "form"),
];

/// What separates topics that stand in one cell.
const SEPARATORS: [char; 2] = ['|', ';'];

/// What fields are called in a source, where it is not their own name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns(BTreeMap<String, &'static str>);

impl Columns {
    /// Reads `FIELD=NAME` pairs: the field `text` is called `body`, and so on.
    ///
    /// # Errors
    /// What is wrong with a pair, in words.
    pub fn read(pairs: &[String]) -> Result<Self, String> {
        let mut columns = BTreeMap::new();
        for pair in pairs {
            let (field, name) =
                pair.split_once('=').ok_or_else(|| format!("`{pair}`: write FIELD=NAME, as in text=body"))?;
            let Some((_, field)) = NAMES.iter().find(|(_, known)| *known == field.trim()) else {
                let known: BTreeSet<&str> = NAMES.iter().map(|(_, field)| *field).collect();
                let known = known.into_iter().collect::<Vec<_>>().join(", ");
                return Err(format!("`{pair}`: no field `{}`; fields are {known}", field.trim()));
            };
            columns.insert(name.trim().to_owned(), *field);
        }
        Ok(Self(columns))
    }

    /// The field that `name` is in the source.
    pub fn field(&self, name: &str) -> Option<&'static str> {
        let name = name.trim();
        if let Some(field) = self.0.get(name) {
            return Some(field);
        }
        let lower = name.to_lowercase();
        let (_, field) = NAMES.iter().find(|(known, _)| *known == lower)?;
        // a field that is called otherwise here is not called by its own name
        (!self.0.values().any(|other| other == field)).then_some(field)
    }
}

/// What a source must have besides text.
pub const LABELS: [&str; 3] = ["topic", "topics", "stance"];

/// What a field holds.
enum Cell {
    One(String),
    Many(Vec<String>),
}

/// Reads an example of names and values; names that are no field go to `unused`.
///
/// # Errors
/// [`ExamplesError::Line`] and [`ExamplesError::Label`] name the field that is wrong.
pub fn example(
    values: impl Iterator<Item = (String, Value)>,
    columns: &Columns,
    set: Option<&LabelSet>,
    place: String,
    unused: &mut BTreeSet<String>,
) -> Result<Example, ExamplesError> {
    let mut cells: BTreeMap<&'static str, Cell> = BTreeMap::new();
    let line = |message: String| ExamplesError::Line { place: place.clone(), message };
    for (name, value) in values {
        let Some(field) = columns.field(&name) else {
            unused.insert(name);
            continue;
        };
        let cell = cell(value).map_err(|found| {
            let expected = if field == "topics" { "text or a list of texts" } else { "text" };
            line(format!("field `{name}`: expected {expected}, found {found}"))
        })?;
        if let Some(cell) = cell {
            cells.insert(field, cell);
        }
    }
    let mut take = |field: &str| -> Result<Option<String>, ExamplesError> {
        match cells.remove(field) {
            None => Ok(None),
            Some(Cell::One(text)) => Ok(Some(text)),
            Some(Cell::Many(_)) => Err(line(format!("field `{field}`: expected text, found a list"))),
        }
    };
    let trimmed = |text: Option<String>| text.map(|text| text.trim().to_owned());
    // as the worker reads articles
    let plain = |text: Option<String>| text.map_or_else(String::new, |text| to_text(&text).into_owned());
    let (title, text) = (plain(take("title")?), plain(take("text")?));
    if title.trim().is_empty() && text.trim().is_empty() {
        return Err(line("no text: the field `text` is missing or empty".into()));
    }
    let (id, topic, stance) = (trimmed(take("id")?), trimmed(take("topic")?), trimmed(take("stance")?));
    let lang = match trimmed(take("lang")?) {
        None => None,
        Some(code) => Some(language(&code).map_err(line)?),
    };
    let published = match trimmed(take("published")?) {
        None => None,
        Some(time) => Some(moment(&time).ok_or_else(|| {
            line(format!("field `published`: `{time}` is no time: write 2026-01-31 or 2026-01-31T08:15:30Z"))
        })?),
    };
    let (target, event) = (take("target")?, take("event")?);
    let (concept, form) = (take("concept")?, take("form")?);
    let topics = topics(topic, cells.remove("topics"));
    if topics.is_empty() && stance.is_none() {
        return Err(line("neither `topics` nor `stance`: give at least one label".into()));
    }
    let id = id.unwrap_or_else(|| derived(&title, &text));
    let example = Example {
        id,
        title,
        text,
        topics,
        stance,
        target,
        event,
        concept,
        lang,
        form,
        published,
        keywords: false,
        weight: UNIT,
        place,
    };
    check_labels(&example, set)?;
    Ok(example)
}

/// An id that follows the text wherever it goes, so that equal texts stand in one fold.
pub fn derived(title: &str, text: &str) -> String {
    let digest: [u8; 32] =
        Sha256::new().chain_update(title).chain_update("\n").chain_update(text).finalize().into();
    let hex: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{DERIVED}{hex}")
}

/// The time of `2026-01-31T08:15:30Z`, `2026-01-31T08:15:30` (UTC) or `2026-01-31` (midnight UTC).
pub fn moment(text: &str) -> Option<Timestamp> {
    let utc = |time: DateTime| time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let parsed = text.parse::<Timestamp>().ok();
    let parsed = parsed.or_else(|| utc(text.parse::<DateTime>().ok()?));
    parsed.or_else(|| utc(text.parse::<Date>().ok()?.at(0, 0, 0, 0)))
}

fn language(code: &str) -> Result<Language, String> {
    let primary = code.split(['-', '_']).next().unwrap_or_default().to_lowercase();
    Language::ALL
        .into_iter()
        .find(|language| language.code() == primary)
        .ok_or_else(|| format!("field `lang`: `{code}` is neither `ar` nor `en`: leave the text out"))
}

/// The one topic stands first.
fn topics(topic: Option<String>, more: Option<Cell>) -> Vec<String> {
    let listed = match more {
        // one cell of a table holds them all
        Some(Cell::One(text)) => text.split(SEPARATORS).map(str::to_owned).collect(),
        Some(Cell::Many(list)) => list,
        None => Vec::new(),
    };
    let mut topics: Vec<String> = Vec::new();
    for topic in topic.into_iter().chain(listed) {
        let topic = topic.trim().to_owned();
        if !topics.contains(&topic) {
            topics.push(topic);
        }
    }
    topics
}

/// The texts that a value is; what else it is, if it is something else.
fn cell(value: Value) -> Result<Option<Cell>, &'static str> {
    let text = |value: Value| match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(_) => Err("a boolean"),
        Value::Array(_) => Err("a list"),
        Value::Object(_) => Err("an object"),
        Value::Null => Err("null"),
    };
    match value {
        Value::Null => Ok(None),
        Value::Array(list) if list.is_empty() => Ok(None),
        Value::Array(list) => list.into_iter().map(text).collect::<Result<_, _>>().map(Cell::Many).map(Some),
        other => text(other).map(Cell::One).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, columns: &[&str]) -> Result<Example, ExamplesError> {
        let columns: Vec<String> = columns.iter().map(|pair| (*pair).to_owned()).collect();
        let columns = Columns::read(&columns).unwrap();
        let object: serde_json::Map<String, Value> = serde_json::from_str(json).unwrap();
        example(object.into_iter(), &columns, None, "a:1".into(), &mut BTreeSet::new())
    }

    #[test]
    fn names_of_fields_can_be_others() {
        let example = read(
            r#"{"Body": "b", "text": "t", "section": "Arts; culture"}"#,
            &["text=Body", "topic=section"],
        )
        .unwrap();
        assert_eq!((&*example.text, example.topics), ("b", vec!["Arts; culture".to_owned()]));
        assert!(example.id.starts_with(DERIVED));
        assert!(Columns::read(&["text".into()]).is_err());
        let error = Columns::read(&["body=text".into()]).unwrap_err();
        assert!(error.contains("no field `body`; fields are concept, "), "{error}");
    }

    #[test]
    fn topics_are_a_list_or_one_cell_and_none_stands_twice() {
        for topics in [r#"["a", "b", "a"]"#, r#""a | b;a""#] {
            let example = read(&format!(r#"{{"id": 7, "text": "t", "topics": {topics}}}"#), &[]).unwrap();
            assert_eq!((example.id.as_str(), example.topics), ("7", vec!["a".to_owned(), "b".to_owned()]));
        }
        let both = read(r#"{"title": "t", "topic": "b", "topics": ["a"]}"#, &[]).unwrap();
        assert_eq!(both.topics, ["b", "a"]);
    }

    #[test]
    fn each_wrong_field_is_named() {
        for (json, said) in [
            (r#"{"topic": "a"}"#, "a:1: no text: the field `text`"),
            (r#"{"text": "t"}"#, "a:1: neither `topics` nor `stance`"),
            (r#"{"text": "t", "topic": " "}"#, "a:1: an empty topic"),
            (r#"{"text": "t", "topics": ["a", ""]}"#, "a:1: an empty topic"),
            (r#"{"text": ["t", "u"], "topic": "a"}"#, "a:1: field `text`: expected text, found a list"),
            (r#"{"text": {}, "topic": "a"}"#, "a:1: field `text`: expected text, found an object"),
            (
                r#"{"text": "t", "topics": [{}]}"#,
                "a:1: field `topics`: expected text or a list of texts, found an",
            ),
            (r#"{"text": "t", "topic": "a", "lang": "fr"}"#, "a:1: field `lang`: `fr` is neither"),
            (r#"{"text": "t", "topic": "a", "date": "soon"}"#, "a:1: field `published`: `soon` is no time"),
        ] {
            let error = read(json, &[]).unwrap_err().to_string();
            assert!(error.starts_with(said), "{json}: {error}");
        }
        let good =
            read(r#"{"text": "t", "stance": "favor", "lang": "AR-eg", "date": "2026-01-31"}"#, &[]).unwrap();
        assert_eq!(good.lang, Some(Language::Arabic));
        assert_eq!(good.published.unwrap().to_string(), "2026-01-31T00:00:00Z");
    }
}
