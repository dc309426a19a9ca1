//! The availability of supported hours: minutes in which the service was there, of those in which it had to be.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::heartbeats::{begin_of, first, minute_of, ready};
use super::{Holidays, Hours, PlannedWork};
use store::{Store, StoreError};

/// What a report says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// Minutes in which the service had to be there: supported hours, without planned work, as far as anything is known.
    pub supported_minutes: i64,
    /// Of these, minutes in which it was.
    pub available_minutes: i64,
    /// Supported minutes that planned work took.
    pub planned_minutes: i64,
    /// Supported minutes of which nothing is known, being before the first heartbeat or yet to come.
    pub unknown_minutes: i64,
    /// In percent of the supported minutes; none where nothing is known.
    pub availability: Option<f64>,
    /// When it was not there.
    pub outages: Vec<Outage>,
}

/// A time in which the service was not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outage {
    /// When it began, to the minute.
    pub from: Timestamp,
    /// When it was there again, or supported hours ended.
    pub to: Timestamp,
    /// How long, in minutes.
    pub minutes: i64,
}

/// Reads the heartbeats of these days, the last included. `now` ends what can be known.
pub async fn report(
    store: &Store,
    (from, to): (Date, Date),
    hours: &Hours,
    holidays: &Holidays,
    planned: &PlannedWork,
    now: Timestamp,
) -> Result<Report, StoreError> {
    let known_from = first(store).await?.unwrap_or(i64::MAX);
    // The current minute may yet have its beat.
    let known_to = minute_of(now);
    let mut report = Report {
        from,
        to,
        supported_minutes: 0,
        available_minutes: 0,
        planned_minutes: 0,
        unknown_minutes: 0,
        availability: None,
        outages: Vec::new(),
    };
    let mut date = Some(from).filter(|from| *from <= to);
    while let Some(day) = date {
        if let Some((begin, end)) = hours.of(day, holidays) {
            let (begin, end) = (minute_of(begin), minute_of(end));
            let was_there = ready(store, begin, end).await?;
            let mut was_there = was_there.into_iter().peekable();
            for minute in begin..end {
                let is_there = was_there.next_if_eq(&minute).is_some();
                if planned.covers(begin_of(minute)) {
                    report.planned_minutes += 1;
                } else if minute < known_from || minute >= known_to {
                    report.unknown_minutes += 1;
                } else {
                    report.supported_minutes += 1;
                    report.available_minutes += i64::from(is_there);
                    if !is_there {
                        report.away(minute);
                    }
                }
            }
        }
        date = day.tomorrow().ok().filter(|next| *next <= to);
    }
    if report.supported_minutes > 0 {
        #[allow(clippy::cast_precision_loss)] // minutes of years
        let share = report.available_minutes as f64 / report.supported_minutes as f64;
        report.availability = Some(share * 100.0);
    }
    Ok(report)
}

impl Report {
    fn away(&mut self, minute: i64) {
        let begin = begin_of(minute);
        match self.outages.last_mut() {
            Some(last) if last.to == begin => {
                last.to = begin_of(minute + 1);
                last.minutes += 1;
            }
            _ => self.outages.push(Outage {
                from: begin,
                to: begin_of(minute + 1),
                minutes: 1,
            }),
        }
    }
}
