//! Why a key was not changed, as a caller of the API hears it.

use crate::admin::{Code, Problem};
use crate::keys::acts::ActError;

/// What a caller hears of an act that was not done. Its own sentences are for the command line.
pub(super) fn refused(error: ActError) -> Problem {
    match error {
        ActError::UnknownKey(_) | ActError::UnknownPlace(_) => Code::NotFound.into(),
        ActError::State { state, wanted, .. } => Problem::with(
            Code::KeyState,
            format!("The key is {}: {wanted}.", state.name()),
        ),
        ActError::NextThere(kid) => {
            let detail = format!(
                "The key {kid} is to be the next one already: activate or remove it first."
            );
            Problem::with(Code::KeyNextThere, detail)
        }
        ActError::NoNext => Code::KeyNoNext.into(),
        ActError::TooYoung { from, .. } => {
            let detail = format!(
                "The key may sign from {from:.0} on, when it has been published for seven days; `at_once` does it now."
            );
            Problem::with(Code::KeyTooYoung, detail)
        }
        ActError::InForce(count) => {
            let detail = format!(
                "{count} credentials still verify with this key; with `force` they do not any more."
            );
            Problem::with(Code::KeyInForce, detail)
        }
        ActError::Checkpoints => {
            let detail = "Checkpoints of the audit verify with this key, and must for ever: it stays verify-only.";
            Problem::with(Code::KeyInForce, detail)
        }
        ActError::StillBelieved(until) => Problem::with(
            Code::KeyStillBelieved,
            format!("What this key signed may be believed until {until:.0}."),
        ),
        ActError::Algorithm { .. } => {
            Problem::field("algorithm", "a key of this place does not sign with it")
        }
        ActError::Overtaken => Code::ChangedMeanwhile.into(),
        ActError::Key(error) => {
            tracing::error!(%error, "a key could not be made, read or destroyed");
            Code::KeyUnusable.into()
        }
        ActError::Store(error) => error.into(),
    }
}
