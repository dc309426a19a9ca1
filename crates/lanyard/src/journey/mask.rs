//! How the script shows values: what is secret not at all or only its beginning, so that a reader
//! can still see where it comes back; tokens opened, without their signature.

use serde_json::Value;
use url::Url;

/// Shown as a word only.
const HIDDEN: [&str; 7] = [
    "client_secret",
    "code_verifier",
    "access_token",
    "refresh_token",
    "password",
    "authorization",
    "csrf",
];
/// Shown by their beginning.
const SHORTENED: [&str; 7] = [
    "code",
    "state",
    "nonce",
    "cookie",
    "set-cookie",
    "pre-authorized_code",
    "jti",
];
/// As much of a secret as is shown.
const BEGINNING: usize = 4;

/// A named value, fit for showing.
pub(super) fn named(name: &str, value: &str) -> String {
    let lower = name.to_ascii_lowercase();
    if HIDDEN.contains(&lower.as_str()) {
        return "(secret)".to_owned();
    }
    if SHORTENED.contains(&lower.as_str()) {
        return beginning(value);
    }
    if let Some(token) = opened(value) {
        return token;
    }
    match Url::parse(value) {
        Ok(url) if url.query().is_some() => address(&url),
        _ => text(value),
    }
}

/// An address, its query's values by their names.
pub(super) fn address(url: &Url) -> String {
    let (before, query) = match url.as_str().split_once('?') {
        Some((before, _)) => (before, url.query().unwrap_or_default()),
        None => (url.as_str(), ""),
    };
    let mut shown = text(before);
    for (count, (name, value)) in url::form_urlencoded::parse(query.as_bytes()).enumerate() {
        shown.push(if count == 0 { '?' } else { '&' });
        shown.push_str(&name);
        shown.push('=');
        shown.push_str(&named(&name, &value));
    }
    shown
}

/// A JSON value under its name. Objects and arrays keep their shape.
pub(super) fn json(name: &str, value: &Value) -> String {
    match value {
        Value::String(value) => named(name, value),
        other => shaped(name, other).to_string(),
    }
}

fn shaped(name: &str, value: &Value) -> Value {
    match value {
        Value::String(value) => Value::from(named(name, value)),
        Value::Array(items) => items.iter().map(|item| shaped(name, item)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), shaped(name, value)))
            .collect(),
        other => other.clone(),
    }
}

/// Free text: any long run of characters that is no word is taken for a secret.
pub(super) fn text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(in_run) {
        shown.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(|c| !in_run(c)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        if looks_secret(run) {
            shown.push_str(&beginning(run));
        } else {
            shown.push_str(run);
        }
        rest = after;
    }
    shown.push_str(rest);
    shown
}

fn in_run(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

fn looks_secret(run: &str) -> bool {
    if run.len() < 20 || uuid::Uuid::try_parse(run).is_ok() {
        return false;
    }
    run.contains(|c: char| c.is_ascii_digit()) || !is_words(run)
}

/// Whether the parts between dashes, underscores and capitals are as long as words are.
fn is_words(run: &str) -> bool {
    let mut parts = 0;
    let mut letters = 0;
    let mut previous = '-';
    for c in run.chars().filter(char::is_ascii) {
        let begins = match c {
            '-' | '_' => false,
            c if c.is_ascii_uppercase() => !previous.is_ascii_uppercase(),
            _ => matches!(previous, '-' | '_'),
        };
        parts += usize::from(begins);
        letters += usize::from(c.is_ascii_alphabetic());
        previous = c;
    }
    letters >= 4 * parts
}

fn beginning(secret: &str) -> String {
    // Half of a short secret would be too much of it.
    let shown = BEGINNING.min(secret.chars().count() / 4);
    secret.chars().take(shown).chain(['…']).collect()
}

/// A signed token's header and claims.
fn opened(token: &str) -> Option<String> {
    let mut parts = token.split('.');
    let (header, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next())
    else {
        return None;
    };
    let part = |part: &str| {
        let value =
            standards::json::parse_object(&standards::base64url::decode(part).ok()?).ok()?;
        Some(shaped("", &Value::Object(value)))
    };
    Some(format!("signed token {} {}", part(header)?, part(claims)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &str = "mZ8x1pQ0bC3dE4fG5hI6jK7lM8nO9pQrStUvWxYz012";

    #[test]
    fn a_secret_is_shown_by_its_beginning_or_not_at_all() {
        assert_eq!(named("client_secret", SECRET), "(secret)");
        assert_eq!(named("Authorization", SECRET), "(secret)");
        assert_eq!(named("code", SECRET), "mZ8x…");
        assert_eq!(named("code", "abc"), "…");
        assert_eq!(
            named("request_uri", &format!("urn:x:request_uri:{SECRET}")),
            "urn:x:request_uri:mZ8x…"
        );
        assert_eq!(
            text(&format!("/interaction/{SECRET}/status")),
            "/interaction/mZ8x…/status"
        );
        assert_eq!(
            text("QwErTyUiOpAsDfGhJkLzXc"),
            "QwEr…",
            "even without digits"
        );
    }

    #[test]
    fn names_words_and_serial_numbers_stay_readable() {
        for readable in [
            "pushed_authorization_request_endpoint",
            "TPR-ProgrammeStartDate",
            "7e1f4d3a-53c5-4a0e-9b4e-0d6f1c2a3b4c",
            "http://localhost:8400/v2.0/oidc/par",
            "2026-11-22T18:43:19Z",
        ] {
            assert_eq!(text(readable), readable);
        }
    }

    #[test]
    fn a_query_inside_an_address_is_masked_by_its_names() {
        let url = Url::parse(&format!(
            "http://localhost/cb?code={SECRET}&state={SECRET}&iss=http://localhost"
        ));
        assert_eq!(
            address(&url.unwrap()),
            "http://localhost/cb?code=mZ8x…&state=mZ8x…&iss=http://localhost"
        );
        let link = format!(
            "openid4vp://?client_id=decentralized_identifier%3Adid%3Aweb%3Ax&request_uri=http://l/r/{SECRET}"
        );
        let shown = named("link", &link);
        assert_eq!(
            shown,
            "openid4vp://?client_id=decentralized_identifier:did:web:x&request_uri=http://l/r/mZ8x…"
        );
    }

    #[test]
    fn a_token_is_opened_without_its_signature_and_with_its_secrets_masked() {
        let part = |value: Value| standards::base64url::encode(value.to_string());
        let token = format!(
            "{}.{}.{SECRET}",
            part(json!({"alg": "RS256"})),
            part(json!({"nonce": SECRET, "aud": "portal"}))
        );
        let shown = named("id_token", &token);
        assert_eq!(
            shown,
            r#"signed token {"alg":"RS256"} {"aud":"portal","nonce":"mZ8x…"}"#
        );
        let nested = json("answer", &json!({"id_token": token, "n": [SECRET]}));
        assert!(!nested.contains(&SECRET[..8]), "{nested}");
    }
}
