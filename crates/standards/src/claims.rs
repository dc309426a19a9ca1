//! The registered JWT claims (RFC 7519, 4.1) read once, with an error that names the claim.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

/// Why a claim cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// Absent where the standard requires it.
    #[error("the claim {0} is missing")]
    Missing(&'static str),
    /// Of another JSON type than the standard gives it, or out of range.
    #[error("the claim {0} is malformed")]
    Malformed(&'static str),
}

/// A text claim; absent is `None`.
pub fn text<'a>(
    claims: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, ClaimError> {
    claims
        .get(name)
        .map(|value| value.as_str().ok_or(ClaimError::Malformed(name)))
        .transpose()
}

/// A text claim that must be there and not be empty.
pub fn required_text<'a>(
    claims: &'a Map<String, Value>,
    name: &'static str,
) -> Result<&'a str, ClaimError> {
    match text(claims, name)? {
        None => Err(ClaimError::Missing(name)),
        Some("") => Err(ClaimError::Malformed(name)),
        Some(value) => Ok(value),
    }
}

/// A `NumericDate`; fractions of a second are allowed and dropped.
pub fn instant(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<Timestamp>, ClaimError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let whole = value
        .as_i64()
        .or_else(|| value.as_f64().and_then(whole_seconds));
    whole
        .and_then(instant_of)
        .map(Some)
        .ok_or(ClaimError::Malformed(name))
}

/// The last second of the year 9999, the last that RFC 3339 can write. Whoever means 'no end' writes it.
const LAST_SECOND: i64 = 253_402_300_799;

/// The last whole second that a [`Timestamp`] can be, a day and some hours before the year 9999 ends.
#[must_use]
pub fn last_instant() -> Timestamp {
    let last = Timestamp::MAX;
    Timestamp::from_second(last.as_second()).unwrap_or(last)
}

/// A time in seconds since 1970. What lies between [`last_instant`] and the end of the year 9999 is that instant; nothing
/// later is a time, but a mistake in its unit.
#[must_use]
pub fn instant_of(second: i64) -> Option<Timestamp> {
    let last = last_instant();
    if (last.as_second()..=LAST_SECOND).contains(&second) {
        return Some(last);
    }
    Timestamp::from_second(second).ok()
}

/// A `NumericDate` that must be there.
pub fn required_instant(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Timestamp, ClaimError> {
    instant(claims, name)?.ok_or(ClaimError::Missing(name))
}

/// How a JWT's own `nbf` and `exp` lie to a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Between the two, or it names neither.
    Current,
    /// `nbf` is still to come.
    NotYet,
    /// `exp` has passed.
    Over,
}

/// Whether a JWT counts now by its own times, where it has any [RFC 7519 4.1.4, 4.1.5]. The skew helps against a clock that
/// is behind its maker's; an end is taken at its word.
pub fn lifetime(
    claims: &Map<String, Value>,
    now: Timestamp,
    skew: SignedDuration,
) -> Result<Lifetime, ClaimError> {
    if instant(claims, "exp")?.is_some_and(|at| now >= at) {
        return Ok(Lifetime::Over);
    }
    let ahead = |at: Timestamp| at.duration_since(now) > skew;
    Ok(if instant(claims, "nbf")?.is_some_and(ahead) {
        Lifetime::NotYet
    } else {
        Lifetime::Current
    })
}

/// A date and time with its offset, as documents write it [RFC 3339 5.6]. What is later than [`last_instant`] and still of
/// the year 9999 is that instant.
#[must_use]
pub fn date_time(text: &str) -> Option<Timestamp> {
    let read = |text: &str| text.parse::<Timestamp>().ok();
    read(text).or_else(|| {
        // Malformed, or too late: the same of the year before tells which, and neither year has a leap day.
        let rest = text.strip_prefix("9999")?;
        read(&format!("9998{rest}")).map(|_| last_instant())
    })
}

/// Whether `aud`, one text or a list of texts, is exactly this one audience. Several audiences are refused:
/// a proof made for us and for somebody else as well could be passed on by that other.
pub fn audience_is(claims: &Map<String, Value>, expected: &str) -> Result<bool, ClaimError> {
    match claims.get("aud") {
        None => Err(ClaimError::Missing("aud")),
        Some(Value::String(audience)) => Ok(audience == expected),
        Some(Value::Array(list)) => Ok(list.len() == 1 && list[0].as_str() == Some(expected)),
        Some(_) => Err(ClaimError::Malformed("aud")),
    }
}

#[allow(clippy::cast_possible_truncation)] // bounded to where every f64 whole number is exact
fn whole_seconds(value: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (value.is_finite() && value.abs() < EXACT).then(|| value.floor() as i64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_numeric_date_may_have_a_fraction_but_must_be_a_number_in_range() {
        let read = |value: Value| instant(&of(&json!({ "exp": value })), "exp");
        assert_eq!(read(json!(1.9)).unwrap().unwrap().as_second(), 1);
        assert_eq!(
            read(json!(1_700_000_000)).unwrap().unwrap().as_second(),
            1_700_000_000
        );
        for end in [253_402_207_200_i64, 253_402_207_201, 253_402_300_799] {
            assert_eq!(read(json!(end)), Ok(Some(last_instant())), "{end}");
        }
        assert_eq!(last_instant().as_second(), 253_402_207_200);
        for bad in [
            json!("1700000000"),
            json!(253_402_300_800_i64),
            json!(1_700_000_000_000_i64),
            json!(1e300),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(null),
            json!([]),
        ] {
            assert_eq!(
                read(bad.clone()),
                Err(ClaimError::Malformed("exp")),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_date_beyond_the_last_instant_is_that_instant_and_one_that_is_malformed_is_none() {
        for end in [
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59.9999999Z",
            "9999-12-31T00:00:00+01:00",
        ] {
            assert_eq!(date_time(end), Some(last_instant()), "{end}");
        }
        assert!(date_time("9999-12-30T21:00:00Z") < Some(last_instant()));
        for bad in [
            "9999-12-32T00:00:00Z",
            "9999-02-29T00:00:00Z",
            "9999-12-31T23:59:59",
            "9999-12-31",
            "9999 for ever",
            "10000-01-01T00:00:00Z",
            "",
        ] {
            assert_eq!(date_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_audience_beside_ours_is_not_ours_alone() {
        assert!(audience_is(&of(&json!({"aud": "a"})), "a").unwrap());
        assert!(audience_is(&of(&json!({"aud": ["a"]})), "a").unwrap());
        assert!(!audience_is(&of(&json!({"aud": ["a", "b"]})), "a").unwrap());
        assert!(!audience_is(&of(&json!({"aud": []})), "a").unwrap());
        assert_eq!(
            audience_is(&of(&json!({})), "a"),
            Err(ClaimError::Missing("aud"))
        );
        assert_eq!(
            audience_is(&of(&json!({"aud": 7})), "a"),
            Err(ClaimError::Malformed("aud"))
        );
    }
}
