//! The ID token's checks, in the order of [OIDC Core 3.1.3.7].

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::secret::Secret;

/// How much the gateway's clock and ours may differ.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(30);

/// Why an ID token is not believed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdTokenError {
    /// Not a signed token, or one with an algorithm that nobody knows.
    #[error("the ID token is not a signed token that can be read")]
    Unreadable,
    /// The algorithm is not one that the gateway announced and this connector accepts.
    #[error("the ID token's algorithm is not among the announced ones")]
    Algorithm,
    /// The header names no key.
    #[error("the ID token does not say which key signed it")]
    NoKeyId,
    /// The key is not in the gateway's key set, freshly fetched.
    #[error("the ID token was signed with a key that is not the gateway's")]
    UnknownKey,
    /// It is a token of another type.
    #[error("what came as the ID token is a token of another type")]
    Type,
    /// The signature does not fit.
    #[error("the ID token's signature is wrong")]
    Signature,
    /// A claim that must be there is not, or has another form.
    #[error("the ID token has no proper {0}")]
    Claim(&'static str),
    /// It comes from another issuer.
    #[error("the ID token comes from another issuer")]
    Issuer,
    /// It is meant for another relying party, or for others too.
    #[error("the ID token is not for this relying party alone")]
    Audience,
    /// It was handed to another relying party.
    #[error("the ID token names another authorized party")]
    AuthorizedParty,
    /// It has expired.
    #[error("the ID token has expired")]
    Expired,
    /// It is dated in the future.
    #[error("the ID token is dated in the future")]
    Early,
    /// It was issued before this journey began.
    #[error("the ID token is older than the request that it answers")]
    Old,
    /// It answers another request.
    #[error("the ID token answers another request")]
    Nonce,
    /// It is about another credential than the one drafted.
    #[error("the ID token is about another credential than the one that was asked for")]
    SerialNumber,
}

/// What this journey's ID token must say.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a Secret,
    pub(crate) started_at: Timestamp,
}

/// Check the claims of a token whose signature was verified; gives the time of its issue.
pub(crate) fn check(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Timestamp, IdTokenError> {
    let text = |name: &'static str| {
        claims
            .get(name)
            .and_then(Value::as_str)
            .ok_or(IdTokenError::Claim(name))
    };
    // 2. The issuer, letter by letter.
    if text("iss")? != expected.issuer {
        return Err(IdTokenError::Issuer);
    }
    // 3. The audience is this relying party; others beside it are not trusted, so none may be.
    let for_us_alone = match claims.get("aud").ok_or(IdTokenError::Claim("aud"))? {
        Value::String(audience) => audience == expected.client_id,
        Value::Array(audiences) => {
            matches!(audiences.as_slice(), [Value::String(one)] if one == expected.client_id)
        }
        _ => return Err(IdTokenError::Claim("aud")),
    };
    if !for_us_alone {
        return Err(IdTokenError::Audience);
    }
    // 4, 5. The authorized party.
    if let Some(party) = claims.get("azp")
        && party.as_str() != Some(expected.client_id)
    {
        return Err(IdTokenError::AuthorizedParty);
    }
    // 9, 10. The times.
    let expires = time(claims, "exp")?.ok_or(IdTokenError::Claim("exp"))?;
    if now.duration_since(expires) >= CLOCK_SKEW {
        return Err(IdTokenError::Expired);
    }
    let issued_at = time(claims, "iat")?.ok_or(IdTokenError::Claim("iat"))?;
    let not_before = time(claims, "nbf")?.unwrap_or(issued_at);
    if issued_at.max(not_before).duration_since(now) > CLOCK_SKEW {
        return Err(IdTokenError::Early);
    }
    if expected.started_at.duration_since(issued_at) > CLOCK_SKEW {
        return Err(IdTokenError::Old);
    }
    // 11. The nonce was sent, so it must come back.
    if !expected.nonce.matches(text("nonce")?) {
        return Err(IdTokenError::Nonce);
    }
    // 2 of [OIDC Core 2]: every ID token has a subject.
    if text("sub")?.is_empty() {
        return Err(IdTokenError::Claim("sub"));
    }
    Ok(issued_at)
}

fn time(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<Timestamp>, IdTokenError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    // [RFC 7519 2] A NumericDate may have a fraction.
    let seconds = value
        .as_i64()
        .or_else(|| value.as_f64().and_then(whole_seconds));
    seconds
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map(Some)
        .ok_or(IdTokenError::Claim(name))
}

#[allow(clippy::cast_possible_truncation)] // jiff's range is checked before
fn whole_seconds(seconds: f64) -> Option<i64> {
    let range = -1e11..=1e11;
    range.contains(&seconds).then_some(seconds.floor() as i64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn good() -> Map<String, Value> {
        let Value::Object(claims) = json!({
            "iss": "https://gateway.example", "aud": "portal", "sub": "holder", "nonce": "n-1",
            "iat": NOW - 1, "exp": NOW + 300,
        }) else {
            unreachable!()
        };
        claims
    }

    fn checked(claims: &Map<String, Value>) -> Result<Timestamp, IdTokenError> {
        let nonce = Secret::new("n-1".to_owned());
        let expected = Expected {
            issuer: "https://gateway.example",
            client_id: "portal",
            nonce: &nonce,
            started_at: Timestamp::from_second(NOW - 60).unwrap(),
        };
        check(claims, &expected, Timestamp::from_second(NOW).unwrap())
    }

    #[test]
    fn a_good_id_token_tells_when_it_was_issued() {
        assert_eq!(checked(&good()).unwrap().as_second(), NOW - 1);
    }

    #[test]
    fn each_claim_that_is_wrong_is_refused_by_its_name() {
        for (name, value, error) in [
            (
                "iss",
                json!("https://gateway.example/"),
                IdTokenError::Issuer,
            ),
            ("iss", json!(7), IdTokenError::Claim("iss")),
            ("aud", json!("other"), IdTokenError::Audience),
            ("aud", json!(["portal", "other"]), IdTokenError::Audience),
            ("aud", json!([]), IdTokenError::Audience),
            ("aud", json!({"portal": 1}), IdTokenError::Claim("aud")),
            ("azp", json!("other"), IdTokenError::AuthorizedParty),
            ("azp", json!(null), IdTokenError::AuthorizedParty),
            ("exp", json!(NOW - 30), IdTokenError::Expired),
            ("exp", json!("2099-01-01"), IdTokenError::Claim("exp")),
            ("exp", json!(1e300), IdTokenError::Claim("exp")),
            ("iat", json!(NOW + 31), IdTokenError::Early),
            ("nbf", json!(NOW + 31), IdTokenError::Early),
            ("iat", json!(NOW - 91), IdTokenError::Old),
            ("nonce", json!("n-2"), IdTokenError::Nonce),
            ("nonce", json!(""), IdTokenError::Nonce),
            ("sub", json!(""), IdTokenError::Claim("sub")),
        ] {
            let mut claims = good();
            claims.insert(name.to_owned(), value.clone());
            assert_eq!(checked(&claims), Err(error), "{name}: {value}");
        }
    }

    #[test]
    fn each_claim_that_is_absent_is_refused_by_its_name() {
        for name in ["iss", "aud", "exp", "iat", "nonce", "sub"] {
            let mut claims = good();
            claims.remove(name);
            assert_eq!(checked(&claims), Err(IdTokenError::Claim(name)));
        }
    }

    #[test]
    fn clocks_may_differ_by_thirty_seconds() {
        for (name, value) in [
            ("exp", json!(NOW - 29)),
            ("iat", json!(NOW + 30)),
            ("iat", json!(NOW - 90)),
            ("aud", json!(["portal"])),
            ("azp", json!("portal")),
        ] {
            let mut claims = good();
            claims.insert(name.to_owned(), value.clone());
            assert!(checked(&claims).is_ok(), "{name}: {value}");
        }
    }
}
