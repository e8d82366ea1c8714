//! Finds texts that say the same in the same words, through an inverted index of shingles.

use crate::text::{Word, tokenise};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Words in a row that make one shingle.
const SHINGLE: usize = 4;
/// Texts are alike where more than this share of the shorter one's shingles stands in the other.
const ALIKE: f64 = 0.5;

/// An earlier text that a later one is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alike {
    /// Which one, counted from the first added.
    pub earlier: usize,
    /// Share of the shorter text's shingles that both have.
    pub share: f64,
    /// Whether all words are the same.
    pub exact: bool,
}

/// The texts so far, by their shingles.
#[derive(Debug, Default)]
pub struct Shingles {
    /// By text: hash of its words, and how many shingles it has.
    texts: Vec<(u64, usize)>,
    /// By hash of a shingle: the texts that it stands in.
    holders: HashMap<u64, Vec<u32>>,
}

impl Shingles {
    /// Adds a text; returns the earlier texts that are like it, the most alike first.
    pub fn add(&mut self, text: &str) -> Vec<Alike> {
        let mut words = Vec::new();
        tokenise(text, |token| words.push(token.word));
        if words.is_empty() {
            // digits alone say nothing that could be the same
            self.texts.push((hash(&words), 0));
            return Vec::new();
        }
        // a text shorter than a shingle is one shingle
        let mut shingles: Vec<u64> = words.windows(SHINGLE.min(words.len())).map(hash).collect();
        shingles.sort_unstable();
        shingles.dedup();
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        let this = self.texts.len();
        for shingle in &shingles {
            let holders = self.holders.entry(*shingle).or_default();
            for holder in holders.iter() {
                *shared.entry(*holder as usize).or_default() += 1;
            }
            holders.push(this as u32);
        }
        let whole = hash(&words);
        let mut alike: Vec<Alike> = shared
            .into_iter()
            .map(|(earlier, shared)| {
                let (other, size) = &self.texts[earlier];
                let share = shared as f64 / shingles.len().min(*size) as f64;
                Alike { earlier, share, exact: *other == whole }
            })
            .filter(|alike| alike.share > ALIKE)
            .collect();
        alike.sort_by(|a, b| {
            (b.exact, b.share).partial_cmp(&(a.exact, a.share)).unwrap_or(a.earlier.cmp(&b.earlier))
        });
        let size = shingles.len();
        self.texts.push((whole, size));
        alike
    }
}

fn hash(words: &[Word]) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_words_are_found_whatever_their_spelling() {
        let mut shingles = Shingles::default();
        assert!(shingles.add("The striker scored twice in the final on Sunday").is_empty());
        let same = shingles.add("THE STRIKER scored twice, in the final on Sunday!");
        assert_eq!(same, [Alike { earlier: 0, share: 1.0, exact: true }]);
        assert!(shingles.add("The court jailed a thief for fraud on Sunday").is_empty());
    }

    #[test]
    fn containment_is_of_the_shorter_text() {
        let mut shingles = Shingles::default();
        shingles.add("a b c d e f g h i j k l m n o p");
        // shingles of the second: five, of which three stand in the first
        let near = shingles.add("a b c d e f y z");
        assert_eq!(near.len(), 1);
        assert!(!near[0].exact && (near[0].share - 0.6).abs() < 1e-9, "{near:?}");
        // two of five are too few
        assert!(shingles.add("g h i j k y y y").is_empty());
    }

    #[test]
    fn short_texts_and_digits_do_no_harm() {
        let mut shingles = Shingles::default();
        for text in ["", "1 2 3", "1 2 3", "two words"] {
            assert!(shingles.add(text).is_empty(), "{text}");
        }
        assert!(shingles.add("two words")[0].exact);
    }
}
