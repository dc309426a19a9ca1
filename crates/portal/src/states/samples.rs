//! The person, the times and the records that the sample pages are about.

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use ui::component::Row;

use crate::look::Visitor;

/// When the sample pages are made: 22 November 2026 at 2:36pm.
pub(super) const NOW: Timestamp = Timestamp::constant(1_795_358_160, 0);
/// Placements end on this day.
pub(super) const SUMMER_END: Date = date(2026, 7, 31);
/// Training is valid until this day.
pub(super) const NEXT_YEAR: Date = date(2027, 11, 20);
/// What the pages with a problem show.
pub(super) const REFERENCE: &str = "K7Q2-9MFD";
/// The record that most pages are about.
pub(super) const RECORD: &str = "fs-1";
/// Its credential.
pub(super) const FIRE_SAFETY: &str = "Fire safety training";

/// Some minutes before the sample pages are made.
pub(super) fn minutes_ago(minutes: i64) -> Timestamp {
    NOW - SignedDuration::from_mins(minutes)
}

/// Somebody with a name that is not short.
pub(super) fn visitor() -> Visitor {
    Visitor {
        name: "Siân Carys O’Connor-Hughes".to_owned(),
        csrf: "sample".to_owned(),
        now: NOW,
        ends_at: NOW + SignedDuration::from_mins(30),
        may_stay: true,
    }
}

/// What the record says.
pub(super) fn facts() -> Vec<Row> {
    rows(&[
        ("Subject", "Fire safety"),
        ("Level", "1"),
        ("Attainment status", "ACHIEVED"),
        ("Competency framework", "CSTF"),
        ("Competency name", "NHS|CSTF|Fire Safety - 1 Year|"),
        ("Date awarded", "20 November 2026"),
        ("Renewal period", "1"),
        ("Units", "Year"),
        ("Learning method", ""),
        ("Valid to", "20 November 2027"),
    ])
}

/// What is known about the credential itself.
pub(super) fn about() -> Vec<Row> {
    rows(&[
        ("Origin", "Anytown NHS Trust"),
        ("Assurance policy", "Core Skills Training Framework (CSTF)"),
        ("Assurance outcome", "Evidence of completion of topic"),
        ("Provider", "Anytown NHS Trust"),
        ("Verifier", "Origin"),
        ("Verification method", "Record Verification"),
        ("Pedigree", "Authoritative"),
        ("Last refresh", "22 November 2026 at 9am"),
        ("Issued by", "Anytown NHS Trust"),
    ])
}

pub(super) fn rows(pairs: &[(&str, &str)]) -> Vec<Row> {
    pairs
        .iter()
        .map(|(key, value)| Row::new(*key, *value))
        .collect()
}
