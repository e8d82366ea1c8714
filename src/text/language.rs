//! Tells Arabic and English from everything else, by common words and letters.

use super::lexicon::{self, Hint};
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
const LOOKED_AT: usize = 300;

/// The letters of the article ال.
static ARTICLE: LazyLock<u32> = LazyLock::new(|| Word::new("ال").head());

/// What a word says of the language of its text: its script, the article, whose common word it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(u8);

impl Marks {
    const ARABIC: u8 = 1;
    const ARTICLE: u8 = 2;
    const HINT: u8 = 2;
    /// All bits that marks may have.
    pub const BITS: u8 = 0x1f;

    /// The marks of a folded word.
    pub fn of(word: Word) -> Self {
        Self::with(lexicon::look_up(word).hint, word)
    }

    /// The marks of a folded word with this hint.
    #[inline]
    pub(super) fn with(hint: Hint, word: Word) -> Self {
        let mut marks = 0;
        if word.is_arabic() {
            marks |= Self::ARABIC;
            if word.has(5) && word.head() & 0xfff == *ARTICLE {
                marks |= Self::ARTICLE;
            }
        }
        Self(marks | (hint as u8) << Self::HINT)
    }

    /// The marks whose [`Marks::bits`] these are; bits above are left out.
    #[inline]
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & Self::BITS)
    }

    /// The marks as bits below [`Marks::BITS`].
    #[inline]
    pub fn bits(self) -> u8 {
        self.0
    }
}

/// Bits of one count among the [`LANES`]: a count is at most [`LOOKED_AT`].
const LANE: u32 = 9;

/// By [`Marks`]: one in each count that the marks raise. Counts stand side by side in an integer:
/// Arabic words, articles, then the four hints.
static LANES: [u64; Marks::BITS as usize + 1] = {
    let mut lanes = [0; Marks::BITS as usize + 1];
    let mut marks = 0;
    while marks < lanes.len() {
        lanes[marks] = (marks & 1) as u64 | ((marks >> 1 & 1) as u64) << LANE;
        let hint = marks as u32 >> Marks::HINT;
        if hint != 0 && hint <= 4 {
            lanes[marks] |= 1 << (LANE * (hint + 1));
        }
        marks += 1;
    }
    lanes
};

/// Gathers what the words of a text say about its language.
#[derive(Clone, Debug, Default)]
pub struct Detector {
    seen: usize,
    /// Sum of [`LANES`].
    sums: u64,
    foreign_arabic: u64,
    foreign_latin: u64,
}

impl Detector {
    /// Takes the next word of the text with its [`Marks`].
    #[inline]
    pub fn see(&mut self, token: &Token, marks: Marks) {
        if token.foreign {
            self.see_foreign(self.seen, token.word);
        }
        self.see_marks(&[marks], |marks| marks);
    }

    /// Takes the next words of the text, which have these marks; [`Detector::see_foreign`] is called besides.
    #[inline]
    pub fn see_marks<T: Copy>(&mut self, words: &[T], marks: impl Fn(T) -> Marks) {
        let looked_at = &words[..words.len().min(LOOKED_AT - self.seen)];
        self.seen += looked_at.len();
        for word in looked_at {
            self.sums += LANES[usize::from(marks(*word).0 & Marks::BITS)];
        }
    }

    /// Takes note that the word at `index` of the text has a letter which neither language writes.
    pub fn see_foreign(&mut self, index: usize, word: Word) {
        if index < LOOKED_AT {
            let foreign = if word.is_arabic() { &mut self.foreign_arabic } else { &mut self.foreign_latin };
            *foreign += 1;
        }
    }

    /// Takes over what `other` noted by [`Detector::see_foreign`].
    pub fn see_foreigners(&mut self, other: &Self) {
        self.foreign_arabic += other.foreign_arabic;
        self.foreign_latin += other.foreign_latin;
    }

    /// The language of the text, `None` when it is neither Arabic nor English.
    pub fn verdict(&self, other: OtherLetters) -> Option<Language> {
        // five letters make a word; a text mostly in another script is neither
        if self.seen == 0 || other / 5 > self.seen {
            return None;
        }
        let lane = |at: u32| self.sums >> (LANE * at) & ((1 << LANE) - 1);
        let (arabic_words, articles) = (lane(0), lane(1));
        let latin_words = self.seen as u64 - arabic_words;
        let [arabic, english, other_arabic, other_latin] = [2, 3, 4, 5].map(lane);
        if arabic_words >= latin_words {
            let foreign = self.foreign_arabic * 7 > arabic_words;
            let speaks = 2 * arabic + articles;
            (!foreign && speaks > 3 * other_arabic && speaks * 12 >= arabic_words).then_some(Language::Arabic)
        } else {
            let foreign = self.foreign_latin * 7 > latin_words;
            let silent = latin_words < 25 && other_latin == 0 && self.foreign_latin == 0;
            let speaks = english > 2 * other_latin && english * 12 >= latin_words;
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
        let other = tokenise(text, |token| detector.see(&token, Marks::of(token.word)));
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
