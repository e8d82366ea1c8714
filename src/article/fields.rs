//! The keys under which JSON news keeps its id, title and text.

use super::strings::read_string;
use super::{Article, Rejection};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Levels of lists and objects that a record may have, itself counted. Its copy is one level deeper in the output
/// record, and common JSON readers end at 128 levels (serde_json) or about 1000 (Jackson, Python).
pub(super) const MAX_DEPTH: usize = 100;

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
pub(super) struct Fields<'a>([Option<(usize, Field<'a>)>; 3]);

impl<'a> Fields<'a> {
    /// The article that the fields make; `json` is the whole object.
    pub(super) fn article(self, json: &'a str) -> Result<Article<'a>, Rejection> {
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
                shallow(map.next_value::<&RawValue>()?.get())?;
                continue;
            };
            let field: Field<'de> = map.next_value()?;
            let (_, slot, rank) = KEYS[at];
            let place = &mut fields.0[slot as usize];
            let better = place.as_ref().is_none_or(|(known, _)| rank < KEYS[*known].2);
            // an id that is no text leaves the place to `uri` or `url`
            let useful = !field.is_empty()
                && (slot as usize != Slot::Id as usize || matches!(field, Field::Text(_) | Field::Number(_)));
            if better && useful {
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
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        if let Some(text) = text(raw)? {
            return Ok(Self::Text(text));
        }
        shallow(raw)?;
        // short, but for lists, whose texts are not looked at here
        let other = serde_json::Deserializer::from_str(raw).deserialize_any(FieldVisitor);
        other.map_err(|error: serde_json::Error| {
            // its place is one within the field; without any it gets that in the record
            let said = error.to_string();
            serde::de::Error::custom(said.split(" at line ").next().unwrap_or_default())
        })
    }
}

/// Refuses the JSON value of a field that is nested too deeply.
fn shallow<E: serde::de::Error>(raw: &str) -> Result<(), E> {
    // a level takes two bytes at least
    if raw.len() / 2 < MAX_DEPTH || !raw.starts_with(['[', '{']) {
        return Ok(());
    }
    let (mut depth, mut bytes) = (1, raw.bytes());
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            b'"' => {
                while bytes
                    .next()
                    .is_some_and(|byte| byte != b'"' && (byte != b'\\' || bytes.next().is_some()))
                {
                }
            }
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(E::custom(format_args!("nested deeper than {MAX_DEPTH} levels")));
        }
    }
    Ok(())
}

/// The text that `raw`, a JSON value, is; `None` where it is something else.
fn text<E: serde::de::Error>(raw: &str) -> Result<Option<Cow<'_, str>>, E> {
    let Some(quoted) = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) else { return Ok(None) };
    read_string(quoted).map(Some).ok_or_else(|| E::custom("half of a surrogate pair in an escape"))
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
            let raw = map.next_value::<&RawValue>()?.get();
            match &*key {
                "value" => part.value = text(raw)?.unwrap_or_default(),
                "role" => part.main = text(raw)?.is_some_and(|role| role == "main"),
                _ => {}
            }
        }
        Ok(Element((!part.value.is_empty()).then_some(part)))
    }
}
