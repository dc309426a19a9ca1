//! One signing key, and what comes next for it.

use jiff::Timestamp;
use serde::Deserialize;
use ui::component::TagColour;

use crate::api::Address;
use crate::problem::Problem;
use crate::visit::Visit;

/// After so many days a key that signs is worth a thought.
pub(super) const OLD: i64 = 365;
/// With fewer days left, a certificate chain should be renewed.
const CERTIFICATE_SOON: i64 = 21;

/// A key as the API gives it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) place: String,
    pub(super) purpose: String,
    pub(super) algorithm: String,
    pub(super) state: String,
    pub(super) created_at: Timestamp,
    pub(super) activated_at: Option<Timestamp>,
    pub(super) retired_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) days_in_state: i64,
    pub(super) published_in: Vec<String>,
    pub(super) may_sign_from: Option<Timestamp>,
    pub(super) published_until: Option<Timestamp>,
    pub(super) credentials_in_force: Option<i64>,
    #[serde(default)]
    credentials_or_more: bool,
    pub(super) certificate_ends_at: Option<Timestamp>,
    pub(super) certificate_days_left: Option<i64>,
}

impl Key {
    /// How many days its certificate chain holds, where somebody must do something about it.
    pub(super) fn certificate_ends_soon(&self) -> Option<i64> {
        let signs = matches!(self.state.as_str(), "next" | "active");
        self.certificate_days_left
            .filter(|days| signs && *days < CERTIFICATE_SOON)
    }
}

/// Those that the visitor may see.
pub(super) async fn keys(visit: &Visit, all: bool) -> Result<Vec<Key>, Problem> {
    #[derive(Deserialize)]
    struct Found {
        keys: Vec<Key>,
    }
    let address = Address::new(&["keys"]).with("all", if all { "true" } else { "" });
    let found: Found = visit.api.get(address).await?;
    Ok(found.keys)
}

/// A state as a tag.
pub(super) fn state(visit: &Visit, state: &str) -> (String, TagColour) {
    let colour = match state {
        "active" => TagColour::Green,
        "next" => TagColour::Blue,
        "verify-only" => TagColour::Yellow,
        "compromised" => TagColour::Red,
        _ => TagColour::Grey,
    };
    (visit.say(&format!("key-{state}")), colour)
}

/// A number, or the least that there are.
pub(super) fn rough(visit: &Visit, number: i64, or_more: bool) -> String {
    let count = number.to_string();
    if or_more {
        visit.say_with("key-or-more", &[("count", &count)])
    } else {
        count
    }
}

/// How many credentials in force verify with it, where somebody counted.
pub(super) fn needed(visit: &Visit, key: &Key) -> Option<String> {
    let count = key.credentials_in_force?;
    Some(rough(visit, count, key.credentials_or_more))
}

/// What comes next for a key, in a sentence.
pub(super) fn next_step(visit: &Visit, key: &Key) -> String {
    let count = needed(visit, key).unwrap_or_default();
    match key.certificate_ends_soon() {
        Some(days) if days < 0 => return visit.say("key-step-certificate-over"),
        Some(days) => {
            return visit.say_with("key-step-certificate", &[("count", &days.to_string())]);
        }
        None => {}
    }
    match (key.state.as_str(), key.may_sign_from, key.published_until) {
        ("next", Some(from), _) => visit.say_with(
            "key-step-next",
            &[("from", &ui::time::date_and_clock(from))],
        ),
        ("active", ..) if key.days_in_state >= OLD => visit.say("key-step-old"),
        ("active", ..) => visit.say("key-step-active"),
        ("verify-only", ..) if key.credentials_in_force.is_some_and(|count| count > 0) => {
            visit.say_with("key-step-needed", &[("count", &count)])
        }
        ("verify-only", _, Some(until)) => visit.say_with(
            "key-step-removable",
            &[("from", &ui::time::date_and_clock(until))],
        ),
        ("verify-only", ..) => visit.say("key-step-for-ever"),
        _ => visit.say("key-step-none"),
    }
}
