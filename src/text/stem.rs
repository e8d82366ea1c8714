//! Light stemming on packed words: Arabic as light10 (Larkey, Ballesteros and Connell 2007), English plurals and verb endings.

use super::lexicon;
use super::word::Word;
use std::sync::LazyLock;

/// Letters at one end of a word, as [`Word::head`] or [`Word::tail`] has them.
#[derive(Clone, Copy)]
struct Affix {
    letters: u32,
    mask: u32,
    len: u32,
}

impl Affix {
    fn prefix(letters: &str) -> Self {
        let word = Word::new(letters);
        Self { letters: word.head(), mask: (1 << (6 * word.len())) - 1, len: word.len() }
    }

    fn suffix(letters: &str) -> Self {
        let word = Word::new(letters);
        let mask = (1 << (6 * word.len())) - 1;
        Self { letters: word.tail(), mask: mask << (6 * (4 - word.len())), len: word.len() }
    }

    #[inline]
    fn is_of(self, end: u32) -> bool {
        end & self.mask == self.letters
    }
}

struct Arabic {
    /// By letter code, a bit where a prefix or waw begins with it.
    first_letters: u64,
    /// By letter code, a bit where a suffix ends with it.
    last_letters: u64,
    /// Conjunction, preposition and article in one; the longest first.
    prefixes: [Affix; 9],
    waw: Affix,
    /// In light10's order; each is tried once.
    suffixes: [Affix; 8],
}

static ARABIC: LazyLock<Arabic> = LazyLock::new(|| Arabic {
    first_letters: Word::new("وبكفلا").letter_set(),
    last_letters: Word::new("انتهي").letter_set(),
    prefixes: ["وبال", "وكال", "ولل", "وال", "بال", "كال", "فال", "لل", "ال"].map(Affix::prefix),
    waw: Affix::prefix("و"),
    suffixes: ["ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي"].map(Affix::suffix),
});

struct English {
    y: Word,
    suffixes: [Affix; 8],
}

static ENGLISH: LazyLock<English> = LazyLock::new(|| English {
    y: Word::new("y"),
    suffixes: ["s", "ss", "us", "ies", "ed", "ing", "y", "e"].map(Affix::suffix),
});

/// The stem of a folded word: by its first letter Arabic or English.
#[inline]
pub fn stem(word: Word) -> Word {
    stem_unless(lexicon::look_up(word).protected, word)
}

/// The stem of a folded word that is protected, or not.
#[inline]
pub(super) fn stem_unless(protected: bool, word: Word) -> Word {
    match word.is_arabic() {
        true if protected => word,
        true => stem_arabic(word),
        false => stem_english(word),
    }
}

/// light10: the conjunction waw, the article with what is written onto it, then each suffix once.
/// The word itself is not protected. Stops as soon as a protected word stands there.
fn stem_arabic(whole: Word) -> Word {
    let rules = &*ARABIC;
    let mut len = whole.len();
    if len < 3 {
        return whole;
    }
    let head = whole.head();
    let mut prefix = 0;
    if rules.first_letters >> (head & 0x3f) & 1 != 0 {
        let article = rules.prefixes.iter().find(|prefix| prefix.is_of(head) && len >= prefix.len + 2);
        prefix = article.map_or(u32::from(rules.waw.is_of(head) && len >= 4), |article| article.len);
    }
    let mut word = whole.without_first(prefix);
    len -= prefix;
    let mut tail = word.tail();
    if rules.last_letters >> (tail >> 18) & 1 == 0 {
        return word;
    }
    let mut looked_up = prefix == 0;
    for suffix in &rules.suffixes {
        if suffix.is_of(tail) && len >= suffix.len + 2 {
            if !looked_up && lexicon::look_up(word).protected {
                return word;
            }
            word = word.without_last(suffix.len);
            len -= suffix.len;
            tail = word.tail();
            looked_up = false;
        }
    }
    word
}

/// Harman's S-stemmer (1991), then -ed and -ing where three letters stay, then a final e or y, so
/// that `police`, `policed` and `policing` meet.
fn stem_english(mut word: Word) -> Word {
    let English { y: letter_y, suffixes: [s, ss, us, ies, ed, ing, y, e] } = &*ENGLISH;
    if word.len() < 4 {
        return word;
    }
    let tail = word.tail();
    if ies.is_of(tail) && word.len() > 4 {
        word = word.without_last(3).with(*letter_y);
    } else if s.is_of(tail) && !ss.is_of(tail) && !us.is_of(tail) {
        word = word.without_last(1);
    }
    let tail = word.tail();
    if ing.is_of(tail) && word.len() >= 6 {
        word = undouble(word.without_last(3));
    } else if ed.is_of(tail) && word.len() >= 5 {
        word = undouble(word.without_last(2));
    }
    let tail = word.tail();
    if word.len() >= 4 && (e.is_of(tail) || y.is_of(tail)) {
        word = word.without_last(1);
    }
    word
}

/// `runn` → `run`; `ll`, `ss` and `zz` stay, as in `sell`, `pass`, `buzz`.
fn undouble(word: Word) -> Word {
    static KEEP: LazyLock<[u8; 3]> =
        LazyLock::new(|| ["l", "s", "z"].map(|letter| Word::new(letter).letter(0)));
    let len = word.len();
    let last = word.letter(len - 1);
    if len >= 4 && last == word.letter(len - 2) && !KEEP.contains(&last) {
        word.without_last(1)
    } else {
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stemmed(word: &str) -> String {
        stem(Word::new(word)).to_string()
    }

    #[test]
    fn arabic_forms_of_a_word_meet() {
        for (form, expected) in [
            ("والمدرسة", "مدرس"),
            ("المدرسة", "مدرس"),
            ("بالمدارس", "مدارس"),
            ("للمدرسين", "مدرس"),
            ("اللاعبون", "لاعب"),
            ("مباريات", "مبار"),
            ("والاقتصادية", "اقتصاد"),
            ("اقتصادي", "اقتصاد"),
        ] {
            assert_eq!(stemmed(form), expected, "{form}");
        }
    }

    #[test]
    fn protected_names_stay_whole() {
        for (form, expected) in [
            ("فلسطين", "فلسطين"),
            ("الفلسطينيين", "فلسطين"),
            ("الفلسطينية", "فلسطين"),
            ("بغداد", "بغداد"),
            ("وبغداد", "بغداد"),
            ("لبنان", "لبنان"),
            ("اللبنانية", "لبنان"),
            ("بوتين", "بوتين"),
            ("وبوتين", "بوتين"),
            ("وزير", "وزير"),
            ("والوزير", "وزير"),
            ("القانون", "قانون"),
            ("وواشنطن", "واشنطن"),
            ("رمضان", "رمضان"),
        ] {
            assert_eq!(stemmed(form), expected, "{form}");
        }
    }

    #[test]
    fn english_forms_of_a_word_meet() {
        for (form, expected) in [
            ("elections", "election"),
            ("countries", "countr"),
            ("country", "countr"),
            ("policies", "polic"),
            ("running", "run"),
            ("kicked", "kick"),
            ("selling", "sell"),
            ("virus", "virus"),
            ("press", "press"),
            ("prices", "pric"),
            ("priced", "pric"),
            ("gas", "gas"),
        ] {
            assert_eq!(stemmed(form), expected, "{form}");
        }
    }
}
