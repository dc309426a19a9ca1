//! `POST …/createPresentationRequest`: whoever asks is checked, then every field, by the name that the answer gives it.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, http};
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::validate::{Invalid, presentation};
use crate::{Callback, Fault, Request, Retrieval, VerifiedId, token};

/// The largest creating call, in bytes.
pub(crate) const LARGEST: usize = 1024 * 1024;
/// How long a request lives.
const LIFETIME: SignedDuration = SignedDuration::from_secs(300);

/// An error in the service's own form.
pub(crate) fn refuse(
    own: &VerifiedId,
    status: StatusCode,
    code: &str,
    inner: &str,
    target: Option<&str>,
) -> Response {
    let mut innererror = json!({"code": inner, "message": "See the documentation."});
    if let Some(target) = target {
        innererror["target"] = target.into();
    }
    let date = own.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let body = json!({
        "requestId": Uuid::new_v4().simple().to_string(), "date": date, "mscv": "c3RhbmQtaW4tZm9yLWE.1",
        "error": {"code": code, "message": "The request could not be carried out.", "innererror": innererror},
    });
    (status, Json(body)).into_response()
}

pub(crate) async fn create(
    State(own): State<VerifiedId>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let bad = |status, code, inner| refuse(&own, status, code, inner, None);
    let fault = own.memory().faults.pop_front();
    let body_text = serde_json::from_slice::<Value>(&body);
    if let Ok(sent) = &body_text {
        own.memory().sent.push(sent.clone());
    }
    if let Some(Fault::Status(status, retry_after)) = fault {
        return failure(&own, status, retry_after);
    }
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let Some((tenant, roles)) = bearer.and_then(|bearer| token::holder(&own, bearer)) else {
        return bad(StatusCode::UNAUTHORIZED, "unauthorized", "tokenError");
    };
    let opens = [
        "VerifiableCredential.Create.All",
        "VerifiableCredential.Create.PresentRequest",
    ];
    if !roles.iter().any(|role| opens.contains(&role.as_str())) {
        return bad(StatusCode::FORBIDDEN, "forbidden", "tokenError");
    }
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/json"));
    if !is_json {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return bad(status, "unsupportedMediaType", "badOrMissingField");
    }
    if body.len() > LARGEST {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        return bad(status, "payloadTooLarge", "badOrMissingField");
    }
    let Ok(body) = body_text else {
        return bad(StatusCode::BAD_REQUEST, "badRequest", "badOrMissingField");
    };
    let authority = own.tenant(tenant).map(|tenant| tenant.authority.as_str());
    if let Err(Invalid(target)) = presentation(&body, authority.unwrap_or_default()) {
        let status = StatusCode::BAD_REQUEST;
        return refuse(
            &own,
            status,
            "badRequest",
            "badOrMissingField",
            Some(&target),
        );
    }
    keep(&own, tenant, body, fault).await
}

async fn keep(own: &VerifiedId, tenant: Uuid, body: Value, fault: Option<Fault>) -> Response {
    let id = Uuid::new_v4();
    let expires_at = own.now() + LIFETIME;
    let early = (fault == Some(Fault::EarlyCallback))
        .then(|| Callback::retrieved(&own.0.client, id, &body));
    let request = Request {
        tenant,
        body,
        expires_at,
        opaque: format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()),
        nonce: Uuid::new_v4().simple().to_string(),
        is_used: false,
        retrieval: Retrieval::First,
        times: 1,
    };
    own.memory().requests.insert(id, request);
    if let Some(early) = early {
        early.send().await;
    }
    let uri = format!(
        "{}v1.0/tenants/{tenant}/verifiableCredentials/presentationRequests/{id}",
        own.base()
    );
    let escaped: String = url::form_urlencoded::byte_serialize(uri.as_bytes()).collect();
    let url = match &fault {
        Some(Fault::Link(link)) => link.clone(),
        _ => format!("openid-vc://?request_uri={escaped}"),
    };
    let answer = json!({"requestId": id, "url": url, "expiry": expires_at.as_second()}).to_string();
    let answer = match fault {
        Some(Fault::Half) => answer[..answer.len() / 2].to_owned(),
        _ => answer,
    };
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::CREATED, kind, answer).into_response()
}

fn failure(own: &VerifiedId, status: u16, retry_after: Option<u32>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = match status.as_u16() {
        429 => "tooManyRequests",
        502 => "badGateway",
        503 => "serviceUnavailable",
        504 => "gatewayTimeout",
        _ => "internalServerError",
    };
    let mut response = refuse(own, status, code, "transientError", None);
    if let Some(seconds) = retry_after {
        let value = http::HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}
