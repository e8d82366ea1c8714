//! Makes confidence mean what it says.
//!
//! Naive Bayes counts the words of a text as if they were independent, so its evidence grows with
//! length and its posteriors are near one. So confidence rests on the mean evidence of a term, with
//! some terms of no evidence added (`pad`) so that short texts stay modest, times a slope
//! (temperature scaling: Guo, Pleiss, Sun and Weinberger, *On Calibration of Modern Neural Networks*,
//! ICML 2017). Both are fitted on texts held out by cross-validation, whole and cut short.
//!
//! Examples written for a label show it more clearly than news does, and two desks file some
//! articles under different labels. No cross-validation on one's own examples sees that, so a
//! share of the probability (`noise`) is spread over all labels: it caps the confidence.

use super::cores::on_all_cores;
use super::score::{ByLabel, Score, allows};
use serde::{Deserialize, Serialize};

/// Evidence to probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Factor of the mean evidence; the inverse of the temperature.
    pub slope: f32,
    /// Terms of no evidence that are added to every text.
    pub pad: f32,
    /// Share of articles whose label another desk would choose otherwise.
    pub noise: f32,
}

/// What `pad` is chosen from.
const PADS: [f32; 11] = [0.0, 5.0, 10.0, 14.0, 20.0, 28.0, 40.0, 56.0, 80.0, 112.0, 160.0];

impl Calibration {
    /// What the evidence of a text of `terms` terms, known or not, is multiplied by.
    #[inline]
    pub fn scale(self, terms: u32) -> f32 {
        self.slope / (terms as f32 + self.pad).max(1.0)
    }

    /// Probabilities by label among those `allowed` (all where it is empty); they sum to one.
    ///
    /// `(1 - noise) · softmax(slope · evidence / (terms + pad)) + noise / labels`, with the largest
    /// evidence taken out first so that nothing overflows however long the text.
    pub fn probabilities(self, score: &Score, allowed: &[bool]) -> ByLabel {
        let scale = self.scale(score.total);
        let top = score.best(allowed).map_or(0.0, |best| score.evidence[best]);
        let weigh = |(label, evidence): (usize, &f32)| {
            if allows(allowed, label) { ((evidence - top) * scale).exp() } else { 0.0 }
        };
        let mut probabilities: ByLabel = score.evidence.iter().enumerate().map(weigh).collect();
        let sum: f32 = probabilities.iter().sum();
        let labels = (0..probabilities.len()).filter(|label| allows(allowed, *label)).count();
        let floor = self.noise / labels.max(1) as f32;
        for (label, probability) in probabilities.iter_mut().enumerate() {
            if allows(allowed, label) {
                *probability = (1.0 - self.noise) * *probability / sum + floor;
            }
        }
        probabilities
    }

    /// The slope and pad with the least negative log-likelihood of `held_out`, scores with the
    /// labels that are right (any of them counts), under a given `noise`.
    pub fn fit(held_out: &[(Score, Vec<usize>)], noise: f32) -> Self {
        let found = on_all_cores(PADS.len(), |pad| {
            let loss = |log_slope: f32| {
                let calibration = Self { slope: log_slope.exp(), pad: PADS[pad], noise };
                (negative_log_likelihood(held_out, calibration), calibration)
            };
            loss(least_log_slope(30, |log_slope| loss(log_slope).0))
        });
        let mut best = (f64::INFINITY, Self { slope: 1.0, pad: 0.0, noise });
        for found in found {
            if found.0 < best.0 {
                best = found;
            }
        }
        Self { slope: three_digits(best.1.slope), ..best.1 }
    }
}

/// Where slopes are looked for, as logarithms.
pub(super) const LOG_SLOPES: (f32, f32) = (-2.0, 7.0);

/// The logarithm of the slope with the least loss, by `steps` of golden-section search.
pub(super) fn least_log_slope(steps: usize, loss: impl Fn(f32) -> f64) -> f32 {
    const RATIO: f32 = 0.618_034;
    let (mut low, mut high) = LOG_SLOPES;
    for _ in 0..steps {
        let (a, b) = (high - RATIO * (high - low), low + RATIO * (high - low));
        if loss(a) < loss(b) { high = b } else { low = a }
    }
    f32::midpoint(low, high)
}

/// A slope to three digits: all that it is known to, and the same on every machine.
pub(super) fn three_digits(slope: f32) -> f32 {
    let digits = 10f32.powi(2 - slope.log10().floor() as i32);
    (slope * digits).round() / digits
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
    use smallvec::smallvec;

    #[test]
    fn overconfident_evidence_is_cooled() {
        // says 10 : 0 always, is right three times of four
        let held_out: Vec<_> = (0..400)
            .map(|i| {
                let score = Score { evidence: smallvec![10.0, 0.0], known: 10, total: 10 };
                (score, vec![usize::from(i % 4 == 0)])
            })
            .collect();
        let calibration = Calibration::fit(&held_out, 0.0);
        let p = calibration.probabilities(&held_out[0].0, &[])[0];
        assert!((p - 0.75).abs() < 0.01, "{p}");
    }

    #[test]
    fn noise_caps_confidence_and_no_text_overflows() {
        let calibration = Calibration { slope: 80.0, pad: 20.0, noise: 0.1 };
        let score = Score { evidence: smallvec![1e6, 0.0, -1e6, 0.0, 0.0], known: 9, total: 9 };
        let p = calibration.probabilities(&score, &[]);
        assert!((p[0] - 0.92).abs() < 1e-6 && (p.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{p:?}");
        let closed = calibration.probabilities(&score, &[true, true, false, false, false]);
        assert!((closed[0] - 0.95).abs() < 1e-6 && closed[2] == 0.0, "{closed:?}");
        // far behind a label that does not compete, the better one is still told
        assert_eq!(score.best(&[false, false, true, true, false]), Some(3));
        let none = Score { evidence: smallvec![0.0; 4], known: 0, total: 0 };
        assert_eq!(*calibration.probabilities(&none, &[]), [0.25; 4]);
    }
}
