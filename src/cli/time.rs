//! Points in time on the command line.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Milliseconds since 1970 of `2026-01-31T08:15:30Z`, `2026-01-31T08:15:30` (UTC), `2026-01-31`
/// (midnight UTC), or of an age such as `2h` or `7d` before now.
pub fn parse(text: &str) -> Result<i64, String> {
    at(text, Timestamp::now())
}

fn at(text: &str, now: Timestamp) -> Result<i64, String> {
    let utc = |time: DateTime| time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let age = |text: &str| {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        let seconds = number.parse::<u32>().ok().map(|number| i64::from(number) * seconds)?;
        now.checked_sub(SignedDuration::from_secs(seconds)).ok()
    };
    let parsed = text.parse::<Timestamp>().ok();
    let parsed = parsed.or_else(|| utc(text.parse::<DateTime>().ok()?));
    let parsed = parsed.or_else(|| utc(text.parse::<Date>().ok()?.at(0, 0, 0, 0)));
    parsed.or_else(|| age(text)).map(Timestamp::as_millisecond).ok_or_else(|| {
        "write a time such as 2026-01-31T08:15:30Z, a day such as 2026-01-31, or an age such as 2h".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_days_and_ages() {
        let now: Timestamp = "2026-01-31T08:15:30Z".parse().unwrap();
        let millis = |text: &str| at(text, now).unwrap();
        assert_eq!(millis("1970-01-01T00:00:01Z"), 1000);
        assert_eq!(millis("1970-01-02"), 86_400_000);
        assert_eq!(millis("1970-01-01T00:01:00"), 60_000);
        assert_eq!(millis("1970-01-01T02:00:00+02:00"), 0);
        assert_eq!(millis("2h"), now.as_millisecond() - 7_200_000);
        for wrong in ["", "h", "2", "2x", "yesterday", "-2h", "٢h", "99999999999d"] {
            assert!(at(wrong, now).unwrap_err().contains("such as"), "{wrong}");
        }
    }
}
