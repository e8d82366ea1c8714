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
const GRID: f64 = 65_536.0;

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
    let mut sums = Array2::<f64>::zeros((labels, rows.len()));
    for (column, row) in rows.iter().enumerate() {
        for (label, count) in counts.of(*row as usize).iter().enumerate() {
            sums[[label, column]] = f64::from(*count) / f64::from(UNIT);
        }
    }
    let mut table = Array2::<f64>::zeros((labels, rows.len()));
    if fitting.method != Method::Complement {
        table += &feature_log_prob(sums.clone(), fitting.smoothing)?;
    }
    if fitting.method != Method::Multinomial {
        let all = sums.sum_axis(ndarray::Axis(0));
        table -= &feature_log_prob(&all - &sums, fitting.smoothing)?;
    }
    let mut centred = Vec::with_capacity(labels * rows.len());
    for column in table.columns() {
        let mean = column.sum() / labels as f64;
        centred.extend(column.iter().map(|weight| ((weight - mean) * GRID).round() / GRID).map(|w| w as f32));
    }
    Ok(Weights { rows, table: centred })
}

/// linfa's log P(term | class) for one row of sums a class; (classes × terms).
fn feature_log_prob(sums: Array2<f64>, smoothing: f64) -> Result<Array2<f64>, ModelError> {
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
    let (classes, terms) = sums.dim();
    let model = fit_linfa(sums, smoothing).map_err(|error| failed(&error))?;
    let written = serde_json::to_vec(&model).map_err(|error| failed(&error))?;
    let fitted: Fitted = serde_json::from_slice(&written).map_err(|error| failed(&error))?;
    let mut table = Array2::zeros((classes, terms));
    for (class, info) in fitted.class_info {
        table.row_mut(class).assign(&info.feature_log_prob);
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
