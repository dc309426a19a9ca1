//! What an operator's program hears when something is refused: `application/problem+json` [RFC 9457], a stable code, and a
//! sentence to act on. No personal value and no secret stands in any.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::StoreError;
use utoipa::{IntoResponses, ToSchema};

/// Why something is refused: a closed list. A new one gets its row in [`Code::row`] and its place in [`Code::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the sentences of `row` say it
pub enum Code {
    Unauthorized,
    TooManyFailures,
    SignInRefused,
    TooManySignIns,
    NoSignIn,
    SetUpOver,
    Busy,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    BodyUnreadable,
    BodyTooLarge,
    UnsupportedMediaType,
    FieldInvalid,
    NameTaken,
    ChangedMeanwhile,
    DoneBefore,
    SecondPersonNeeded,
    ProposalDecided,
    ProposalExpired,
    TwoPersonsNeeded,
    DeclarationInvalid,
    HostNotAllowed,
    InConfigurationFile,
    StillInUse,
    LastSecret,
    WithoutSecret,
    CredentialRevoked,
    KeyState,
    KeyNextThere,
    KeyNoNext,
    KeyTooYoung,
    KeyInForce,
    KeyStillBelieved,
    KeyUnusable,
    JobState,
    HoldElsewhere,
    StoreUnavailable,
    TooSlow,
    Internal,
}

impl Code {
    /// Every code, for the description.
    pub const ALL: [Self; 40] = [
        Self::Unauthorized,
        Self::TooManyFailures,
        Self::SignInRefused,
        Self::TooManySignIns,
        Self::NoSignIn,
        Self::SetUpOver,
        Self::Busy,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::BodyUnreadable,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::FieldInvalid,
        Self::NameTaken,
        Self::ChangedMeanwhile,
        Self::DoneBefore,
        Self::SecondPersonNeeded,
        Self::ProposalDecided,
        Self::ProposalExpired,
        Self::TwoPersonsNeeded,
        Self::DeclarationInvalid,
        Self::HostNotAllowed,
        Self::InConfigurationFile,
        Self::StillInUse,
        Self::LastSecret,
        Self::WithoutSecret,
        Self::CredentialRevoked,
        Self::KeyState,
        Self::KeyNextThere,
        Self::KeyNoNext,
        Self::KeyTooYoung,
        Self::KeyInForce,
        Self::KeyStillBelieved,
        Self::KeyUnusable,
        Self::JobState,
        Self::HoldElsewhere,
        Self::StoreUnavailable,
        Self::TooSlow,
        Self::Internal,
    ];

    /// The status, the stable code, and what to do.
    #[rustfmt::skip]
    const fn row(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Unauthorized => (401, "unauthorized", "Send a token of an operator that is in force as `Authorization: Bearer …`."),
            Self::TooManyFailures => (429, "too-many-failures", "Too many wrong tokens came from this address: wait, and send the right one."),
            Self::SignInRefused => (403, "sign-in-refused", "The name, the password or the code is wrong, or the code was used before. Which of them is told to nobody."),
            Self::TooManySignIns => (429, "too-many-sign-ins", "Signing in failed too often for this name or from this address: wait as long as `Retry-After` says."),
            Self::NoSignIn => (409, "no-sign-in", "There is no password here: the account for emergencies and programs have their token only, and others set one up with theirs."),
            Self::SetUpOver => (409, "set-up-over", "This set-up took too long, had too many wrong codes, or is done: begin anew."),
            Self::Busy => (503, "busy", "Too many requests are under way here: try again in a moment."),
            Self::Forbidden => (403, "forbidden", "Your role does not have the right that this asks for: ask somebody who has it."),
            Self::NotFound => (404, "not-found", "There is nothing here, or nothing that you may see."),
            Self::MethodNotAllowed => (405, "method-not-allowed", "This address takes another method; see `Allow`."),
            Self::BodyUnreadable => (400, "body-unreadable", "The body is not the JSON that this address reads."),
            Self::BodyTooLarge => (413, "body-too-large", "Send less at once."),
            Self::UnsupportedMediaType => (415, "unsupported-media-type", "Send `content-type: application/json`."),
            Self::FieldInvalid => (400, "field-invalid", "Correct the member that is named and send it again."),
            Self::NameTaken => (409, "name-taken", "This name was given before, and is never given twice: choose another."),
            Self::ChangedMeanwhile => (409, "changed-meanwhile", "What this is about is no longer as it was: nothing was done; look, and ask anew."),
            Self::DoneBefore => (409, "done-before", "This was sent before, with the same `once`, and was done then: nothing was done now, and what it made is not shown again."),
            Self::SecondPersonNeeded => (409, "second-person-needed", "You proposed this yourself, or answer for the program that did: another person must approve it."),
            Self::ProposalDecided => (409, "proposal-decided", "This proposal is decided: nothing was done now."),
            Self::ProposalExpired => (409, "proposal-expired", "Nobody decided on this proposal in time: propose it anew."),
            Self::TwoPersonsNeeded => (409, "two-persons-needed", "One person must not do this alone: propose it with `POST /admin/v1/proposals`, and have somebody else approve it."),
            Self::DeclarationInvalid => (400, "declaration-invalid", "What is declared does not hold together: correct what is named and send it again."),
            Self::HostNotAllowed => (400, "host-not-allowed", "This organisation may not name that host for what the gateway fetches: name another, or ask an operator of the whole gateway (`fetch_hosts`)."),
            Self::InConfigurationFile => (409, "in-configuration-file", "This stands in the gateway's configuration file: change it there, or take it out of the file and declare it here."),
            Self::StillInUse => (409, "still-in-use", "Something else still needs this: remove or revoke that first."),
            Self::LastSecret => (409, "last-secret", "There is no other live secret, and its relying party would be locked out: make a new one first."),
            Self::WithoutSecret => (409, "relying-party-without-secret", "This relying party proves itself with a key of its own and has no secret."),
            Self::CredentialRevoked => (409, "credential-revoked", "The credential is revoked, and that is for good: issue a new one."),
            Self::KeyState => (409, "key-state", "The key is in another state than this is for: look at the keys."),
            Self::KeyNextThere => (409, "key-next-there", "This place has a next key already: activate or remove it first."),
            Self::KeyNoNext => (409, "key-no-next", "There is no next key that could take its place: make one first."),
            Self::KeyTooYoung => (409, "key-too-young", "The key has not been published for seven days: wait, or say that it is to sign at once."),
            Self::KeyInForce => (409, "key-in-force", "Something still verifies with this key: revoke it and issue it anew, or wait until it runs out."),
            Self::KeyStillBelieved => (409, "key-still-believed", "What this key signed may be believed for a day after it stopped signing: wait."),
            Self::KeyUnusable => (503, "key-unusable", "A key could not be made, read or destroyed: look at the key store."),
            Self::JobState => (409, "job-state", "The revocation of many is at another stage than this is for: look at it."),
            Self::HoldElsewhere => (409, "hold-elsewhere", "Whoever looks after the whole gateway placed this hold: ask them."),
            Self::StoreUnavailable => (503, "store-unavailable", "The database does not answer. Whether it was done is not known: look, then ask again."),
            Self::TooSlow => (503, "too-slow", "The request took too long, and may have been done all the same: look, then ask again."),
            Self::Internal => (500, "internal", "A fault of this program; its log says more."),
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().1
    }

    /// What to do.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.row().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// A refusal on its way to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    detail: Option<String>,
    retry_after: Option<u64>,
}

impl Problem {
    /// With words of this case. Nothing that only some may see may stand in them.
    pub fn with(code: Code, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..code.into()
        }
    }

    /// A member that cannot be meant.
    pub fn field(name: &str, reason: &str) -> Self {
        Self::with(Code::FieldInvalid, format!("`{name}`: {reason}"))
    }

    /// To be tried again after so many seconds.
    #[must_use]
    pub fn after(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self {
            code,
            detail: None,
            retry_after: None,
        }
    }
}

/// A batch whose conditions did not hold is [`Code::ChangedMeanwhile`]; whoever knows better says so before this.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unmet { .. } => Code::ChangedMeanwhile.into(),
            StoreError::Unavailable(_) | StoreError::Uncertain(_) | StoreError::Closed => {
                tracing::warn!(%error, "the database does not answer");
                Self::from(Code::StoreUnavailable).after(5)
            }
            error => {
                tracing::error!(%error, "a fault of this program");
                Code::Internal.into()
            }
        }
    }
}

/// A refusal [RFC 9457].
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:lanyard:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:lanyard:problem:forbidden")]
    kind: String,
    /// What to do, the same for each problem of this code.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong here.
    detail: String,
    /// The stable code.
    #[schema(example = "forbidden")]
    code: &'static str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let title = self.code.title();
        let body = ProblemBody {
            kind: format!("urn:lanyard:problem:{}", self.code.code()),
            title,
            status: status.as_u16(),
            detail: self.detail.unwrap_or_else(|| title.to_owned()),
            code: self.code.code(),
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.code == Code::Unauthorized {
            // [RFC 9110 11.6.1]
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What any address may answer instead.
#[derive(IntoResponses)]
#[allow(dead_code)] // described here, written by `Problem`
pub enum Problems {
    /// The body or a member is not right; `detail` names it.
    #[response(status = 400, content_type = "application/problem+json")]
    Bad(ProblemBody),
    /// No token that is in force.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(ProblemBody),
    /// The operator's role does not have the right.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// Nothing is there, or nothing that the operator may see: the same words.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemBody),
    /// It is no longer as it was, or needs a second person: see `code`.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
    /// The body is larger than is read here.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// The body is of another media type.
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(ProblemBody),
    /// Too many wrong tokens or sign-ins; `Retry-After` says when to come again.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(ProblemBody),
    /// The database does not answer, or too many requests are under way.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_its_own_and_says_what_to_do() {
        let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.status().as_u16() >= 400, "{code:?}");
            assert!(code.title().ends_with('.'), "{code:?}");
        }
    }
}
