//! Error answers: RFC 6749 (4.1.2.1, 5.2), RFC 6750, RFC 9126, OpenID Connect Core 3.1.2.6.

/// The error codes that the gateway's OAuth endpoints give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// A parameter is missing, repeated, or malformed.
    InvalidRequest,
    /// Client authentication failed or is missing.
    InvalidClient,
    /// The code is unknown, used, expired, or belongs to someone else.
    InvalidGrant,
    /// The server does not know this grant type.
    UnsupportedGrantType,
    /// The server does not know this response type.
    UnsupportedResponseType,
    /// The scope is unknown, malformed, or not for this client.
    InvalidScope,
    /// `authorization_details` is malformed, or names what is not to be had here (RFC 9396, 5).
    InvalidAuthorizationDetails,
    /// The server cannot answer at the moment.
    TemporarilyUnavailable,
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
}

impl ErrorCode {
    /// The code as it travels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidAuthorizationDetails => "invalid_authorization_details",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::InteractionRequired => "interaction_required",
        }
    }

    /// The HTTP status where the error is the body of an answer rather than part of a redirect.
    pub fn http_status(self) -> u16 {
        match self {
            Self::InvalidClient => 401,
            Self::TemporarilyUnavailable => 503,
            _ => 400,
        }
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
mod tests {
    use super::*;

    #[test]
    fn a_description_cannot_carry_a_line_break_or_a_quotation_mark() {
        let text = description_text("bad \"x\"\r\nSet-Cookie: a\\b é");
        assert_eq!(text, "bad 'x'  Set-Cookie: a?b ?");
    }

    #[test]
    fn a_failed_client_authentication_is_401() {
        assert_eq!(ErrorCode::InvalidClient.http_status(), 401);
        assert_eq!(ErrorCode::InvalidGrant.http_status(), 400);
        assert_eq!(ErrorCode::TemporarilyUnavailable.http_status(), 503);
    }
}
