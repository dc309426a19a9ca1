//! How much was removed on which day, by which rule: what an assurance file shows of retention that runs by itself.
//!
//! One row for each day and rule, to which every round adds what it removed, in whichever process; a row for each round would
//! be a million a year. The rule [`ROUND`] counts the rounds themselves, so that a day on which nothing was due can be told
//! from one on which nobody looked (decision 0045). What went is counted in the batch in which it goes: no crash and no second
//! process makes the count another than what went.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::{Row, Statement, Store, StoreError};

/// Every round, whether or not anything was due.
pub const ROUND: &str = "round";
/// Interactions that were wiped of personal values.
pub const PERSONAL_VALUES: &str = "personal-values";
/// Credentials that nobody collected and that were revoked.
pub const NOT_COLLECTED: &str = "not-collected";

const DAY: i64 = 86_400;

/// What one rule removed on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// The day, in UTC.
    pub day: Date,
    /// The rule's code, or one of this module's.
    pub rule: String,
    /// How many rows went, interactions were wiped or credentials revoked; 0 for [`ROUND`].
    pub removed: i64,
    /// How many rounds removed something; for [`ROUND`] how many there were.
    pub rounds: i64,
    /// The first of them.
    pub first_at: Timestamp,
    /// The last of them.
    pub last_at: Timestamp,
}

/// The day of a time, since 1970.
pub(super) fn day_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(DAY)
}

/// A round is over: counted on its day.
pub(super) fn round(now: Timestamp) -> Statement {
    add(ROUND, 0, 1, now)
}

/// Adds what a rule removed to its day. `rounds` is 1 where it is the first that this round removes by the rule, and 0 after.
pub(super) fn add(rule: &str, removed: u64, rounds: u64, now: Timestamp) -> Statement {
    let sql = "INSERT INTO retention_removals (day, rule, removed, rounds, first_at, last_at) VALUES ($1, $2, $3, $4, $5, $5) \
               ON CONFLICT (day, rule) DO UPDATE SET removed = retention_removals.removed + excluded.removed, \
               rounds = retention_removals.rounds + excluded.rounds, last_at = excluded.last_at";
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    Statement::new(sql)
        .bind(day_of(now))
        .bind(rule)
        .bind(number(removed))
        .bind(number(rounds))
        .bind(now)
}

/// What was removed on the days of that time, in order.
pub async fn find(
    store: &Store,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Removal>, StoreError> {
    let select = Statement::new(
        "SELECT day, rule, removed, rounds, first_at, last_at FROM retention_removals \
         WHERE day >= $1 AND day <= $2 ORDER BY day, rule",
    );
    // Up to the end, which is no part of it.
    let last = day_of(to - SignedDuration::from_secs(1));
    let rows = store.read(select.bind(day_of(from)).bind(last)).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Removal, StoreError> {
    let begin = Timestamp::from_second(row.integer("day")?.saturating_mul(DAY));
    let day = begin.unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC);
    Ok(Removal {
        day: day.date(),
        rule: row.text("rule")?.to_owned(),
        removed: row.integer("removed")?,
        rounds: row.integer("rounds")?,
        first_at: row.timestamp("first_at")?,
        last_at: row.timestamp("last_at")?,
    })
}
