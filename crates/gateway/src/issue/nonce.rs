//! `POST /issuers/{organisation}/nonce`: the value that makes a key proof fresh. [VCI 7, VCI-12]
//!
//! A nonce is its own end of life, sealed for its organisation: nothing is stored until one is used, and then
//! only to see that it is not used again.

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use standards::base64url;
use standards::openid4vci::NonceResponse;

use super::answer::{Refused, answer_json};
use super::organisation;
use crate::app::{App, Parts};
use crate::interaction::Digest;
use crate::organisation::Organisation;
use store::Statement;

/// How long a nonce may be used.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// No nonce of ours is longer; what is longer need not be decoded.
const LONGEST: usize = 256;

pub(super) async fn answer(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let organisation = organisation(&app, &id)?;
    let expires_at = (app.now() + LIFETIME).as_second().to_be_bytes();
    // Sealing draws fresh random bytes for each value, which is what makes a nonce unpredictable.
    let sealed = app
        .seal
        .seal(&place(organisation), &expires_at)
        .map_err(|_| Refused::unavailable())?;
    let c_nonce = base64url::encode(sealed);
    Ok(answer_json(
        serde_json::to_value(NonceResponse { c_nonce }).unwrap_or_default(),
    ))
}

/// A nonce that is ours and in its time. Whether it was used before shows when [`LiveNonce::used`] is stored.
pub(super) struct LiveNonce {
    digest: Digest,
    expires_at: i64,
}

impl LiveNonce {
    /// Reads a nonce; `None` if it is not one of ours or its time is over.
    pub(super) fn parse(
        app: &Parts,
        organisation: &Organisation,
        nonce: &str,
        now: Timestamp,
    ) -> Option<Self> {
        if nonce.len() > LONGEST {
            return None;
        }
        let sealed = base64url::decode(nonce).ok()?;
        let opened = app.seal.open(&place(organisation), &sealed).ok()?;
        let expires_at = i64::from_be_bytes(opened.as_slice().try_into().ok()?);
        (now.as_second() < expires_at).then(|| Self {
            digest: Digest::of(nonce),
            expires_at,
        })
    }

    /// By which a repeated nonce is recognised.
    pub(super) fn digest(&self) -> &str {
        &self.digest.0
    }

    /// The statement that uses it up; a second time it is a duplicate. [SEC-19]
    pub(super) fn used(&self) -> Statement {
        Statement::new("INSERT INTO used_nonces (digest, expires_at) VALUES ($1, $2)")
            .bind(self.digest())
            .bind(self.expires_at)
    }
}

fn place(organisation: &Organisation) -> String {
    format!("c_nonce/{}", organisation.id)
}
