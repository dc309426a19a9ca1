//! Times and dates as a person in England reads them: `2:35pm`, `3 November 2026`.

use std::sync::LazyLock;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::Language;

/// The rule of Europe/London since 1996, so that a machine without a time zone database says the same.
const LONDON: &str = "GMT0BST,M3.5.0/1,M10.5.0";

fn in_london(at: Timestamp) -> Zoned {
    static ZONE: LazyLock<TimeZone> =
        LazyLock::new(|| TimeZone::posix(LONDON).unwrap_or(TimeZone::UTC));
    at.to_zoned(ZONE.clone())
}

/// `2:35pm`, `9am`, `midday`, `midnight`.
pub fn clock(at: Timestamp) -> String {
    let local = in_london(at);
    let (hour, minute) = (local.hour(), local.minute());
    match (hour, minute) {
        (0, 0) => return "midnight".to_owned(),
        (12, 0) => return "midday".to_owned(),
        _ => {}
    }
    let half = if hour < 12 { "am" } else { "pm" };
    let hour = match hour % 12 {
        0 => 12,
        hour => hour,
    };
    if minute == 0 {
        format!("{hour}{half}")
    } else {
        format!("{hour}:{minute:02}{half}")
    }
}

/// The same in that language. Figures with am and pm are read in Welsh, too.
pub fn clock_in(language: Language, at: Timestamp) -> String {
    match (language, clock(at).as_str()) {
        (Language::Welsh, "midday") => "canol dydd".to_owned(),
        (Language::Welsh, "midnight") => "hanner nos".to_owned(),
        (_, said) => said.to_owned(),
    }
}

/// `3 November 2026`.
pub fn date(at: Timestamp) -> String {
    civil_date(in_london(at).date())
}

/// `3 November 2026`, of a date without a time, such as a date of birth.
pub fn civil_date(date: Date) -> String {
    date.strftime("%-d %B %Y").to_string()
}

/// `3 November 2026 at 10:42am`.
pub fn date_and_clock(at: Timestamp) -> String {
    format!("{} at {}", date(at), clock(at))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn winter_time_is_that_of_greenwich() {
        assert_eq!(
            date_and_clock(at("2026-11-03T10:42:00Z")),
            "3 November 2026 at 10:42am"
        );
        assert_eq!(clock(at("2026-11-22T14:35:59Z")), "2:35pm");
    }

    /// SEC-39.
    #[test]
    fn summer_time_is_an_hour_later_even_across_midnight() {
        assert_eq!(
            date_and_clock(at("2026-07-31T23:05:00Z")),
            "1 August 2026 at 12:05am"
        );
        assert_eq!(clock(at("2026-03-29T00:59:00Z")), "12:59am");
        assert_eq!(clock(at("2026-03-29T01:00:00Z")), "2am");
        assert_eq!(clock(at("2026-10-25T00:59:00Z")), "1:59am");
        assert_eq!(clock(at("2026-10-25T01:00:00Z")), "1am");
    }

    #[test]
    fn the_two_twelves_have_names() {
        assert_eq!(clock(at("2026-11-22T12:00:00Z")), "midday");
        assert_eq!(clock(at("2026-11-22T00:00:00Z")), "midnight");
        assert_eq!(clock(at("2026-11-22T12:01:00Z")), "12:01pm");
        let midday = at("2026-11-22T12:00:00Z");
        assert_eq!(clock_in(Language::Welsh, midday), "canol dydd");
        assert_eq!(clock_in(Language::English, midday), "midday");
    }

    #[test]
    fn the_rule_agrees_with_the_time_zone_database() {
        let Ok(london) = TimeZone::get("Europe/London") else {
            return;
        };
        for day in 0..3_000_i64 {
            let moment = Timestamp::from_second(1_700_000_000 + day * 43_200).unwrap();
            assert_eq!(
                in_london(moment).datetime(),
                moment.to_zoned(london.clone()).datetime()
            );
        }
    }
}
