//! What examples count: weights of sources, and less for old news. Flags and their values.

use crate::model::{Example, Tallies, UNIT, faded, moment};
use jiff::Timestamp;
use std::path::PathBuf;

/// The most that an example may count.
const MOST_WEIGHT: u32 = 1000;

/// How old news counts less.
#[derive(Clone, Copy, Debug)]
pub struct Forgetting {
    /// Days after which a text counts half.
    pub half_life: f64,
    /// Ages are reckoned from here.
    pub as_of: Timestamp,
}

impl Forgetting {
    /// What is left of a text of that time: 2^(−age / half-life).
    pub fn share(&self, published: Timestamp) -> f64 {
        let seconds = (self.as_of.as_second() - published.as_second()).max(0);
        (-(seconds as f64) / 86_400.0 / self.half_life).exp2()
    }

    /// The weight of an example that has a date.
    pub fn weigh(&self, example: &Example) -> Option<u32> {
        Some(faded(example.weight, self.share(example.published?)))
    }

    /// What a model was trained from, as much older as it is; `date` is how new its examples were.
    pub fn age(&self, before: Tallies, date: Option<Timestamp>) -> Tallies {
        let Some(date) = date.or(before.as_of()) else {
            eprintln!(
                "rasid: the examples of the model have no date, so none is forgotten: --from-date says how new they were"
            );
            return before;
        };
        let share = self.share(date);
        if share < 1.0 {
            eprintln!("rasid: of what the model has counted {:.1} % is left", 100.0 * share);
            return before.faded(share, self.as_of);
        }
        before
    }
}

/// Days of `90d`, `12w` or `2y`.
pub fn half_life(text: &str) -> Result<f64, String> {
    let days = |unit: &str| match unit {
        "d" => Some(1.0),
        "w" => Some(7.0),
        "y" => Some(365.25),
        _ => None,
    };
    let (number, unit) = text.split_at(text.len() - text.chars().next_back().map_or(0, char::len_utf8));
    let parsed = number.parse::<f64>().ok().zip(days(unit)).map(|(number, days)| number * days);
    let parsed = parsed.filter(|days| days.is_finite() && *days > 0.0);
    parsed.ok_or_else(|| "write days, weeks or years, such as 90d, 12w or 2y".into())
}

/// A path and its weight, of `PATH=2`.
pub fn weight(text: &str) -> Result<(PathBuf, u32), String> {
    let wrong = || format!("write PATH=WEIGHT with a weight from 1/64 to {MOST_WEIGHT}, such as mine.csv=2");
    let (path, weight) = text.rsplit_once('=').ok_or_else(wrong)?;
    let units = weight.parse::<f64>().ok().map(|weight| (weight * f64::from(UNIT)).round());
    let units = units.filter(|units| (1.0..=f64::from(MOST_WEIGHT * UNIT)).contains(units));
    units.map(|units| (path.into(), units as u32)).ok_or_else(wrong)
}

/// A moment such as `2026-01-31`.
pub fn date(text: &str) -> Result<Timestamp, String> {
    moment(text).ok_or_else(|| "write a day such as 2026-01-31 or a time such as 2026-01-31T08:15:30Z".into())
}
