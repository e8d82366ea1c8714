//! Reads an article from JSON (plain, ninjs 1 to 3, schema.org NewsArticle) or from raw text.

use super::Rejection;
use super::fields::Fields;
use crate::text::to_text;
use std::borrow::Cow;

/// One article as it came.
#[derive(Clone, Debug)]
pub struct Article<'a> {
    /// `id`, `uri`, `@id` or `url`, where the record has one.
    pub id: Option<Cow<'a, str>>,
    /// Title or headline, HTML reduced to text; may be empty.
    pub title: Cow<'a, str>,
    /// The body, HTML reduced to text; may be empty where there is a title.
    pub text: Cow<'a, str>,
    /// The input's JSON, untouched and known to be valid; `None` for raw text.
    pub json: Option<&'a str>,
}

/// White space as JSON has it (RFC 8259, section 2).
const JSON_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

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
    /// The title, or the first words of an article without; `most` characters of it.
    pub fn headline(&self, most: usize) -> String {
        let source = if self.title.trim().is_empty() { &self.text } else { &self.title };
        source.trim().chars().take(most).collect()
    }

    /// Reads `input`: an object in braces is JSON, anything else is the text itself.
    ///
    /// # Errors
    /// [`Rejection::Json`], [`Rejection::Field`] or [`Rejection::NoText`].
    pub fn read(input: &'a str, pointers: &Pointers) -> Result<Self, Rejection> {
        let article = if input.trim_start().starts_with('{') {
            // one pass checks all of it and takes out the fields
            let fields: Fields<'a> = serde_json::from_str(input).map_err(bad_json)?;
            let mut article = fields.article(input.trim_matches(JSON_SPACE))?;
            if pointers.any() {
                article.follow(pointers, input)?;
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

    fn follow(&mut self, pointers: &Pointers, json: &str) -> Result<(), Rejection> {
        let value: serde_json::Value = serde_json::from_str(json).map_err(bad_json)?;
        let get = |pointer: &Option<String>| -> Result<Option<String>, Rejection> {
            let Some(pointer) = pointer else { return Ok(None) };
            match value.pointer(pointer) {
                None | Some(serde_json::Value::Null) => Ok(None),
                Some(serde_json::Value::String(text)) => Ok(Some(text.clone())),
                Some(serde_json::Value::Number(number)) => Ok(Some(number.to_string())),
                Some(other) => Err(Rejection::Field { field: pointer.clone(), found: kind(other) }),
            }
        };
        if let Some(id) = get(&pointers.id)?.filter(|id| !id.is_empty()) {
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
        Cow::Owned(text) => match to_text(&text) {
            Cow::Owned(reduced) => Cow::Owned(reduced),
            Cow::Borrowed(_) => Cow::Owned(text),
        },
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
            assert_eq!(article.json, Some(input));
            let spaced = format!(" \r\n\t{input}\n");
            assert_eq!(read(&spaced).unwrap().json, Some(input));
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
        let nested = format!("{{\"bodies\":{}1{}}}", "[{\"value\":".repeat(50_000), "}]".repeat(50_000));
        assert!(read(&nested).is_err());
        for (input, said) in [
            (
                "{\"id\":1,\n\"text\":\"\\ud800\"}",
                "bad JSON: half of a surrogate pair in an escape at line 2 column 1",
            ),
            (
                "{\"id\":1,\n\"bodies\":[7]}",
                "bad JSON: invalid type: integer `7`, expected an object with a value, or text at line 2 column 1",
            ),
        ] {
            // the place in the record, behind the field
            let error = read(input).unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn a_record_may_be_so_deep_and_no_deeper() {
        let most = super::super::fields::MAX_DEPTH;
        let nested = |open: &str, close: &str, key: &str, levels: usize| {
            format!("{{\"{key}\":{}1{},\"text\":\"x\"}}", open.repeat(levels), close.repeat(levels))
        };
        // the record itself is a level
        for (open, close, each) in [("[", "]", 1), ("{\"]\":", "}", 1), ("[{\"\\\"[[\":", "}]", 2)] {
            let levels = (most - 1) / each;
            assert!(read(&nested(open, close, "a", levels)).is_ok(), "{open}");
            let error = read(&nested(open, close, "a", levels + 1)).unwrap_err();
            assert_eq!(error.reason(), "json");
            assert!(error.to_string().contains("nested deeper than 100 levels"), "{error}");
        }
        for key in ["a", "id", "title", "bodies"] {
            assert_eq!(read(&nested("[", "]", key, 1_000_000)).unwrap_err().reason(), "json", "{key}");
        }
        let brackets = format!(r#"{{"a":["{}","\"{}"],"text":"x"}}"#, "[".repeat(500), "{".repeat(500));
        assert!(read(&brackets).is_ok(), "brackets in text are text");
    }

    #[test]
    fn parts_may_hold_more_than_text() {
        let article =
            read(r#"{"bodies":[{"charcount":[1,{"a":2}],"value":"\u0646\u0635","role":null}]}"#).unwrap();
        assert_eq!(article.text, "نص");
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
