//! What the caller tells and asks, read once into a type, with errors that quote nothing of it.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{Uri, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::caller::Operator;
use super::problem::{Code, Problem};
use crate::audit::{By, Entry};

/// The longest text of a member, in characters.
const LONGEST_TEXT: usize = 500;

/// A body of JSON.
pub struct Told<T>(pub T);

impl<T, S> FromRequest<S> for Told<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let value = request.headers().get(header::CONTENT_TYPE);
        let media_type = value.and_then(|value| value.to_str().ok()?.split(';').next());
        if media_type.map(str::trim) != Some("application/json") {
            return Err(Code::UnsupportedMediaType.into());
        }
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| match rejection.status().as_u16() {
            413 => Problem::from(Code::BodyTooLarge),
            _ => Problem::with(Code::BodyUnreadable, "The body did not arrive whole."),
        })?;
        // An array would be read as the members in their order.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::with(
                Code::BodyUnreadable,
                "The body is one JSON object.",
            ));
        }
        let read = serde_json::from_slice(&bytes)
            .map_err(|error| Problem::with(Code::BodyUnreadable, unreadable(&error)))?;
        if holds_zero(&bytes) {
            return Err(zero_byte());
        }
        Ok(Self(read))
    }
}

/// Whether a text of this JSON has a zero byte, which the database keeps in no text.
fn holds_zero(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let escape = &rest[at + 1..];
        if escape.starts_with(b"u0000") {
            return true;
        }
        // What is escaped may be a backslash, which begins nothing.
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

/// The same of an address: nothing has such a name, and nothing is asked with such a word.
pub(super) fn check_address(uri: &Uri) -> Result<(), Problem> {
    if uri.path().contains("%00") {
        return Err(Code::NotFound.into());
    }
    let asks_zero = uri.query().is_some_and(|query| query.contains("%00"));
    (!asks_zero).then_some(()).ok_or_else(zero_byte)
}

fn zero_byte() -> Problem {
    let reason = "A text has a zero byte, which stands in none: take it out and send it again.";
    Problem::with(Code::FieldInvalid, reason)
}

/// Where JSON stops making sense: only names of members are told.
pub(super) fn unreadable(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let about_a_member = text.starts_with("missing field `");
    let what = match error.classify() {
        serde_json::error::Category::Data if about_a_member => text
            .split(" at line ")
            .next()
            .unwrap_or_default()
            .to_owned(),
        serde_json::error::Category::Data => "a member is unknown or of another kind".to_owned(),
        _ => "this is not JSON".to_owned(),
    };
    format!("Line {line}, column {column}: {what}.")
}

/// The detail of a proposal as what its act reads.
pub(super) fn detail<T: DeserializeOwned>(value: &serde_json::Value) -> Result<T, Problem> {
    if !value.is_object() {
        return Err(Problem::field("detail", "it is an object"));
    }
    T::deserialize(value).map_err(|error| {
        let text = error.to_string();
        // The one error that quotes a name of ours and nothing that was sent.
        let missing = text.strip_prefix("missing field ");
        let reason = missing.map_or_else(
            || "a member is unknown or of another kind".to_owned(),
            |name| format!("the member {name} is missing"),
        );
        Problem::field("detail", &reason)
    })
}

/// The question behind an address.
pub struct Asked<T>(pub T);

impl<T, S> FromRequestParts<S> for Asked<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let asked = Query::from_request_parts(parts, state).await;
        let reason = "A parameter behind `?` is missing, unknown or of another kind; the description names them.";
        asked
            .map(|Query(asked)| Self(asked))
            .map_err(|_| Problem::with(Code::FieldInvalid, reason))
    }
}

/// Why something is done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// In your words. No employee's name belongs here: it stands in the audit for years.
    #[serde(default)]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(example = "INC-1042", nullable = false)]
    pub ticket: Option<String>,
}

impl Why {
    /// What a form says beside its other members, where both can be kept.
    pub fn said(reason: Option<String>, ticket: Option<String>) -> Result<Self, Problem> {
        let why = Self { reason, ticket };
        why.check()?;
        Ok(why)
    }

    /// Whether both can be kept.
    pub fn check(&self) -> Result<(), Problem> {
        for (name, text) in [("reason", &self.reason), ("ticket", &self.ticket)] {
            text.as_deref().map(|text| field(name, text)).transpose()?;
        }
        Ok(())
    }

    /// Who does it, and why.
    pub fn by<'a>(&'a self, operator: &'a Operator) -> By<'a> {
        By {
            reason: self.reason.as_deref(),
            ticket: self.ticket.as_deref(),
            ..operator.actor().into()
        }
    }

    /// The entry, with both.
    pub fn told(&self, entry: Entry) -> Entry {
        entry
            .reason(self.reason.as_deref())
            .ticket(self.ticket.as_deref())
    }
}

/// A text of a member: not empty, on one line, not too long.
pub fn field<'a>(name: &str, text: &'a str) -> Result<&'a str, Problem> {
    let fault = if text.trim().is_empty() {
        "it is empty"
    } else if text.chars().any(char::is_control) {
        "it is one line without control characters"
    } else if text.chars().count() > LONGEST_TEXT {
        "it has at most 500 characters"
    } else {
        return Ok(text);
    };
    Err(Problem::field(name, fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_byte_is_found_in_what_is_escaped_and_nowhere_else() {
        for json in [
            r#"{"a":"\u0000"}"#,
            r#"{"a":"\\\u0000"}"#,
            r#"{"\u0000":1}"#,
        ] {
            assert!(holds_zero(json.as_bytes()), "{json}");
        }
        for json in [r#"{"a":"\\u0000"}"#, r#"{"a":"u0000\u0001"}"#, "{}", "\\"] {
            assert!(!holds_zero(json.as_bytes()), "{json}");
        }
    }
}
