//! Which articles to ask about, when a person can answer only some.
//!
//! An answer helps the articles that are like it. So those are chosen that are like as many of all as can be:
//! with s the cosine of two articles' tf-idf, the set S with the largest
//!
//! > Σ over all articles i of max over j in S of s(i, j)
//!
//! (facility location). Only the half that the model doubts more may be chosen, since an answer that it knew
//! teaches little: *filtered active submodular selection* of Wei, Iyer and Bilmes (*Submodularity in Data
//! Subset Selection and Active Learning*, ICML 2015), but for what is to be covered, which is all articles and
//! not that half alone. Doubt alone would choose outliers, and many of a kind. An outlier is like nothing, and
//! who is like a chosen one gains little more. Greedy choice comes within 1 − 1/e of the best (Nemhauser,
//! Wolsey and Fisher, 1978), and its order is the order in which to ask.

use super::cores::on_all_cores;
use super::features::Document;
use crate::text::Key;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

/// An article that may be asked about, or was.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its terms with one plus the logarithm of their times; terms rising.
    terms: Vec<(Key, f32)>,
    /// Probability that its likeliest label is wrong, 0 to 1; `None` where it was answered: it covers others
    /// and is not chosen.
    doubt: Option<f32>,
}

impl Candidate {
    /// Of an article's stems; words of grammar say nothing of what it is like.
    pub fn of(document: &Document, doubt: Option<f32>) -> Self {
        let mut keys: Vec<Key> =
            document.stems.iter().filter(|stem| !stem.function).map(|stem| stem.key).collect();
        keys.sort_unstable();
        let terms = keys.chunk_by(|a, b| a == b).map(|same| (same[0], 1.0 + (same.len() as f32).ln()));
        Self { terms: terms.collect(), doubt }
    }
}

/// The indices of up to `count` candidates in the order in which to ask.
///
/// Time and memory grow with the square of their number: one cosine of four bytes for each of the doubtful
/// half with each that was not answered.
pub fn choose(candidates: &[Candidate], count: usize) -> Vec<usize> {
    let vectors = vectors(candidates);
    let (open, answered): (Vec<usize>, Vec<usize>) =
        (0..candidates.len()).partition(|at| candidates[*at].doubt.is_some());
    let mut doubtful = open.clone();
    let doubt = |at: &usize| candidates[*at].doubt.unwrap_or_default();
    doubtful.sort_by(|a, b| doubt(b).total_cmp(&doubt(a)));
    doubtful.truncate(open.len().div_ceil(2).max(count));
    let all = Likeness::to(open.iter().map(|at| &vectors[*at]));
    let mut covered = vec![0.0; open.len()];
    answered.iter().for_each(|at| cover(&mut covered, &all.cosines(&vectors[*at])));
    let rows = on_all_cores(doubtful.len(), |at| all.cosines(&vectors[doubtful[at]]));
    greedy(&rows, covered, count).into_iter().map(|at| doubtful[at]).collect()
}

/// Terms with their weights, terms rising; the sum of the squares is one.
type Vector = Vec<(Key, f32)>;

/// The tf-idf of each candidate.
fn vectors(candidates: &[Candidate]) -> Vec<Vector> {
    let mut holders: HashMap<Key, u32> = HashMap::new();
    for (term, _) in candidates.iter().flat_map(|candidate| &candidate.terms) {
        *holders.entry(*term).or_default() += 1;
    }
    let all = candidates.len() as f32;
    let vector = |candidate: &Candidate| {
        let weigh = |(term, weight): &(Key, f32)| (*term, weight * (all / holders[term] as f32).ln());
        let mut vector: Vector =
            candidate.terms.iter().map(weigh).filter(|(_, weight)| *weight > 0.0).collect();
        let length = vector.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
        vector.iter_mut().for_each(|(_, weight)| *weight /= length);
        vector
    };
    candidates.iter().map(vector).collect()
}

/// Articles by their terms, to be compared with.
struct Likeness {
    articles: usize,
    /// By term who has it, with its weight there.
    holders: HashMap<Key, Vec<(u32, f32)>>,
}

impl Likeness {
    fn to<'a>(vectors: impl ExactSizeIterator<Item = &'a Vector>) -> Self {
        let articles = vectors.len();
        let mut holders: HashMap<Key, Vec<(u32, f32)>> = HashMap::new();
        for (at, vector) in (0..).zip(vectors) {
            for (term, weight) in vector {
                holders.entry(*term).or_default().push((at, *weight));
            }
        }
        Self { articles, holders }
    }

    /// How alike `vector` is to each of them, 0 to 1.
    fn cosines(&self, vector: &Vector) -> Vec<f32> {
        let mut cosines = vec![0.0; self.articles];
        for (term, weight) in vector {
            for (at, other) in self.holders.get(term).into_iter().flatten() {
                cosines[*at as usize] += weight * other;
            }
        }
        cosines
    }
}

fn cover(covered: &mut [f32], row: &[f32]) {
    covered.iter_mut().zip(row).for_each(|(most, like)| *most = most.max(*like));
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

/// Chooses one of the `rows` of cosines after the other, beyond what is `covered`. Gains only fall, so one that
/// is still the largest when worked out anew is the largest (Minoux, *Accelerated greedy algorithms*, 1978).
fn greedy(rows: &[Vec<f32>], mut covered: Vec<f32>, count: usize) -> Vec<usize> {
    let gain = |covered: &[f32], index: usize| -> f32 {
        rows[index].iter().zip(covered).map(|(like, most)| (like - most).max(0.0)).sum()
    };
    let all = (0..rows.len()).map(|index| Gain { gain: gain(&covered, index), index, round: 0 });
    let mut heap: BinaryHeap<Gain> = all.collect();
    let mut chosen = Vec::new();
    while chosen.len() < count {
        let Some(best) = heap.pop() else { break };
        if best.round == chosen.len() {
            cover(&mut covered, &rows[best.index]);
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

    /// Two kinds of doubtful articles, a doubtful outlier, and sure ones that are like the first kind or of a
    /// third.
    fn some(first: Option<f32>) -> Vec<Candidate> {
        let texts = [
            ("striker penalty keeper goal", first),
            ("striker penalty keeper match", Some(0.6)),
            ("striker penalty referee goal", Some(0.6)),
            ("bank shares interest inflation", Some(0.5)),
            ("bank shares interest currency", Some(0.5)),
            ("zebra", Some(0.55)),
            ("striker penalty keeper cup", Some(0.1)),
            ("striker penalty cup goal", Some(0.1)),
            ("vaccine hospital nurse patient", Some(0.01)),
            ("vaccine hospital nurse doctor", Some(0.01)),
            ("vaccine hospital nurse clinic", Some(0.01)),
            ("vaccine hospital nurse surgeon", Some(0.01)),
        ];
        texts.into_iter().map(|(text, doubt)| Candidate::of(&Document::of(&[text]), doubt)).collect()
    }

    #[test]
    fn one_of_each_doubtful_kind_and_no_sure_one() {
        let chosen = choose(&some(Some(0.6)), 6);
        assert!(chosen.iter().all(|index| *index < 6) && chosen.len() == 6, "{chosen:?}");
        let kinds: Vec<usize> = chosen.iter().take(3).map(|index| [0, 0, 0, 1, 1, 2][*index]).collect();
        assert_eq!(kinds, [0, 1, 2], "{chosen:?}");
        assert_eq!(choose(&some(Some(0.6)), 2), chosen[..2], "fewer are the first of more");
        let all = choose(&some(Some(0.6)), 50);
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 12, "all, once: {all:?}");
    }

    #[test]
    fn what_was_answered_covers_its_kind_and_is_not_asked_again() {
        let chosen = choose(&some(None), 5);
        assert!(!chosen.contains(&0) && chosen.len() == 5, "{chosen:?}");
        assert!(chosen[0] == 3 || chosen[0] == 4, "{chosen:?}");
        assert_eq!(choose(&[], 5), Vec::<usize>::new());
    }
}
