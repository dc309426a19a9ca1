//! How pages say how far a credential is (screens E3). Which of the nine states it is, the connector's desk says.

pub(crate) use connector::desk::{CredentialState, WayIn};
use ui::component::{TagColour, TaskStatus};
use ui::time;

use crate::look::Look;

/// What a page shows of a state.
pub(crate) trait Shown {
    /// The tag beside it.
    fn status(&self, look: &Look) -> TaskStatus;

    /// The sentence under it; empty where there is nothing to say.
    fn hint(&self, look: &Look) -> String;
}

impl Shown for CredentialState {
    fn status(&self, look: &Look) -> TaskStatus {
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

    fn hint(&self, look: &Look) -> String {
        let on_day =
            |key, day: &jiff::civil::Date| look.say_with(key, &[("when", &time::civil_date(*day))]);
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
