//! The last days, each with how much of it the service was there.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::PlannedWork;
use super::heartbeats::{begin_of, first, minute_of, ready};
use store::{Statement, Store, StoreError};

/// How many days the page shows.
pub const SHOWN: i64 = 90;
const MINUTES: i64 = 24 * 60;

/// One day in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Which.
    pub date: Date,
    /// Minutes in which the service had to be there and of which something is known.
    pub known: i64,
    /// Of these, minutes in which it was.
    pub there: i64,
}

impl Day {
    /// Minutes in which it was not.
    pub fn away(&self) -> i64 {
        self.known - self.there
    }
}

/// The last days of which something is known, the newest first.
pub async fn last_days(
    store: &Store,
    planned: &PlannedWork,
    now: Timestamp,
) -> Result<Vec<Day>, StoreError> {
    let Some(known_from) = first(store).await? else {
        return Ok(Vec::new());
    };
    let known_to = minute_of(now);
    let today = known_to.div_euclid(MINUTES);
    let select = Statement::new(
        "SELECT minute / 1440 AS day, COUNT(DISTINCT minute) AS minutes FROM heartbeats \
         WHERE minute >= $1 AND minute < $2 AND ready = 1 GROUP BY minute / 1440",
    );
    let rows = store
        .read(select.bind((today - SHOWN + 1) * MINUTES).bind(known_to))
        .await?;
    let mut days = Vec::new();
    for day in (today - SHOWN + 1..=today).rev() {
        let (begin, end) = (day * MINUTES, (day + 1) * MINUTES);
        let (begin, end) = (begin.max(known_from), end.min(known_to));
        let mut known = end - begin;
        if known <= 0 {
            continue;
        }
        let counted = rows
            .iter()
            .find(|row| row.integer("day").is_ok_and(|it| it == day));
        let mut there = counted.map_or(Ok(0), |row| row.integer("minutes"))?;
        let is_planned = |minute: &i64| planned.covers(begin_of(*minute));
        if (begin..end).any(|minute| is_planned(&minute)) {
            known -= i64::try_from((begin..end).filter(is_planned).count()).unwrap_or(0);
            let beats = ready(store, begin, end).await?;
            there = i64::try_from(beats.iter().filter(|minute| !is_planned(minute)).count())
                .unwrap_or(0);
        }
        let date = begin_of(begin).to_zoned(TimeZone::UTC).date();
        days.push(Day { date, known, there });
    }
    Ok(days)
}
