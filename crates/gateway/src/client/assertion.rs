//! `private_key_jwt`: the client signs a JWT that says who it is, for this gateway, once. [RFC 7523 3, OIDC Core 9]
//!
//! It is for this gateway alone: one audience, which is our issuer identifier or, as RFC 9126 (2) has it, the address of
//! the token endpoint or the PAR endpoint. An assertion of the newer type names the issuer, and as a text
//! (docs/decisions: the audience of client assertions).

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use standards::claims;
use standards::jose::{Algorithm, Typ, jws};
use standards::oauth::form::Form;
use store::{Statement, StoreError};

use super::ClientError;
use crate::app::Parts;
use crate::limits::{Kind, TooMany};
use crate::organisation::RelyingParty;
use crate::organisation::client_keys::KeysUnavailable;
use crate::organisation::relying_party::AuthMethod;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The longest assertion that is read.
const LONGEST: usize = 8 * 1024;
/// How far ahead its end may lie: most libraries write one minute, Authlib an hour. It works once, however long.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// How far the clocks of client and gateway may differ.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// The longest `jti`.
const LONGEST_ID: usize = 256;
/// The standard asks for no type. One that names another purpose is another token (SEC-14).
const TYPES: Typ<'_> = Typ::AbsentOr(&["JWT", EXPLICIT]);
/// The type of an assertion that is held to the update of RFC 7523.
const EXPLICIT: &str = "client-authentication+jwt";

/// The parameters of an assertion, of which at least one was sent.
pub(super) struct Sent<'a> {
    assertion_type: Option<&'a str>,
    assertion: Option<&'a str>,
}

impl<'a> Sent<'a> {
    pub(super) fn find(form: &'a Form) -> Option<Self> {
        let sent = Self {
            assertion_type: form.find("client_assertion_type"),
            assertion: form.find("client_assertion"),
        };
        (sent.assertion_type.is_some() || sent.assertion.is_some()).then_some(sent)
    }
}

/// Why an assertion was refused: for the gateway's own log. The client hears one sentence for all.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("client_assertion_type or client_assertion is missing or of another kind")]
    Parameters,
    #[error("it is no signed JWT that is read here: {0}")]
    Malformed(#[from] jws::ParseError),
    #[error("iss, sub and client_id have to be the client's id")]
    WrongClient,
    #[error("the client is not registered for private_key_jwt")]
    AnotherMethod,
    #[error("none of the client's keys fits its kid and alg")]
    UnknownKey,
    #[error(transparent)]
    Signature(#[from] jws::VerifyError),
    #[error(transparent)]
    Claim(#[from] claims::ClaimError),
    #[error(
        "aud has to be the issuer of this gateway, its token endpoint or its PAR endpoint, and nothing beside it"
    )]
    Audience,
    #[error(
        "aud has to be the issuer of this gateway, as a text, in an assertion of type {EXPLICIT}"
    )]
    AudienceOfType,
    #[error("exp has passed")]
    Expired,
    #[error("exp lies more than an hour ahead")]
    LongLived,
    #[error("iat or nbf lies ahead, or iat after exp")]
    NotYetValid,
    #[error("jti is longer than {LONGEST_ID} bytes")]
    LongId,
    #[error("its jti was used before")]
    Replayed,
    #[error(transparent)]
    Keys(#[from] KeysUnavailable),
    #[error("it could not be remembered: {0}")]
    Store(StoreError),
    #[error(transparent)]
    TooMany(#[from] TooMany),
}

/// Recognises the client that signed the assertion, which then is used up.
pub(super) async fn authenticate(
    parts: &Parts,
    sent: Sent<'_>,
    form: &Form,
) -> Result<Arc<RelyingParty>, ClientError> {
    let outcome = check(parts, &sent, form.find("client_id")).await;
    outcome.map_err(|refused| {
        // Who asks too often is told of elsewhere, once a minute.
        if !matches!(refused, Refused::TooMany(_)) {
            tracing::info!(reason = %refused, "a client assertion was refused");
        }
        match refused {
            Refused::Keys(_) | Refused::Store(_) => ClientError::Unavailable,
            Refused::TooMany(many) => ClientError::TooMany(many),
            _ => ClientError::Assertion,
        }
    })
}

async fn check(
    parts: &Parts,
    sent: &Sent<'_>,
    named: Option<&str>,
) -> Result<Arc<RelyingParty>, Refused> {
    let (Some(ASSERTION_TYPE), Some(assertion)) = (sent.assertion_type, sent.assertion) else {
        return Err(Refused::Parameters);
    };
    let now = parts.now();
    let parsed = jws::parse_within(assertion, LONGEST)?;
    // [RFC 7523 3] `sub` names the client; whether it signed this is seen below.
    let client_id = claims::required_text(parsed.unverified_claims(), "sub")?;
    if named.is_some_and(|named| named != client_id) {
        return Err(Refused::WrongClient);
    }
    let party = parts.organisations.relying_party(client_id);
    let party = party.ok_or(Refused::WrongClient)?;
    let keys = party
        .own_keys()
        .filter(|_| party.authenticates_with(AuthMethod::PrivateKeyJwt))
        .ok_or(Refused::AnotherMethod)?;
    let key = keys
        .find(
            &party.organisation.outbound(&parts.outbound),
            parsed.header(),
            now,
        )
        .await?;
    let key = key.ok_or(Refused::UnknownKey)?;
    // SEC-15: public-key algorithms only, each for its own kind of key.
    let verified = parsed.verify(&key, Algorithm::ASYMMETRIC, TYPES)?;

    is_for_us(verified.claims(), parsed.header().typ(), |path| {
        parts.url(path)
    })?;
    let once = Once::check(verified.claims(), &party.client_id, now)?;
    // (SEC-34) Looked up before it is counted, so that a replay uses up nothing of the client's; counted before it is
    // remembered, so that a client's flood stays away from the database.
    if parts
        .store
        .read_one(once.looked_up())
        .await
        .map_err(Refused::Store)?
        .is_some()
    {
        return Err(Refused::Replayed);
    }
    let _place = parts.admit(Kind::Assertion, party)?;
    match parts.store.write([once.used()]).await {
        Ok(_) => Ok(party.clone()),
        Err(StoreError::Duplicate { .. }) => Err(Refused::Replayed),
        Err(error) => Err(Refused::Store(error)),
    }
}

/// The audience of an assertion, `url` giving the gateway's addresses. [RFC 9126 2, RFC 7523 3 and its update]
///
/// A second audience beside ours is refused: that server might have been sent the assertion first.
fn is_for_us(
    claims: &Map<String, Value>,
    typ: Option<&str>,
    url: impl Fn(&str) -> String,
) -> Result<(), Refused> {
    let named = claims.get("aud");
    // Only clients of the modern contract have keys: its issuer has no path.
    if named.and_then(Value::as_str) == Some(&url("")) {
        return Ok(());
    }
    if Typ::Is(EXPLICIT).accepts(typ) {
        return Err(Refused::AudienceOfType);
    }
    let only = match named {
        Some(Value::String(one)) => Some(one),
        Some(Value::Array(list)) => match list.as_slice() {
            [Value::String(one)] => Some(one),
            _ => None,
        },
        _ => None,
    };
    let ours = |one: &String| ["", "/token", "/par"].iter().any(|path| *one == url(path));
    only.is_some_and(ours)
        .then_some(())
        .ok_or(Refused::Audience)
}

/// By what an assertion is recognised when it comes again, and until when it could.
#[derive(Debug, PartialEq, Eq)]
struct Once {
    digest: String,
    until: Timestamp,
}

impl Once {
    /// Every claim but the audience, the signature being the client's. [RFC 7523 3]
    fn check(
        claims: &Map<String, Value>,
        client_id: &str,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        for name in ["iss", "sub"] {
            if claims::required_text(claims, name)? != client_id {
                return Err(Refused::WrongClient);
            }
        }
        let exp = claims::required_instant(claims, "exp")?;
        if now.duration_since(exp) >= SKEW {
            return Err(Refused::Expired);
        }
        if exp.duration_since(now) > LONGEST_LIFE + SKEW {
            return Err(Refused::LongLived);
        }
        let iat = claims::instant(claims, "iat")?;
        let ahead = |at: Timestamp| at.duration_since(now) > SKEW;
        if claims::instant(claims, "nbf")?.is_some_and(ahead)
            || iat.is_some_and(|iat| ahead(iat) || iat > exp)
        {
            return Err(Refused::NotYetValid);
        }
        let id = claims::required_text(claims, "jti")?;
        if id.len() > LONGEST_ID {
            return Err(Refused::LongId);
        }
        // The client belongs to it: two clients may draw the same id.
        let named = format!("{}:{client_id}{id}", client_id.len());
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, named.as_bytes());
        Ok(Self {
            digest: standards::base64url::encode(digest.as_ref()),
            until: exp + SKEW,
        })
    }

    /// Finds it if it was used.
    fn looked_up(&self) -> Statement {
        Statement::new("SELECT digest FROM used_assertions WHERE digest = $1")
            .bind(self.digest.as_str())
    }

    /// The statement that uses it up; a second time, in whichever process, it is a duplicate (SEC-11).
    fn used(&self) -> Statement {
        // The row outlives the last second in which the assertion could pass.
        Statement::new("INSERT INTO used_assertions (digest, expires_at) VALUES ($1, $2)")
            .bind(self.digest.as_str())
            .bind(self.until.as_second() + 1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn once(change: &Value) -> Result<Once, Refused> {
        let good = json!({ "iss": "me", "sub": "me", "jti": "1", "exp": NOW + 60 });
        let mut claims = good.as_object().unwrap().clone();
        claims.extend(change.as_object().unwrap().clone());
        claims.retain(|_, value| !value.is_null());
        let now = Timestamp::from_second(NOW).unwrap();
        Once::check(&claims, "me", now)
    }

    #[test]
    fn times_are_checked_to_the_second() {
        for good in [
            json!({ "exp": NOW - 59 }),
            json!({ "exp": NOW + 3_660, "iat": NOW + 60, "nbf": NOW + 60 }),
            json!({ "iat": NOW - 3600 }),
        ] {
            assert!(once(&good).is_ok(), "{good}");
        }
        for bad in [
            json!({ "exp": NOW - 60 }),
            json!({ "exp": NOW + 3_661 }),
            json!({ "exp": null }),
            json!({ "exp": (NOW + 60).to_string() }),
            json!({ "iat": NOW + 61 }),
            json!({ "nbf": NOW + 61 }),
            json!({ "iat": NOW + 31, "exp": NOW + 30 }),
        ] {
            assert!(once(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_assertion_is_remembered_until_it_could_no_longer_pass() {
        let until = once(&json!({})).unwrap().until;
        assert_eq!(until.as_second(), NOW + 60 + 60);
        let other = once(&json!({ "jti": "2" })).unwrap();
        assert_ne!(once(&json!({})).unwrap().digest, other.digest);
        assert!(once(&json!({ "jti": "x".repeat(257) })).is_err());
    }
}
