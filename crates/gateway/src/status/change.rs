//! What becomes of a credential after it was issued: revoked for good, or suspended and perhaps reinstated. Each change is
//! a batch of statements, to which whoever makes it adds its own; the list's revision rises in the same batch.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::audit::{Act, Actor, Entry};
use crate::event;
use store::Statement;

/// Why the operator revokes or suspends a credential: a closed list, for the record and for statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// What it says is wrong.
    DataError,
    /// The employee has left the organisation.
    LeftEmployment,
    /// The employee no longer has what it says, such as a lapsed registration.
    NoLongerQualified,
    /// A newer one takes its place.
    Superseded,
    /// The device with the wallet is lost or stolen.
    LostDevice,
    /// A key that signed it, or that it is bound to, may be known to others.
    KeyCompromise,
    /// It should never have been issued.
    IssuedInError,
    /// The employee has died.
    Deceased,
    /// It is in doubt whether it is still right: usually a suspension.
    UnderReview,
    /// None of these; the note says why.
    Other,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::DataError,
        Self::LeftEmployment,
        Self::NoLongerQualified,
        Self::Superseded,
        Self::LostDevice,
        Self::KeyCompromise,
        Self::IssuedInError,
        Self::Deceased,
        Self::UnderReview,
        Self::Other,
    ];

    /// The stable word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::DataError => "data-error",
            Self::LeftEmployment => "left-employment",
            Self::NoLongerQualified => "no-longer-qualified",
            Self::Superseded => "superseded",
            Self::LostDevice => "lost-device",
            Self::KeyCompromise => "key-compromise",
            Self::IssuedInError => "issued-in-error",
            Self::Deceased => "deceased",
            Self::UnderReview => "under-review",
            Self::Other => "other",
        }
    }

    /// From its word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// Who or what revokes a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause<'a> {
    /// A relying party of its organisation asked for it, in these words.
    RelyingParty(&'a str),
    /// The operator, with a reason of the closed list and a note.
    Operator(Reason, &'a str),
    /// No relying party collected its token: nobody but the gateway knew its serial number.
    NotCollected,
    /// The authorization code was used a second time.
    CodeReplayed,
    /// The wallet gave it back, with this event.
    NotKept(&'a str),
}

impl Cause<'_> {
    /// The stable word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RelyingParty(_) => "relying-party",
            Self::Operator(..) => "operator",
            Self::NotCollected => "not-collected",
            Self::CodeReplayed => "code-replayed",
            Self::NotKept(_) => "not-kept",
        }
    }

    /// The sentence that is kept beside it: for the operator, since a relying party's may say anything.
    fn words(self) -> String {
        match self {
            Self::RelyingParty(words) | Self::Operator(_, words) => words.to_owned(),
            Self::NotCollected => "not collected".to_owned(),
            Self::CodeReplayed => "code replayed".to_owned(),
            Self::NotKept(event) => format!("the wallet notified {event}"),
        }
    }

    const fn reason(self) -> Option<Reason> {
        match self {
            Self::Operator(reason, _) => Some(reason),
            _ => None,
        }
    }
}

/// Revokes one credential of an organisation, once: the second time changes nothing. Belongs in one batch; its last
/// statement changes one row if it is this batch that revokes.
pub fn revoke_statements(
    organisation: &str,
    serial_number: Uuid,
    cause: Cause<'_>,
    now: Timestamp,
) -> Vec<Statement> {
    let serial = serial_number.to_string();
    let [number, event] = event::revoked(organisation, serial_number, cause.code(), now);
    let revoke = Statement::new(
        "UPDATE credentials SET revoked_at = $1, revocation_cause = $2, revocation_reason = $3, revocation_code = $4 \
         WHERE serial_number = $5 AND organisation = $6 AND revoked_at IS NULL",
    );
    vec![
        hold(organisation, &serial),
        number,
        event,
        raise(organisation, &serial, "revoked_at IS NULL"),
        revoke
            .bind(now.as_second())
            .bind(cause.code())
            .bind(cause.words())
            .bind(cause.reason().map(Reason::code))
            .bind(serial.as_str())
            .bind(organisation),
    ]
}

/// The same batch, kept only if it is this one that makes the change; else it is [`StoreError::Unmet`], since somebody
/// was first, and nothing that comes along in it is kept.
///
/// [`StoreError::Unmet`]: store::StoreError::Unmet
pub fn only_first(mut batch: Vec<Statement>) -> Vec<Statement> {
    if let Some(change) = batch.pop() {
        batch.push(change.must_change(1));
    }
    batch
}

/// What the gateway revokes by itself: the batch of [`only_first`], with its entry of the audit.
pub fn revoke_by_itself(
    organisation: &str,
    serial_number: Uuid,
    cause: Cause<'_>,
    now: Timestamp,
) -> Vec<Statement> {
    let serial = serial_number.to_string();
    let revoked = Act::CredentialRevoked;
    let told = Entry::new(Actor::Gateway, revoked, ("credential", &serial), now)
        .organisation(Some(organisation))
        .with("cause", cause.code());
    let mut batch = only_first(revoke_statements(organisation, serial_number, cause, now));
    batch.push(told.into());
    batch
}

/// Suspends one credential that is in force. Belongs in one batch; its last statement changes one row if it is this batch
/// that suspends, and none where the credential is revoked, suspended already or another organisation's.
pub fn suspend_statements(
    organisation: &str,
    serial_number: Uuid,
    reason: Reason,
    now: Timestamp,
) -> Vec<Statement> {
    let serial = serial_number.to_string();
    let suspend = Statement::new(
        "UPDATE credentials SET suspended_at = $1, suspension_code = $2 WHERE serial_number = $3 AND \
         organisation = $4 AND revoked_at IS NULL AND suspended_at IS NULL",
    );
    let in_force = "revoked_at IS NULL AND suspended_at IS NULL";
    vec![
        hold(organisation, &serial),
        raise(organisation, &serial, in_force),
        suspend
            .bind(now.as_second())
            .bind(reason.code())
            .bind(serial.as_str())
            .bind(organisation),
    ]
}

/// Puts a suspended credential in force again. Belongs in one batch; its last statement changes one row if it is this
/// batch that does so. What is revoked stays revoked.
pub fn reinstate_statements(organisation: &str, serial_number: Uuid) -> Vec<Statement> {
    let serial = serial_number.to_string();
    let reinstate = Statement::new(
        "UPDATE credentials SET suspended_at = NULL, suspension_code = NULL WHERE serial_number = $1 AND \
         organisation = $2 AND revoked_at IS NULL AND suspended_at IS NOT NULL",
    );
    let is_suspended = "revoked_at IS NULL AND suspended_at IS NOT NULL";
    vec![
        hold(organisation, &serial),
        raise(organisation, &serial, is_suspended),
        reinstate.bind(serial.as_str()).bind(organisation),
    ]
}

/// What follows asks how the credential stands. This holds its row until the batch is kept, so that of two batches at
/// once the second finds what the first made of it.
pub fn hold(organisation: &str, serial: &str) -> Statement {
    let hold = Statement::new(
        "UPDATE credentials SET list = list WHERE serial_number = $1 AND organisation = $2",
    );
    hold.bind(serial).bind(organisation)
}

/// The revision rises only if this batch is the one that changes something; hence it comes before the change.
fn raise(organisation: &str, serial: &str, condition: &'static str) -> Statement {
    let revision = Statement::new(format!(
        "UPDATE status_lists SET revision = revision + 1 WHERE organisation = $1 AND list = \
         (SELECT list FROM credentials WHERE serial_number = $2 AND organisation = $3 AND {condition})"
    ));
    revision.bind(organisation).bind(serial).bind(organisation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_word_of_its_own_and_is_found_by_it() {
        let found = Reason::ALL.map(|reason| Reason::from_code(reason.code()));
        assert_eq!(found, Reason::ALL.map(Some));
        assert_eq!(Reason::from_code("because"), None);
    }
}
