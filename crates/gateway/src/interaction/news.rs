//! When a step is news for its relying party: when another outcome stands after it than before.

use jiff::Timestamp;

use super::rows::Interactions;
use super::{Interaction, Outcome};
use crate::event;
use store::Statement;

/// An interaction as its events tell of it.
pub(super) struct Told<'a> {
    /// Its id and the version that stands.
    pub(super) step: (&'a str, i64),
    /// The outcome that stands.
    pub(super) before: Option<Outcome>,
    /// Whether it is the relying party's concern at all. Anybody can begin an interaction with an address that no relying
    /// party sent: as long as no wallet has come, how it ends is no news, or strangers would fill the queue of events.
    pub(super) concerns: bool,
    pub(super) about: event::About<'a>,
}

impl Interactions {
    /// The statements that tell of a step to `outcome`; none where it is no news or nobody listens.
    pub(super) fn news(
        &self,
        told: &Told<'_>,
        outcome: Option<Outcome>,
        at: Timestamp,
    ) -> Vec<Statement> {
        if outcome == told.before
            || !told.concerns
            || !self.listeners.contains(told.about.client_id)
        {
            return Vec::new();
        }
        match (outcome, told.about.serial_number) {
            (Some(Outcome::Issued), Some(serial_number)) => {
                event::issued(&told.about, serial_number, at)
            }
            (Some(Outcome::Refused(refusal)), _) => {
                let (id, version) = told.step;
                event::failed(&told.about, (id, version + 1), refusal.code(), at)
            }
            // The relying party collects what was verified itself.
            _ => Vec::new(),
        }
    }
}

impl Interaction {
    pub(super) fn told(&self) -> Told<'_> {
        Told {
            step: (&self.id, self.version),
            before: self.recorded,
            concerns: self.vouched || self.wallet_came,
            about: event::About {
                client_id: &self.client_id,
                purpose: self.purpose.name(),
                credential_types: self.credential_types.to_string(),
                reference: &self.reference,
                request_digest: &self.request_digest.0,
                serial_number: self.serial_number,
            },
        }
    }
}
