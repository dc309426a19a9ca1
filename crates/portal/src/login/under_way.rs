//! Log-ins at the provider that are under way: each in a cookie of the browser that began it, sealed. Nothing is kept here
//! for somebody who may never come back, so that nobody can fill the database without logging in.
//!
//! What is kept is that a log-in succeeded, for as long as its cookie would open: once more it does not.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connector::sign_in::SignInPending;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Statement, StoreError};

use crate::app::Parts;
use crate::session::cookie::{Cookie, LOG_INS};
use crate::token::{NoRandomness, digest_of, is_same};

/// How long somebody may take at the provider.
pub(super) const LASTS: SignedDuration = SignedDuration::from_mins(15);
/// A page to go on at whose address is longer is not: browsers keep some 4000 bytes of a cookie.
const LONGEST_RETURN: usize = 500;
/// Random bytes that make the key of each cookie its own, so that the nonce may be the same.
const SALT: usize = 32;

/// One log-in, as its cookie holds it.
#[derive(Serialize, Deserialize)]
pub(super) struct UnderWay {
    pub(super) pending: SignInPending,
    /// Where the person wanted to go.
    pub(super) return_to: Option<String>,
    started_at: Timestamp,
}

/// What cookies are sealed with: made of the secret at the provider, which every process of this portal has.
pub(super) struct Seal(hkdf::Prk);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl Seal {
    pub(super) fn new(secret: &str) -> Self {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"lanyard portal");
        Self(salt.extract(secret.as_bytes()))
    }

    fn key(&self, salt: &[u8]) -> Option<LessSafeKey> {
        let info = [b"log-in under way".as_slice(), salt];
        let key = self.0.expand(&info, &AES_256_GCM).ok()?;
        Some(LessSafeKey::new(UnboundKey::from(key)))
    }

    fn seal(&self, text: &str) -> Option<String> {
        let mut sealed = vec![0; SALT];
        aws_lc_rs::rand::fill(&mut sealed).ok()?;
        let key = self.key(&sealed)?;
        let mut value = text.as_bytes().to_vec();
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        key.seal_in_place_append_tag(nonce, Aad::empty(), &mut value)
            .ok()?;
        sealed.extend(value);
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    fn open(&self, text: &str) -> Option<Vec<u8>> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (salt, value) = sealed.split_at_checked(SALT)?;
        let mut value = value.to_vec();
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let plain = self
            .key(salt)?
            .open_in_place(nonce, Aad::empty(), &mut value);
        plain.ok().map(|plain| plain.to_vec())
    }
}

/// The log-in in each of the browser's cookies that still counts.
fn all(parts: &Parts, seal: &Seal, headers: &HeaderMap) -> [Option<UnderWay>; LOG_INS] {
    std::array::from_fn(|place| {
        let sealed = Cookie::LogIn(place).read(parts, headers)?;
        let under_way: UnderWay = serde_json::from_slice(&seal.open(&sealed)?).ok()?;
        (under_way.started_at > parts.ago(LASTS)).then_some(under_way)
    })
}

/// The cookie that keeps a log-in for the browser; where that has several under way, in the place of the oldest.
pub(super) fn keep(
    parts: &Parts,
    seal: &Seal,
    headers: &HeaderMap,
    pending: SignInPending,
    return_to: Option<String>,
) -> Result<HeaderValue, NoRandomness> {
    let others = all(parts, seal, headers);
    let age = |place: &usize| others[*place].as_ref().map(|one| one.started_at);
    let place = (0..LOG_INS).min_by_key(age).unwrap_or_default();
    let under_way = UnderWay {
        pending,
        return_to: return_to.filter(|to| to.len() <= LONGEST_RETURN),
        started_at: parts.now(),
    };
    let text = serde_json::to_string(&under_way).map_err(|_| NoRandomness)?;
    let sealed = seal.seal(&text).ok_or(NoRandomness)?;
    Ok(Cookie::LogIn(place).set_for(parts, &sealed, LASTS))
}

/// The log-in that this browser began with this `state`, and what takes its cookie away.
pub(super) fn take_up(
    parts: &Parts,
    seal: &Seal,
    headers: &HeaderMap,
    state: &str,
) -> Option<(UnderWay, HeaderValue)> {
    let found = all(parts, seal, headers).into_iter().enumerate();
    let found = found.filter_map(|(place, one)| Some((place, one?)));
    let mut ours = found.filter(|(_, one)| is_same(one.pending.state(), state));
    let (place, under_way) = ours.next()?;
    Some((under_way, Cookie::LogIn(place).clear(parts)))
}

/// For the batch of the session that a log-in begins: a second time it is a duplicate, and the batch is not kept.
pub(super) fn finished(parts: &Parts, state: &str) -> Statement {
    Statement::new("INSERT INTO portal_finished_log_ins (digest, finished_at) VALUES ($1, $2)")
        .bind(digest_of(&format!("log-in:{state}")))
        .bind(parts.now())
}

/// Deletes what no cookie leads to any more.
pub(crate) async fn tidy(parts: &Parts) -> Result<(), StoreError> {
    let delete = Statement::new("DELETE FROM portal_finished_log_ins WHERE finished_at <= $1");
    let delete = delete.bind(parts.ago(LASTS));
    parts.store.write([delete]).await.map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_cookie_opens_with_its_own_secret_and_unchanged_alone() {
        let seal = Seal::new("a secret");
        let sealed = seal.seal("verifier").unwrap();
        assert_eq!(seal.open(&sealed).unwrap(), b"verifier");
        assert_ne!(sealed, seal.seal("verifier").unwrap());
        assert!(Seal::new("another").open(&sealed).is_none());
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(seal.open(&URL_SAFE_NO_PAD.encode(changed)).is_none());
        }
        for text in ["", "AA", "=", "verifier"] {
            assert!(seal.open(text).is_none(), "{text}");
        }
        assert!(!format!("{seal:?}").contains("secret"));
    }
}
