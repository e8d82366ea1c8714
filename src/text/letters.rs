//! The folding table: what every character becomes before words are compared.
//!
//! Text is folded to an alphabet of 56 letters, so that a letter fits six bits and a word fits an
//! integer (see [`crate::text::word`]). Arabic loses what writers leave out or interchange (vowel
//! marks, tatweel, hamza seats, final ya and ta marbuta); Latin loses case and accents; any digit
//! is one letter, `#`.

/// What a character is to the tokeniser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// A letter of the folded alphabet, `1..=56`.
    Letter(u8),
    /// A letter that neither Arabic nor English writes, folded to its nearest one.
    Foreign(u8),
    /// Ends a word: space, punctuation, symbols.
    Break,
    /// A letter of a script that is not read at all (Cyrillic, Han, …); ends a word.
    Other,
    /// Vanishes, the word goes on: vowel marks, tatweel, joiners, apostrophes.
    Skip,
    /// A ligature of several letters: see [`ligature`].
    Ligature,
}

/// The folded alphabet in code order: code 1 is the first character.
pub const ALPHABET: &str = "ءابتثجحخدذرزسشصضطظعغفقكلمنهويabcdefghijklmnopqrstuvwxyz#";

/// The code of the letter that stands for any digit.
pub const DIGIT: u8 = 56;
/// The last Arabic code; Latin letters follow.
pub const LAST_ARABIC: u8 = 29;

const BREAK: u8 = 0;
const FOREIGN: u8 = 0x40;
const OTHER: u8 = 0x81;
const SKIP: u8 = 0x82;
const LIGATURE: u8 = 0x83;

/// Folds one character.
#[inline]
pub fn fold(character: char) -> Fold {
    let code = character as usize;
    let class = if code < TABLE.len() { TABLE[code] } else { fold_rare(character) };
    match class {
        BREAK => Fold::Break,
        OTHER => Fold::Other,
        SKIP => Fold::Skip,
        LIGATURE => Fold::Ligature,
        letter if letter & FOREIGN != 0 => Fold::Foreign(letter & 0x3f),
        letter => Fold::Letter(letter),
    }
}

/// The code of U+06xx with the low byte `low`, if it is an Arabic letter that needs no second look; else zero.
pub(super) const fn plain_arabic(low: usize) -> u8 {
    let class = TABLE[0x600 + low];
    if class <= LAST_ARABIC { class } else { BREAK }
}

/// The letters behind a [`Fold::Ligature`]: lam-alef forms and the words that Unicode writes as one sign.
pub fn ligature(character: char) -> &'static str {
    match character {
        '\u{fef5}'..='\u{fefc}' => "لا",
        '\u{fdf2}' => "الله",
        '\u{fdfa}' => "صلي",
        '\u{fdfc}' => "ريال",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ß' => "ss",
        'þ' | 'Þ' => "th",
        _ => "",
    }
}

/// Arabic letters in code order, as code points: hamza is 1.
const ARABIC: [u32; 29] = [
    0x621, 0x627, 0x628, 0x62a, 0x62b, 0x62c, 0x62d, 0x62e, 0x62f, 0x630, 0x631, 0x632, 0x633, 0x634, 0x635,
    0x636, 0x637, 0x638, 0x639, 0x63a, 0x641, 0x642, 0x643, 0x644, 0x645, 0x646, 0x647, 0x648, 0x64a,
];

/// Spellings of one letter: (character, the Arabic letter it folds to).
const SAME_LETTER: [(u32, u32); 16] = [
    (0x622, 0x627), // alef with madda
    (0x623, 0x627), // alef with hamza above
    (0x625, 0x627), // alef with hamza below
    (0x671, 0x627), // alef wasla
    (0x672, 0x627),
    (0x673, 0x627),
    (0x624, 0x648), // hamza on waw
    (0x626, 0x64a), // hamza on ya
    (0x629, 0x647), // ta marbuta
    (0x649, 0x64a), // alef maqsura
    (0x6cc, 0x64a), // Persian keyboards' ya, met in Arabic text too
    (0x6a9, 0x643), // Persian keyboards' kaf
    (0x6aa, 0x643),
    (0x6a4, 0x641), // veh, in Arabic loan words
    (0x6a8, 0x641),
    (0x6ce, 0x64a),
];

/// Letters of Persian, Urdu, Kurdish and Pashto: (character, nearest Arabic letter).
const FOREIGN_ARABIC: [(u32, u32); 30] = [
    (0x67e, 0x628), // peh
    (0x686, 0x62c), // tcheh
    (0x698, 0x632), // jeh
    (0x6af, 0x643), // gaf
    (0x679, 0x62a), // tteh
    (0x688, 0x62f), // ddal
    (0x691, 0x631), // rreh
    (0x6ba, 0x646), // noon ghunna
    (0x6be, 0x647), // heh doachashmee
    (0x6c1, 0x647), // heh goal
    (0x6c2, 0x647),
    (0x6c3, 0x647),
    (0x6d2, 0x64a), // yeh barree
    (0x6d3, 0x64a),
    (0x6d5, 0x647), // Kurdish and Uighur ae
    (0x6c6, 0x648),
    (0x6c7, 0x648),
    (0x6c8, 0x648),
    (0x6cb, 0x648),
    (0x6b5, 0x644),
    (0x695, 0x631),
    (0x67c, 0x62a),
    (0x681, 0x62d),
    (0x685, 0x62e),
    (0x689, 0x62f),
    (0x693, 0x631),
    (0x696, 0x631),
    (0x69a, 0x633),
    (0x6ab, 0x643),
    (0x6bc, 0x646),
];

/// Latin letters with marks: each string is one base letter and what folds to it.
const MARKED_LATIN: [&str; 20] = [
    "aàáâãäåāăąÀÁÂÃÄÅĀĂĄ",
    "cçćĉċčÇĆĈĊČ",
    "dďđðĎĐÐ",
    "eèéêëēĕėęěÈÉÊËĒĔĖĘĚ",
    "gĝğġģĜĞĠĢ",
    "hĥħĤĦ",
    "iìíîïĩīĭįıÌÍÎÏĨĪĬĮİ",
    "jĵĴ",
    "kķĶ",
    "lĺļľłĹĻĽŁ",
    "nñńņňÑŃŅŇ",
    "oòóôõöøōŏőÒÓÔÕÖØŌŎŐ",
    "rŕŗřŔŖŘ",
    "sśŝşšșŚŜŞŠȘ",
    "tţťŧțŢŤŦȚ",
    "uùúûüũūŭůűųÙÚÛÜŨŪŬŮŰŲ",
    "wŵŴ",
    "yýÿŷÝŶŸ",
    "zźżžŹŻŽ",
    "fƒ",
];

static TABLE: [u8; 0x800] = table();

const fn table() -> [u8; 0x800] {
    let mut table = [BREAK; 0x800];
    let mut i = 0;
    while i < 26 {
        table[b'a' as usize + i] = LAST_ARABIC + 1 + i as u8;
        table[b'A' as usize + i] = LAST_ARABIC + 1 + i as u8;
        i += 1;
    }
    i = 0;
    while i < 10 {
        table[b'0' as usize + i] = DIGIT;
        table[0x660 + i] = DIGIT; // Arabic-Indic
        table[0x6f0 + i] = DIGIT; // Persian
        i += 1;
    }
    // Scripts that are not read: IPA to Hebrew, then Syriac, Thaana, N'Ko.
    i = 0x180;
    while i < 0x800 {
        if (i < 0x2b0) || (i >= 0x370 && i < 0x5f5) || i >= 0x700 {
            table[i] = OTHER;
        }
        i += 1;
    }
    i = 0;
    while i < ARABIC.len() {
        table[ARABIC[i] as usize] = i as u8 + 1;
        i += 1;
    }
    i = 0;
    while i < SAME_LETTER.len() {
        table[SAME_LETTER[i].0 as usize] = table[SAME_LETTER[i].1 as usize];
        i += 1;
    }
    i = 0;
    while i < FOREIGN_ARABIC.len() {
        table[FOREIGN_ARABIC[i].0 as usize] = FOREIGN | table[FOREIGN_ARABIC[i].1 as usize];
        i += 1;
    }
    i = 0;
    while i < MARKED_LATIN.len() {
        let bytes = MARKED_LATIN[i].as_bytes();
        let base = table[bytes[0] as usize];
        let mut at = 1;
        while at < bytes.len() {
            if bytes[at] < 0x80 {
                at += 1;
                continue;
            }
            let code = ((bytes[at] as usize & 0x1f) << 6) | (bytes[at + 1] as usize & 0x3f);
            table[code] = FOREIGN | base;
            at += 2;
        }
        i += 1;
    }
    // What vanishes: vowel marks, tatweel, Quranic signs, soft hyphen, combining accents, apostrophes.
    i = 0x64b;
    while i <= 0x65f {
        table[i] = SKIP;
        i += 1;
    }
    i = 0x610;
    while i <= 0x61a {
        table[i] = SKIP;
        i += 1;
    }
    i = 0x6d6;
    while i <= 0x6ed {
        if i != 0x6dd && i != 0x6de && i != 0x6e9 {
            table[i] = SKIP;
        }
        i += 1;
    }
    i = 0x300;
    while i < 0x370 {
        table[i] = SKIP;
        i += 1;
    }
    table[0x640] = SKIP; // tatweel
    table[0x670] = SKIP; // superscript alef
    table[0x61c] = SKIP; // Arabic letter mark
    table[0xad] = SKIP; // soft hyphen
    table[b'\'' as usize] = SKIP;
    table[0x2bc] = SKIP;
    table[0xc6] = LIGATURE;
    table[0xe6] = LIGATURE;
    table[0x152] = LIGATURE;
    table[0x153] = LIGATURE;
    table[0xdf] = LIGATURE;
    table[0xde] = LIGATURE;
    table[0xfe] = LIGATURE;
    table
}

/// Letters of the presentation-forms block FE80..FEF4: (first form, letter). The forms of a letter are consecutive.
const FORMS_B: [(u32, u32); 36] = [
    (0xfe80, 0x621),
    (0xfe81, 0x627),
    (0xfe83, 0x627),
    (0xfe85, 0x648),
    (0xfe87, 0x627),
    (0xfe89, 0x64a),
    (0xfe8d, 0x627),
    (0xfe8f, 0x628),
    (0xfe93, 0x647),
    (0xfe95, 0x62a),
    (0xfe99, 0x62b),
    (0xfe9d, 0x62c),
    (0xfea1, 0x62d),
    (0xfea5, 0x62e),
    (0xfea9, 0x62f),
    (0xfeab, 0x630),
    (0xfead, 0x631),
    (0xfeaf, 0x632),
    (0xfeb1, 0x633),
    (0xfeb5, 0x634),
    (0xfeb9, 0x635),
    (0xfebd, 0x636),
    (0xfec1, 0x637),
    (0xfec5, 0x638),
    (0xfec9, 0x639),
    (0xfecd, 0x63a),
    (0xfed1, 0x641),
    (0xfed5, 0x642),
    (0xfed9, 0x643),
    (0xfedd, 0x644),
    (0xfee1, 0x645),
    (0xfee5, 0x646),
    (0xfee9, 0x647),
    (0xfeed, 0x648),
    (0xfeef, 0x64a),
    (0xfef1, 0x64a),
];

/// Characters that need three or more bytes of UTF-8.
fn fold_rare(character: char) -> u8 {
    let code = character as u32;
    match code {
        0xfe80..=0xfef4 => {
            let at = FORMS_B.partition_point(|form| form.0 <= code) - 1;
            TABLE[FORMS_B[at].1 as usize]
        }
        0xfef5..=0xfefc | 0xfdf2 | 0xfdfa | 0xfdfc => LIGATURE,
        // presentation forms A: peh, tcheh, jeh, gaf and the Urdu letters
        0xfb56..=0xfb59 => TABLE[0x67e],
        0xfb7a..=0xfb7d => TABLE[0x686],
        0xfb8a..=0xfb8b => TABLE[0x698],
        0xfb8e..=0xfb91 => TABLE[0x6a9],
        0xfb92..=0xfb95 => TABLE[0x6af],
        0xfba6..=0xfba9 => TABLE[0x6c1],
        0xfbae..=0xfbb1 => TABLE[0x6d2],
        0xfbfc..=0xfbff => TABLE[0x6cc],
        // zero-width joiners, direction marks, byte order marks, apostrophe, vowel-mark forms
        0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x2069 | 0xfeff | 0x2019 | 0x8d3..=0x8ff => SKIP,
        0xfe70..=0xfe7f => SKIP,
        // full-width ASCII
        0xff10..=0xff19 => DIGIT,
        0xff21..=0xff3a => TABLE[(code - 0xff21) as usize + b'A' as usize],
        0xff41..=0xff5a => TABLE[(code - 0xff41) as usize + b'a' as usize],
        // Vietnamese and other marked Latin
        0x1e00..=0x1eff => OTHER,
        _ if character.is_alphabetic() => OTHER,
        _ => BREAK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        crate::text::fold(text)
    }

    #[test]
    fn every_rule_has_its_word() {
        assert_eq!(folded("مُخَصَّصَة"), "مخصصه"); // vowel marks, ta marbuta
        assert_eq!(folded("تبادلُ الدوليَين"), "تبادل الدوليين"); // marks inside a word
        assert_eq!(folded("العـــربية"), "العربيه"); // tatweel
        assert_eq!(folded("أإآٱا"), "ااااا"); // alef forms
        assert_eq!(folded("مستشفى مستشفي"), "مستشفي مستشفي"); // final ya
        assert_eq!(folded("مسؤول شؤون بيئة"), "مسوول شوون بييه"); // hamza seats
        assert_eq!(folded("٢٠٢٦ 2026 ۲۰۲۶"), "#### #### ####"); // digits
        assert_eq!(folded("ﻣﺤﻤﺪ ﻻ ﷲ"), "محمد لا الله"); // presentation forms
        assert_eq!(folded("ﺍﻟﻌﺮﺑﻴﺔ"), "العربيه");
        assert_eq!(folded("کتاب ایران"), "كتاب ايران"); // Persian keyboard
        assert_eq!(folded("ڤيروس"), "فيروس"); // loan letter
        assert_eq!(folded("Café NAÏVE"), "cafe naive"); // accents, case
        assert_eq!(folded("Straße œuvre"), "strasse oeuvre"); // ligatures
        assert_eq!(folded("don’t don't"), "dont dont"); // apostrophes
        assert_eq!(folded("ＡＢＣ１"), "abc#"); // full width
        assert_eq!(folded("“شكلا” – (قمة)"), "شكلا قمه"); // quotes and dashes
        assert_eq!(folded("می‌شود"), "ميشود"); // zero-width non-joiner
    }

    #[test]
    fn the_alphabet_is_in_code_order() {
        for (at, letter) in ALPHABET.chars().enumerate() {
            let expected = if letter == '#' { '7' } else { letter };
            assert_eq!(fold(expected), Fold::Letter(at as u8 + 1), "{letter}");
        }
    }

    #[test]
    fn foreign_letters_are_told() {
        for letter in "پچژگٹڈڑےçéğşñ".chars() {
            assert!(matches!(fold(letter), Fold::Foreign(_)), "{letter}");
        }
        for letter in "привет你好שלום".chars() {
            assert_eq!(fold(letter), Fold::Other, "{letter}");
        }
    }
}
