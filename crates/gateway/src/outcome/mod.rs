//! `POST /outcomes`: a relying party asks how its interactions ended.
//!
//! For the case that nobody else can see from outside: the wallet showed a success, and the browser that should have
//! brought the code never came back. A form like that of token introspection [RFC 7662 2.1]: every way of client
//! authentication fits it, and neither `state` nor `request_uri` gets into an address that somebody logs.
//!
//! The answer is about the client's own interactions. Another client's are answered as if there were none (SEC-33).
//! No personal value is in it: what the gateway still holds of those stays sealed.

mod question;
mod rows;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use standards::oauth::form::{Form, FormError};

use crate::app::App;
use crate::client::{self, ClientError};
use crate::interaction::{Outcome, Purpose, Refusal, Stage};
use question::{Question, Unanswerable};
use rows::Trace;
use store::StoreError;

/// How many interactions one answer tells of.
const PAGE: usize = 20;

/// The routes of this slice.
pub fn router() -> Router<App> {
    Router::new().route("/outcomes", post(look_up))
}

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
enum LookUpError {
    #[error(transparent)]
    Form(#[from] FormError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Question(#[from] Unanswerable),
    #[error("the gateway cannot answer now; try again")]
    Store(#[from] StoreError),
}

impl IntoResponse for LookUpError {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::Form(_) | Self::Question(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::Client(error) => return error.answer(),
            Self::Store(error) => {
                tracing::error!(%error, "an outcome could not be looked up");
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
            }
        };
        client::answer_error(status, code, &self.to_string())
    }
}

async fn look_up(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, LookUpError> {
    let form = Form::parse(&body)?;
    // The client before the question (SEC-06).
    let party = client::authenticate(&app, &headers, &form).await?;
    let question = Question::parse(&form)?;
    let traces = rows::find(&app, &party.client_id, &question, app.now()).await?;

    let mut answer = Map::new();
    let told: Vec<Value> = traces.iter().take(PAGE).map(told).collect();
    answer.insert("outcomes".into(), told.into());
    if traces.len() > PAGE {
        answer.insert("before".into(), traces[PAGE - 1].cursor().to_text().into());
    }
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// One interaction, as its relying party reads it. What does not apply is left out.
fn told(trace: &Trace) -> Value {
    let (outcome, refusal) = match trace.stage.outcome() {
        None => (None, None),
        Some(Outcome::Verified) => (Some("verified"), None),
        Some(Outcome::Issued) => (Some("issued"), None),
        Some(Outcome::Refused(refusal)) => (Some("refused"), Some(refusal)),
    };
    let mut told = json!({
        "reference": trace.reference,
        "request_sha256": trace.request_digest,
        "purpose": match trace.purpose {
            Purpose::Verify => "verify",
            Purpose::Issue => "issue",
        },
        "credential_types": [trace.credential_type],
        "stage": trace.stage.name(),
        "stage_since": trace.since(),
        "collected": matches!(trace.stage, Stage::Collected { .. }),
        "began_at": trace.began_at,
        "expires_at": trace.expires_at,
    });
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            told[name] = value;
        }
    };
    add("outcome", outcome.map(Value::from));
    add("refusal", refusal.map(reason));
    add(
        "serial_number",
        trace.serial_number.as_deref().map(Value::from),
    );
    add(
        "revoked",
        trace
            .revoked
            .as_ref()
            .map(|(at, cause)| json!({ "at": at, "cause": cause })),
    );
    told
}

fn reason(refusal: Refusal) -> Value {
    json!({ "code": refusal.code(), "description": refusal.description() })
}
