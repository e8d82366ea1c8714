//! Light stemming on packed words: Arabic as light10 (Larkey, Ballesteros and Connell 2007), English plurals and verb endings.

use super::lexicon;
use super::word::Word;
use std::sync::LazyLock;
use wide::i32x8;

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

/// Eight affixes that are tried at once: new words are all different, so that a branch for each would be guessed wrong.
struct Affixes {
    letters: i32x8,
    masks: i32x8,
    /// A word that has one has more letters than this.
    above: i32x8,
    lens: [u32; 8],
}

impl Affixes {
    /// Up to eight, each of which must leave so many letters.
    fn new<const N: usize>(affixes: [(Affix, u32); N]) -> Self {
        let lane = |of: fn((Affix, u32)) -> u32, none: u32| {
            std::array::from_fn(|at| affixes.get(at).map_or(none, |affix| of(*affix)))
        };
        let vector = |lanes: [u32; 8]| i32x8::new(lanes.map(|lane| lane as i32));
        Self {
            // no masked end has this letter
            letters: vector(lane(|(affix, _)| affix.letters, 1)),
            masks: vector(lane(|(affix, _)| affix.mask, 0)),
            above: vector(lane(|(affix, rest)| affix.len + rest - 1, 0)),
            lens: lane(|(affix, _)| affix.len, 0),
        }
    }

    /// Bit `i` is set where affix `i` stands at this end of a word of `len` letters, and leaves enough.
    #[inline]
    fn of(&self, end: u32, len: u32) -> u32 {
        let there = (i32x8::splat(end as i32) & self.masks).simd_eq(self.letters);
        (there & i32x8::splat(len as i32).simd_gt(self.above)).to_bitmask()
    }
}

struct Arabic {
    /// Conjunction, preposition and article in one, the longest first; then waw.
    prefixes: [Affixes; 2],
    /// In light10's order; each is tried once.
    suffixes: Affixes,
}

static ARABIC: LazyLock<Arabic> = LazyLock::new(|| Arabic {
    prefixes: [
        Affixes::new(
            ["وبال", "وكال", "ولل", "وال", "بال", "كال", "فال", "لل"]
                .map(|letters| (Affix::prefix(letters), 2)),
        ),
        Affixes::new([(Affix::prefix("ال"), 2), (Affix::prefix("و"), 3)]),
    ],
    suffixes: Affixes::new(
        ["ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي"].map(|letters| (Affix::suffix(letters), 2)),
    ),
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
    let head = whole.head();
    let [first, more] = &rules.prefixes;
    // the last of the sixteen is none, and has no letters: whether one fits nobody can foretell
    let prefix = (first.of(head, len) | more.of(head, len) << 8 | 1 << 15).trailing_zeros() as usize;
    let prefix = rules.prefixes[prefix / 8 % 2].lens[prefix % 8];
    let mut word = whole.without_first(prefix);
    len -= prefix;
    let mut to_try = u32::MAX;
    loop {
        let suffix = (rules.suffixes.of(word.tail_of(len), len) & to_try).trailing_zeros();
        let Some(letters) = rules.suffixes.lens.get(suffix as usize) else { return word };
        // the whole word was looked up before
        if word != whole && lexicon::look_up(word).protected {
            return word;
        }
        len -= letters;
        word = word.first(len);
        to_try = !1 << suffix;
    }
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
