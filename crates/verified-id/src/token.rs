//! `POST /{tenant}/oauth2/v2.0/token`: the identity platform's client credentials grant, by secret.
//!
//! A token is given whether or not anybody consented to a role: `roles` is missing then, and the refusal comes from the API.

use axum::Json;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{ADMIN_API, REQUEST_SERVICE, VerifiedId, jwt};

#[derive(Deserialize)]
pub(crate) struct Grant {
    #[serde(rename = "grant_type")]
    kind: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    scope: Option<String>,
}

pub(crate) async fn give(
    State(own): State<VerifiedId>,
    Path(tenant): Path<String>,
    Form(grant): Form<Grant>,
) -> Response {
    let refuse =
        |status, error, number, sentence: &str| refusal(own.now(), status, error, number, sentence);
    let bad = StatusCode::BAD_REQUEST;
    let Some(tenant) = tenant.parse().ok().and_then(|id: Uuid| own.tenant(id)) else {
        return refuse(bad, "invalid_request", 90_002, "Tenant not found.");
    };
    if grant.kind.as_deref() != Some("client_credentials") {
        return refuse(
            bad,
            "unsupported_grant_type",
            70_003,
            "The grant type is not supported.",
        );
    }
    let Some(resource) = grant
        .scope
        .as_deref()
        .and_then(|scope| scope.strip_suffix("/.default"))
    else {
        return refuse(
            bad,
            "invalid_scope",
            1_002_012,
            "The scope must end with /.default.",
        );
    };
    if ![REQUEST_SERVICE, ADMIN_API].contains(&resource) {
        return refuse(bad, "invalid_scope", 70_011, "The resource is not known.");
    }
    if grant.client_id.as_deref() != Some(tenant.client_id.to_string().as_str()) {
        let sentence = "The application is not in the directory.";
        return refuse(bad, "unauthorized_client", 700_016, sentence);
    }
    let wrong = StatusCode::UNAUTHORIZED;
    match grant.client_secret.as_deref() {
        None => {
            let sentence = "client_assertion or client_secret is required.";
            return refuse(wrong, "invalid_client", 7_000_218, sentence);
        }
        Some(secret) if secret != tenant.client_secret => {
            let sentence = "The client secret is wrong.";
            return refuse(wrong, "invalid_client", 7_000_215, sentence);
        }
        Some(_) => {}
    }
    let now = own.now().as_second();
    let mut claims = json!({
        "iss": format!("{}{}/v2.0", own.base(), tenant.id), "aud": resource, "tid": tenant.id, "azp": tenant.client_id,
        "iat": now, "exp": now + tenant.token_seconds, "uti": Uuid::new_v4(),
    });
    if !tenant.roles.is_empty() {
        claims["roles"] = json!(tenant.roles);
    }
    own.memory().tokens += 1;
    Json(json!({
        "token_type": "Bearer", "expires_in": tenant.token_seconds, "ext_expires_in": tenant.token_seconds,
        "access_token": jwt::access_token(&own.0.access_tokens, &claims),
    }))
    .into_response()
}

fn refusal(
    now: Timestamp,
    status: StatusCode,
    error: &str,
    number: u32,
    sentence: &str,
) -> Response {
    let (trace, correlation) = (Uuid::new_v4(), Uuid::new_v4());
    let body = json!({
        "error": error, "error_codes": [number], "timestamp": now, "trace_id": trace, "correlation_id": correlation,
        "error_description": format!("AADSTS{number}: {sentence} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}"),
    });
    (status, Json(body)).into_response()
}

/// Whose token it is, with which roles, if it is one of the Request Service and its time is not over.
pub(crate) fn holder(own: &VerifiedId, token: &str) -> Option<(Uuid, Vec<String>)> {
    let claims = jwt::read_access_token(&own.0.access_tokens, token)?;
    let (now, since) = (own.now().as_second(), own.memory().tokens_since);
    let number = |name: &str| claims[name].as_i64();
    let in_time = number("exp")? > now && number("iat")? >= since;
    if claims["aud"] != REQUEST_SERVICE || !in_time {
        return None;
    }
    let roles = claims["roles"].as_array().map_or(&[][..], Vec::as_slice);
    let roles = roles
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    Some((claims["tid"].as_str()?.parse().ok()?, roles))
}
