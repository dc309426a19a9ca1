//! Who may call: whoever holds an API key, or, over mutual TLS, a certificate that the operator's authority signed.

use aws_lc_rs::{digest, rand};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::problem::{Code, Problem};

/// Begins a key, so that everybody who meets one knows what it is.
const PREFIX: &str = "lyk_";

/// A key that may call, as the configuration file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyConfig {
    /// Whose it is, for the log.
    pub name: String,
    /// SHA-256 of the key in hexadecimal: the key itself stands with whoever calls, and nowhere else (rulings 23).
    pub sha256: String,
}

/// A key, checked.
pub(crate) struct ApiKey {
    name: String,
    digest: [u8; 32],
}

/// The caller of a request, for what is kept in their name.
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) String);

/// The certificate that whoever holds the connection has shown, by its SHA-256: an extension of each request, given by who
/// serves over TLS. Nothing where none was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerCertificate(pub Option<[u8; 32]>);

impl PeerCertificate {
    /// Of the certificate in DER.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest::digest(&digest::SHA256, der).as_ref());
        Self(Some(sha256))
    }

    /// The caller's name: two with two certificates are two.
    fn caller(self) -> String {
        match self.0 {
            Some(sha256) => format!("certificate:{}", hex::encode(sha256)),
            None => "certificate".to_owned(),
        }
    }
}

/// Where the digest of an API key is no digest.
#[derive(Debug)]
pub(crate) struct NoDigest;

impl ApiKey {
    pub(crate) fn read(config: &ApiKeyConfig) -> Result<Self, NoDigest> {
        let bytes = hex::decode(&config.sha256).map_err(|_| NoDigest)?;
        Ok(Self {
            name: config.name.clone(),
            digest: bytes.try_into().map_err(|_| NoDigest)?,
        })
    }
}

/// A new key and the SHA-256 of it in hexadecimal; `None` if the system gives no random bytes.
#[must_use]
pub fn new_api_key() -> Option<(String, String)> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).ok()?;
    let key = format!("{PREFIX}{}", hex::encode(bytes));
    let digest = sha256_of(&key);
    Some((key, digest))
}

/// What the configuration file says of a key: its SHA-256 in hexadecimal.
#[must_use]
pub fn sha256_of(key: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, key.as_bytes()))
}

/// Lets through whoever may call. Where no key is configured the listener has asked for a certificate.
pub(crate) async fn required(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = if app.keys.is_empty() {
        let shown = request.extensions().get::<PeerCertificate>();
        shown.copied().unwrap_or_default().caller()
    } else {
        let known = find(&app.keys, request.headers());
        known.ok_or(Code::Unauthorized)?.to_owned()
    };
    let caller = Caller(caller);
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// All keys are looked at, whichever fits: how long it takes tells nothing.
fn find<'a>(keys: &'a [ApiKey], headers: &HeaderMap) -> Option<&'a str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let digest = digest::digest(&digest::SHA256, key.trim().as_bytes());
    let mut found = None;
    for known in keys {
        if bool::from(known.digest.as_slice().ct_eq(digest.as_ref())) {
            found = Some(known.name.as_str());
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn keys() -> (Vec<ApiKey>, String) {
        let (key, sha256) = new_api_key().unwrap();
        let (_, other) = new_api_key().unwrap();
        let named = |name: &str, sha256: String| {
            let name = name.to_owned();
            ApiKey::read(&ApiKeyConfig { name, sha256 }).unwrap()
        };
        (vec![named("portal", sha256), named("nightly", other)], key)
    }

    fn heard(keys: &[ApiKey], value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        find(keys, &headers).map(str::to_owned)
    }

    #[test]
    fn a_key_is_known_by_its_digest_whatever_the_case_of_the_scheme() {
        let (keys, key) = keys();
        for scheme in ["Bearer", "bearer"] {
            assert_eq!(
                heard(&keys, &format!("{scheme} {key}")).as_deref(),
                Some("portal")
            );
        }
    }

    #[test]
    fn what_is_no_key_or_another_scheme_is_nobodys() {
        let (keys, key) = keys();
        let digest = sha256_of(&key);
        for value in [
            "Bearer",
            "Bearer ",
            key.as_str(),
            &format!("Basic {key}"),
            &format!("Bearer {digest}"),
            &format!("Bearer {key}0"),
        ] {
            assert_eq!(heard(&keys, value), None, "{value}");
        }
        assert_eq!(find(&keys, &HeaderMap::new()), None);
    }

    #[test]
    fn sec_33_two_callers_with_two_certificates_are_two() {
        let [portal, nightly] = [&b"portal"[..], b"nightly"].map(PeerCertificate::of);
        assert_eq!(portal.caller(), PeerCertificate::of(b"portal").caller());
        assert_ne!(portal.caller(), nightly.caller());
        assert_eq!(PeerCertificate::default().caller(), "certificate");
    }

    #[test]
    fn a_key_that_stands_in_the_file_in_the_place_of_its_digest_is_refused() {
        let (key, _) = new_api_key().unwrap();
        for sha256 in [key, String::new(), "ab".repeat(31)] {
            let name = "portal".to_owned();
            assert!(ApiKey::read(&ApiKeyConfig { name, sha256 }).is_err());
        }
    }
}
