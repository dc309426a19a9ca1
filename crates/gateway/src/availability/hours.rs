//! Supported hours: on which days of the week, from when to when, where; and the days that are holidays.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

/// The rule of Europe/London since 1996, for a machine without a time zone database.
const LONDON: &str = "GMT0BST,M3.5.0/1,M10.5.0";
const DAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

/// When the service is supported.
#[derive(Debug, Clone)]
pub struct Hours {
    days: Vec<Weekday>,
    from: Time,
    /// None means the end of the day.
    to: Option<Time>,
    zone: TimeZone,
}

/// Why hours or holidays cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// The whole is not of the form.
    #[error("hours are written as `Mon-Fri 08:00-18:00 Europe/London`, or `24x7`")]
    Form,
    /// The machine knows no such time zone.
    #[error("this machine knows no time zone {0}: write one such as Europe/London")]
    Zone(String),
    /// A line or a date of the holidays.
    #[error(
        "bank holidays are dates such as 2026-12-25, one a line, or the file of www.gov.uk/bank-holidays.json"
    )]
    Holidays,
}

impl Hours {
    /// Reads `Mon-Fri 08:00-18:00 Europe/London`. Without a zone it is Europe/London. `24x7` is always.
    pub fn parse(text: &str) -> Result<Self, HoursError> {
        if text.trim().eq_ignore_ascii_case("24x7") {
            return Ok(Self {
                days: DAYS.iter().map(|(_, day)| *day).collect(),
                from: Time::midnight(),
                to: None,
                zone: TimeZone::UTC,
            });
        }
        let mut words = text.split_whitespace();
        let (Some(days), Some(span)) = (words.next(), words.next()) else {
            return Err(HoursError::Form);
        };
        let zone = words.next().unwrap_or("Europe/London");
        let (from, to) = span.split_once('-').ok_or(HoursError::Form)?;
        let to = match to {
            "24:00" => None,
            to => Some(time(to)?),
        };
        let from = time(from)?;
        if words.next().is_some() || to.is_some_and(|to| to <= from) {
            return Err(HoursError::Form);
        }
        Ok(Self {
            days: days_of(days)?,
            from,
            to,
            zone: zone_of(zone)?,
        })
    }

    /// The hours of one day, unless it is none of the days or a holiday.
    pub(super) fn of(&self, date: Date, holidays: &Holidays) -> Option<(Timestamp, Timestamp)> {
        if !self.days.contains(&date.weekday()) || holidays.0.contains(&date) {
            return None;
        }
        let end = match self.to {
            Some(to) => date.to_datetime(to),
            None => date.tomorrow().ok()?.to_datetime(Time::midnight()),
        };
        let at = |civil: jiff::civil::DateTime| {
            let zoned = civil.to_zoned(self.zone.clone()).ok()?;
            Some(zoned.timestamp())
        };
        Some((at(date.to_datetime(self.from))?, at(end)?))
    }
}

fn time(text: &str) -> Result<Time, HoursError> {
    let (hour, minute) = text.split_once(':').ok_or(HoursError::Form)?;
    let number = |text: &str| text.parse::<i8>().map_err(|_| HoursError::Form);
    Time::new(number(hour)?, number(minute)?, 0, 0).map_err(|_| HoursError::Form)
}

fn day(text: &str) -> Result<usize, HoursError> {
    let known = DAYS
        .iter()
        .position(|(name, _)| name.eq_ignore_ascii_case(text));
    known.ok_or(HoursError::Form)
}

fn days_of(text: &str) -> Result<Vec<Weekday>, HoursError> {
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        if last < first {
            return Err(HoursError::Form);
        }
        days.extend(DAYS[first..=last].iter().map(|(_, day)| *day));
    }
    Ok(days)
}

fn zone_of(name: &str) -> Result<TimeZone, HoursError> {
    match TimeZone::get(name) {
        Ok(zone) => Ok(zone),
        Err(_) if name == "Europe/London" => {
            TimeZone::posix(LONDON).map_err(|_| HoursError::Zone(name.to_owned()))
        }
        Err(_) => Err(HoursError::Zone(name.to_owned())),
    }
}

/// Days on which there is no support.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holidays(BTreeSet<Date>);

impl Holidays {
    /// Reads dates, one a line (what is behind a `#` does not count); or the file that GOV.UK publishes, of which England
    /// and Wales counts.
    pub fn parse(text: &str) -> Result<Self, HoursError> {
        if text.trim_start().starts_with('{') {
            return Self::of_gov_uk(text);
        }
        let lines = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or("").trim());
        let dates = lines.filter(|line| !line.is_empty()).map(str::parse);
        let dates: Result<_, _> = dates.collect();
        dates.map(Self).map_err(|_| HoursError::Holidays)
    }

    fn of_gov_uk(text: &str) -> Result<Self, HoursError> {
        let file: serde_json::Value =
            serde_json::from_str(text).map_err(|_| HoursError::Holidays)?;
        let events = file["england-and-wales"]["events"].as_array();
        let dates = events.ok_or(HoursError::Holidays)?.iter().map(|event| {
            let date = event["date"].as_str().and_then(|date| date.parse().ok());
            date.ok_or(HoursError::Holidays)
        });
        dates.collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn minutes(hours: &Hours, date: &str, holidays: &Holidays) -> Option<i64> {
        let (from, to) = hours.of(date.parse().unwrap(), holidays)?;
        Some(to.duration_since(from).as_mins())
    }

    #[test]
    fn supported_hours_are_those_of_the_place_and_its_holidays_are_none() {
        let hours = Hours::parse("Mon-Fri 08:00-18:00 Europe/London").unwrap();
        let holidays = Holidays::parse("2026-12-25 # Christmas\n\n2026-12-28").unwrap();
        assert_eq!(minutes(&hours, "2026-12-24", &holidays), Some(600));
        for closed in ["2026-12-25", "2026-12-26", "2026-12-28"] {
            assert_eq!(minutes(&hours, closed, &holidays), None, "{closed}");
        }
        let (summer, _) = hours.of("2026-07-01".parse().unwrap(), &holidays).unwrap();
        assert_eq!(summer, "2026-07-01T07:00:00Z".parse().unwrap());
        let always = Hours::parse("24x7").unwrap();
        assert_eq!(
            minutes(&always, "2026-12-26", &Holidays::default()),
            Some(1440)
        );
        // The night of a change of clocks has an hour less.
        let london = Hours::parse("Sun 00:00-24:00 Europe/London").unwrap();
        assert_eq!(minutes(&london, "2026-03-29", &holidays), Some(1380));
    }

    #[test]
    fn what_are_no_hours_is_refused() {
        for text in [
            "",
            "Mon",
            "Mon-Fri 18:00-08:00",
            "Fri-Mon 08:00-18:00",
            "Mon 08:00-18:00 Europe/London x",
        ] {
            assert_eq!(Hours::parse(text).unwrap_err(), HoursError::Form, "{text}");
        }
        let zone = Hours::parse("Mon 08:00-18:00 Mars/Phobos").unwrap_err();
        assert_eq!(zone, HoursError::Zone("Mars/Phobos".to_owned()));
    }

    #[test]
    fn holidays_are_read_from_the_file_that_gov_uk_publishes() {
        let file = r#"{"england-and-wales": {"division": "x", "events": [{"title": "Boxing Day", "date": "2026-12-28"}]},
            "scotland": {"events": [{"date": "2026-11-30"}]}}"#;
        assert_eq!(
            Holidays::parse(file).unwrap(),
            Holidays::parse("2026-12-28").unwrap()
        );
        assert_eq!(
            Holidays::parse("Christmas").unwrap_err(),
            HoursError::Holidays
        );
        assert_eq!(Holidays::parse("{}").unwrap_err(), HoursError::Holidays);
    }
}
