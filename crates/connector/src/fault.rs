//! What can go wrong between a connector and its gateway, told apart by what the caller can do.

use std::fmt;

use reqwest::StatusCode;
use serde::de::DeserializeOwned;

use crate::http::{Answer, FetchError};

/// An error and what caused it, for a log: whoever looks after the machine needs the last word of it, such as that a
/// certificate's issuer is not known. No address stands in any.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // An error that is handed through says what its cause says.
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

/// Which of the gateway's addresses was spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// The discovery document.
    Discovery,
    /// The key set.
    Keys,
    /// Pushed authorization requests.
    PushedRequest,
    /// The token endpoint.
    Token,
    /// Revocation of credentials.
    Revocation,
    /// What became of journeys.
    Outcomes,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "discovery document",
            Self::Keys => "key set",
            Self::PushedRequest => "pushed authorization request endpoint",
            Self::Token => "token endpoint",
            Self::Revocation => "revocation endpoint",
            Self::Outcomes => "outcome look-up",
        })
    }
}

/// What the gateway said when it refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The stable code, e.g. `invalid_request`.
    pub code: String,
    /// The sentence that came with it, for the log and not for the employee's page.
    pub description: Option<String>,
}

impl Refusal {
    /// Whether what a record says was refused, and not who asks or how: a claim, its end, or its type. The gateway names it.
    pub(crate) fn is_about_the_record(&self) -> bool {
        let description = self.description.as_deref().unwrap_or_default();
        match (
            self.code.as_str(),
            description.split_once("id_token_hint: "),
        ) {
            // What begins with any other word than these is the name of a claim, and none of ours.
            ("invalid_request", Some(("", rest))) => ![
                "it",
                "sub",
                "no",
                "iss",
                "aud",
                "exp",
                "nbf",
                "iat",
                "SerialNumber",
                "where",
            ]
            .contains(&rest.split([' ', ',']).next().unwrap_or_default()),
            ("invalid_scope", _) => description.contains("no credential type"),
            _ => false,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        match &self.description {
            Some(description) => write!(f, " ({description})"),
            None => Ok(()),
        }
    }
}

/// The gateway did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayFault {
    /// The gateway cannot be reached: try again later.
    #[error("the gateway's {endpoint} cannot be reached")]
    Unreachable {
        /// Where the request went.
        endpoint: Endpoint,
        /// What happened instead of an answer.
        source: FetchError,
    },
    /// The gateway is failing or busy: try again later.
    #[error("the gateway's {endpoint} is not working at the moment: HTTP status {status}")]
    Failing {
        /// Where the request went.
        endpoint: Endpoint,
        /// The HTTP status.
        status: u16,
    },
    /// The gateway refused. The same request will be refused again.
    #[error("the gateway's {endpoint} refused: {refusal}")]
    Refused {
        /// Where the request went.
        endpoint: Endpoint,
        /// Its reason.
        refusal: Refusal,
    },
    /// The gateway's answer is not what the contract says.
    #[error("the gateway's {endpoint} answered against the contract: {what}")]
    AgainstContract {
        /// Where the request went.
        endpoint: Endpoint,
        /// What is wrong with the answer.
        what: &'static str,
    },
}

impl GatewayFault {
    /// Whether trying again later can help.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => {
                !matches!(source, FetchError::NotSecure | FetchError::TooLarge)
            }
            Self::Failing { .. } => true,
            Self::Refused { .. } | Self::AgainstContract { .. } => false,
        }
    }

    /// Whether what was asked can have happened all the same.
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => {
                !matches!(source, FetchError::NotSecure | FetchError::Connect(_))
            }
            Self::Failing { .. } | Self::AgainstContract { .. } => true,
            Self::Refused { .. } => false,
        }
    }
}

/// An error as OAuth writes it [RFC 6749 5.2].
#[derive(serde::Deserialize)]
struct OAuthError {
    error: String,
    error_description: Option<String>,
}

impl Answer {
    /// The answer when its status is the `wanted` one, the gateway's fault when it is not.
    pub(crate) fn when(self, wanted: StatusCode, endpoint: Endpoint) -> Result<Self, GatewayFault> {
        let status = self.status;
        if status == wanted {
            return Ok(self);
        }
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(GatewayFault::Failing {
                endpoint,
                status: status.as_u16(),
            });
        }
        if status.is_client_error() {
            let refusal = match serde_json::from_slice::<OAuthError>(&self.body) {
                Ok(told) => Refusal {
                    status: status.as_u16(),
                    code: shown(&told.error),
                    description: told.error_description.as_deref().map(shown),
                },
                Err(_) => Refusal {
                    status: status.as_u16(),
                    code: format!("http-{}", status.as_u16()),
                    description: None,
                },
            };
            return Err(GatewayFault::Refused { endpoint, refusal });
        }
        let what = if status.is_redirection() {
            "a redirect, which is never followed"
        } else {
            "another success status than the contract's"
        };
        Err(GatewayFault::AgainstContract { endpoint, what })
    }

    /// The body as JSON, read strictly.
    pub(crate) fn json<T: DeserializeOwned>(&self, endpoint: Endpoint) -> Result<T, GatewayFault> {
        standards::json::parse(&self.body)
            .ok()
            .and_then(|value| serde_json::from_value(value).ok())
            .ok_or(GatewayFault::AgainstContract {
                endpoint,
                what: "the body is not the expected JSON",
            })
    }
}

/// Text from outside, made fit for one line of a log: printable characters only, and not many.
pub(crate) fn shown(text: &str) -> String {
    text.chars()
        .filter(|c| (' '..='~').contains(c))
        .take(300)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap_or_default(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn fault(status: u16, body: &str) -> Option<GatewayFault> {
        answer(status, body)
            .when(StatusCode::CREATED, Endpoint::PushedRequest)
            .err()
    }

    #[test]
    fn an_oauth_error_becomes_a_refusal_with_its_code() {
        let fault = fault(
            400,
            r#"{"error":"invalid_scope","error_description":"no\nsuch type"}"#,
        );
        assert!(matches!(
            fault,
            Some(GatewayFault::Refused { refusal: Refusal { status: 400, code, description }, .. })
                if code == "invalid_scope" && description.as_deref() == Some("nosuch type")
        ));
    }

    #[test]
    fn a_refusal_without_a_body_still_has_a_code() {
        let fault = fault(401, "<html>");
        assert!(matches!(
            fault,
            Some(GatewayFault::Refused { refusal, .. }) if refusal.code == "http-401"
        ));
    }

    #[test]
    fn busy_and_broken_gateways_are_worth_another_try_and_refusals_are_not() {
        assert!(fault(503, "").is_some_and(|fault| fault.is_temporary()));
        assert!(fault(429, "").is_some_and(|fault| fault.is_temporary()));
        assert!(fault(400, "").is_some_and(|fault| !fault.is_temporary()));
        assert!(fault(302, "").is_some_and(|fault| !fault.is_temporary()));
    }

    #[test]
    fn another_success_status_than_201_is_not_a_pushed_request() {
        assert!(matches!(
            fault(200, "{}"),
            Some(GatewayFault::AgainstContract { .. })
        ));
        assert!(fault(201, "{}").is_none());
    }
}
