//! What is kept between the two halves of a journey.

use aws_lc_rs::error::Unspecified;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use standards::oauth::{CodeChallenge, CodeVerifier};
use url::Url;
use uuid::Uuid;

use crate::secret::Secret;

/// The first half of a journey is done.
#[derive(Debug)]
pub struct Started {
    /// Where to send the employee's browser.
    pub url: Url,
    /// What to keep, in the employee's own session, until the browser is back.
    pub pending: Pending,
}

/// A journey that waits for its browser. Serialisable, so that it can be kept in a database under
/// its [`state`](Pending::state); to be used once, and only by the session that began it. Its
/// serialised form holds secrets.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pending {
    pub(crate) purpose: Purpose,
    pub(crate) state: Secret,
    pub(crate) nonce: Secret,
    pub(crate) code_verifier: Secret,
    pub(crate) started_at: Timestamp,
}

/// What a journey is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Credentials of these types are to be shown and checked.
    Verify {
        /// The types asked for.
        credential_types: Vec<String>,
    },
    /// A new credential is to be put into the wallet.
    Issue {
        /// The new credential's type.
        credential_type: String,
        /// Its serial number, by which it can be revoked.
        serial_number: Uuid,
    },
}

impl Pending {
    /// A new journey, and the hash of its code verifier for the request.
    pub(crate) fn new(
        purpose: Purpose,
        started_at: Timestamp,
    ) -> Result<(Self, CodeChallenge), Unspecified> {
        let mut random = [0; 32];
        aws_lc_rs::rand::fill(&mut random)?;
        let verifier = CodeVerifier::from_random(random);
        let pending = Self {
            purpose,
            state: Secret::random()?,
            nonce: Secret::random()?,
            code_verifier: Secret::new(verifier.reveal().to_owned()),
            started_at,
        };
        Ok((pending, verifier.challenge()))
    }

    /// The `state` that the callback will carry: the key to find this again by.
    pub fn state(&self) -> &str {
        self.state.expose()
    }

    /// What the journey is for.
    pub fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    /// The serial number of the credential to be issued, if this is about issuing.
    pub fn serial_number(&self) -> Option<Uuid> {
        match self.purpose {
            Purpose::Issue { serial_number, .. } => Some(serial_number),
            Purpose::Verify { .. } => None,
        }
    }

    /// When the journey began.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }
}
