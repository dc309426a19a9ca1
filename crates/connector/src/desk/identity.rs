//! Step 6: who is at the desk. Once for each session, never carried to another one.

use jiff::Timestamp;
use store::StoreError;
use url::Url;

use super::{Desk, Session, StartFault};

/// How a check of an identity ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyOutcome {
    /// The identity is the employee's.
    Verified,
    /// It is somebody else's, as far as the host's record tells.
    Mismatch,
    /// It has no unique identifier, or not in its form. Shown like a mismatch.
    NoUniqueIdentifier,
    /// The employee said no in the wallet, or the wallet holds none.
    Declined,
    /// The gateway did not accept it: expired, revoked, of an issuer that is not trusted.
    NotAccepted,
    /// Nobody answered in time.
    TimedOut,
    /// The gateway could not go on, or its answer is not to be believed.
    GatewayFailed,
}

/// What a session knows of its employee's identity.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// When the identity was verified, if it was.
    pub verified_at: Option<Timestamp>,
    /// How the last check ended, and when.
    pub last: Option<(VerifyOutcome, Timestamp)>,
    /// How many more identities may be tried that do not match.
    pub tries_left: u32,
}

impl Desk {
    /// Begin to check who is at the desk: the address for the browser. `return_to` is the host's word for where to go
    /// on afterwards; it comes back in [`super::Return`].
    pub async fn verify(
        &self,
        session: Session<'_>,
        return_to: Option<&str>,
    ) -> Result<Url, StartFault> {
        let _ = (session.id, return_to);
        todo!()
    }

    /// What this session knows.
    pub async fn standing(&self, session: Session<'_>) -> Result<Standing, StoreError> {
        todo!("{}", session.employee)
    }

    /// The session is over: what was verified in it is forgotten. To be called at log-out.
    pub async fn forget_session(&self, session_id: &str) -> Result<(), StoreError> {
        todo!("{session_id}")
    }
}
