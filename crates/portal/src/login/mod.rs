//! Logging in.

pub(crate) mod page;
pub(crate) mod provider;
pub(crate) mod throttle;
pub(crate) mod under_way;

use axum::extract::{ConnectInfo, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, extract::FromRequest, extract::Request};
use serde::Deserialize;
use std::net::SocketAddr;
use store::Statement;
use zeroize::Zeroizing;

use crate::app::{App, Parts};
use crate::audit::{Act, Kind};
use crate::employees::Employee;
use crate::import::as_typed;
use crate::own_path;
use crate::problem;
use crate::session::cookie::Cookie;
use crate::session::rows;
use crate::token::{self, NoRandomness};
use crate::trouble::Trouble;
use crate::visit::Anonymous;
use page::{LoginNotice, LoginProblem, LoginView};
use throttle::Attempt;

/// Where whoever is not logged in is led, to come back to the page they wanted.
pub(crate) fn path(parts: &Parts, wanted: &str) -> String {
    match own_path::parse(parts, wanted).filter(|wanted| wanted != "/") {
        Some(wanted) => {
            let wanted: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
            format!("/login?return_to={wanted}")
        }
        None => "/login".to_owned(),
    }
}

/// Where whoever logged out is led: the page knows whether there is something to end elsewhere too.
pub(crate) fn logged_out(method: Option<&str>) -> String {
    let notice = match method {
        Some(provider::METHOD) => LoginNotice::LoggedOutHere,
        _ => LoginNotice::LoggedOut,
    };
    format!("/login?why={}", notice.code())
}

#[derive(Deserialize)]
pub(crate) struct LoginQuery {
    return_to: Option<String>,
    why: Option<String>,
}

/// `GET /login`.
pub(crate) async fn show(
    State(app): State<App>,
    Query(query): Query<LoginQuery>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let cookie = Cookie::Session.read(&app, &headers);
    let timed_out = match cookie {
        Some(token) if !token.is_empty() => app.find_session(&token).await?.is_none(),
        _ => false,
    };
    let why = query.why.as_deref().and_then(LoginNotice::parse);
    let notice = why.or_else(|| timed_out.then_some(LoginNotice::TimedOut));
    let elsewhere = match (notice, &app.provider) {
        (Some(LoginNotice::LoggedOutHere), Some(provider)) => {
            provider.log_out_address(&app.public_url).await
        }
        _ => None,
    };
    let return_to = query
        .return_to
        .and_then(|wanted| own_path::parse(&app, &wanted));
    let (csrf, set_cookie) = form_token(&app, &headers)?;
    let view = LoginView {
        return_to: return_to.unwrap_or_default(),
        csrf,
        notice,
        elsewhere,
        ..view_of(&app)
    };
    Ok(([(SET_COOKIE, set_cookie)], page::show(&app.look, view)).into_response())
}

/// The token of a form for somebody who is not logged in: the one that the browser has, so that several pages can be
/// open, or a new one.
pub(crate) fn form_token(
    app: &App,
    headers: &HeaderMap,
) -> Result<(String, HeaderValue), NoRandomness> {
    let is_ours =
        |token: &String| token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit());
    let token = match Cookie::Form.read(app, headers).filter(is_ours) {
        Some(token) => token,
        None => token::random()?,
    };
    let header = Cookie::Form.set(app, &token);
    Ok((token, header))
}

/// `POST /login`.
pub(crate) async fn log_in(
    State(app): State<App>,
    address: Option<Extension<ConnectInfo<SocketAddr>>>,
    request: Request,
) -> Result<Response, Trouble> {
    let headers = request.headers().clone();
    let Anonymous(mut fields) = match Anonymous::from_request(request, &app).await {
        Ok(form) => form,
        Err(response) => return Ok(response),
    };
    let mut take = |name: &str| fields.remove(name).unwrap_or_default();
    let password = Zeroizing::new(take("password"));
    let view = LoginView {
        username: take("username"),
        return_to: own_path::parse(&app, &take("return_to")).unwrap_or_default(),
        csrf: take("csrf"),
        ..view_of(&app)
    };
    if !view.passwords {
        return Ok(problem::not_found(&app, None));
    }
    let refuse = |view, problem| {
        let problem = Some(problem);
        Ok(page::show(&app.look, LoginView { problem, ..view }))
    };
    let username = as_typed(&view.username);
    if username.is_empty() || password.is_empty() {
        let missing = LoginProblem::Missing {
            username: username.is_empty(),
            password: password.is_empty(),
        };
        return refuse(view, missing);
    }
    let peer = address.map(|Extension(ConnectInfo(address))| address.ip());
    let network = ui::caller::network(peer, app.address_header.as_ref(), &headers);
    let attempt = Attempt::new(&username, network);
    if !attempt.is_allowed(&app).await? {
        tracing::warn!(code = "too-many-attempts", "a log-in was refused");
        return refuse(view, LoginProblem::TooOften);
    }
    let found = app.find_login(&username).await?;
    let (employee, hash) = found.unzip();
    let is_right = app.passwords.is_right(password, hash.flatten()).await?;
    let Some(employee) = employee.filter(|_| is_right) else {
        attempt.keep_that_it_was_wrong(&app).await?;
        tracing::info!(code = "wrong-pair", "a log-in was refused");
        return refuse(view, LoginProblem::WrongPair);
    };

    let entered = Entered {
        employee: &employee,
        method: "password",
        return_to: &view.return_to,
    };
    enter(&app, &headers, attempt.forget(), entered).await
}

/// What the page offers here.
fn view_of(app: &Parts) -> LoginView {
    let provider = app.provider.as_ref();
    LoginView {
        provider: provider.map(|provider| provider.name.clone()),
        passwords: provider.is_none_or(|provider| provider.passwords),
        ..LoginView::default()
    }
}

/// Somebody whose log-in is right.
pub(crate) struct Entered<'a> {
    pub(crate) employee: &'a Employee,
    /// How they proved who they are.
    pub(crate) method: &'static str,
    /// Where they wanted to go, or nothing.
    pub(crate) return_to: &'a str,
}

/// A new session, whatever this browser had: nobody gets into one whose cookie they planted (fixation), and what
/// somebody else verified does not carry over.
pub(crate) async fn enter(
    app: &App,
    headers: &HeaderMap,
    mut batch: Vec<Statement>,
    entered: Entered<'_>,
) -> Result<Response, Trouble> {
    if let Some(token) = Cookie::Session.read(app, headers) {
        app.end_session(&token::digest_of(&token)).await?;
    }
    let (token, csrf) = (token::random()?, token::random()?);
    let Entered {
        employee,
        method,
        return_to,
    } = entered;
    batch.extend(employee.at_desk(&app.desk));
    batch.extend([
        rows::insert(&token, &employee.id, &csrf, method, app.now()),
        Act::own(Kind::LogIn, &employee.id)
            .with(method)
            .statement(app.now()),
    ]);
    app.store.write(batch).await?;
    tracing::info!(method, "somebody logged in");
    let on = if return_to.is_empty() { "/" } else { return_to };
    let cookie = [(SET_COOKIE, Cookie::Session.set(app, &token))];
    Ok((cookie, Redirect::to(on)).into_response())
}
