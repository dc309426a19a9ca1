//! The door for what GOV.UK Notify has to tell.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use connector::desk::NotifyCallbackError;

use crate::app::App;

/// Where GOV.UK Notify's callbacks come in.
pub(crate) const CALLBACK: &str = "/notify/callback";

/// `POST /notify/callback`: what became of a mail. Whoever sends it hears no more than whether it was taken.
pub(crate) async fn callback(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let authorization = headers.get(AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok());
    let bearer = authorization.and_then(|value| value.strip_prefix("Bearer "));
    match app
        .desk
        .notify_callback(bearer.unwrap_or_default(), &body)
        .await
    {
        Ok(()) => StatusCode::OK,
        Err(NotifyCallbackError::WrongToken) => StatusCode::UNAUTHORIZED,
        Err(NotifyCallbackError::Malformed) => StatusCode::BAD_REQUEST,
        Err(NotifyCallbackError::NotKept) => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::NOT_FOUND,
    }
}
