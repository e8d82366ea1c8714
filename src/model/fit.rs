//! Counts to weights, with linfa's multinomial naive Bayes.
//!
//! Multinomial naive Bayes needs only the sum of each class, so linfa is given one row a class
//! instead of one a text: the answers are the same but for the priors, which are uniform here.
//! For complement naive Bayes (Rennie, Shih, Teevan and Karger, *Tackling the Poor Assumptions of
//! Naive Bayes Text Classifiers*, ICML 2003) the row of a class is the sum of all others.

use super::ModelError;
use super::counts::{Counts, UNIT};
use linfa::traits::Fit;
use linfa::{Dataset, ParamGuard};
use linfa_bayes::{MultinomialNb, MultinomialNbParams};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Which counts a class is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Its own: log P(term | class).
    Multinomial,
    /// Those of all other classes: −log P(term | not class).
    Complement,
    /// Both: log P(term | class) / P(term | not class).
    Odds,
}

/// How weights come from counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fitting {
    /// Whose counts.
    pub method: Method,
    /// Lidstone smoothing, in occurrences added to every term.
    pub smoothing: f64,
    /// Terms in fewer texts get no weight.
    pub min_texts: u32,
    /// Whether a label with fewer texts counts as many times as makes it as large as the largest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub balanced: bool,
}

/// A label of very few texts counts no more often: its words would stand for more than they say.
const MOST_TIMES: u64 = 20;

impl Fitting {
    /// How many times the counts of each label are taken: whole times, the largest label's once.
    fn repeats(&self, counts: &Counts) -> Vec<u64> {
        let most = counts.documents.iter().copied().max().unwrap_or_default();
        let times = |texts: u32| ((f64::from(most) / f64::from(texts.max(1))).round() as u64).min(MOST_TIMES);
        counts
            .documents
            .iter()
            .map(|texts| if self.balanced && *texts > 0 { times(*texts) } else { 1 })
            .collect()
    }
}

/// The weights of the terms that have any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// Rows of the counts, rising.
    pub rows: Vec<u32>,
    /// By row, one column a label; each row sums to zero.
    pub table: Vec<f32>,
}

/// Weights are whole multiples of 1/GRID: the last bits of a logarithm differ from build to build,
/// and the model file must not.
pub const GRID: f64 = 65_536.0;

/// Fits the weights.
///
/// # Errors
/// [`ModelError::Fit`] when linfa refuses the counts.
pub fn fit(counts: &Counts, fitting: Fitting) -> Result<Weights, ModelError> {
    let labels = counts.labels();
    let rows: Vec<u32> = (0..counts.terms.len() as u32)
        .filter(|row| counts.texts[*row as usize] >= fitting.min_texts)
        .collect();
    if rows.is_empty() {
        return Ok(Weights::default());
    }
    // terms of equal counts have equal weights, and most counts stand there many times: one column each
    let mut columns: HashMap<&[u32], usize> = HashMap::new();
    let mut times: Vec<f64> = Vec::new();
    let places: Vec<u32> = rows
        .iter()
        .map(|row| {
            let column = *columns.entry(counts.of(*row as usize)).or_insert(times.len());
            times.resize(times.len().max(column + 1), 0.0);
            times[column] += 1.0;
            column as u32
        })
        .collect();
    let repeats = fitting.repeats(counts);
    let mut sums = Array2::<f64>::zeros((labels, times.len()));
    for (of, column) in columns {
        for (label, count) in of.iter().enumerate() {
            sums[[label, column]] = (u64::from(*count) * repeats[label]) as f64 / f64::from(UNIT);
        }
    }
    let mut table = Array2::<f64>::zeros((labels, times.len()));
    let others = (fitting.method != Method::Multinomial).then(|| &sums.sum_axis(ndarray::Axis(0)) - &sums);
    if fitting.method != Method::Complement {
        table += &feature_log_prob(sums, &times, fitting.smoothing)?;
    } else {
        drop(sums);
    }
    if let Some(others) = others {
        table -= &feature_log_prob(others, &times, fitting.smoothing)?;
    }
    let taught = counts.taught();
    let mut centred = Vec::with_capacity(labels * times.len());
    for column in table.columns() {
        centred.extend(centre(&column.to_vec(), &taught));
    }
    let mut table = Vec::with_capacity(labels * rows.len());
    places.iter().for_each(|column| table.extend_from_slice(&centred[*column as usize * labels..][..labels]));
    Ok(Weights { rows, table })
}

/// The weights of one term with their mean taken out; a label that no text taught gets the least of
/// the others', so that it never wins.
fn centre<'a>(weights: &'a [f64], taught: &'a [bool]) -> impl Iterator<Item = f32> + 'a {
    let of = || weights.iter().zip(taught).filter(|(_, taught)| **taught).map(|(weight, _)| *weight);
    let mean = of().sum::<f64>() / of().count().max(1) as f64;
    let least = of().fold(f64::INFINITY, f64::min);
    let weights =
        weights.iter().zip(taught).map(move |(weight, taught)| if *taught { *weight } else { least });
    weights.map(move |weight| (((weight - mean) * GRID).round() / GRID) as f32)
}

/// As [`fit`], computed here and for all rows of `counts` (one column a label; rows without weights
/// are zero): cross-validation fits some hundred times, and linfa prints and writes out every count.
///
/// log P(term | class) = ln (count + smoothing) − ln (all counts + smoothing · terms).
pub fn estimate(counts: &Counts, fitting: Fitting) -> Vec<f32> {
    estimate_table(counts, counts.table.clone(), fitting)
}

/// As [`estimate`], where `table` is what the counts had for one; the weights take its place in memory.
pub(super) fn estimate_table(counts: &Counts, mut table: Vec<u32>, fitting: Fitting) -> Vec<f32> {
    let labels = counts.labels();
    let has_weights = |row: &usize| counts.texts[*row] >= fitting.min_texts.max(1);
    let repeats = fitting.repeats(counts);
    let mut sums = vec![0u64; labels];
    let mut terms = 0u64;
    for row in (0..counts.terms.len()).filter(has_weights) {
        terms += 1;
        for ((sum, count), repeats) in sums.iter_mut().zip(&table[row * labels..]).zip(&repeats) {
            *sum += u64::from(*count) * repeats;
        }
    }
    let all: u64 = sums.iter().sum();
    let added = fitting.smoothing * terms as f64;
    let ln_total = |sum: u64| (sum as f64 / f64::from(UNIT) + added).ln();
    let own: Vec<f64> = sums.iter().map(|sum| ln_total(*sum)).collect();
    let others: Vec<f64> = sums.iter().map(|sum| ln_total(all - sum)).collect();
    // most counts are small whole numbers
    let small: Vec<f64> = (0..256).map(|count| (f64::from(count) + fitting.smoothing).ln()).collect();
    let unit = u64::from(UNIT);
    let ln = |count: u64| match small.get((count / unit) as usize) {
        Some(ln) if count.is_multiple_of(unit) => *ln,
        _ => (count as f64 / f64::from(UNIT) + fitting.smoothing).ln(),
    };
    let taught = counts.taught();
    let mut weights = vec![0.0; labels];
    let mut of = vec![0u64; labels];
    for row in 0..counts.terms.len() {
        let slots = &mut table[row * labels..][..labels];
        if !has_weights(&row) {
            slots.fill(0.0f32.to_bits());
            continue;
        }
        for ((count, of), repeats) in of.iter_mut().zip(&*slots).zip(&repeats) {
            *count = u64::from(*of) * repeats;
        }
        let all: u64 = of.iter().sum();
        for (label, (weight, count)) in weights.iter_mut().zip(&of).enumerate() {
            *weight = 0.0;
            if fitting.method != Method::Complement {
                *weight += ln(*count) - own[label];
            }
            if fitting.method != Method::Multinomial {
                *weight -= ln(all - count) - others[label];
            }
        }
        for (slot, weight) in slots.iter_mut().zip(centre(&weights, &taught)) {
            *slot = weight.to_bits();
        }
    }
    table.into_iter().map(f32::from_bits).collect()
}

/// linfa's log P(term | class) for one row of sums a class; (classes × columns). Each column stands for
/// so many terms as `times` says. What the others of its kind count is given to linfa in one column
/// more, so that the sums of the classes are right; for the same reason the smoothing is added before.
fn feature_log_prob(sums: Array2<f64>, times: &[f64], smoothing: f64) -> Result<Array2<f64>, ModelError> {
    /// What linfa-bayes keeps of a class, as its `serde` feature writes it.
    #[derive(Deserialize)]
    struct Class {
        feature_log_prob: Array1<f64>,
    }
    #[derive(Deserialize)]
    struct Fitted {
        class_info: HashMap<usize, Class>,
    }
    let failed = |error: &dyn std::fmt::Display| ModelError::Fit(error.to_string());
    let (classes, columns) = sums.dim();
    // of nothing there is no logarithm
    let rest = usize::from(times.iter().any(|times| *times > 1.0));
    let mut smoothed = Array2::zeros((classes, columns + rest));
    for (of, mut row) in sums.rows().into_iter().zip(smoothed.rows_mut()) {
        for (column, (sum, times)) in of.iter().zip(times).enumerate() {
            row[column] = sum + smoothing;
            if rest > 0 {
                row[columns] += (times - 1.0) * (sum + smoothing);
            }
        }
    }
    // each is let go of before the next is made
    drop(sums);
    let model = fit_linfa(smoothed, 0.0).map_err(|error| failed(&error))?;
    let written = serde_json::to_vec(&model).map_err(|error| failed(&error))?;
    drop(model);
    let fitted: Fitted = serde_json::from_slice(&written).map_err(|error| failed(&error))?;
    drop(written);
    let mut table = Array2::zeros((classes, columns));
    for (class, info) in fitted.class_info {
        table.row_mut(class).assign(&info.feature_log_prob.slice(ndarray::s![..columns]));
    }
    Ok(table)
}

/// Fits linfa's model on one row a class.
pub(super) fn fit_linfa(
    sums: Array2<f64>,
    smoothing: f64,
) -> Result<MultinomialNb<f64, usize>, linfa_bayes::NaiveBayesError> {
    let classes = Array1::from_iter(0..sums.nrows());
    let params = MultinomialNbParams::new().alpha(smoothing).check()?;
    // linfa-bayes 0.8.1 prints every count to stderr (a `dbg!` left in); where stderr cannot be
    // redirected it prints, and nothing else is lost
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let _quiet = gag::Gag::stderr().ok();
    params.fit(&Dataset::new(sums, classes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::features::{Document, Terms};

    #[test]
    fn what_is_computed_here_is_what_linfa_says() {
        let texts = [
            ("the striker scored and the keeper saved a penalty in the cup final", vec![(0, UNIT)]),
            ("the bank cut its rate as the market fell in the final week", vec![(1, UNIT)]),
            ("the club sold shares on the market to pay the striker", vec![(0, UNIT / 2), (1, UNIT / 2)]),
        ];
        let mut counts = Counts::new(3);
        for (text, shares) in texts {
            counts.add(
                &Document::of(&[text]),
                Terms { pairs: true, function_words: true, half_quotes: false },
                &shares,
            );
        }
        counts.add(
            &Document::of(&["the bank and the market and the bank"]),
            Terms { pairs: true, function_words: true, half_quotes: false },
            &[(1, 2 * UNIT)],
        );
        for method in [Method::Multinomial, Method::Complement, Method::Odds] {
            for (min_texts, balanced) in [(1, false), (2, false), (1, true)] {
                let fitting = Fitting { method, smoothing: 0.3, min_texts, balanced };
                let weights = fit(&counts, fitting).unwrap_or_else(|error| panic!("{error}"));
                let mut theirs = vec![0.0; counts.terms.len() * 3];
                for (row, of) in weights.rows.iter().zip(weights.table.chunks(3)) {
                    theirs[*row as usize * 3..][..3].copy_from_slice(of);
                    assert!(of[2] <= of[0].min(of[1]), "no text taught the third label: {of:?}");
                }
                for (ours, theirs) in estimate(&counts, fitting).iter().zip(&theirs) {
                    assert!((ours - theirs).abs() <= 1.0 / GRID as f32, "{ours} {theirs}");
                }
            }
        }
    }
}
