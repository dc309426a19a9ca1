//! When a credential ends (gateway contract 3.1, U8).
//!
//! Deployed clients mean different things by the `exp` of a draft: one the credential's end, another the end of an
//! hour in which the message may be read. The dialect knows which; a credential type may overrule it.

use jiff::{SignedDuration, Timestamp, civil};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use standards::claims;

use super::catalogue::CredentialType;

/// Where a credential's end comes from. Nothing makes it later than its own date and its type's `valid_for_days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryFrom {
    /// The `exp` of the signed draft is the credential's own end.
    HintExp,
    /// `exp` is the message's; the end is in `ExpiresAt` or in the type's own date.
    Attribute,
    /// The relying party has no say: the credential lasts as long as its type allows.
    #[serde(rename = "none")]
    TypeAlone,
}

/// The times that a draft names.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// The message's own end.
    pub exp: Timestamp,
    /// `ExpiresAt`, where it is sent.
    pub expires_at: Option<Timestamp>,
}

impl CredentialType {
    /// Where the end of a credential of this type comes from, for a client whose dialect says `otherwise`.
    pub fn expiry_from(&self, otherwise: ExpiryFrom) -> ExpiryFrom {
        self.expiry_from.unwrap_or(otherwise)
    }

    /// When a credential of this type ends: the earliest of what the draft names, the end of the day that its own date
    /// names, and what the type allows.
    pub fn expiry(
        &self,
        draft: &Map<String, Value>,
        named: Named,
        from: ExpiryFrom,
        now: Timestamp,
    ) -> Timestamp {
        let latest = now + SignedDuration::from_hours(24 * i64::from(self.valid_for_days));
        let own = self
            .expires_with
            .as_ref()
            .and_then(|name| draft.get(name)?.as_str())
            .and_then(end_of);
        let named = match from {
            ExpiryFrom::HintExp => [Some(named.exp), named.expires_at],
            ExpiryFrom::Attribute => [None, named.expires_at],
            ExpiryFrom::TypeAlone => [None, None],
        };
        named
            .into_iter()
            .chain([own])
            .flatten()
            .fold(latest, Timestamp::min)
    }
}

/// The end of the day that a date names, in UTC; a date with a time is that time.
fn end_of(text: &str) -> Option<Timestamp> {
    let Some(date) = date(text) else {
        return date_time(text);
    };
    let end = date.at(23, 59, 59, 0).to_zoned(jiff::tz::TimeZone::UTC);
    end.ok().map(|zoned| zoned.timestamp())
}

/// `YYYY-MM-DD` and nothing else.
pub fn date(text: &str) -> Option<civil::Date> {
    has_shape(text, "0000-00-00").then(|| text.parse().ok())?
}

/// A date and time with its offset [RFC 3339 5.6], such as .NET's round-trip form `2027-05-01T09:30:00.0000000+01:00`.
/// Without an offset it could be any of a day's times, and is refused.
pub fn date_time(text: &str) -> Option<Timestamp> {
    let (moment, rest) = text.split_at_checked(19)?;
    let rest = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if !(1..=9).contains(&(fraction.len() - rest.len())) {
                return None;
            }
            rest
        }
    };
    let offset = rest == "Z" || has_shape(rest, "+00:00") || has_shape(rest, "-00:00");
    if has_shape(moment, "0000-00-00T00:00:00") && offset {
        claims::date_time(text)
    } else {
        None
    }
}

/// Whether `text` is `shape`, with any digit for a `0`.
fn has_shape(text: &str, shape: &str) -> bool {
    let fits = |(is, wanted): (u8, u8)| is == wanted || (wanted == b'0' && is.is_ascii_digit());
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::super::catalogue::Catalogue;
    use super::*;
    use standards::claims::last_instant;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The end of a credential with this own date, or of a type without one.
    fn end(own: Option<&str>, from: ExpiryFrom, exp: &str, expires_at: Option<&str>) -> String {
        let catalogue = Catalogue::built_in().unwrap();
        let name = if own.is_some() {
            "FireSafety"
        } else {
            "Identity"
        };
        let draft = own.map_or_else(|| json!({}), |own| json!({ "FS-DateTo": own }));
        let named = Named {
            exp: time(exp),
            expires_at: expires_at.map(time),
        };
        let now = time("2026-11-22T10:00:00Z");
        let found = catalogue.find(name).unwrap();
        found
            .expiry(draft.as_object().unwrap(), named, from, now)
            .to_string()
    }

    const HOUR: &str = "2026-11-22T11:00:00Z";

    #[test]
    fn a_message_that_lives_an_hour_makes_no_credential_of_an_hour() {
        use ExpiryFrom::{Attribute, HintExp, TypeAlone};
        let own = Some("2027-08-03");
        assert_eq!(end(own, HintExp, HOUR, None), HOUR);
        assert_eq!(end(own, Attribute, HOUR, None), "2027-08-03T23:59:59Z");
        assert_eq!(end(None, Attribute, HOUR, None), "2029-11-21T10:00:00Z");
        assert_eq!(end(None, TypeAlone, HOUR, None), "2029-11-21T10:00:00Z");
    }

    #[test]
    fn the_earliest_of_what_is_named_counts_and_never_more_than_the_type_allows() {
        use ExpiryFrom::{Attribute, HintExp};
        let far = "2999-01-01T00:00:00Z";
        assert_eq!(
            end(Some("2027-08-03"), HintExp, far, None),
            "2027-08-03T23:59:59Z"
        );
        let asked = Some("2027-01-01T00:00:00Z");
        assert_eq!(
            end(Some("2027-08-03"), Attribute, far, asked),
            "2027-01-01T00:00:00Z"
        );
        assert_eq!(end(None, HintExp, far, None), "2029-11-21T10:00:00Z");
        assert_eq!(end(None, Attribute, far, Some(far)), "2029-11-21T10:00:00Z");
    }

    #[test]
    fn a_date_with_a_time_ends_the_credential_at_that_time() {
        let own = Some("2027-08-03T09:30:00.1234567+01:00");
        let found = end(own, ExpiryFrom::Attribute, HOUR, None);
        assert_eq!(found, "2027-08-03T08:30:00.1234567Z");
    }

    #[test]
    fn a_time_is_read_only_in_the_form_of_the_standard_and_with_its_offset() {
        for good in [
            "2027-05-01T09:30:00Z",
            "2027-05-01T09:30:00.0000000Z",
            "2027-05-01T09:30:00.1234567+01:00",
            "2027-05-01T09:30:00-05:00",
            "2027-05-01T09:30:00.1Z",
        ] {
            assert!(date_time(good).is_some(), "{good}");
        }
        for bad in [
            "2027-05-01T09:30:00",
            "2027-05-01T09:30:00.0000000",
            "2027-05-01 09:30:00Z",
            "2027-05-01T09:30Z",
            "20270501T093000Z",
            "2027-05-01T09:30:00.Z",
            "2027-05-01T09:30:00.1234567890Z",
            "2027-05-01T09:30:00,5Z",
            "2027-05-01T09:30:00+01",
            "2027-05-01T09:30:00+01:00[Europe/London]",
            "2027-02-30T09:30:00Z",
            "2027-05-01T25:30:00Z",
            "2027-05-01",
            "01/05/2027",
            "",
            "2027-05-0\u{e9}T09:30:00Z",
        ] {
            assert!(date_time(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_date_is_read_only_in_the_form_of_the_standard_and_alone() {
        assert!(date("2027-05-01").is_some());
        for bad in [
            "2027-05-01T09:30:00",
            "2027-05-01 09:30",
            "2027-05-01Z",
            "2027-05-01[UTC]",
            "+002027-05-01",
            "20270501",
            "2027-5-1",
            "2027-W18-6",
            "2027-05-3x",
            "2027-02-30",
            "",
        ] {
            assert!(date(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_last_day_that_can_be_written_is_the_last_instant() {
        for end in [
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59.9999999Z",
            "9999-12-31T00:00:00+01:00",
        ] {
            assert_eq!(date_time(end), Some(last_instant()), "{end}");
        }
        assert!(date_time("9999-12-30T21:00:00Z") < Some(last_instant()));
        assert!(date_time("9999-12-32T00:00:00Z").is_none());
    }

    /// The clock of no computer here counts it: what ends with it ends with the second before.
    #[test]
    fn sec_39_a_leap_second_is_the_second_before_it() {
        assert_eq!(
            date_time("2016-12-31T23:59:60Z"),
            date_time("2016-12-31T23:59:59Z")
        );
        assert!(date_time("2016-12-31T23:59:60Z").is_some());
        assert!(date_time("2016-12-31T23:59:61Z").is_none());
    }
}
