//! What Authenticator asks of the service: the request, and that its answer be taken. The callbacks to the relying party
//! are made within these calls, and are not made again: where one is not taken, Authenticator shows an error.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::service::refuse;
use crate::{Callback, Card, Request, Retrieval, VerifiedId, jwt};

/// What Authenticator posts.
#[derive(Serialize, Deserialize)]
pub(crate) struct Posted {
    /// The opaque state of the request.
    pub(crate) state: String,
    /// What its holder chose to share; none where they said no.
    pub(crate) card: Option<Card>,
}

fn not_found(own: &VerifiedId) -> Response {
    refuse(own, StatusCode::NOT_FOUND, "notFound", "notFound", None)
}

/// The request's JWT. Gone once it is used or its time is over.
pub(crate) async fn retrieve(
    State(own): State<VerifiedId>,
    Path((tenant, id)): Path<(Uuid, Uuid)>,
) -> Response {
    let now = own.now();
    let found = own.memory().requests.get(&id).cloned();
    let alive = |one: &Request| one.tenant == tenant && !one.is_used && now < one.expires_at;
    let Some(request) = found.filter(alive) else {
        return not_found(&own);
    };
    if request.retrieval == Retrieval::First && !told(&own, id, &request, Callback::clone).await {
        return undelivered(&own);
    }
    let authority = &request.body["authority"];
    let descriptors: Vec<Value> = request.body["requestedCredentials"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|asked| {
            json!({"id": asked["type"], "schema": [{"uri": asked["type"]}], "issuers": asked["acceptedIssuers"]})
        })
        .collect();
    let claims = json!({
        "jti": Uuid::new_v4(), "iat": now.as_second(), "exp": request.expires_at.as_second(),
        "response_type": "id_token", "response_mode": "post", "scope": "openid", "nonce": request.nonce,
        "client_id": authority, "state": request.opaque,
        "redirect_uri": format!("{}v1.0/tenants/{tenant}/verifiableCredentials/verifyPresentation", own.base()),
        "registration": {"client_name": request.body["registration"]["clientName"], "client_purpose": request.body["registration"]["purpose"]},
        "claims": {"vp_token": {"presentation_definition": {"id": id, "input_descriptors": descriptors}}},
    });
    let kid = format!("{}#stand-in", authority.as_str().unwrap_or_default());
    match jwt::request(&own.0.requests_key, &kid, &claims) {
        Some(jwt) => ([(header::CONTENT_TYPE, "application/jwt")], jwt).into_response(),
        None => undelivered(&own),
    }
}

/// Authenticator's answer.
pub(crate) async fn verify(
    State(own): State<VerifiedId>,
    Path(tenant): Path<Uuid>,
    Json(posted): Json<Posted>,
) -> Response {
    let now = own.now();
    let taken = {
        let mut memory = own.memory();
        let found = memory.requests.iter_mut().find(|(_, request)| {
            request.opaque == posted.state
                && request.tenant == tenant
                && !request.is_used
                && now < request.expires_at
        });
        found.map(|(id, request)| {
            request.is_used = true;
            (*id, request.clone())
        })
    };
    let Some((id, request)) = taken else {
        return not_found(&own);
    };
    let taken = match &posted.card {
        None => {
            told(&own, id, &request, |one| {
                one.clone().failed("user_canceled")
            })
            .await
        }
        // Whoever asked did not allow what is revoked.
        Some(card) if !card.status.eq_ignore_ascii_case("valid") => {
            told(&own, id, &request, |one| {
                one.clone().failed("credentialRevoked")
            })
            .await
        }
        Some(card) => {
            told(&own, id, &request, |one| {
                one.clone().verified(std::slice::from_ref(card))
            })
            .await
        }
    };
    if request.retrieval == Retrieval::Last {
        told(&own, id, &request, Callback::clone).await;
    }
    if taken {
        StatusCode::OK.into_response()
    } else {
        undelivered(&own)
    }
}

/// Tells the relying party, as often as the test wants; whether it took it the first time.
async fn told(
    own: &VerifiedId,
    id: Uuid,
    request: &Request,
    make: impl Fn(&Callback) -> Callback,
) -> bool {
    let callback = make(&Callback::retrieved(&own.0.client, id, &request.body));
    let is_taken = (200..300).contains(&callback.send().await);
    for _ in 1..request.times {
        callback.send().await;
    }
    is_taken
}

fn undelivered(own: &VerifiedId) -> Response {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    refuse(own, status, "internalServerError", "callbackFailed", None)
}
