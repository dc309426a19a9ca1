//! Access tokens: what a client may do next, sealed. Nothing is stored, and nobody but a gateway with the storage
//! secret can read or make one.
//!
//! A token is for one purpose: the purpose is sealed in with it, so that a token for another, a nonce or any other
//! sealed value does not open here (SEC-14).

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use standards::base64url;

use crate::seal::{Seal, Unsealable};

/// No token of ours is longer; what is longer need not be decoded.
const LONGEST: usize = 2048;

/// What an access token allows.
pub trait AccessToken: Serialize + DeserializeOwned {
    /// Its purpose, as it is sealed.
    const PURPOSE: &'static str;
    /// How long it lives.
    const LIFETIME: SignedDuration;

    /// The token as the client holds it.
    fn seal(&self, seal: &Seal, now: Timestamp) -> Result<String, Unsealable> {
        let expires_at = (now + Self::LIFETIME).as_second();
        let text = serde_json::to_vec(&(expires_at, self)).map_err(|_| Unsealable)?;
        Ok(base64url::encode(seal.seal(&place::<Self>(), &text)?))
    }

    /// Reads a token; `None` if it is not one of ours, is for another purpose, or has ended.
    fn open(seal: &Seal, token: &str, now: Timestamp) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let sealed = base64url::decode(token).ok()?;
        let text = seal.open(&place::<Self>(), &sealed).ok()?;
        let (expires_at, opened): (i64, Self) = serde_json::from_slice(&text).ok()?;
        (now.as_second() < expires_at).then_some(opened)
    }
}

fn place<T: AccessToken>() -> String {
    format!("access_token/{}", T::PURPOSE)
}

/// Comes with an ID token, and tells again who that was about.
#[derive(Serialize, Deserialize)]
pub struct Userinfo {
    /// The client that collected the ID token.
    pub client_id: String,
    /// The interaction whose code was exchanged.
    pub interaction: String,
    /// The ID token's `sub`.
    pub subject: String,
}

impl AccessToken for Userinfo {
    const PURPOSE: &'static str = "userinfo";
    const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
}

/// Lets a client revoke credentials of its organisation.
#[derive(Serialize, Deserialize)]
pub struct Revocation {
    /// The client that asked for it.
    pub client_id: String,
}

impl AccessToken for Revocation {
    const PURPOSE: &'static str = "revocation";
    const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sec_14_a_token_opens_for_its_purpose_and_in_its_time_only() {
        let seal = Seal::new("Zm9yIHRlc3RzIG9ubHksIHRoZSBuZXdlciBvbmUu", []).unwrap();
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let client_id = "me".to_owned();
        let token = Revocation { client_id }.seal(&seal, now).unwrap();
        let last = now + Revocation::LIFETIME - SignedDuration::from_secs(1);
        let opened = Revocation::open(&seal, &token, last).unwrap();
        assert_eq!(opened.client_id, "me");
        assert!(Revocation::open(&seal, &token, now + Revocation::LIFETIME).is_none());
        assert!(Userinfo::open(&seal, &token, now).is_none());
        assert!(Revocation::open(&seal, &format!("{token}A"), now).is_none());
        // A value sealed elsewhere, with the right content.
        let nonce = seal.seal("c_nonce/anytown", br#"[9999999999,{"client_id":"me"}]"#);
        let nonce = base64url::encode(nonce.unwrap());
        assert!(Revocation::open(&seal, &nonce, now).is_none());
    }
}
