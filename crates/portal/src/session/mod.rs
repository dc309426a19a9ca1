//! How long a person stays logged in, the warning before the end, and logging out.

pub(crate) mod cookie;
pub(crate) mod page;
pub(crate) mod rows;

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use cookie::Cookie;
use page::StillHere;

use crate::app::App;
use crate::audit::{Act, Kind};
use crate::login;
use crate::trouble::Trouble;
use crate::visit::{Posted, Visit};

/// `POST /session/stay`: the person is still there. A script asks, which a page does not help.
pub(crate) async fn stay(State(app): State<App>, request: Request) -> Response {
    let over = || (StatusCode::UNAUTHORIZED, "The session is over.\n").into_response();
    match Visit::find(&app, request.headers()).await {
        Ok(Some(_)) => {}
        Ok(None) => return over(),
        Err(trouble) => return trouble.into_response(),
    }
    match Posted::<Visit>::from_request(request, &app).await {
        Ok(posted) => Json(StillHere::new(&app.look, &posted.by.visitor())).into_response(),
        Err(refusal) => refusal,
    }
}

/// `GET /session`: how long it is to the end. Asking is not activity.
pub(crate) async fn ends(
    State(app): State<App>,
    headers: axum::http::HeaderMap,
) -> Result<Response, Trouble> {
    let session = match Cookie::Session.read(&app, &headers) {
        Some(token) => app.find_session(&token).await?,
        None => None,
    };
    Ok(match session {
        Some(session) => {
            let (ends_at, _) = rows::end_of(&app, session.created_at, session.seen_at);
            Json(serde_json::json!({ "ends_at": ends_at })).into_response()
        }
        None => (StatusCode::UNAUTHORIZED, "The session is over.\n").into_response(),
    })
}

/// `POST /logout`.
pub(crate) async fn log_out(posted: Posted<Visit>) -> Result<Response, Trouble> {
    let Visit { app, session, .. } = posted.by;
    Act::own(Kind::LogOut, &session.employee)
        .write(&app)
        .await?;
    app.end_session(&session.digest).await?;
    let cookie = [(SET_COOKIE, Cookie::Session.clear(&app))];
    let to = login::logged_out(session.method.as_deref());
    Ok((cookie, Redirect::to(&to)).into_response())
}
