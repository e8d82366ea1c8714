//! Makes confidence mean what it says.
//!
//! Naive Bayes counts the words of a text as if they were independent, so its evidence grows with
//! length and its posteriors are near one. So confidence rests on the mean evidence of a term, with
//! some terms of no evidence added (`pad`) so that short texts stay modest, times a slope
//! (temperature scaling: Guo, Pleiss, Sun and Weinberger, *On Calibration of Modern Neural Networks*,
//! ICML 2017). Both are fitted on texts held out by cross-validation, whole and cut short.

use super::score::Score;
use serde::{Deserialize, Serialize};

/// Evidence to probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Factor of the mean evidence; the inverse of the temperature.
    pub slope: f32,
    /// Terms of no evidence that are added to every text.
    pub pad: f32,
}

/// What `pad` is chosen from.
const PADS: [f32; 7] = [0.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0];

impl Calibration {
    /// What the evidence of a text of `terms` terms, known or not, is multiplied by.
    #[inline]
    pub fn scale(self, terms: u32) -> f32 {
        self.slope / (terms as f32 + self.pad).max(1.0)
    }

    /// Probabilities by label among those `allowed` (all where it is empty); they sum to one.
    ///
    /// Softmax of `slope · evidence / (terms + pad)`, with the largest taken out first so that
    /// nothing overflows however long the text.
    pub fn probabilities(self, score: &Score, allowed: &[bool]) -> Vec<f32> {
        let scale = self.scale(score.total);
        let allows = |label: usize| allowed.get(label).copied().unwrap_or(true);
        let evidence = || score.evidence.iter().copied().enumerate();
        let top = evidence()
            .filter(|(label, _)| allows(*label))
            .map(|(_, evidence)| evidence)
            .fold(f32::NEG_INFINITY, f32::max);
        let mut probabilities: Vec<f32> = evidence()
            .map(|(label, evidence)| if allows(label) { ((evidence - top) * scale).exp() } else { 0.0 })
            .collect();
        let sum: f32 = probabilities.iter().sum();
        for probability in &mut probabilities {
            *probability /= sum;
        }
        probabilities
    }

    /// The slope and pad with the least negative log-likelihood of `held_out`: scores with the
    /// labels that are right (any of them counts).
    pub fn fit(held_out: &[(Score, Vec<usize>)]) -> Self {
        let mut best = (f64::INFINITY, Self { slope: 1.0, pad: 0.0 });
        for pad in PADS {
            let loss = |log_slope: f32| {
                let calibration = Self { slope: log_slope.exp(), pad };
                (negative_log_likelihood(held_out, calibration), calibration)
            };
            // golden-section search over the logarithm of the slope
            let (mut low, mut high) = (-2.0f32, 7.0f32);
            const RATIO: f32 = 0.618_034;
            for _ in 0..30 {
                let (a, b) = (high - RATIO * (high - low), low + RATIO * (high - low));
                if loss(a).0 < loss(b).0 { high = b } else { low = a }
            }
            let found = loss((low + high) / 2.0);
            if found.0 < best.0 {
                best = found;
            }
        }
        // three digits are all that it is known to, and the same on every machine
        let digits = 10f32.powi(2 - best.1.slope.log10().floor() as i32);
        Self { slope: (best.1.slope * digits).round() / digits, ..best.1 }
    }
}

fn negative_log_likelihood(held_out: &[(Score, Vec<usize>)], calibration: Calibration) -> f64 {
    held_out
        .iter()
        .map(|(score, right)| {
            let probabilities = calibration.probabilities(score, &[]);
            let right: f32 = right.iter().map(|label| probabilities[*label]).sum();
            -f64::from(right.max(1e-9)).ln()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overconfident_evidence_is_cooled() {
        // says 10 : 0 always, is right three times of four
        let held_out: Vec<_> = (0..400)
            .map(|i| {
                let score = Score { evidence: vec![10.0, 0.0], known: 10, total: 10 };
                (score, vec![usize::from(i % 4 == 0)])
            })
            .collect();
        let calibration = Calibration::fit(&held_out);
        let p = calibration.probabilities(&held_out[0].0, &[])[0];
        assert!((p - 0.75).abs() < 0.01, "{p}");
    }
}
