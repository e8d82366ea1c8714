//! Remembers what words come to, so that a word met again is neither stemmed nor looked up anew.
//!
//! News is written with few words: nine of ten are found here. Stemming is a function of the
//! word alone and rows are fixed in a compiled model, so nothing is lost by remembering, and what is
//! forgotten is only worked out again.

use crate::text::{Language, Marks, Spelling, Written, prefetch};
use std::hint::select_unpredictable;

/// What a word comes to: its row in each language's table, and what there is to know of it besides.
///
/// Bits 0 to 27 are the row in Arabic, 28 to 55 in English, 56 to 60 the [`Marks`], 61 says that the
/// word is one of grammar, 62 that its stem is too short to be a term, 63 that this is an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry(u64);

/// Rows that an [`Entry`] can name in a language.
pub const MAX_ROWS: usize = 1 << 28;

impl Entry {
    /// The entry of a word with these rows, in the order of [`Language::ALL`].
    pub fn new([arabic, english]: [u32; 2], marks: Marks, function: bool, short: bool) -> Self {
        Self(
            u64::from(arabic)
                | u64::from(english) << 28
                | u64::from(marks.bits()) << 56
                | u64::from(function) << 61
                | u64::from(short) << 62
                | 1 << 63,
        )
    }

    /// The row in the table of `language`.
    #[inline]
    pub fn row(self, language: Language) -> usize {
        let shift = match language {
            Language::Arabic => 0,
            Language::English => 28,
        };
        (self.0 >> shift) as usize & (MAX_ROWS - 1)
    }

    /// What the word says of the language.
    #[inline]
    pub fn marks(self) -> Marks {
        Marks::from_bits((self.0 >> 56) as u8)
    }

    /// Whether the word is one of grammar.
    #[inline]
    pub fn function(self) -> bool {
        self.0 >> 61 & 1 != 0
    }

    /// Whether the stem is too short to be a term.
    #[inline]
    pub fn short(self) -> bool {
        self.0 >> 62 & 1 != 0
    }
}

/// Sets of words that are remembered; 2 MiB. Of the words of an article that is new 94 of 100 are found in as many, 91 in
/// half of them, 95 in twice as many.
const SETS: usize = 1 << 15;
/// Words in a set.
const WAYS: usize = 4;

/// A cache line of words; the last is on probation: the next new word takes its place, unless it is
/// met again before.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Set {
    spellings: [Spelling; WAYS],
    entries: [Entry; WAYS],
}

impl Set {
    /// The entry of a word, zero where it is not remembered; and whether it is on probation.
    #[inline]
    fn get(&self, word: Spelling) -> (Entry, bool) {
        let entry = |way: usize| select_unpredictable(self.spellings[way] == word, self.entries[way].0, 0);
        (Entry(entry(0) | entry(1) | entry(2) | entry(3)), self.spellings[WAYS - 1] == word)
    }

    /// Makes the last word the first.
    fn rotate(&mut self) {
        self.spellings.rotate_right(1);
        self.entries.rotate_right(1);
    }
}

/// The words met last, by their spelling.
#[derive(Clone, Debug)]
pub struct Memo {
    sets: Box<[Set; SETS]>,
}

impl Default for Memo {
    fn default() -> Self {
        // no word has the spelling zero
        let sets = vec![Set::default(); SETS].into_boxed_slice();
        Self { sets: sets.try_into().unwrap_or_else(|_| unreachable!("as many as asked for")) }
    }
}

impl Memo {
    #[inline]
    fn set(word: Spelling) -> usize {
        (word >> (64 - SETS.trailing_zeros())) as usize
    }

    /// Loads what [`Memo::look_up`] reads of a word, so that it need not wait for memory.
    #[inline]
    pub fn expect(&self, word: Spelling) {
        prefetch(&self.sets[Self::set(word)]);
    }

    /// Writes the entry of each of `words` to `entries`, and the indices of those that are not remembered to
    /// `missing`. Calls `each` with what it finds.
    pub fn look_up(
        &mut self,
        words: &[Written],
        entries: &mut Vec<Entry>,
        missing: &mut Vec<usize>,
        each: impl Fn(Entry),
    ) {
        // few words need a second look, and nobody can foretell which: no branch
        missing.clear();
        missing.resize(words.len(), 0);
        let mut noted = 0;
        entries.clear();
        entries.extend(words.iter().enumerate().map(|(index, word)| {
            let (entry, probation) = self.sets[Self::set(word.spelling)].get(word.spelling);
            each(entry);
            missing[noted] = index;
            noted += usize::from((entry == Entry::default()) | probation);
            entry
        }));
        missing.truncate(noted);
        missing.retain(|index| {
            let missing = entries[*index] == Entry::default();
            if !missing {
                self.met_again(words[*index].spelling);
            }
            missing
        });
    }

    /// A word on probation has passed it.
    fn met_again(&mut self, word: Spelling) {
        let set = &mut self.sets[Self::set(word)];
        if set.spellings[WAYS - 1] == word {
            set.rotate();
        }
    }

    /// Remembers the entry of a word.
    pub fn insert(&mut self, word: Spelling, entry: Entry) {
        let set = &mut self.sets[Self::set(word)];
        // the spelling zero is that of an empty place
        let place = set.spellings.iter().position(|known| *known == word || *known == 0);
        let way = place.unwrap_or(WAYS - 1);
        let twice = set.spellings[way] == word;
        (set.spellings[way], set.entries[way]) = (word, entry);
        if twice {
            self.met_again(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_entry_gives_back_what_it_was_made_of() {
        for (function, short) in [(false, false), (false, true), (true, false), (true, true)] {
            let marks = Marks::from_bits(0x15);
            let entry = Entry::new([MAX_ROWS as u32 - 1, 7], marks, function, short);
            assert_eq!(entry.row(Language::Arabic), MAX_ROWS - 1);
            assert_eq!(entry.row(Language::English), 7);
            assert_eq!((entry.marks(), entry.function(), entry.short()), (marks, function, short));
        }
    }

    proptest! {
        /// Few places, many keys: what is remembered is what would be worked out.
        #[test]
        fn remembering_changes_nothing(texts in proptest::collection::vec(proptest::collection::vec(1u64..200_000, 0..3000), 1..6)) {
            let work = |word: Spelling| Entry::new([word as u32 >> 4, !word as u32 & 0xffff], Marks::default(), false, false);
            let mut memo = Memo::default();
            let (mut entries, mut missing) = (Vec::new(), Vec::new());
            for numbers in &texts {
                let words: Vec<Written> = numbers
                    .iter()
                    .map(|number| Written { spelling: number.wrapping_mul(0x9e37_79b9_7f4a_7c15), ..Written::default() })
                    .collect();
                words.iter().for_each(|word| memo.expect(word.spelling));
                memo.look_up(&words, &mut entries, &mut missing, |_| ());
                for index in missing.iter().copied() {
                    entries[index] = work(words[index].spelling);
                    memo.insert(words[index].spelling, entries[index]);
                }
                let expected: Vec<Entry> = words.iter().map(|word| work(word.spelling)).collect();
                prop_assert_eq!(&entries, &expected);
            }
        }
    }
}
