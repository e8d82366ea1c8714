//! Which articles to ask about, when a person can answer only some. Measured, this is no better than by lot
//! (docs/RETRAINING.md), so it is not the default.
//!
//! A calibrated classifier expects to be wrong about an article with its `doubt`, one minus the probability
//! of its likeliest label. An answer helps the articles that are like it. So those are chosen that cover the
//! expected errors best: with s the cosine of two articles' tf-idf, the set S with the largest
//!
//! > Σ over articles i of doubt(i) · max over j in S of s(i, j)
//!
//! (facility location weighted by uncertainty; after Wei, Iyer and Bilmes, *Submodularity in Data Subset
//! Selection and Active Learning*, ICML 2015). Doubt alone would choose outliers, and many of a kind:
//! an outlier is like nothing, and who is like a chosen one gains little more. Greedy choice comes within
//! 1 − 1/e of the best (Nemhauser, Wolsey and Fisher, 1978), and its order is the order in which to ask.

use super::features::Document;
use crate::text::Key;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

/// An article that may be asked about.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its terms with their times.
    terms: HashMap<Key, u32>,
    /// Probability that its likeliest label is wrong, 0 to 1.
    doubt: f32,
    /// Whether it was asked about already: it covers others, but is not chosen.
    answered: bool,
}

impl Candidate {
    /// Of an article's stems; words of grammar say nothing of what it is like.
    pub fn of(document: &Document, doubt: f32, answered: bool) -> Self {
        let mut terms = HashMap::new();
        for stem in document.stems.iter().filter(|stem| !stem.function) {
            *terms.entry(stem.key).or_insert(0) += 1;
        }
        Self { terms, doubt, answered }
    }
}

/// Articles that are compared with each other, the most doubtful ones; more take memory and time with
/// their square.
const COMPARED: usize = 3_000;

/// The indices of up to `count` candidates in the order in which to ask. Of more than `COMPARED`, the less
/// doubtful ones come last, in the order of doubt.
pub fn choose(candidates: &[Candidate], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    let rank = |index: &usize| (candidates[*index].answered, candidates[*index].doubt);
    order.sort_by(|a, b| {
        let (a, b) = (rank(a), rank(b));
        b.0.cmp(&a.0).then(b.1.total_cmp(&a.1))
    });
    let compared: Vec<&Candidate> = order.iter().take(COMPARED).map(|index| &candidates[*index]).collect();
    let chosen = greedy(&compared, &Likeness::of(&compared), count);
    let rest = order.iter().skip(COMPARED).filter(|index| !candidates[**index].answered).copied();
    chosen.into_iter().map(|at| order[at]).chain(rest).take(count).collect()
}

/// How alike articles are, each with each: cosines of tf-idf, 0 to 1.
struct Likeness {
    table: Vec<f32>,
    side: usize,
}

impl Likeness {
    fn of(candidates: &[&Candidate]) -> Self {
        let side = candidates.len();
        let mut holders: HashMap<Key, Vec<(u32, f32)>> = HashMap::new();
        for (index, candidate) in (0..).zip(candidates) {
            for (term, times) in &candidate.terms {
                holders.entry(*term).or_default().push((index, 1.0 + (*times as f32).ln()));
            }
        }
        // a term of one article is like nothing, but makes it longer
        let mut lengths = vec![0.0f32; side];
        for weights in holders.values_mut() {
            let rarity = (side as f32 / weights.len() as f32).ln();
            for (index, weight) in weights {
                *weight *= rarity;
                lengths[*index as usize] += *weight * *weight;
            }
        }
        let mut table = vec![0.0f32; side * side];
        // in one order, so that sums of floats are the same on every run
        let mut terms: Vec<&Key> = holders.keys().collect();
        terms.sort_unstable();
        for weights in terms.into_iter().map(|term| &holders[term]) {
            for (a, (first, weight)) in weights.iter().enumerate() {
                let row = &mut table[*first as usize * side..][..side];
                for (second, other) in &weights[a + 1..] {
                    row[*second as usize] += weight * other;
                }
            }
        }
        for a in 0..side {
            for b in a + 1..side {
                let scale = (lengths[a] * lengths[b]).sqrt();
                let cosine = if scale > 0.0 { table[a * side + b] / scale } else { 0.0 };
                table[a * side + b] = cosine;
                table[b * side + a] = cosine;
            }
            table[a * side + a] = 1.0;
        }
        Self { table, side }
    }

    fn row(&self, index: usize) -> &[f32] {
        &self.table[index * self.side..][..self.side]
    }
}

/// A candidate with what it gained when that was last worked out.
#[derive(PartialEq)]
struct Gain {
    gain: f32,
    index: usize,
    /// How many were chosen by then.
    round: usize,
}

impl Eq for Gain {}

impl PartialOrd for Gain {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Gain {
    fn cmp(&self, other: &Self) -> Ordering {
        self.gain.total_cmp(&other.gain).then(other.index.cmp(&self.index))
    }
}

/// Chooses one after the other. Gains only fall, so one that is still the largest when worked out anew is
/// the largest (Minoux, *Accelerated greedy algorithms*, 1978).
fn greedy(candidates: &[&Candidate], likeness: &Likeness, count: usize) -> Vec<usize> {
    let mut covered = vec![0.0f32; candidates.len()];
    let cover = |covered: &mut [f32], index: usize| {
        for (most, like) in covered.iter_mut().zip(likeness.row(index)) {
            *most = most.max(*like);
        }
    };
    for (index, _) in candidates.iter().enumerate().filter(|(_, candidate)| candidate.answered) {
        cover(&mut covered, index);
    }
    let gain = |covered: &[f32], index: usize| -> f32 {
        let others = likeness.row(index).iter().zip(covered).zip(candidates);
        others.map(|((like, most), other)| other.doubt * (like - most).max(0.0)).sum()
    };
    let open = candidates.iter().enumerate().filter(|(_, candidate)| !candidate.answered);
    let mut heap: BinaryHeap<Gain> =
        open.map(|(index, _)| Gain { gain: gain(&covered, index), index, round: 0 }).collect();
    let mut chosen = Vec::new();
    while chosen.len() < count {
        let Some(best) = heap.pop() else { break };
        if best.round == chosen.len() {
            cover(&mut covered, best.index);
            chosen.push(best.index);
        } else {
            heap.push(Gain { gain: gain(&covered, best.index), round: chosen.len(), ..best });
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(text: &str, doubt: f32, answered: bool) -> Candidate {
        Candidate::of(&Document::of(&[text]), doubt, answered)
    }

    /// Two kinds of doubtful articles, a sure one of a third kind and a doubtful outlier.
    fn some(first_answered: bool) -> Vec<Candidate> {
        vec![
            candidate("striker penalty keeper goal", 0.6, first_answered),
            candidate("striker penalty keeper match", 0.6, false),
            candidate("striker penalty keeper goal", 0.6, false),
            candidate("bank shares interest inflation", 0.5, false),
            candidate("bank shares interest currency", 0.5, false),
            candidate("vaccine hospital nurse patient", 0.01, false),
            candidate("zebra", 0.55, false),
        ]
    }

    #[test]
    fn one_of_each_kind_and_the_sure_one_last() {
        let chosen = choose(&some(false), 10);
        assert_eq!(chosen.len(), 7, "all, once");
        let kinds: Vec<usize> = chosen.iter().take(3).map(|index| [0, 0, 0, 1, 1, 2, 3][*index]).collect();
        assert_eq!(kinds, [0, 1, 3], "{chosen:?}");
        assert!(chosen.iter().position(|index| *index == 5) >= Some(5), "{chosen:?}");
        assert_eq!(choose(&some(false), 2), chosen[..2], "fewer are the first of more");
    }

    #[test]
    fn what_was_answered_covers_its_kind_and_is_not_asked_again() {
        let chosen = choose(&some(true), 10);
        assert!(!chosen.contains(&0) && chosen.len() == 6, "{chosen:?}");
        assert!(chosen[0] == 3 || chosen[0] == 4, "{chosen:?}");
        // a copy of an answered one is covered whole
        assert_eq!(chosen.iter().position(|index| *index == 2), Some(5), "{chosen:?}");
        assert_eq!(choose(&[], 5), Vec::<usize>::new());
    }
}
