//! HTML to text: what a reader sees, blocks on lines of their own, scripts and styles left out.

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};

/// Whether `text` holds markup: a tag such as `<p>` or an entity such as `&quot;`.
pub fn is_html(text: &str) -> bool {
    // one pass; most texts have neither of the two bytes
    let mut tags = 0;
    memchr::memchr2_iter(b'<', b'&', text.as_bytes()).any(|at| {
        let rest = &text[at + 1..];
        if text.as_bytes()[at] == b'&' {
            return rest.starts_with("nbsp;") || rest.starts_with("quot;") || rest.starts_with('#');
        }
        tags += 1;
        tags <= 64 && opens_tag(rest)
    })
}

/// Whether what stands behind a `<` makes it a tag.
fn opens_tag(rest: &str) -> bool {
    let name = rest.strip_prefix('/').unwrap_or(rest);
    let length = name.bytes().take_while(u8::is_ascii_alphanumeric).count();
    matches!(name.as_bytes().get(length), Some(b'>' | b' ' | b'/' | b'\n'))
        && TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(&name[..length]))
}

/// Tags by which a body is known as HTML.
const TAGS: [&str; 28] = [
    "p",
    "br",
    "div",
    "span",
    "a",
    "b",
    "i",
    "em",
    "strong",
    "h1",
    "h2",
    "h3",
    "h4",
    "ul",
    "ol",
    "li",
    "img",
    "figure",
    "table",
    "blockquote",
    "html",
    "body",
    "article",
    "section",
    "script",
    "style",
    "iframe",
    "font",
];

/// Reduces HTML to text, plain text is given back untouched.
pub fn to_text(text: &str) -> Cow<'_, str> {
    if !is_html(text) {
        return Cow::Borrowed(text);
    }
    let sink = Sink::default();
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(text));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    Cow::Owned(tokenizer.sink.text.into_inner().trim().to_owned())
}

/// Collects character tokens. No tree is built, so nesting costs nothing however deep.
#[derive(Default)]
struct Sink {
    text: RefCell<String>,
    hidden: Cell<bool>,
}

impl Sink {
    fn tag(&self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        let opens = tag.kind == TagKind::StartTag;
        match name {
            "script" | "style" | "noscript" | "template" | "iframe" | "textarea" | "title" => {
                self.hidden.set(opens && !tag.self_closing);
                if opens && !tag.self_closing {
                    let kind = if name == "script" { RawKind::ScriptData } else { RawKind::Rawtext };
                    return TokenSinkResult::RawData(kind);
                }
            }
            // inline tags do not part words
            "a" | "b" | "i" | "u" | "em" | "strong" | "span" | "font" | "small" | "mark" | "sup" | "sub"
            | "abbr" | "bdi" | "bdo" | "q" | "cite" | "code" | "time" | "wbr" => {}
            _ => {
                let mut text = self.text.borrow_mut();
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
            }
        }
        TokenSinkResult::Continue
    }
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => return self.tag(&tag),
            Token::CharacterTokens(characters) if !self.hidden.get() => {
                self.text.borrow_mut().push_str(&characters);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes_and_text_stays() {
        let html = "<p>أعلنت <b>الحكومة</b></p><script>alert('x')</script><p>قرار&nbsp;جديد &amp; مهم</p>";
        assert_eq!(to_text(html), "أعلنت الحكومة\nقرار\u{a0}جديد & مهم");
        assert_eq!(to_text("<style>p{}</style><h1>Title</h1>text<br/>more"), "Title\ntext\nmore");
        assert_eq!(to_text("un<b>believ</b>able"), "unbelievable");
    }

    #[test]
    fn plain_text_is_left_alone() {
        for plain in ["a < b and c > d", "5 <6", "R&D <- here", "“شكلا” – قمة"] {
            assert!(matches!(to_text(plain), Cow::Borrowed(text) if text == plain));
        }
    }

    #[test]
    fn broken_and_deep_markup_is_survived() {
        let deep = "<div>".repeat(100_000) + "نص" + "<p";
        assert_eq!(to_text(&deep), "نص");
        assert_eq!(to_text("<script>never closed"), "");
    }
}
