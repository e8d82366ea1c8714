//! How good the tags are: accuracy, macro-F1, calibration error, and who is taken for whom.

use serde::Serialize;
use std::collections::BTreeMap;

/// One text judged.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Index of the right label.
    pub truth: usize,
    /// Index of the label given; `None` where the language is unknown.
    pub guess: Option<usize>,
    /// Probability of the label given.
    pub confidence: f32,
    /// Whether the worker would have kept silent.
    pub abstained: bool,
}

impl Outcome {
    /// Whether the label given is the right one.
    pub fn is_right(&self) -> bool {
        self.guess == Some(self.truth)
    }
}

/// Figures of one label.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct PerLabel {
    /// Right among those given this label.
    pub precision: f64,
    /// Given this label among those that are it.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Texts that are it.
    pub support: usize,
}

/// Texts of similar confidence.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Bin {
    /// Texts in it.
    pub n: usize,
    /// Their mean confidence.
    pub confidence: f64,
    /// Share that is right.
    pub accuracy: f64,
}

/// What is right if only the surest are answered.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Coverage {
    /// Share of the texts that is answered, the surest first.
    pub coverage: f64,
    /// Least confidence among them.
    pub confidence: f64,
    /// Share of them that is wrong: the risk.
    pub risk: f64,
}

/// Figures of a whole set.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Texts.
    pub n: usize,
    /// Share right; a text of unknown language is wrong.
    pub accuracy: f64,
    /// Mean F1 of the labels that occur.
    pub macro_f1: f64,
    /// Expected calibration error of the first label, fifteen bins of equal width (Naeini, Cooper
    /// and Hauskrecht, AAAI 2015).
    pub ece: f64,
    /// Share on which the worker would have kept silent: low confidence or unknown language.
    pub abstained: f64,
    /// Share of unknown language.
    pub unknown_language: f64,
    /// Accuracy of the surest four of five.
    pub accuracy_surest_80: f64,
    /// By label.
    pub per_label: BTreeMap<String, PerLabel>,
    /// Right label → given label → texts.
    pub confusion: BTreeMap<String, BTreeMap<String, usize>>,
    /// Confidence against accuracy.
    pub reliability: Vec<Bin>,
    /// Risk-coverage curve (El-Yaniv and Wiener, *On the Foundations of Noise-free Selective
    /// Classification*, JMLR 2010), at every fiftieth of the texts.
    pub risk_coverage: Vec<Coverage>,
}

const BINS: usize = 15;
/// Points of the risk-coverage curve.
const POINTS: usize = 50;

impl Report {
    /// Judges `outcomes`, whose indices are into `labels`.
    pub fn of(labels: &[String], outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut outcomes: Vec<Outcome> = outcomes.into_iter().collect();
        let n = outcomes.len();
        let share = |count: usize| count as f64 / n.max(1) as f64;
        let mut confusion: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for outcome in &outcomes {
            let given = outcome.guess.map_or("none", |guess| &labels[guess]);
            let row = confusion.entry(labels[outcome.truth].clone()).or_default();
            *row.entry(given.to_owned()).or_default() += 1;
        }
        let per_label = per_label(&confusion);
        let reliability = reliability(&outcomes);
        let ece = reliability.iter().map(|bin| share(bin.n) * (bin.accuracy - bin.confidence).abs()).sum();
        outcomes.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        let surest = &outcomes[..(n * 4).div_ceil(5).min(n)];
        let right = |of: &[Outcome]| of.iter().filter(|outcome| outcome.is_right()).count();
        Self {
            n,
            accuracy: share(right(&outcomes)),
            macro_f1: per_label.values().map(|label| label.f1).sum::<f64>() / per_label.len().max(1) as f64,
            ece,
            abstained: share(outcomes.iter().filter(|o| o.abstained || o.guess.is_none()).count()),
            unknown_language: share(outcomes.iter().filter(|o| o.guess.is_none()).count()),
            accuracy_surest_80: right(surest) as f64 / surest.len().max(1) as f64,
            per_label,
            confusion,
            reliability,
            risk_coverage: risk_coverage(&outcomes),
        }
    }
}

fn per_label(confusion: &BTreeMap<String, BTreeMap<String, usize>>) -> BTreeMap<String, PerLabel> {
    confusion
        .iter()
        .map(|(label, row)| {
            let support: usize = row.values().sum();
            let hit = row.get(label).copied().unwrap_or(0) as f64;
            let said: usize = confusion.values().filter_map(|row| row.get(label)).sum();
            let figures = PerLabel {
                precision: hit / said.max(1) as f64,
                recall: hit / support.max(1) as f64,
                f1: 2.0 * hit / (said + support).max(1) as f64,
                support,
            };
            (label.clone(), figures)
        })
        .collect()
}

/// Of outcomes that are sorted by confidence, the surest first.
fn risk_coverage(outcomes: &[Outcome]) -> Vec<Coverage> {
    let point = |point: usize| {
        let count = (outcomes.len() * point).div_ceil(POINTS);
        let answered = &outcomes[..count];
        let wrong = answered.iter().filter(|outcome| !outcome.is_right()).count();
        Coverage {
            coverage: count as f64 / outcomes.len().max(1) as f64,
            confidence: answered.last().map_or(0.0, |outcome| f64::from(outcome.confidence)),
            risk: wrong as f64 / count.max(1) as f64,
        }
    };
    (1..=POINTS).map(point).collect()
}

fn reliability(outcomes: &[Outcome]) -> Vec<Bin> {
    let mut bins = vec![Bin::default(); BINS];
    for outcome in outcomes.iter().filter(|outcome| outcome.guess.is_some()) {
        let bin = &mut bins[((outcome.confidence * BINS as f32) as usize).min(BINS - 1)];
        bin.n += 1;
        bin.confidence += f64::from(outcome.confidence);
        bin.accuracy += f64::from(u8::from(outcome.is_right()));
    }
    for bin in &mut bins {
        bin.confidence /= bin.n.max(1) as f64;
        bin.accuracy /= bin.n.max(1) as f64;
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_by_hand() {
        let labels = ["a".to_owned(), "b".to_owned()];
        let outcome = |truth, guess, confidence| Outcome { truth, guess, confidence, abstained: false };
        let report = Report::of(
            &labels,
            [
                outcome(0, Some(0), 0.9),
                outcome(0, Some(1), 0.6),
                outcome(1, Some(1), 0.9),
                outcome(1, None, 0.0),
            ],
        );
        assert_eq!((report.n, report.accuracy), (4, 0.5));
        // a: precision 1, recall 1/2; b: precision 1/2, recall 1/2
        assert!((report.macro_f1 - (2.0 / 3.0 + 0.5) / 2.0).abs() < 1e-12);
        // two texts of 0.9 that are right, one of 0.6 that is wrong, of four
        assert!((report.ece - (0.5 * 0.1 + 0.25 * 0.6)).abs() < 1e-6);
        assert_eq!((report.abstained, report.unknown_language), (0.25, 0.25));
        let last = report.risk_coverage[POINTS - 1];
        assert_eq!((last.coverage, last.risk), (1.0, 0.5));
        assert_eq!(report.risk_coverage[POINTS / 2 - 1].risk, 0.0);
    }
}
