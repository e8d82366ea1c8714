//! Whether one of two models is better on the same texts, or only luckier.
//!
//! McNemar, *Note on the sampling error of the difference between correlated proportions or percentages*
//! (Psychometrika 12, 1947): only texts that one model has right and the other wrong tell them apart. If
//! neither were better, each of these would fall to either side like a coin, so the probability of what
//! was seen, or worse, is a binomial tail. It is summed exactly; the usual approximation by chi-squared
//! needs 25 such texts or more. That it suits classifiers: Dietterich, *Approximate Statistical Tests for
//! Comparing Supervised Classification Learning Algorithms* (Neural Computation 10, 1998).

use serde::Serialize;

/// Two models on the same texts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct McNemar {
    /// Texts that only the first model has right.
    pub only_first: u64,
    /// Texts that only the second model has right.
    pub only_second: u64,
    /// Probability of a split at least as uneven if neither model were better; two-sided, exact.
    pub p: f64,
}

impl McNemar {
    /// Of whether each model has a text right.
    pub fn of(right: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let (mut only_first, mut only_second) = (0, 0);
        for (first, second) in right {
            only_first += u64::from(first && !second);
            only_second += u64::from(second && !first);
        }
        Self { only_first, only_second, p: two_sided(only_first, only_second) }
    }
}

/// 2 · Σ C(n, i) / 2ⁿ over i up to the smaller of `a` and `b`, with n their sum, and 1 at most.
fn two_sided(a: u64, b: u64) -> f64 {
    let (fewer, n) = (a.min(b), a + b);
    // in logarithms: 2ⁿ leaves f64 from n = 1024 on
    let mut ln_ways = 0.0;
    let mut ln_terms = vec![ln_ways];
    for i in 1..=fewer {
        ln_ways += ((n - i + 1) as f64).ln() - (i as f64).ln();
        ln_terms.push(ln_ways);
    }
    // the last is the largest
    let sum: f64 = ln_terms.iter().map(|term| (term - ln_ways).exp()).sum();
    (std::f64::consts::LN_2 + ln_ways + sum.ln() - n as f64 * std::f64::consts::LN_2).exp().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_by_hand() {
        // 2 · (1 + 12 + 66) / 4096
        assert!((two_sided(2, 10) - 158.0 / 4096.0).abs() < 1e-12);
        assert_eq!(two_sided(2, 10), two_sided(10, 2));
        // all five on one side: 2 / 32
        assert!((two_sided(0, 5) - 0.0625).abs() < 1e-12);
        assert_eq!((two_sided(0, 0), two_sided(7, 7), two_sided(0, 1)), (1.0, 1.0, 1.0));
        // far out no power of two overflows; the normal tail at 2.8 standard deviations is near
        let far = two_sided(4_900, 5_100);
        assert!((0.04..0.05).contains(&far), "{far}");
        assert!(two_sided(0, 5_000) < 1e-300);
    }

    #[test]
    fn only_differences_count() {
        let seen = [(true, true), (true, false), (false, true), (false, true), (false, false)];
        assert_eq!(McNemar::of(seen), McNemar { only_first: 1, only_second: 2, p: 1.0 });
    }
}
