//! Light stemming on packed words: Arabic as light10 (Larkey, Ballesteros and Connell 2007), English plurals and verb endings.

use super::lexicon::PROTECTED;
use super::word::Word;
use std::sync::LazyLock;

struct Affixes {
    /// Conjunction, preposition and article in one; the longest first.
    prefixes: Vec<Word>,
    waw: Word,
    /// In light10's order; each is tried once.
    suffixes: Vec<Word>,
}

static ARABIC: LazyLock<Affixes> = LazyLock::new(|| Affixes {
    prefixes: list("وبال وكال ولل وال بال كال فال لل ال"),
    waw: Word::new("و"),
    suffixes: list("ها ان ات ون ين يه ه ي"),
});

static ENGLISH: LazyLock<[Word; 8]> =
    LazyLock::new(|| ["s", "ss", "us", "ies", "ed", "ing", "y", "e"].map(Word::new));

fn list(words: &str) -> Vec<Word> {
    words.split(' ').map(Word::new).collect()
}

/// The stem of a folded word: by its first letter Arabic or English.
#[inline]
pub fn stem(word: Word) -> Word {
    if word.is_arabic() { stem_arabic(word) } else { stem_english(word) }
}

/// light10: the conjunction waw, the article with what is written onto it, then each suffix once.
/// Stops as soon as a protected word stands there.
fn stem_arabic(word: Word) -> Word {
    let rules = &*ARABIC;
    if word.len() < 3 || PROTECTED.contains(&word) {
        return word;
    }
    let mut word = word;
    let article =
        rules.prefixes.iter().find(|prefix| word.starts_with(**prefix) && word.len() >= prefix.len() + 2);
    if let Some(article) = article {
        word = word.without_first(article.len());
    } else if word.starts_with(rules.waw) && word.len() >= 4 {
        word = word.without_first(1);
    }
    for suffix in &rules.suffixes {
        if PROTECTED.contains(&word) {
            return word;
        }
        if word.len() >= suffix.len() + 2 && word.ends_with(*suffix) {
            word = word.without_last(suffix.len());
        }
    }
    word
}

/// Harman's S-stemmer (1991), then -ed and -ing where three letters stay, then a final e or y, so
/// that `police`, `policed` and `policing` meet.
fn stem_english(word: Word) -> Word {
    let [s, ss, us, ies, ed, ing, y, e] = *ENGLISH;
    let mut word = word;
    if word.len() < 4 {
        return word;
    }
    if word.ends_with(ies) && word.len() > 4 {
        word = word.without_last(3).with(y);
    } else if word.ends_with(s) && !word.ends_with(ss) && !word.ends_with(us) {
        word = word.without_last(1);
    }
    if word.ends_with(ing) && word.len() >= 6 {
        word = undouble(word.without_last(3));
    } else if word.ends_with(ed) && word.len() >= 5 {
        word = undouble(word.without_last(2));
    }
    if word.len() >= 4 && (word.ends_with(e) || word.ends_with(y)) {
        word = word.without_last(1);
    }
    word
}

/// `runn` → `run`; `ll`, `ss` and `zz` stay, as in `sell`, `pass`, `buzz`.
fn undouble(word: Word) -> Word {
    let len = word.len();
    let last = word.letter(len - 1);
    let keep = ["l", "s", "z"].map(|letter| Word::new(letter).letter(0));
    if len >= 4 && last == word.letter(len - 2) && !keep.contains(&last) {
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
