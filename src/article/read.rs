//! Reads an article from JSON (plain, ninjs 1 to 3, schema.org NewsArticle) or from raw text.

use super::Rejection;
use crate::text::to_text;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// One article as it came.
#[derive(Clone, Debug)]
pub struct Article<'a> {
    /// `id`, `uri`, `@id` or `url`, where the record has one.
    pub id: Option<Cow<'a, str>>,
    /// Title or headline, HTML reduced to text; may be empty.
    pub title: Cow<'a, str>,
    /// The body, HTML reduced to text; may be empty where there is a title.
    pub text: Cow<'a, str>,
    /// The input's JSON, untouched; `None` for raw text.
    pub json: Option<&'a RawValue>,
}

/// JSON pointers (RFC 6901) from the settings that override where fields are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointers {
    /// Where the id stands.
    pub id: Option<String>,
    /// Where the title stands.
    pub title: Option<String>,
    /// Where the text stands.
    pub text: Option<String>,
}

impl Pointers {
    fn any(&self) -> bool {
        self.id.is_some() || self.title.is_some() || self.text.is_some()
    }
}

impl<'a> Article<'a> {
    /// Reads `input`: an object in braces is JSON, anything else is the text itself.
    ///
    /// # Errors
    /// [`Rejection::Json`], [`Rejection::Field`] or [`Rejection::NoText`].
    pub fn read(input: &'a str, pointers: &Pointers) -> Result<Self, Rejection> {
        let article = if input.trim_start().starts_with('{') {
            let raw: &RawValue = serde_json::from_str(input).map_err(bad_json)?;
            let fields: Fields<'a> = serde_json::from_str(raw.get()).map_err(bad_json)?;
            let mut article = fields.article(raw)?;
            if pointers.any() {
                article.follow(pointers, raw)?;
            }
            article
        } else {
            Self { id: None, title: "".into(), text: input.into(), json: None }
        };
        article.readable()
    }

    /// Reduces HTML and refuses what has no text.
    fn readable(mut self) -> Result<Self, Rejection> {
        self.title = reduce(self.title);
        self.text = reduce(self.text);
        let has_letter = |text: &str| text.chars().any(char::is_alphanumeric);
        if has_letter(&self.text) || has_letter(&self.title) { Ok(self) } else { Err(Rejection::NoText) }
    }

    fn follow(&mut self, pointers: &Pointers, raw: &RawValue) -> Result<(), Rejection> {
        let value: serde_json::Value = serde_json::from_str(raw.get()).map_err(bad_json)?;
        let get = |pointer: &Option<String>| -> Result<Option<String>, Rejection> {
            let Some(pointer) = pointer else { return Ok(None) };
            match value.pointer(pointer) {
                None | Some(serde_json::Value::Null) => Ok(None),
                Some(serde_json::Value::String(text)) => Ok(Some(text.clone())),
                Some(serde_json::Value::Number(number)) => Ok(Some(number.to_string())),
                Some(other) => Err(Rejection::Field { field: pointer.clone(), found: kind(other) }),
            }
        };
        if let Some(id) = get(&pointers.id)? {
            self.id = Some(id.into());
        }
        if let Some(title) = get(&pointers.title)? {
            self.title = title.into();
        }
        if let Some(text) = get(&pointers.text)? {
            self.text = text.into();
        }
        Ok(())
    }
}

fn reduce(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => to_text(text),
        Cow::Owned(text) => Cow::Owned(to_text(&text).into_owned()),
    }
}

fn bad_json(error: serde_json::Error) -> Rejection {
    Rejection::Json(error.to_string())
}

fn kind(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Array(_) => "a list",
        serde_json::Value::Object(_) => "an object",
        serde_json::Value::Bool(_) => "a boolean",
        _ => "a number",
    }
}

/// What a key means, and which key goes first where several are there.
const KEYS: [(&str, Slot, u8); 23] = [
    ("id", Slot::Id, 0),
    ("uri", Slot::Id, 1),
    ("@id", Slot::Id, 2),
    ("url", Slot::Id, 3),
    ("title", Slot::Title, 0),
    ("headline", Slot::Title, 1),
    ("headlines", Slot::Title, 2),
    ("headline_text", Slot::Title, 3),
    ("name", Slot::Title, 4),
    ("text", Slot::Text, 0),
    ("body", Slot::Text, 1),
    ("content", Slot::Text, 2),
    ("articleBody", Slot::Text, 3),
    ("body_text", Slot::Text, 4),
    ("bodies", Slot::Text, 5),
    ("body_html", Slot::Text, 6),
    ("body_xhtml", Slot::Text, 7),
    ("body_richtext", Slot::Text, 8),
    ("description", Slot::Text, 9),
    ("description_text", Slot::Text, 10),
    ("descriptions", Slot::Text, 11),
    ("summary", Slot::Text, 12),
    ("abstract", Slot::Text, 13),
];

#[derive(Clone, Copy)]
enum Slot {
    Id = 0,
    Title = 1,
    Text = 2,
}

/// The fields of an object that matter, each with its key's place in [`KEYS`].
#[derive(Default)]
struct Fields<'a>([Option<(usize, Field<'a>)>; 3]);

impl<'a> Fields<'a> {
    fn article(self, json: &'a RawValue) -> Result<Article<'a>, Rejection> {
        let [id, title, text] = self.0;
        let text_of = |field: Option<(usize, Field<'a>)>| match field {
            None => Ok(Cow::Borrowed("")),
            Some((key, field)) => field.text(KEYS[key].0),
        };
        let id = match id {
            Some((_, Field::Text(id))) if !id.is_empty() => Some(id),
            Some((_, Field::Number(number))) => Some(number.into()),
            _ => None,
        };
        Ok(Article { id, title: text_of(title)?, text: text_of(text)?, json: Some(json) })
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some(Borrow(key)) = map.next_key::<Borrow<'de>>()? {
            let Some(at) = KEYS.iter().position(|(name, ..)| *name == key) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let field: Field<'de> = map.next_value()?;
            let (_, slot, rank) = KEYS[at];
            let place = &mut fields.0[slot as usize];
            let better = place.as_ref().is_none_or(|(known, _)| rank < KEYS[*known].2);
            if better && !field.is_empty() {
                *place = Some((at, field));
            }
        }
        Ok(fields)
    }
}

/// A string, borrowed from the input where it has no escapes.
struct Borrow<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Borrow<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(FieldVisitor)? {
            Field::Text(text) => Ok(Self(text)),
            _ => Err(serde::de::Error::custom("expected text")),
        }
    }
}

/// The value of a field.
enum Field<'a> {
    Text(Cow<'a, str>),
    Number(String),
    /// ninjs 2 and 3: `[{"role": …, "value": …}]`.
    Parts(Vec<Part<'a>>),
    Null,
    Other(&'static str),
}

struct Part<'a> {
    main: bool,
    value: Cow<'a, str>,
}

impl<'a> Field<'a> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.trim().is_empty(),
            Self::Parts(parts) => parts.is_empty(),
            Self::Null => true,
            Self::Number(_) | Self::Other(_) => false,
        }
    }

    fn text(self, name: &str) -> Result<Cow<'a, str>, Rejection> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Null => Ok("".into()),
            // the main part, else the longest
            Self::Parts(parts) => Ok(parts
                .into_iter()
                .max_by_key(|part| (part.main, part.value.len()))
                .map_or("".into(), |part| part.value)),
            Self::Number(_) => Err(Rejection::Field { field: name.to_owned(), found: "a number" }),
            Self::Other(found) => Err(Rejection::Field { field: name.to_owned(), found }),
        }
    }
}

impl<'de> Deserialize<'de> for Field<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Field::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Field::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Field::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Field::Other("a boolean"))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Field::Number(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Field::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Field::Number(number.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut parts = Vec::new();
        while let Some(element) = list.next_element::<Element<'de>>()? {
            parts.extend(element.0);
        }
        Ok(Field::Parts(parts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Other("an object"))
    }
}

/// One element of `headlines` or `bodies`; a bare string counts too.
struct Element<'a>(Option<Part<'a>>);

impl<'de> Deserialize<'de> for Element<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ElementVisitor)
    }
}

struct ElementVisitor;

impl<'de> Visitor<'de> for ElementVisitor {
    type Value = Element<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a value, or text")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Element(Some(Part { main: false, value: value.into() })))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Element(Some(Part { main: false, value: value.to_owned().into() })))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Element(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut part = Part { main: false, value: "".into() };
        while let Some(Borrow(key)) = map.next_key::<Borrow<'de>>()? {
            match (&*key, map.next_value::<Field<'de>>()?) {
                ("value", Field::Text(value)) => part.value = value,
                ("role", Field::Text(role)) => part.main = role == "main",
                _ => {}
            }
        }
        Ok(Element((!part.value.is_empty()).then_some(part)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &str) -> Result<Article<'_>, Rejection> {
        Article::read(input, &Pointers::default())
    }

    #[test]
    fn every_shape_is_read() {
        for input in [
            r#"{"id":"7","title":"T","text":"نص"}"#,
            r#"{"uri":"7","headline":"T","body_text":"نص","extra":{"a":[1,2]}}"#,
            r#"{"uri":"7","headlines":[{"role":"short","value":"S long"},{"role":"main","value":"T"}],"bodies":[{"contentType":"text/html","value":"<p>نص</p>"}]}"#,
            r#"{"@type":"NewsArticle","@id":"7","headline":"T","articleBody":"نص"}"#,
            r#"{"id":7,"headline":"T","content":"نص"}"#,
            r#"{"text":"نص","id":"7","body":"other","title":"T","name":"N"}"#,
            r#"{"id":"7","title":"T","text":null,"body":"نص"}"#,
        ] {
            let article = read(input).unwrap();
            assert_eq!(article.id.as_deref(), Some("7"), "{input}");
            assert_eq!((&*article.title, &*article.text), ("T", "نص"), "{input}");
            assert_eq!(article.json.map(RawValue::get), Some(input));
        }
    }

    #[test]
    fn raw_text_needs_no_json() {
        let article = read("“شكلا” للتهنئة").unwrap();
        assert_eq!((&*article.text, article.json.is_none()), ("“شكلا” للتهنئة", true));
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_reason() {
        assert_eq!(read("{\"text\": \"a").unwrap_err().reason(), "json");
        assert_eq!(read("{\"text\": \"a\"} x").unwrap_err().reason(), "json");
        assert_eq!(read("  \n ").unwrap_err(), Rejection::NoText);
        assert_eq!(read("{}").unwrap_err(), Rejection::NoText);
        assert_eq!(
            read(r#"{"text":42}"#).unwrap_err().to_string(),
            "field `text`: expected text, found a number"
        );
        assert_eq!(read(r#"{"text":{"a":1}}"#).unwrap_err().reason(), "field");
        let deep = format!("{{\"a\":{}1{},\"text\":\"x\"}}", "[".repeat(50_000), "]".repeat(50_000));
        let _ = read(&deep);
    }

    #[test]
    fn pointers_override() {
        let pointers = Pointers { text: Some("/data/body".into()), ..Pointers::default() };
        let article = Article::read(r#"{"text":"a","data":{"body":"b"}}"#, &pointers).unwrap();
        assert_eq!(article.text, "b");
        let error = Article::read(r#"{"data":{"body":[]}}"#, &pointers).unwrap_err();
        assert_eq!(error.to_string(), "field `/data/body`: expected text, found a list");
    }
}
