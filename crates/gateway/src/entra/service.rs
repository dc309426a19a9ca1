//! The Request Service: one call that makes a request, with the patience that a person on a page has.

use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::plain;
use super::token::TokenError;
use crate::app::Parts;
use crate::organisation::entra::Tenant;
use crate::outbound::{Answered, FetchError};

/// How long a person waits for the page, all tries together.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is tried where trying again may help.
const TRIES: u32 = 3;

/// What the service says of a request that it made.
#[derive(Deserialize)]
pub(super) struct Created {
    /// The service's name for it.
    #[serde(rename = "requestId")]
    pub(super) request_id: String,
    /// The wallet's link.
    pub(super) url: String,
    /// When it ends, in seconds since 1970.
    pub(super) expiry: i64,
}

/// Why no request was made.
#[derive(Debug, thiserror::Error)]
pub(super) enum ServiceError {
    /// There is no access token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The service did not answer.
    #[error("the Request Service did not answer: {0}")]
    Fetch(#[from] FetchError),
    /// It refused.
    #[error(
        "the Request Service refused with status {status}, code {code}, inner code {inner}, field {target}, request {request}, mscv {mscv}"
    )]
    Refused {
        /// The HTTP status.
        status: u16,
        /// `error.code`.
        code: String,
        /// `error.innererror.code`.
        inner: String,
        /// The field that is at fault.
        target: String,
        /// Its name for the call, for Microsoft's support.
        request: String,
        /// The same, in another form.
        mscv: String,
        /// The seconds of its `Retry-After`.
        retry_after: Option<u64>,
    },
    /// It answered something else.
    #[error("the Request Service's answer is not one")]
    Malformed,
    /// The whole took longer than a person waits.
    #[error("the Request Service took too long")]
    TooSlow,
}

impl ServiceError {
    /// The stable code.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::Fetch(error) => error.code(),
            Self::Refused { .. } => "entra-request-refused",
            Self::Malformed => "entra-request-malformed",
            Self::TooSlow => "entra-too-slow",
        }
    }

    /// Whether trying again may help.
    fn may_pass(&self) -> bool {
        match self {
            Self::Fetch(error) => {
                matches!(error, FetchError::TimedOut | FetchError::Unreachable(_))
            }
            Self::Refused { status, inner, .. } => {
                matches!(status, 429 | 502 | 503 | 504) || inner == "transientError"
            }
            Self::Token(_) | Self::Malformed | Self::TooSlow => false,
        }
    }
}

/// Makes a presentation request, in one call. Not idempotent: one that was made and not heard of ends by itself, and nobody
/// has its link. So no two calls may have the same state.
pub(super) async fn create(
    app: &Parts,
    tenant: &Tenant,
    body: &Value,
) -> Result<Created, ServiceError> {
    let answer = post(app, tenant, body).await?;
    if answer.status != 201 {
        return Err(refused(&answer));
    }
    serde_json::from_slice(&answer.body).map_err(|_| ServiceError::Malformed)
}

/// How often a call is made again, and when.
pub(super) struct Patience {
    ends: Instant,
    tries: u32,
    is_renewed: bool,
}

impl Patience {
    /// As long as a person waits for a page.
    pub(super) fn begin() -> Self {
        Self {
            ends: Instant::now() + PATIENCE,
            tries: 1,
            is_renewed: false,
        }
    }

    /// When it is over.
    pub(super) const fn ends(&self) -> Instant {
        self.ends
    }

    /// Waits as long as there is to wait before the next try; `false` where there is none.
    pub(super) async fn another(
        &mut self,
        app: &Parts,
        tenant: &Tenant,
        error: &ServiceError,
    ) -> bool {
        let (status, retry_after) = match error {
            ServiceError::Refused {
                status,
                retry_after,
                ..
            } => (*status, *retry_after),
            _ => (0, None),
        };
        // A token without the role is refused as well, and would go on being so after the role is granted.
        if matches!(status, 401 | 403) {
            app.entra.forget(tenant);
        }
        if status == 401 && !self.is_renewed {
            self.is_renewed = true;
            return true;
        }
        if !error.may_pass() || self.tries == TRIES {
            return false;
        }
        let jitter = u64::try_from(app.random.below(100)).unwrap_or(0);
        let pause = match retry_after {
            Some(seconds) => Duration::from_secs(seconds.min(3600)),
            None => Duration::from_millis(100 * (1 << self.tries) + jitter),
        };
        if Instant::now() + pause >= self.ends {
            return false;
        }
        sleep(pause).await;
        self.tries += 1;
        true
    }
}

async fn post(app: &Parts, tenant: &Tenant, body: &Value) -> Result<Answered, ServiceError> {
    let token = app.entra.find(app, tenant).await?;
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.as_str()))
        .map_err(|_| TokenError::Malformed)?;
    bearer.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, bearer);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let asked = app
        .outbound
        .ask(&tenant.requests, headers, body.to_string());
    Ok(asked.await?)
}

/// Codes only: what a message says may be anything.
fn refused(answer: &Answered) -> ServiceError {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |value: &Value| plain(value.as_str().unwrap_or_default());
    let inner = &said["error"]["innererror"];
    ServiceError::Refused {
        status: answer.status,
        code: text(&said["error"]["code"]),
        inner: text(&inner["code"]),
        target: text(&inner["target"]),
        request: text(&said["requestId"]),
        mscv: text(&said["mscv"]),
        retry_after: answer.retry_after,
    }
}
