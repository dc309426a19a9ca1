//! How far a credential is, in the nine states of the list (screens E3).

use jiff::Timestamp;
use jiff::civil::Date;
use ui::component::{TagColour, TaskStatus};
use ui::time;

use crate::look::Look;

/// How far a credential is. "Added" means that the gateway said so: nobody can see into a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CredentialState {
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

/// How it can be added from where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WayIn {
    /// For the first time.
    First,
    /// Once more: the old copy is to be deleted first.
    Again,
    /// Not now.
    None,
}

impl CredentialState {
    /// The word for programs: it stays when the texts change.
    pub(crate) const fn word(&self) -> &'static str {
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
    pub(crate) const fn can_be_opened(&self) -> bool {
        !matches!(self, Self::CannotAddYet | Self::Ended { .. })
    }

    /// How it can be added from here.
    pub(crate) const fn way_in(&self) -> WayIn {
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

    /// The tag beside it.
    pub(crate) fn status(&self, look: &Look) -> TaskStatus {
        let tag = |key, colour| TaskStatus::Tag(look.say(key), colour);
        match self {
            Self::CannotAddYet => TaskStatus::CannotStart(look.say("state-cannot-add-yet")),
            Self::Ended { .. } => TaskStatus::CannotStart(look.say("state-ended")),
            Self::NotAdded { .. } => tag("state-not-added", TagColour::Blue),
            Self::InProgress { .. } => tag("state-in-progress", TagColour::Grey),
            Self::Added { .. } => tag("state-added", TagColour::Green),
            Self::Changed => tag("state-changed", TagColour::Orange),
            Self::Cancelled { .. } => tag("state-cancelled", TagColour::Red),
            Self::Checking => tag("state-checking", TagColour::Yellow),
            Self::Expired { .. } => tag("state-expired", TagColour::Grey),
        }
    }

    /// The sentence under it; empty where there is nothing to say.
    pub(crate) fn hint(&self, look: &Look) -> String {
        let on_day = |key, day: &Date| look.say_with(key, &[("when", &time::civil_date(*day))]);
        match self {
            Self::CannotAddYet => look.say("state-cannot-add-yet-hint"),
            Self::Ended { on } => on_day("state-ended-hint", on),
            Self::NotAdded { valid_until } => {
                let until = valid_until.as_ref();
                until.map_or_else(String::new, |day| on_day("state-not-added-hint", day))
            }
            Self::InProgress { since, .. } => {
                let when = time::clock(*since);
                look.say_with("state-in-progress-hint", &[("when", &when)])
            }
            Self::Added { at } => {
                let when = time::date_and_clock(*at);
                look.say_with("state-added-hint", &[("when", &when)])
            }
            Self::Changed => look.say("state-changed-hint"),
            Self::Cancelled { at } => {
                look.say_with("state-cancelled-hint", &[("when", &time::date(*at))])
            }
            Self::Checking => look.say("state-checking-hint"),
            Self::Expired { on } => on_day("state-expired-hint", on),
        }
    }
}
