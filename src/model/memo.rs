//! Remembers what words come to, so that a word met again is neither stemmed nor looked up anew.
//!
//! News is written with few words: nine of ten are found here. Stemming is a function of the
//! word alone and rows are fixed in a compiled model, so nothing is lost by remembering, and what is
//! forgotten is only worked out again.

use crate::text::{Language, Marks, Spelling, Written, prefetch};
use std::hint::select_unpredictable;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a word comes to: its row in each language's table, and what there is to know of it besides.
///
/// Bits 0 to 26 are the row in Arabic, 27 to 53 in English, 54 says that the stem is too short to be a term, 55
/// that the word is one of grammar, 56 to 60 are the [`Marks`], 62 says that this is an entry, 63 that its word is
/// no longer on probation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry(u64);

/// Rows that an [`Entry`] can name in a language.
pub const MAX_ROWS: usize = 1 << 27;

impl Entry {
    /// The entry of a word with these rows, in the order of [`Language::ALL`].
    pub fn new([arabic, english]: [u32; 2], marks: Marks, function: bool, short: bool) -> Self {
        Self(
            u64::from(arabic)
                | u64::from(english) << 27
                | u64::from(short) << 54
                | u64::from(function) << 55
                | u64::from(marks.bits()) << 56
                | 1 << 62,
        )
    }

    /// The row in the table of `language`.
    #[inline]
    pub fn row(self, language: Language) -> usize {
        let shift = match language {
            Language::Arabic => 0,
            Language::English => 27,
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
        self.0 >> 55 & 1 != 0
    }

    /// Whether the stem is too short to be a term.
    #[inline]
    pub fn short(self) -> bool {
        self.0 >> 54 & 1 != 0
    }

    /// Whether this is the entry of a word.
    #[inline]
    pub fn is_some(self) -> bool {
        self.0 != 0
    }
}

/// Set where a word has passed its probation.
const PASSED: u64 = 1 << 63;

/// Sets of words that are remembered; 2 MiB. Of the words of an article that is new 94 of 100 are found in as many, 91 in
/// half of them, 95 in twice as many.
const SETS: usize = 1 << 15;
/// Words in a set.
const WAYS: usize = 4;

/// A cache line of words; the last is on probation: the next new word takes its place, unless it is
/// met again before.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Set {
    /// By word: its spelling, every bit changed where the entry has one. A spelling and an entry that two threads
    /// have written at once match nothing (Hyatt and Mann, *A lockless transposition-table implementation for
    /// parallel search*, 2002): where it is one word before and after its probation, they say a spelling that differs
    /// in the highest bit, and that is looked for in another set.
    checks: [AtomicU64; WAYS],
    entries: [AtomicU64; WAYS],
}

impl Set {
    /// The spelling and the entry of the word at `way`; both zero where there is none.
    #[inline]
    fn at(&self, way: usize) -> (Spelling, u64) {
        let entry = self.entries[way].load(Relaxed);
        (self.checks[way].load(Relaxed) ^ entry, entry)
    }

    fn put(&self, way: usize, (word, entry): (Spelling, u64)) {
        let entry = if way == WAYS - 1 { entry & !PASSED } else { entry | PASSED };
        self.checks[way].store(word ^ entry, Relaxed);
        self.entries[way].store(entry, Relaxed);
    }

    /// The entry of a word, zero where it is not remembered.
    #[inline]
    fn get(&self, word: Spelling) -> Entry {
        let ways: [_; WAYS] = std::array::from_fn(|way| self.at(way));
        // a word that stands here twice has one entry, and has passed if it did once
        let entry = ways
            .iter()
            .fold(0, |entry, (known, found)| entry | select_unpredictable(*known == word, *found, 0));
        Entry(entry)
    }

    /// The last word has passed its probation: makes it the first.
    fn rotate(&self) {
        let ways: [_; WAYS] = std::array::from_fn(|way| self.at(way));
        for (way, word) in ways.into_iter().enumerate() {
            self.put((way + 1) % WAYS, word);
        }
    }
}

/// The words met last, by their spelling. All threads share it; what one of them overwrites the others work out anew.
#[derive(Debug)]
pub struct Memo {
    sets: Box<[Set; SETS]>,
}

impl Default for Memo {
    fn default() -> Self {
        let sets: Box<[Set]> = std::iter::repeat_with(Set::default).take(SETS).collect();
        Self { sets: sets.try_into().unwrap_or_else(|_| unreachable!("as many as were taken")) }
    }
}

impl Memo {
    #[inline]
    fn set(&self, word: Spelling) -> &Set {
        &self.sets[(word >> (64 - SETS.trailing_zeros())) as usize]
    }

    /// Loads what [`Memo::look_up`] reads of a word, so that it need not wait for memory.
    #[inline]
    pub fn expect(&self, word: Spelling) {
        prefetch(self.set(word));
    }

    /// Writes the entry of each of `words` to `entries`, and the indices of those that are not remembered to
    /// `missing`. Calls `each` with what it finds.
    pub fn look_up(
        &self,
        words: &[Written],
        entries: &mut Vec<Entry>,
        missing: &mut Vec<usize>,
        each: impl Fn(Entry),
    ) {
        missing.clear();
        entries.clear();
        let mut first = 0;
        for some in words.chunks(64) {
            // few words need a second look, and nobody can foretell which: no branch
            let mut passed = 0;
            entries.extend(some.iter().map(|word| {
                let entry = self.set(word.spelling).get(word.spelling);
                each(entry);
                passed = passed >> 1 | entry.0 & PASSED;
                entry
            }));
            let mut others = !passed >> (64 - some.len());
            while others != 0 {
                missing.push(first + others.trailing_zeros() as usize);
                others &= others - 1;
            }
            first += some.len();
        }
        missing.retain(|index| {
            let known = entries[*index].is_some();
            if known {
                self.met_again(words[*index].spelling);
            }
            !known
        });
    }

    /// The entry of one word, its default where it is not remembered.
    pub fn recall(&self, word: Spelling) -> Entry {
        self.set(word).get(word)
    }

    /// A word on probation has passed it.
    fn met_again(&self, word: Spelling) {
        let set = self.set(word);
        if set.at(WAYS - 1).0 == word {
            set.rotate();
        }
    }

    /// Remembers the entry of a word.
    pub fn insert(&self, word: Spelling, entry: Entry) {
        let set = self.set(word);
        let known: [_; WAYS] = std::array::from_fn(|way| set.at(way).0);
        // no word has the spelling zero: that is an empty place
        let place = known.iter().position(|known| *known == word || *known == 0);
        let way = place.unwrap_or(WAYS - 1);
        set.put(way, (word, entry.0));
        if known[way] == word {
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

    fn written(spelling: Spelling) -> Written {
        Written { spelling, ..Written::default() }
    }

    /// A spelling of its own for each number but zero, anywhere.
    fn spread(number: u64) -> Spelling {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn work(word: Spelling) -> Entry {
        Entry::new([word as u32 >> 4, !word as u32 & 0xffff], Marks::default(), false, false)
    }

    /// What tagging does; the entries must be those that would be worked out. Returns how many were remembered.
    fn look_up(memo: &Memo, spellings: impl Iterator<Item = Spelling>) -> usize {
        let (mut entries, mut missing) = (Vec::new(), Vec::new());
        let words: Vec<Written> = spellings.map(written).collect();
        words.iter().for_each(|word| memo.expect(word.spelling));
        memo.look_up(&words, &mut entries, &mut missing, |_| ());
        for index in missing.iter().copied() {
            entries[index] = work(words[index].spelling);
            memo.insert(words[index].spelling, entries[index]);
        }
        let passed = |entry: Entry| entry.0 | PASSED;
        assert!(
            entries
                .iter()
                .map(|entry| passed(*entry))
                .eq(words.iter().map(|word| passed(work(word.spelling))))
        );
        words.len() - missing.len()
    }

    #[test]
    fn a_word_is_remembered_and_new_ones_drive_none_out_that_was_met_twice() {
        let memo = Memo::default();
        assert_eq!(look_up(&memo, (1..=100).map(spread)), 0);
        assert_eq!(look_up(&memo, (1..=100).map(spread)), 100);
        look_up(&memo, (1000..400_000).map(spread));
        assert_eq!(look_up(&memo, (1..=100).map(spread)), 100);
    }

    #[test]
    fn threads_that_share_it_read_no_half_written_word() {
        let memo = Memo::default();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let memo = &memo;
                scope.spawn(move || {
                    for round in 0..2_000 {
                        // 300 words that share eight sets drive each other out all the time
                        let number = |at: u64| 1 + (at * 7 + round * 13 + thread) % 300;
                        look_up(
                            memo,
                            (0..200).map(|at| (spread(number(at)) >> 12) | ((number(at) % 8) << 60)),
                        );
                    }
                });
            }
        });
    }

    proptest! {
        /// Few places, many keys: what is remembered is what would be worked out.
        #[test]
        fn remembering_changes_nothing(texts in proptest::collection::vec(proptest::collection::vec(1u64..400_000, 0..3000), 1..6)) {
            let memo = Memo::default();
            texts.into_iter().for_each(|numbers| { look_up(&memo, numbers.into_iter().map(spread)); });
        }
    }
}
