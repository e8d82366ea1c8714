//! Tells Arabic and English from everything else, by common words and letters.

use super::lexicon::{HINTS, Hint};
use super::tokenise::{OtherLetters, Token};
use super::word::Word;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// The languages that Rasid reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Language {
    /// Arabic.
    #[serde(rename = "ar")]
    Arabic,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// Every language, in order.
    pub const ALL: [Self; 2] = [Self::Arabic, Self::English];

    /// The ISO 639-1 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Arabic => "ar",
            Self::English => "en",
        }
    }
}

/// Words that are looked at; more change no verdict.
const LOOKED_AT: u32 = 300;

static ARTICLE: LazyLock<Word> = LazyLock::new(|| Word::new("ال"));

/// Gathers what the words of a text say about its language.
#[derive(Clone, Debug, Default)]
pub struct Detector {
    seen: u32,
    arabic: u32,
    latin: u32,
    foreign_arabic: u32,
    foreign_latin: u32,
    articles: u32,
    hints: [u32; 4],
}

impl Detector {
    /// Takes the next word of the text.
    #[inline]
    pub fn see(&mut self, token: &Token) {
        if self.seen >= LOOKED_AT {
            return;
        }
        self.seen += 1;
        if token.word.is_arabic() {
            self.arabic += 1;
            self.foreign_arabic += u32::from(token.foreign);
            self.articles += u32::from(token.word.len() >= 5 && token.word.starts_with(*ARTICLE));
        } else {
            self.latin += 1;
            self.foreign_latin += u32::from(token.foreign);
        }
        match HINTS.get(&token.word) {
            Some(Hint::Arabic) => self.hints[0] += 1,
            Some(Hint::English) => self.hints[1] += 1,
            Some(Hint::OtherArabicScript) => self.hints[2] += 1,
            Some(Hint::OtherLatinScript) => self.hints[3] += 1,
            _ => {}
        }
    }

    /// The language of the text, `None` when it is neither Arabic nor English.
    pub fn verdict(&self, other: OtherLetters) -> Option<Language> {
        // five letters make a word; a text mostly in another script is neither
        if self.seen == 0 || other / 5 > (self.arabic + self.latin) as usize {
            return None;
        }
        let [arabic, english, other_arabic, other_latin] = self.hints;
        if self.arabic >= self.latin {
            let foreign = self.foreign_arabic * 7 > self.arabic;
            let speaks = 2 * arabic + self.articles;
            (!foreign && speaks > 3 * other_arabic && speaks * 12 >= self.arabic).then_some(Language::Arabic)
        } else {
            let foreign = self.foreign_latin * 7 > self.latin;
            let silent = self.latin < 25 && other_latin == 0 && self.foreign_latin == 0;
            let speaks = english > 2 * other_latin && english * 12 >= self.latin;
            (!foreign && (speaks || silent)).then_some(Language::English)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokenise;

    fn detect(text: &str) -> Option<Language> {
        let mut detector = Detector::default();
        let other = tokenise(text, |token| detector.see(&token));
        detector.verdict(other)
    }

    #[test]
    fn tells_the_two() {
        for (text, language) in [
            ("أعلنت الحكومة أن الانتخابات ستجرى في موعدها", Some(Language::Arabic)),
            ("فوز الهلال بالكأس", Some(Language::Arabic)),
            ("The government said elections will be held on time", Some(Language::English)),
            ("Dollar hits record high", Some(Language::English)),
            ("دولت ایران اعلام کرد که انتخابات در موعد مقرر برگزار می‌شود", None),
            ("حکومت نے اعلان کیا ہے کہ انتخابات وقت پر ہوں گے", None),
            ("Le gouvernement a annoncé que les élections auront lieu dans les temps", None),
            ("Hükümet seçimlerin zamanında yapılacağını açıkladı ve bir takvim verdi", None),
            ("Правительство объявило, что выборы пройдут вовремя", None),
            ("12345 !!!", None),
            ("", None),
        ] {
            assert_eq!(detect(text), language, "{text}");
        }
    }
}
