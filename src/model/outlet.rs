//! The unlabelled articles of an outlet, counted once and labelled softly under many models.

use super::calibrate::{Calibration, LOG_SLOPES, least_log_slope, three_digits};
use super::counts::{Bag, Counts, UNIT, places};
use super::features::Document;
use super::fit::Weights;
use super::parts::Head;
use super::score::{allows, argmax};

/// A term that the model does not know must stand in so many articles.
const FEWEST_TEXTS: u32 = 3;

/// The articles as rows of a vocabulary: the model's terms first, then the outlet's own.
pub struct Outlet<'a> {
    bags: Vec<Bag>,
    /// The model's counts, with empty rows for the new terms.
    vocabulary: Counts,
    labels: usize,
    /// By row: how many of the articles have the term.
    met: Vec<u32>,
    /// By label: whether the model has ever seen it.
    taught: Vec<bool>,
    /// By label: whether the outlet has it; all where it is empty.
    among: &'a [bool],
}

/// By article the probabilities by label.
pub type Shares = Vec<Vec<f32>>;

impl<'a> Outlet<'a> {
    /// Reads `articles` for `head`, of an outlet that has the labels `among` (all where it is empty).
    pub fn of(head: &Head, articles: &[&Document], among: &'a [bool]) -> Self {
        let mut vocabulary = head.counts.clone();
        let mut bags: Vec<Bag> = articles.iter().map(|article| vocabulary.bag(article, head.terms)).collect();
        let mut met = vec![0u32; vocabulary.terms.len()];
        for (row, _) in bags.iter().flat_map(|bag| &bag.terms) {
            met[*row as usize] += 1;
        }
        let known = head.counts.terms.len();
        for bag in &mut bags {
            bag.terms.retain(|(row, _)| (*row as usize) < known || met[*row as usize] >= FEWEST_TEXTS);
        }
        Self { bags, vocabulary, labels: head.counts.labels(), met, taught: head.counts.taught(), among }
    }

    /// Number of articles.
    pub fn len(&self) -> usize {
        self.bags.len()
    }

    /// By row: how many articles have the term, and by label how often labelled texts have it.
    pub fn known(&self) -> impl Iterator<Item = (u32, &[u32])> {
        self.met.iter().copied().zip(self.vocabulary.table.chunks(self.labels))
    }

    /// `weights` with one row for each term of the vocabulary.
    pub fn dense(&self, weights: &Weights) -> Vec<f32> {
        let mut table = vec![0.0; self.vocabulary.terms.len() * self.labels];
        for (row, of) in weights.rows.iter().zip(weights.table.chunks(self.labels)) {
            table[*row as usize * self.labels..][..self.labels].copy_from_slice(of);
        }
        table
    }

    /// Sums of weights, by article and label.
    pub fn evidence(&self, weights: &[f32]) -> Shares {
        let of = |bag: &Bag| {
            let mut sum = vec![0.0; self.labels];
            for (row, times) in &bag.terms {
                let weights = &weights[*row as usize * self.labels..];
                sum.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight * *times as f32);
            }
            sum
        };
        self.bags.iter().map(of).collect()
    }

    /// Softmax of the calibrated evidence over the labels that the outlet has; the calibration's noise is
    /// left out, since it is of labels and not of evidence.
    pub fn shares(&self, evidence: &Shares, calibration: Calibration) -> Shares {
        let of = |(evidence, bag): (&Vec<f32>, &Bag)| {
            let scale = calibration.scale(bag.total);
            let has = |label| allows(self.among, label);
            let top = (0..self.labels).filter(|label| has(*label)).map(|label| evidence[label]);
            let top = top.fold(f32::NEG_INFINITY, f32::max);
            let share = |(label, e): (usize, &f32)| if has(label) { ((e - top) * scale).exp() } else { 0.0 };
            let mut shares: Vec<f32> = evidence.iter().enumerate().map(share).collect();
            let sum: f32 = shares.iter().sum();
            shares.iter_mut().for_each(|share| *share /= sum);
            shares
        };
        evidence.iter().zip(&self.bags).map(of).collect()
    }

    /// The slope under which `evidence` says most nearly what `shares` say: least cross-entropy.
    pub fn slope(&self, evidence: &Shares, pad: f32, shares: &Shares) -> Calibration {
        let loss = |log_slope: f32| -> f64 {
            let said = self.shares(evidence, Calibration { slope: log_slope.exp(), pad, noise: 0.0 });
            let of = |(said, share): (&f32, &f32)| -f64::from(*share) * f64::from(said.max(1e-9)).ln();
            said.iter().flatten().zip(shares.iter().flatten()).map(of).sum()
        };
        Calibration { slope: least_log_slope(16, loss).exp(), pad, noise: 0.0 }
    }

    /// The slope under which the mean confidence of `evidence` is `mean`, to three digits.
    pub fn as_sure_as(&self, evidence: &Shares, pad: f32, mean: f64) -> Calibration {
        let (mut low, mut high) = LOG_SLOPES;
        for _ in 0..24 {
            let slope = f32::midpoint(low, high);
            let shares = self.shares(evidence, Calibration { slope: slope.exp(), pad, noise: 0.0 });
            if mean_confidence(&shares) < mean { low = slope } else { high = slope }
        }
        Calibration { slope: three_digits(f32::midpoint(low, high).exp()), pad, noise: 0.0 }
    }

    /// The labelled counts, and the articles as `shares` label them. Long articles and short ones count
    /// alike: `pad` terms are added to the length of each, as for its evidence, so that a few words
    /// are not much. A label that the model has never seen gets none of them.
    pub fn counts(&self, shares: &Shares, pad: f32) -> Counts {
        let mut counts = self.vocabulary.clone();
        let words = |bag: &Bag| {
            let words: u32 = bag.terms.iter().map(|(_, times)| times).sum();
            f64::from(words) + f64::from(pad)
        };
        let mean = self.bags.iter().map(words).sum::<f64>() / self.bags.len().max(1) as f64;
        for (bag, shares) in self.bags.iter().zip(shares) {
            let unit = f64::from(UNIT) * mean / words(bag).max(1.0);
            let shares: Vec<(usize, u32)> = shares
                .iter()
                .zip(&self.taught)
                .map(|(share, taught)| if *taught { (f64::from(*share) * unit).round() as u32 } else { 0 })
                .enumerate()
                .filter(|(_, share)| *share > 0)
                .collect();
            counts.add_bag(bag, &shares);
        }
        counts
    }

    /// `head` with `table` for weights, one row a term of the vocabulary; its counts stay what they
    /// were, with empty rows for the terms that are new.
    pub fn head(&self, head: &Head, table: &[f32], calibration: Calibration) -> Head {
        let used: Vec<u32> = (0..self.vocabulary.terms.len() as u32)
            .filter(|row| {
                let weights = &table[*row as usize * self.labels..][..self.labels];
                self.vocabulary.texts[*row as usize] > 0 || weights.iter().any(|weight| *weight != 0.0)
            })
            .collect();
        let (counts, order) = self.vocabulary.ordered(used);
        let place = places(&order, self.vocabulary.terms.len());
        let kept = head.kept.iter().map(|kept| kept.clone().moved(&place)).collect();
        let rows = (0..order.len() as u32).collect();
        let table = order.iter().flat_map(|row| &table[*row as usize * self.labels..][..self.labels]);
        Head {
            calibration: Calibration { noise: head.calibration.noise, ..calibration },
            counts,
            weights: Weights { rows, table: table.copied().collect() },
            kept,
            ..head.clone()
        }
    }
}

/// The likeliest label of each article.
pub fn winners(shares: &Shares) -> Vec<usize> {
    shares.iter().map(|shares| argmax(shares)).collect()
}

/// The mean probability of the likeliest label.
pub fn mean_confidence(shares: &Shares) -> f64 {
    let sum: f64 = shares.iter().map(|shares| f64::from(shares[argmax(shares)])).sum();
    sum / shares.len().max(1) as f64
}
