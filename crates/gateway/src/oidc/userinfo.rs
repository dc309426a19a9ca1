//! The userinfo endpoint: who the ID token was about, once more. [OIDC Core 5.3]
//!
//! The answer is `sub` and nothing else. What the wallet disclosed went into the ID token and was wiped when that was
//! collected (rulings 10): there is nothing left to tell.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use standards::oauth::form::Form;
use store::StoreError;
use utoipa::ToSchema;

use super::answer;
use crate::app::{App, Parts};
use crate::client::bearer::{self, Challenge};
use crate::client::{self, AccessToken, Userinfo};
use crate::interaction::Stage;
use crate::limits::Kind;
use crate::openapi::{BackChannelErrors, FORM};

/// Who the ID token was about.
#[derive(Serialize, ToSchema)]
struct Claims {
    /// The same as in the ID token.
    sub: String,
}

/// The token in a form instead of the header [RFC 6750 2.2].
#[derive(ToSchema)]
#[allow(dead_code)]
struct UserinfoForm {
    /// The access token.
    #[schema(required = false)]
    access_token: String,
}

/// Ask who it was
///
/// `sub`, the same as in the ID token, and nothing else: what the employee shared is in the ID token and was wiped when
/// that was collected.
#[utoipa::path(
    get,
    path = "/userinfo",
    tag = "OpenID Connect",
    security(("access_token" = [])),
    responses((status = 200, description = "The subject", body = Claims), BackChannelErrors)
)]
pub async fn userinfo(State(app): State<App>, headers: HeaderMap) -> Response {
    tell(&app, &headers, &Form::default()).await
}

/// Ask who it was, by POST
///
/// The token may come in the form instead of the header [OIDC Core 5.3.1].
#[utoipa::path(
    post,
    path = "/userinfo",
    tag = "OpenID Connect",
    security(("access_token" = []), ()),
    request_body(content = UserinfoForm, content_type = FORM),
    responses((status = 200, description = "The subject", body = Claims), BackChannelErrors)
)]
pub async fn userinfo_posted(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    tell(&app, &headers, &posted(&headers, &body)).await
}

async fn tell(app: &Parts, headers: &HeaderMap, form: &Form) -> Response {
    let token = match bearer::find(headers, form.find("access_token")) {
        Ok(token) => token,
        Err(challenge) => return challenge.answer(),
    };
    let Some(token) = Userinfo::open(&app.seal, token, app.now()) else {
        return Challenge::Invalid.answer();
    };
    // A client that was taken out of the configuration is nobody, whatever it still holds.
    let Some(party) = app.organisations.relying_party(&token.client_id) else {
        return Challenge::Invalid.answer();
    };
    let _place = match app.admit(Kind::Token, party) {
        Ok(place) => place,
        Err(many) => return client::answer_too_many(&many),
    };
    match stands(app, &token).await {
        Ok(true) => {
            let body = Json(Claims { sub: token.subject });
            (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")], body).into_response()
        }
        Ok(false) => Challenge::Invalid.answer(),
        Err(error) => {
            tracing::error!(%error, "userinfo could not be given");
            answer::json_unavailable()
        }
    }
}

/// Whether the token's code was exchanged once and not replayed (SEC-01).
async fn stands(parts: &Parts, token: &Userinfo) -> Result<bool, StoreError> {
    let found = parts.interactions.glance(&token.interaction).await?;
    Ok(found.is_some_and(|found| {
        let found = found.interaction();
        matches!(found.stage, Stage::Collected { .. }) && found.code.is_some()
    }))
}

/// A form, where the request says that it is one; anything else is not read.
fn posted(headers: &HeaderMap, body: &[u8]) -> Form {
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| {
            kind.trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
    let form = is_form.then(|| Form::parse(body).ok()).flatten();
    form.unwrap_or_default()
}
