//! The pushed authorization request endpoint [RFC 9126; gateway contract 2.3].

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use standards::oauth::form::Form;
use utoipa::ToSchema;

use super::answer;
use super::fault::Rule;
use super::forms::PushedForm;
use super::request::{Channel, Checked, Found};
use crate::app::{App, Parts};
use crate::client;
use crate::interaction::{
    Digest, Interaction, PUSHED_LIFETIME, Private, Purpose, Stage, Times, TransactionCode,
};
use crate::limits::{Kind, Open};
use crate::openapi::{BackChannelErrors, FORM};
use crate::organisation::RelyingParty;
use store::StoreError;

/// Begins every `request_uri` of ours; no other is ever followed (SEC-04).
pub const REQUEST_URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// What the client hears of a request that is kept [RFC 9126 2.2].
#[derive(Serialize, ToSchema)]
pub struct Pushed {
    /// Goes into the browser's address, with `client_id` and nothing else. Opens once.
    #[schema(example = "urn:ietf:params:oauth:request_uri:9kmXq2…")]
    request_uri: String,
    /// Seconds until it is worth nothing.
    expires_in: i64,
}

/// Push an authorization request
///
/// The client is authenticated, and every rule of the request is checked, before the browser is sent anywhere
/// [RFC 9126].
#[utoipa::path(
    post,
    path = "/par",
    tag = "OpenID Connect",
    security(("client_secret_basic" = []), ()),
    request_body(content = PushedForm, content_type = FORM),
    responses((status = 201, description = "The request is kept", body = Pushed), BackChannelErrors)
)]
pub async fn push(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let form = match Form::parse(&body) {
        Ok(form) => form,
        Err(error) => {
            return answer::json_fault(&error.into());
        }
    };
    // [RFC 9126 2.1] The client first; nothing else is looked at before.
    let party = match client::authenticate(&app, &headers, &form).await {
        Ok(party) => party,
        Err(error) => return error.answer(),
    };
    let _place = match app.admit(Kind::Push, &party) {
        Ok(place) => place,
        Err(many) => return client::answer_too_many(&many),
    };
    let now = app.now();
    let checked = match Found::find(&party, &form) {
        Ok(found) => {
            let (organisations, outbound) = (&app.organisations, &app.outbound);
            let new_serial_number = app.random.uuid();
            found
                .check(
                    organisations,
                    outbound,
                    Channel::Pushed,
                    &app.base,
                    new_serial_number,
                    now,
                )
                .await
        }
        Err(fault) => Err(fault),
    };
    let checked = match checked {
        Ok(checked) => checked,
        Err(fault) => return answer::json_fault(&fault),
    };
    match serial_number_stands(&app, &checked).await {
        Ok(false) => {}
        Ok(true) => {
            return answer::json_fault(&Rule::SerialNumberStands.into());
        }
        Err(error) => return unavailable(&error),
    }

    let request_uri = format!("{REQUEST_URI_PREFIX}{}", app.random.token_256());
    // To check a request can take time, where the client's keys are fetched: what it is counted by and what is kept is one.
    let now = app.now();
    let interaction = begin(&app, &party, checked, Digest::of(&request_uri), now);
    let client_id = &party.client_id;
    let added = app
        .limits
        .add_open(Open::Pushed, client_id, &party.limits, now);
    if let Err(many) = added {
        return client::answer_too_many(&many);
    }
    if let Err(error) = app.interactions.insert(&interaction).await {
        app.limits.remove_open(Open::Pushed, client_id, now);
        return unavailable(&error);
    }
    // [RFC 9126 2.2] Exactly 201: a deployed client takes anything else for a failure.
    let pushed = Pushed {
        request_uri,
        expires_in: PUSHED_LIFETIME.as_secs(),
    };
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (StatusCode::CREATED, headers, Json(pushed)).into_response()
}

/// A fresh interaction for a checked request, with none of its four secrets derived from another.
pub fn begin(
    parts: &Parts,
    party: &RelyingParty,
    checked: Checked,
    request_digest: Digest,
    now: Timestamp,
) -> Interaction {
    Interaction {
        id: parts.random.token_128(),
        version: 0,
        recorded: None,
        stored: None,
        organisation: party.organisation.id.clone(),
        client_id: party.client_id.clone(),
        purpose: checked.purpose,
        credential_types: checked.credential_types,
        reference: parts.random.reference(),
        stage: Stage::Pushed,
        link: parts.random.token_128(),
        link_here: parts.random.token_128(),
        short_code: None,
        vouched: true,
        wallet_came: false,
        request_digest,
        browser: None,
        response: None,
        released: true,
        code: None,
        serial_number: None,
        times: Times::default(),
        created_at: now,
        expires_at: now + PUSHED_LIFETIME,
        private: Some(Private {
            request: checked.request,
            draft: checked
                .draft
                .and_then(|draft| serde_json::to_value(draft).ok()),
            wallet: None,
            transaction_code: transaction_code(parts, party, checked.purpose),
            claims: serde_json::Map::new(),
            at_fault: None,
            trace: traces::at_work().map(traces::Parent::to_text),
        }),
    }
}

/// A fresh transaction code, where that relying party wants one for what it issues.
pub fn transaction_code(
    parts: &Parts,
    party: &RelyingParty,
    purpose: Purpose,
) -> Option<TransactionCode> {
    let length = party
        .transaction_code
        .filter(|_| purpose == Purpose::Issue)?;
    Some(TransactionCode::draw(length, &parts.random))
}

/// Whether the draft, if there is one, names a serial number that stands.
pub async fn serial_number_stands(parts: &Parts, checked: &Checked) -> Result<bool, StoreError> {
    match &checked.draft {
        Some(draft) => draft.serial_number_stands(&parts.store).await,
        None => Ok(false),
    }
}

fn unavailable(error: &StoreError) -> Response {
    tracing::error!(%error, "a pushed request could not be stored");
    answer::json_unavailable()
}
