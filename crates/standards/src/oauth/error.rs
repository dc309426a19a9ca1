//! Error answers: RFC 6749 (4.1.2.1, 5.2), RFC 6750, RFC 9126, OpenID Connect Core 3.1.2.6.

use serde::{Deserialize, Serialize};

/// The error codes that the gateway's OAuth endpoints give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// A parameter is missing, repeated, or malformed.
    InvalidRequest,
    /// Client authentication failed or is missing.
    InvalidClient,
    /// The code is unknown, used, expired, or belongs to someone else.
    InvalidGrant,
    /// This client may not use this grant type.
    UnauthorizedClient,
    /// The server does not know this grant type.
    UnsupportedGrantType,
    /// The server does not know this response type.
    UnsupportedResponseType,
    /// The scope is unknown, malformed, or not for this client.
    InvalidScope,
    /// `authorization_details` is malformed, or names what is not to be had here (RFC 9396, 5).
    InvalidAuthorizationDetails,
    /// The person or the server said no.
    AccessDenied,
    /// Something unforeseen went wrong on the server.
    ServerError,
    /// The server cannot answer at the moment.
    TemporarilyUnavailable,
    /// The redirect URI is not registered (RFC 9126, 2.3 with RFC 7591's code).
    InvalidRedirectUri,
    /// The pushed request is unknown, used or expired (OpenID Connect Core 3.1.2.6).
    InvalidRequestUri,
    /// The `request` parameter is not understood here (OpenID Connect Core 3.1.2.6).
    RequestNotSupported,
    /// A `request_uri` of the client's own is not fetched here (OpenID Connect Core 3.1.2.6).
    RequestUriNotSupported,
    /// The `registration` parameter is not understood here (OpenID Connect Core 3.1.2.6).
    RegistrationNotSupported,
    /// The class of authentication that was essential is not given here (OpenID Connect Core Error Code
    /// `unmet_authentication_requirements` 1.0).
    UnmetAuthenticationRequirements,
    /// Interaction is needed but was forbidden with `prompt=none`.
    InteractionRequired,
    /// The person must sign in but `prompt=none` forbade it.
    LoginRequired,
    /// The access token is missing, expired or wrong (RFC 6750, 3.1).
    InvalidToken,
    /// The access token does not allow this (RFC 6750, 3.1).
    InsufficientScope,
}

impl ErrorCode {
    /// The code as it travels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidAuthorizationDetails => "invalid_authorization_details",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::InteractionRequired => "interaction_required",
            Self::LoginRequired => "login_required",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }

    /// What the code says in one sentence, for an answer that has nothing more exact to say.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::InvalidRequest => "A parameter is missing, repeated, or not in the right form.",
            Self::InvalidClient => "Client authentication failed.",
            Self::InvalidGrant => {
                "The code is unknown, expired, already used, or was given to another request."
            }
            Self::UnauthorizedClient => "This client may not use this grant type.",
            Self::UnsupportedGrantType => "This grant type is not supported.",
            Self::UnsupportedResponseType => "This response type is not supported.",
            Self::InvalidScope => {
                "The scope is unknown, malformed, or not allowed for this client."
            }
            Self::InvalidAuthorizationDetails => {
                "The authorization_details are malformed, or name what is not offered."
            }
            Self::AccessDenied => "The request was declined.",
            Self::ServerError => "The server met an error.",
            Self::TemporarilyUnavailable => "The server cannot answer at the moment.",
            Self::InvalidRedirectUri => "The redirect URI is not registered for this client.",
            Self::InvalidRequestUri => "The request URI is unknown, expired, or already used.",
            Self::RequestNotSupported => "The request parameter is not supported.",
            Self::RequestUriNotSupported => "The request_uri parameter is not supported.",
            Self::RegistrationNotSupported => "The registration parameter is not supported.",
            Self::UnmetAuthenticationRequirements => {
                "The authentication that the request demands is not given here."
            }
            Self::InteractionRequired => {
                "The request cannot be answered without asking the person."
            }
            Self::LoginRequired => "The request cannot be answered without the person signing in.",
            Self::InvalidToken => "The access token is missing, expired, or not valid here.",
            Self::InsufficientScope => "The access token does not allow this.",
        }
    }

    /// The HTTP status where the error is the body of an answer rather than part of a redirect.
    pub fn http_status(self) -> u16 {
        match self {
            Self::InvalidClient | Self::InvalidToken => 401,
            Self::InsufficientScope => 403,
            Self::ServerError => 500,
            Self::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }
}

/// The JSON body `{"error", "error_description"}`. `C` is the code's enum: this module's by default,
/// OpenID4VCI's or OpenID4VP's where these name their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse<C = ErrorCode> {
    /// The code.
    pub error: C,
    /// A sentence for the developer at the other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

impl<C> ErrorResponse<C> {
    /// An answer with a description, its characters limited to what the standard lets through.
    pub fn new(error: C, description: &str) -> Self {
        Self {
            error,
            error_description: Some(description_text(description)),
        }
    }
}

impl From<ErrorCode> for ErrorResponse {
    fn from(error: ErrorCode) -> Self {
        Self::new(error, error.sentence())
    }
}

/// [RFC 6749 5.2] Descriptions hold printable ASCII without `"` and `\`; anything else becomes `'` or `?`.
pub fn description_text(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '"' | '`' | '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' => '\'',
            '\u{2013}' | '\u{2014}' => '-',
            ' '..='~' if c != '\\' => c,
            c if c.is_whitespace() => ' ',
            _ => '?',
        })
        .take(500)
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_on_the_wire_is_the_enums_name() {
        for code in [
            ErrorCode::InvalidRequest,
            ErrorCode::UnsupportedGrantType,
            ErrorCode::InvalidRequestUri,
        ] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn a_description_cannot_carry_a_line_break_or_a_quotation_mark() {
        let answer =
            ErrorResponse::new(ErrorCode::InvalidRequest, "bad \"x\"\r\nSet-Cookie: a\\b é");
        assert_eq!(
            answer.error_description.as_deref(),
            Some("bad 'x'  Set-Cookie: a?b ?")
        );
    }

    #[test]
    fn a_failed_client_authentication_is_401() {
        assert_eq!(ErrorCode::InvalidClient.http_status(), 401);
        assert_eq!(ErrorCode::InvalidGrant.http_status(), 400);
    }
}
