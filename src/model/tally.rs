//! All that training needs to know of examples, in a form that adds up: counts, and the texts that
//! confidence is measured on.
//!
//! Counts of old and new examples add to those of both. Calibration and thresholds need texts that
//! can be held out, so a tally keeps texts too, as stems: all of them up to [`KEPT`], and of more the
//! groups whose numbers are smallest (`below` remembers the first that was cut). What the union keeps
//! of both is what it would have kept of all at once, because a group that is cut from one part is cut
//! from the whole. So training that goes on from a model file gives the same bytes as training at once.

use super::counts::Counts;
use super::kept::Kept;
use super::recipe::Recipe;
use super::texts::Text;
use std::collections::BTreeMap;

/// Texts that are kept in one language and task.
pub const KEPT: usize = 10_000;

/// Texts more after which what is cut is let go of.
const CUT_EVERY: usize = 1024;

/// The examples of one task in one language.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// What all of them count; terms in the order of their spelling.
    pub counts: Counts,
    /// What is kept of them, in the order of groups.
    pub kept: Vec<Kept>,
    /// Groups from this number on are cut; `None` where all are kept.
    pub below: Option<u64>,
    /// How many there were, keyword lists and texts that count for nothing left out.
    pub texts: usize,
}

impl Tally {
    /// No texts, of so many labels.
    pub fn new(labels: usize) -> Self {
        Self { counts: Counts::new(labels), ..Self::default() }
    }

    /// Counts one text more. Rows stand as they come until [`Tally::sorted`].
    pub fn add(&mut self, text: &Text, recipe: Recipe) {
        let Some(shares) = text.shares(recipe.keyword_weight) else { return };
        self.counts.add(&text.document, recipe.terms, &shares);
        if text.keywords {
            return;
        }
        self.texts += 1;
        if self.below.is_none_or(|below| text.group < below) {
            self.kept.push(Kept::of(text, recipe.terms, &self.counts));
            // little more is ever held than is kept
            if self.kept.len().is_multiple_of(CUT_EVERY) {
                self.below = cut(&mut self.kept, self.below, KEPT);
            }
        }
    }

    /// Groups from this number on are cut from the whole that this is a part of.
    pub fn cut_from(&mut self, below: u64) {
        self.below = Some(self.below.map_or(below, |own| own.min(below)));
    }

    /// The same with terms in the order of their spelling, so that files are equal byte for byte.
    pub fn sorted(self) -> Self {
        let (counts, place) = self.counts.moved();
        let mut kept = match &place {
            None => self.kept,
            Some(place) => moved(self.kept, place),
        };
        let below = cut(&mut kept, self.below, KEPT);
        Self { counts, kept, below, texts: self.texts }
    }

    /// This tally and `other` as one.
    pub fn with(self, other: Self) -> Self {
        let (counts, [ours, theirs]) = self.counts.plus(other.counts);
        let mut kept = moved(self.kept, &ours);
        kept.extend(moved(other.kept, &theirs));
        let below = self.below.into_iter().chain(other.below).min();
        let below = cut(&mut kept, below, KEPT);
        Self { counts, kept, below, texts: self.texts + other.texts }
    }

    /// The same with each text counting `share` of what it did, rounded to a whole 64th. Keyword lists
    /// stay as they are unless texts were cut: then the two cannot be told apart.
    pub fn faded(mut self, recipe: Recipe, share: f64) -> Self {
        let mut texts = Vec::with_capacity(self.kept.len());
        for kept in std::mem::take(&mut self.kept) {
            let text = kept.text(&self.counts);
            let bag = self.counts.known_bag(&text.document, recipe.terms);
            if let Some(shares) = text.shares(recipe.keyword_weight) {
                self.counts.take_bag(&bag, &shares);
            }
            texts.push((kept, bag));
        }
        if self.below.is_some() {
            self.counts.fade(share);
        }
        for (mut kept, bag) in texts {
            kept.weight = faded(kept.weight, share);
            match kept.text(&self.counts).shares(recipe.keyword_weight) {
                Some(shares) => {
                    self.counts.add_bag(&bag, &shares);
                    self.kept.push(kept);
                }
                None => self.texts -= 1,
            }
        }
        self.sorted()
    }
}

/// Groups of the texts that tallies keep together while each counts a part: none needs to hold what will
/// be cut from the whole.
#[derive(Debug)]
pub struct Smallest {
    most: usize,
    groups: BTreeMap<u64, usize>,
    texts: usize,
    below: Option<u64>,
}

impl Default for Smallest {
    fn default() -> Self {
        Self { most: KEPT, groups: BTreeMap::new(), texts: 0, below: None }
    }
}

impl Smallest {
    /// One text more of `group`. Gives back the number of the first group that is cut by now.
    pub fn admit(&mut self, group: u64) -> Option<u64> {
        if self.below.is_none_or(|below| group < below) {
            *self.groups.entry(group).or_default() += 1;
            self.texts += 1;
            while self.texts > self.most
                && let Some((largest, texts)) = self.groups.pop_last()
            {
                self.texts -= texts;
                self.below = Some(largest);
            }
        }
        self.below
    }
}

/// A weight of which `share` is left, in 64ths.
pub fn faded(weight: u32, share: f64) -> u32 {
    (f64::from(weight) * share).round() as u32
}

/// With rows that stand at new places.
fn moved(kept: Vec<Kept>, place: &[u32]) -> Vec<Kept> {
    kept.into_iter().map(|kept| kept.moved(place)).collect()
}

/// Sorts, and keeps whole groups `below` a number, the smallest first, up to `most` texts. Gives back
/// the number of the first group that is cut, now or before.
fn cut(kept: &mut Vec<Kept>, below: Option<u64>, most: usize) -> Option<u64> {
    kept.retain(|kept| below.is_none_or(|below| kept.group < below));
    kept.sort_unstable();
    let Some(over) = kept.get(most).map(|kept| kept.group) else { return below };
    kept.truncate(kept.partition_point(|kept| kept.group < over));
    Some(over)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UNIT;
    use proptest::prelude::*;

    fn kept(groups: &[u8]) -> Vec<Kept> {
        let of = |(at, group): (usize, &u8)| Kept {
            group: u64::from(*group),
            right: vec![0],
            stems: [at as u32 % 3].into_iter().collect(),
            weight: UNIT,
        };
        groups.iter().enumerate().map(of).collect()
    }

    proptest! {
        /// What is cut from parts, and then from their sum, is what is cut from all at once.
        #[test]
        fn parts_keep_what_the_whole_keeps(
            parts in prop::collection::vec(prop::collection::vec(0u8..12, 0..20), 1..4),
            most in 1usize..15,
        ) {
            let parts: Vec<Vec<Kept>> = parts.iter().map(|groups| kept(groups)).collect();
            let mut whole = parts.concat();
            let mut smallest = Smallest { most, ..Smallest::default() };
            let told = whole.iter().fold(None, |_, kept| smallest.admit(kept.group));
            let at_once = cut(&mut whole, None, most);
            prop_assert!(whole.len() <= most);
            prop_assert_eq!(told, at_once);
            let (mut sum, mut below) = (Vec::new(), None);
            for mut part in parts {
                let cut_from = cut(&mut part, None, most);
                sum.extend(part);
                below = cut(&mut sum, below.into_iter().chain(cut_from).min(), most);
            }
            prop_assert_eq!((sum, below), (whole, at_once));
        }
    }
}
