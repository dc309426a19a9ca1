//! `POST /outcomes`: a relying party asks how its interactions ended.
//!
//! For the case that nobody else can see from outside: the wallet showed a success, and the browser that should have
//! brought the code never came back. A form like that of token introspection [RFC 7662 2.1]: every way of client
//! authentication fits it, and neither `state` nor `request_uri` gets into an address that somebody logs.
//!
//! The answer is about the client's own interactions. Another client's are answered as if there were none (SEC-33).
//! No personal value is in it: what the gateway still holds of those stays sealed.

mod credentials;
mod question;
mod rows;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::client::{LookUp, LookUpError};
use crate::interaction::{Outcome, Refusal, Stage};
use crate::live::Live;
use crate::openapi::{BackChannelErrors, ClientForm, FORM};
use question::{By, Question};
use rows::Trace;

/// How many interactions one answer tells of.
const PAGE: usize = 20;

/// The routes of this slice.
pub fn router() -> OpenApiRouter<Live> {
    OpenApiRouter::default().routes(routes!(look_up))
}

/// What a relying party hears.
#[derive(Serialize, ToSchema)]
#[schema(as = Outcomes)]
struct Answer {
    /// The newest first, at most 20.
    outcomes: Vec<Told>,
    /// There are more: send this as `before`, with the same question.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    before: Option<String>,
    /// Asked about credentials: what is known of them, in the order of their numbers, at most 100. Unknown ones are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    credentials: Option<Vec<credentials::Known>>,
}

/// One interaction. What does not apply is left out.
#[derive(Serialize, ToSchema)]
#[schema(as = InteractionOutcome)]
struct Told {
    /// What the employee reads on the gateway's page.
    #[schema(example = "K7Q2-9MFD")]
    reference: String,
    /// SHA-256, in base64url, of the `request_uri`; of a request to verify that was not pushed, of its query; of a draft in an
    /// address, of `draft`, the client id and the hint without its signature, with a space between each.
    request_sha256: String,
    /// `verify` or `issue`.
    purpose: &'static str,
    /// What was asked for, or issued.
    credential_types: Vec<String>,
    /// `pushed`, `waiting`, `scanned`, `issued`, `finished` or `collected`.
    stage: &'static str,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    stage_since: Timestamp,
    /// Whether the token endpoint was called with the code.
    collected: bool,
    /// `verified`, `issued` or `refused`, once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    outcome: Option<&'static str>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refusal: Option<Reason>,
    /// Of the credential that left the gateway, whether or not anybody collected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    serial_number: Option<String>,
    /// That credential counts no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    revoked: Option<Revoked>,
    /// When the request was pushed, or the page opened.
    #[schema(value_type = String, format = DateTime)]
    began_at: Timestamp,
    /// When the employee's time is up.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// A refusal.
#[derive(Serialize, ToSchema)]
#[schema(as = Refusal)]
struct Reason {
    /// Stable.
    #[schema(example = "declined")]
    code: &'static str,
    /// What `error_description` said.
    description: &'static str,
}

/// A revocation.
#[derive(Serialize, ToSchema)]
#[schema(as = Revocation)]
struct Revoked {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `relying-party`, `operator`, `not-kept`, `not-collected` or `code-replayed`; `unknown` where a version before did not
    /// keep it.
    cause: String,
}

/// A question: one of `state`, `request_uri` and `reference` about interactions, or of `serial_number` and
/// `in_force_after` about credentials.
#[derive(ToSchema)]
#[allow(dead_code)] // described here, read in `question`
struct QuestionForm {
    /// The relying party's own value. Some always send the same one.
    #[schema(required = false)]
    state: String,
    /// What a pushed request was answered with.
    #[schema(required = false)]
    request_uri: String,
    /// What the employee reads out.
    #[schema(required = false, example = "K7Q2-9MFD")]
    reference: String,
    /// Up to 100 serial numbers of credentials, separated by spaces.
    #[schema(required = false)]
    serial_number: String,
    /// Every credential in force: the last serial number of the answer before, at first the nil GUID, until an answer has
    /// none.
    #[schema(required = false)]
    in_force_after: String,
    /// Where the last answer ended.
    #[schema(required = false)]
    before: String,
    /// The client, if not in the header.
    #[schema(required = false)]
    client_id: String,
    #[serde(flatten)]
    client: ClientForm,
}

/// Look up what became of interactions
///
/// The client's own, by exactly one of `state`, `request_uri` and `reference`; or of credentials, by `serial_number`, or
/// all that are in force, by `in_force_after`. No personal value is told.
#[utoipa::path(
    post,
    path = "/outcomes",
    tag = "Outcomes and events",
    security(("client_secret_basic" = []), ()),
    request_body(content = QuestionForm, content_type = FORM),
    responses((status = 200, description = "What became of them", body = Answer), BackChannelErrors)
)]
async fn look_up(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, LookUpError> {
    let asked = LookUp::begin(&app, &headers, &body).await?;
    let question = Question::parse(&asked.form)
        .map_err(|error| LookUpError::Question(error.to_string().into()))?;
    let mut traces = rows::find(&app, &asked.party.client_id, &question, app.now()).await?;
    let more = traces.len() > PAGE;
    traces.truncate(PAGE);
    let credentials = match &question.by {
        By::SerialNumbers(numbers) => {
            Some(credentials::find(&app, &asked.party.client_id, numbers).await?)
        }
        By::InForceAfter(last) => {
            let client_id = &asked.party.client_id;
            Some(credentials::in_force_after(&app, client_id, *last, app.now()).await?)
        }
        _ => None,
    };
    let answer = Answer {
        before: traces
            .last()
            .filter(|_| more)
            .map(|trace| trace.cursor().to_text()),
        outcomes: traces.into_iter().map(told).collect(),
        credentials,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

fn told(trace: Trace) -> Told {
    let (outcome, refusal) = match trace.stage.outcome() {
        None => (None, None),
        Some(Outcome::Refused(refusal)) => (Some("refused"), Some(reason(refusal))),
        Some(outcome) => (Some(outcome.name()), None),
    };
    Told {
        stage: trace.stage.name(),
        stage_since: trace.since(),
        collected: matches!(trace.stage, Stage::Collected { .. }),
        outcome,
        refusal,
        reference: trace.reference,
        request_sha256: trace.request_digest,
        purpose: trace.purpose.name(),
        credential_types: trace.credential_types.iter().map(str::to_owned).collect(),
        serial_number: trace.serial_number,
        revoked: trace.revoked.map(|(at, cause)| Revoked { at, cause }),
        began_at: trace.began_at,
        expires_at: trace.expires_at,
    }
}

fn reason(refusal: Refusal) -> Reason {
    Reason {
        code: refusal.code(),
        description: refusal.description(),
    }
}
