//! [Notify: headers] The token of a request: a JWT [RFC 7519] of the service, HS256, no older or newer than 30 seconds.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::{KeyKind, NotifyOptions};

/// Seconds that clocks may differ.
const SKEW: i64 = 30;

/// Why a request is not let in: Notify's words, which no program may rely on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotLetIn {
    /// 401.
    NoToken,
    /// 403.
    Refused(&'static str),
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
}

/// The key that a request came with.
pub(super) fn check(
    authorization: Option<&str>,
    options: &NotifyOptions,
    now: i64,
) -> Result<KeyKind, NotLetIn> {
    let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
    let token = token.ok_or(NotLetIn::NoToken)?;
    let refused = NotLetIn::Refused;
    let [header, claims, signature] = parts(token).ok_or(refused("Invalid token"))?;
    let signed = &token[..token.rfind('.').unwrap_or_default()];
    let header: Header =
        serde_json::from_slice(&header).map_err(|_| refused("Invalid token: header"))?;
    // [RFC 8725 3.1] The algorithm is ours to choose, not the token's.
    if header.alg != "HS256" || header.typ != "JWT" {
        return Err(refused("Invalid token: algorithm used is not HS256"));
    }
    let claims: Value =
        serde_json::from_slice(&claims).map_err(|_| refused("Invalid token: claims"))?;
    let service = claims["iss"]
        .as_str()
        .ok_or(refused("Invalid token: iss field not provided"))?;
    if service != options.service.to_string() {
        return Err(refused("Invalid token: service not found"));
    }
    let issued_at = claims["iat"]
        .as_i64()
        .ok_or(refused("Invalid token: iat field not provided"))?;
    let is_of = |secret: &uuid::Uuid| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.to_string().as_bytes());
        hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
    };
    let key = options.keys.iter().find(|(_, secret)| is_of(secret));
    let (kind, _) = key.ok_or(refused("Invalid token: API key not found"))?;
    if (now - issued_at).abs() > SKEW {
        return Err(refused(
            "Error: Your system clock must be accurate to within 30 seconds",
        ));
    }
    Ok(*kind)
}

/// The three parts, decoded.
fn parts(token: &str) -> Option<[Vec<u8>; 3]> {
    let parts: Vec<Vec<u8>> = token
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part).ok())
        .collect::<Option<_>>()?;
    parts.try_into().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    const NOW: i64 = 1_795_000_000;

    fn token(header: &Value, claims: &Value, secret: Uuid) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.to_string().as_bytes());
        let signature = hmac::sign(&key, signed.as_bytes());
        format!(
            "Bearer {signed}.{}",
            URL_SAFE_NO_PAD.encode(signature.as_ref())
        )
    }

    #[test]
    fn a_token_is_hs256_of_this_service_by_one_of_its_keys_and_of_these_thirty_seconds() {
        let mut options = NotifyOptions::new(Uuid::from_u128(1));
        let (test, live, gone) = (Uuid::from_u128(2), Uuid::from_u128(3), Uuid::from_u128(4));
        options.keys = vec![(KeyKind::Test, test), (KeyKind::Live, live)];
        let jwt = json!({ "typ": "JWT", "alg": "HS256" });
        let claims = |iat: i64| json!({ "iss": options.service.to_string(), "iat": iat });
        let heard = |token: &str| {
            check(Some(token), &options, NOW).map_err(|no| match no {
                NotLetIn::NoToken => "no token",
                NotLetIn::Refused(why) => why,
            })
        };
        assert_eq!(heard(&token(&jwt, &claims(NOW), test)), Ok(KeyKind::Test));
        assert_eq!(
            heard(&token(&jwt, &claims(NOW - 30), live)),
            Ok(KeyKind::Live)
        );
        assert_eq!(
            heard(&token(&jwt, &claims(NOW + 30), live)),
            Ok(KeyKind::Live)
        );
        for iat in [NOW - 31, NOW + 31] {
            let refused = heard(&token(&jwt, &claims(iat), live)).unwrap_err();
            assert!(refused.contains("system clock"), "{refused}");
        }
        for (header, claims, secret, said) in [
            (&jwt, claims(NOW), gone, "API key not found"),
            (
                &json!({ "typ": "JWT", "alg": "none" }),
                claims(NOW),
                live,
                "not HS256",
            ),
            (
                &json!({ "typ": "JWT", "alg": "HS512" }),
                claims(NOW),
                live,
                "not HS256",
            ),
            (&json!({ "alg": "HS256" }), claims(NOW), live, "header"),
            (
                &jwt,
                json!({ "iss": gone, "iat": NOW }),
                live,
                "service not found",
            ),
            (&jwt, json!({ "iat": NOW }), live, "iss"),
            (&jwt, json!({ "iss": options.service }), live, "iat"),
        ] {
            let refused = heard(&token(header, &claims, secret)).unwrap_err();
            assert!(refused.contains(said), "{refused}");
        }
        assert_eq!(check(None, &options, NOW), Err(NotLetIn::NoToken));
        assert_eq!(
            check(Some("Basic x"), &options, NOW),
            Err(NotLetIn::NoToken)
        );
        let unsigned = token(&jwt, &claims(NOW), live);
        let unsigned = &unsigned[..=unsigned.rfind('.').unwrap()];
        assert!(heard(unsigned).is_err());
        assert!(heard("Bearer a.b").is_err());
    }
}
