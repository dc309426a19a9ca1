//! How far a record's credential is: one of nine states, worked out anew each time of what the host has on file and what
//! the desk knows.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Credential, Stage};

/// What the host has on file about a record, as far as the state of its credential depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnFile<'a> {
    /// The host's id of the record.
    pub record: &'a str,
    /// It was deleted.
    pub is_deleted: bool,
    /// It says all that its credential must say.
    pub is_complete: bool,
    /// Its last day, if it has one.
    pub last_day: Option<Date>,
    /// When its credential would end, if it has an end. Where there is no last day, this decides which it is.
    pub expires_at: Option<Timestamp>,
}

impl OnFile<'_> {
    /// Its last day, in universal time as the gateway has it.
    pub fn last_day(&self) -> Option<Date> {
        self.last_day.or_else(|| self.expires_at.map(day_of))
    }

    /// Its last day, once that has come: nobody needs a credential for what is left of it.
    pub fn ended_on(&self, now: Timestamp) -> Option<Date> {
        self.last_day().filter(|day| *day <= day_of(now))
    }

    /// Whether a credential can be made of it as it is now.
    pub fn can_be_added(&self, now: Timestamp) -> bool {
        !self.is_deleted && self.is_complete && self.ended_on(now).is_none()
    }
}

/// How far a credential is. "Added" means that the gateway said so: nobody can see into a wallet.
///
/// As JSON it is an object whose `state` is [`CredentialState::word`]; times are RFC 3339, days are `2026-11-03`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum CredentialState {
    /// The record lacks what the credential must say.
    CannotAddYet,
    /// The record ended before its credential was ever added.
    Ended {
        /// The record's last day.
        on: Date,
    },
    /// It can be added.
    NotAdded {
        /// The last day it will be valid, where there is one.
        valid_until: Option<Date>,
    },
    /// The way to the wallet has begun, here or in another browser.
    InProgress {
        /// When it began.
        since: Timestamp,
        /// Whether a copy was added earlier.
        added_before: bool,
    },
    /// It was added.
    Added {
        /// When.
        at: Timestamp,
    },
    /// The record has changed since, and the credential is being cancelled.
    Changed,
    /// It was cancelled.
    Cancelled {
        /// When.
        at: Timestamp,
    },
    /// It is not known whether it reached the wallet.
    Checking,
    /// It was added, and its time is over.
    Expired {
        /// Its last day.
        on: Date,
    },
}

/// How a credential can be added from where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WayIn {
    /// For the first time.
    First,
    /// Once more: the old copy is to be deleted first.
    Again,
    /// Not now.
    None,
}

impl CredentialState {
    /// The state of this record's credential at this time. `credentials` is what [`super::Desk::credentials`] says of
    /// its employee; those of other records are passed over. `None` where there is nothing to show: the record is
    /// deleted, and no credential of it is or was out.
    pub fn of(on_file: &OnFile<'_>, credentials: &[Credential], now: Timestamp) -> Option<Self> {
        let of_it = || {
            let all = credentials.iter();
            all.filter(|credential| credential.record == on_file.record)
        };
        Self::of_newest(of_it, now)
            .or_else(|| (!on_file.is_deleted).then(|| Self::of_record(on_file, now)))
    }

    /// The newest credential that reached a wallet, or may have, decides; what came to nothing leaves it as it was.
    /// One that was revoked says nothing of an older one that is still in force, and one that another tab merely asked
    /// for nothing of one that was added since.
    fn of_newest<'a, All: Iterator<Item = &'a Credential>>(
        credentials: impl Fn() -> All,
        now: Timestamp,
    ) -> Option<Self> {
        let is_in_force = |one: &&Credential| one.stage == Stage::Issued && !one.revoking;
        let newest = credentials().find(|one| one.stage != Stage::NotIssued)?;
        let deciding = match newest.stage {
            Stage::Revoked => credentials().find(is_in_force).unwrap_or(newest),
            Stage::Asked => {
                let added_since = |one: &&Credential| {
                    is_in_force(one) && one.issued_at.is_some_and(|at| at >= newest.started_at)
                };
                credentials().find(added_since).unwrap_or(newest)
            }
            Stage::Checking | Stage::Issued | Stage::NotIssued => newest,
        };
        Some(match deciding.stage {
            Stage::NotIssued => return None,
            Stage::Asked => Self::InProgress {
                since: deciding.started_at,
                added_before: credentials().any(|one| one.issued_at.is_some()),
            },
            Stage::Checking => Self::Checking,
            Stage::Issued if deciding.revoking => Self::Changed,
            Stage::Issued => match deciding.expires_at.filter(|at| *at <= now) {
                Some(at) => Self::Expired { on: day_of(at) },
                None => Self::Added {
                    at: deciding.issued_at.unwrap_or(deciding.started_at),
                },
            },
            Stage::Revoked => Self::Cancelled {
                at: deciding.revoked_at.unwrap_or(deciding.started_at),
            },
        })
    }

    fn of_record(on_file: &OnFile<'_>, now: Timestamp) -> Self {
        if let Some(on) = on_file.ended_on(now) {
            Self::Ended { on }
        } else if on_file.is_complete {
            Self::NotAdded {
                valid_until: on_file.last_day(),
            }
        } else {
            Self::CannotAddYet
        }
    }

    /// The word for programs: it stays when the texts change.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::CannotAddYet => "cannot-add-yet",
            Self::Ended { .. } => "ended",
            Self::NotAdded { .. } => "not-added",
            Self::InProgress { .. } => "in-progress",
            Self::Added { .. } => "added",
            Self::Changed => "changed",
            Self::Cancelled { .. } => "cancelled",
            Self::Checking => "checking",
            Self::Expired { .. } => "expired",
        }
    }

    /// Whether it has a page of its own to open.
    pub const fn can_be_opened(&self) -> bool {
        !matches!(self, Self::CannotAddYet | Self::Ended { .. })
    }

    /// How it can be added from here, provided that its record can be: [`OnFile::can_be_added`].
    pub const fn way_in(&self) -> WayIn {
        match self {
            Self::NotAdded { .. }
            | Self::InProgress {
                added_before: false,
                ..
            } => WayIn::First,
            Self::InProgress { .. }
            | Self::Added { .. }
            | Self::Changed
            | Self::Cancelled { .. } => WayIn::Again,
            Self::CannotAddYet | Self::Ended { .. } | Self::Checking | Self::Expired { .. } => {
                WayIn::None
            }
        }
    }
}

/// The day of a moment, in universal time as the gateway has it.
fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
