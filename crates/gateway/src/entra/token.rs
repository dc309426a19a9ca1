//! Access tokens of the identity platform, by the client credentials grant [RFC 6749 4.4], one for each tenant and
//! application, used until shortly before their end.

use std::sync::Arc;

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::plain;
use crate::app::Parts;
use crate::copies::{Copies, Missing};
use crate::interaction::Digest;
use crate::organisation::entra::Tenant;
use crate::outbound::FetchError;

/// The Request Service, as a scope names it.
const SCOPE: &str = "3db474b9-6a0c-4840-96ac-1fceb342124f/.default";
/// How long before its end a token is not used any more, at least; and a tenth of its life, if that is longer.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A token, which no log line can have.
type Token = Arc<Zeroizing<String>>;

/// The tokens of this process.
#[derive(Default)]
pub struct Tokens(Copies<String, Token>);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    /// The token endpoint did not answer.
    #[error("the token endpoint did not answer: {0}")]
    Fetch(#[from] FetchError),
    /// It refused: OAuth's `error`, the numbers beside it and what Microsoft's support asks for.
    #[error(
        "the token endpoint refused with status {status}, error {error}, numbers {numbers:?}, correlation id {correlation}"
    )]
    Refused {
        /// The HTTP status.
        status: u16,
        /// OAuth's code.
        error: String,
        /// What stands behind `AADSTS`; 7000222 is a client secret whose time is over.
        numbers: Vec<u32>,
        /// The correlation id.
        correlation: String,
    },
    /// It answered something else.
    #[error("the token endpoint's answer is not one")]
    Malformed,
    /// It failed a moment ago.
    #[error("the token endpoint failed a moment ago")]
    FailedBefore,
}

impl TokenError {
    /// The stable code.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Fetch(error) => error.code(),
            Self::Refused { .. } => "entra-token-refused",
            Self::Malformed => "entra-token-malformed",
            Self::FailedBefore => "entra-token-failed-before",
        }
    }
}

#[derive(Deserialize)]
struct Granted {
    token_type: String,
    expires_in: i64,
    access_token: String,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_codes: Vec<u32>,
    #[serde(default)]
    correlation_id: String,
}

/// Everything that a token depends on (SEC-33). A changed secret has other tokens.
fn key(tenant: &Tenant) -> String {
    let secret = Digest::of(&tenant.client_secret).0;
    format!("{} {} {secret}", tenant.token_endpoint, tenant.client_id)
}

impl Tokens {
    /// A token that may be used now, or a fresh one. Of many who need one at once, one fetches it.
    pub(super) async fn find(&self, app: &Parts, tenant: &Tenant) -> Result<Token, TokenError> {
        let now = app.now();
        let fetched = self
            .0
            .find_or_fetch(key(tenant), now, |_, _| true, fetch(app, tenant, now));
        fetched.await.map_err(|missing| match missing {
            Missing::Failed(error) => error,
            Missing::FailedBefore => TokenError::FailedBefore,
        })
    }

    /// The service does not take it: rights were given or taken away since, or the secret was changed.
    pub(super) fn forget(&self, tenant: &Tenant) {
        self.0.forget(&key(tenant));
    }
}

async fn fetch(
    app: &Parts,
    tenant: &Tenant,
    now: Timestamp,
) -> Result<(Token, Timestamp), TokenError> {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", &tenant.client_id.to_string())
        .append_pair("client_secret", &tenant.client_secret)
        .append_pair("scope", SCOPE)
        .finish();
    let mut headers = HeaderMap::new();
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(CONTENT_TYPE, form_type);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let answer = app
        .outbound
        .ask(&tenant.token_endpoint, headers, form)
        .await?;
    if answer.status != 200 {
        let said: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
        return Err(TokenError::Refused {
            status: answer.status,
            error: said.as_ref().map(|s| plain(&s.error)).unwrap_or_default(),
            numbers: said.as_ref().map_or_else(Vec::new, |said| {
                said.error_codes.iter().take(4).copied().collect()
            }),
            correlation: said.map(|s| plain(&s.correlation_id)).unwrap_or_default(),
        });
    }
    let granted: Granted =
        serde_json::from_slice(&answer.body).map_err(|_| TokenError::Malformed)?;
    let is_header = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if !granted.token_type.eq_ignore_ascii_case("bearer")
        || granted.access_token.is_empty()
        || !is_header(&granted.access_token)
    {
        return Err(TokenError::Malformed);
    }
    Ok((
        Arc::new(Zeroizing::new(granted.access_token)),
        usable_until(granted.expires_in, now),
    ))
}

/// A token of less than the skew serves the one call that it was fetched for.
fn usable_until(expires_in: i64, now: Timestamp) -> Timestamp {
    let life = SignedDuration::from_secs(expires_in.clamp(0, 86_400));
    now + (life - SKEW.max(life / 10)).max(SignedDuration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_used_until_shortly_before_its_end() {
        let now = Timestamp::UNIX_EPOCH;
        for (expires_in, usable) in [
            (3599, 3239),
            (1000, 700),
            (100, 0),
            (-5, 0),
            (86_400, 77_760),
        ] {
            let until = usable_until(expires_in, now);
            assert_eq!(until.as_second(), usable, "{expires_in}");
        }
    }
}
