//! What became of an interaction, step by step, and why: for whoever is asked 'why did my download fail'.
//!
//! Everything is read from the interaction's row and the few rows beside it; nothing sealed is opened, and no value of a
//! claim, no secret and no link is among it. The admin API, the console and the command line tell the same.

pub mod causes;
#[cfg(test)]
mod causes_tests;
mod find;
mod steps;

use jiff::Timestamp;
use serde::Serialize;

pub use causes::Cause;
pub use find::{Named, find, find_state, newest, one};

/// One interaction, told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Interaction)]
pub struct Timeline {
    /// What the employee reads out.
    pub reference: String,
    /// Whose it is.
    pub organisation: String,
    /// The relying party that began it.
    pub client_id: String,
    /// `verify` or `issue`.
    pub purpose: &'static str,
    /// The credential types, with a space between.
    pub credential_types: String,
    /// Where it stands: the stage's name.
    pub stage: &'static str,
    /// `verified`, `issued` or a refusal's code, once it has ended.
    pub outcome: Option<&'static str>,
    /// The credential that left the gateway, if one did.
    pub serial_number: Option<String>,
    /// Every step that is known, in order.
    pub steps: Vec<Step>,
    /// Why it came to nothing, if it did.
    #[schema(value_type = Option<Cause>)]
    pub cause: Option<&'static Cause>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = InteractionStep)]
pub struct Step {
    /// When, to the second.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// A stable word.
    pub step: &'static str,
    /// What happened, in words.
    pub sentence: &'static str,
    /// Why, as a code of [`causes::ALL`], where the step went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
}
