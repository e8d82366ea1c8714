//! Makes confidence mean what it says.
//!
//! Naive Bayes counts the words of a text as if they were independent, so its evidence grows with
//! length and its posteriors are near one. Evidence is divided by a power of the length and
//! multiplied by a slope (temperature scaling: Guo, Pleiss, Sun and Weinberger, *On Calibration of
//! Modern Neural Networks*, ICML 2017); both are fitted on texts held out by cross-validation.

use super::score::Score;
use serde::{Deserialize, Serialize};

/// Evidence to probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Factor of the evidence; the inverse of the temperature.
    pub slope: f32,
    /// Power of the number of known terms that the evidence is divided by.
    pub exponent: f32,
}

impl Default for Calibration {
    /// Plain naive Bayes.
    fn default() -> Self {
        Self { slope: 1.0, exponent: 0.0 }
    }
}

impl Calibration {
    /// What the evidence of a text of `known` terms is multiplied by.
    #[inline]
    pub fn scale(self, known: u32) -> f32 {
        self.slope / (known.max(1) as f32).powf(self.exponent)
    }

    /// The slope and exponent with the least negative log-likelihood of `held_out`: scores with the
    /// labels that are right (any of them counts).
    pub fn fit(held_out: &[(Score, Vec<usize>)], exponents: &[f32]) -> Self {
        let mut best = (f64::INFINITY, Self::default());
        for exponent in exponents {
            let loss = |log_slope: f32| {
                let calibration = Self { slope: log_slope.exp(), exponent: *exponent };
                (negative_log_likelihood(held_out, calibration), calibration)
            };
            // golden-section search over the logarithm of the slope
            let (mut low, mut high) = (-6.0f32, 6.0f32);
            const RATIO: f32 = 0.618_034;
            for _ in 0..40 {
                let (a, b) = (high - RATIO * (high - low), low + RATIO * (high - low));
                if loss(a).0 < loss(b).0 { high = b } else { low = a }
            }
            let found = loss((low + high) / 2.0);
            if found.0 < best.0 {
                best = found;
            }
        }
        best.1
    }
}

fn negative_log_likelihood(held_out: &[(Score, Vec<usize>)], calibration: Calibration) -> f64 {
    held_out
        .iter()
        .map(|(score, right)| {
            let probabilities = score.probabilities(calibration, &[]);
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
        let calibration = Calibration::fit(&held_out, &[0.0]);
        let p = held_out[0].0.probabilities(calibration, &[])[0];
        assert!((p - 0.75).abs() < 0.01, "{p}");
    }
}
