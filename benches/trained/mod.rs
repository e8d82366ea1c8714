//! Heads to measure with, from counts alone: naive Bayes as scikit-learn's, no calibration that means anything.

use rasid::model::{Calibration, Counts, Fitting, Head, Method, Terms, fit};

/// The head of `counts`, which were made of so many texts; terms of fewer than `min_texts` have no weights.
pub fn head(counts: Counts, terms: Terms, min_texts: u32, labels: usize, texts: usize) -> Head {
    let counts = counts.sorted();
    let fitting = Fitting { method: Method::Multinomial, smoothing: 0.1, min_texts, balanced: false };
    let weights = fit(&counts, fitting).unwrap();
    Head {
        terms,
        fitting,
        keyword_weight: 0,
        calibration: Calibration { slope: 80.0, pad: 40.0, noise: 0.0 },
        thresholds: vec![0.0; labels],
        counts,
        weights,
        kept: Vec::new(),
        kept_below: None,
        texts,
    }
}
