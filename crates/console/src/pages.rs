//! Pages with the door in front of each: who looks, whether the role has the right, and that a form comes from a page of this
//! browser's. A page that is registered here can forget none of the three.

use axum::extract::Request;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::MethodRouter;
use axum::{Router, http::Uri};

use crate::cookie::{self, Cookie};
use crate::fields::Fields;
use crate::frame::Frame;
use crate::log_in;
use crate::problem::Problem;
use crate::trouble;
use crate::visit::{App, Guest, Visit};

/// The largest form without a file.
const LARGEST_FORM: usize = 64 * 1024;
/// The largest file that any form takes.
pub(crate) const LARGEST_FILE: usize = 8 * 1024 * 1024;

/// A page as tests walk it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Its address, as it is routed: `/console/operators/{operator}`.
    pub path: &'static str,
    /// The right that it asks for, by its code. `None`: whoever is logged in.
    pub right: Option<&'static str>,
    /// Whether it is for whoever is not logged in.
    pub open: bool,
}

/// Pages, each with the right that it asks for.
#[derive(Default)]
pub(crate) struct Pages {
    router: Router,
    pub(crate) known: Vec<Known>,
}

#[derive(Clone, Copy)]
struct Asks {
    right: Option<&'static str>,
    most: usize,
}

impl Pages {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A page to look at: `get(handler)`. `right` is the code of the admin API's right, or nothing.
    #[must_use]
    pub(crate) fn show(
        self,
        path: &'static str,
        right: impl Into<Option<&'static str>>,
        handler: MethodRouter,
    ) -> Self {
        self.with("GET", path, right.into(), LARGEST_FORM, handler)
    }

    /// What a form does: `post(handler)`, which takes [`Fields`].
    #[must_use]
    pub(crate) fn act(
        self,
        path: &'static str,
        right: impl Into<Option<&'static str>>,
        handler: MethodRouter,
    ) -> Self {
        self.with("POST", path, right.into(), LARGEST_FORM, handler)
    }

    /// The same of a form with a file.
    #[must_use]
    pub(crate) fn take_file(
        self,
        path: &'static str,
        right: impl Into<Option<&'static str>>,
        handler: MethodRouter,
    ) -> Self {
        self.with("POST", path, right.into(), LARGEST_FILE, handler)
    }

    fn with(
        mut self,
        method: &'static str,
        path: &'static str,
        right: Option<&'static str>,
        most: usize,
        handler: MethodRouter,
    ) -> Self {
        let asks = Asks { right, most };
        let guarded = handler.layer(from_fn(move |request, next| admit(asks, request, next)));
        self.router = self.router.route(path, guarded);
        self.known.push(Known {
            method,
            path,
            right,
            open: false,
        });
        self
    }

    /// A page for whoever is not logged in: its handlers take a [`Guest`].
    #[must_use]
    pub(crate) fn open(
        mut self,
        method: &'static str,
        path: &'static str,
        handler: MethodRouter,
    ) -> Self {
        self.router = self.router.route(path, handler.layer(from_fn(welcome)));
        self.known.push(Known {
            method,
            path,
            right: None,
            open: true,
        });
        self
    }

    /// Those of another slice as well.
    #[must_use]
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.router = self.router.merge(others.router);
        self.known.extend(others.known);
        self
    }

    pub(crate) fn into_router(self) -> Router {
        self.router
    }
}

/// What the router put around all pages.
fn app_of(request: &Request) -> Option<App> {
    request.extensions().get::<App>().cloned()
}

/// In front of the pages of whoever is logged in.
async fn admit(asks: Asks, mut request: Request, next: Next) -> Response {
    let Some(app) = app_of(&request) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let session = Visit::asks(&app, &request);
    let visit = match Visit::find(&app, session).await {
        Ok(Some(visit)) => visit,
        Ok(None) => return to_log_in(&app, request.method(), request.uri()),
        Err(problem) => return trouble::for_guest(&app, &problem),
    };
    let refused = match asks.right {
        Some(right) if !visit.may(right) => Err(Problem::forbidden()),
        _ => Ok(()),
    };
    let fields = match refused {
        Ok(()) => fields(&mut request, asks.most, &visit.csrf).await,
        Err(problem) => Err(problem),
    };
    let mut response = match fields {
        Ok(()) => {
            let uri = request.uri().clone();
            let method = request.method().clone();
            request.extensions_mut().insert(visit.clone());
            let response = next.run(request).await;
            let ended = response.extensions().get::<Problem>();
            if ended.is_some_and(|problem| problem.status == StatusCode::UNAUTHORIZED) {
                return to_log_in(&app, &method, &uri);
            }
            response
        }
        Err(problem) => problem.into_response(),
    };
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => {
            let frame = Frame::of_visit(&visit, "", String::new());
            trouble::show(&app.look, frame, &problem)
        }
        None => response,
    }
}

/// In front of the pages of whoever is not: their browser gets a secret for its forms, and keeps the one that it has, so that
/// several pages can be open.
async fn welcome(mut request: Request, next: Next) -> Response {
    let Some(app) = app_of(&request) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let sent = Cookie::Form.read(app.secure, request.headers());
    let sent = sent.filter(|secret| secret.len() == 43);
    let Some(secret) = sent.or_else(cookie::fresh) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let guest = Guest::new(&app, &request, &secret);
    let mut response = match fields(&mut request, LARGEST_FORM, &guest.csrf).await {
        Ok(()) => {
            request.extensions_mut().insert(guest);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = trouble::for_guest(&app, &problem);
    }
    let cookie = Cookie::Form.set(app.secure, &secret);
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

/// Reads the form into the request's extensions, where there is one.
async fn fields(request: &mut Request, most: usize, csrf: &str) -> Result<(), Problem> {
    if request.method() != Method::POST {
        return Ok(());
    }
    let headers = request.headers().clone();
    let mut body = Request::new(std::mem::take(request.body_mut()));
    *body.headers_mut() = headers.clone();
    *body.extensions_mut() = request.extensions().clone();
    let fields = Fields::read(&headers, body, most, csrf).await?;
    request.extensions_mut().insert(fields);
    Ok(())
}

/// And from there back to the page; what was in a form is not kept.
fn to_log_in(app: &App, method: &Method, uri: &Uri) -> Response {
    let wanted = uri.path_and_query().map_or("", |wanted| wanted.as_str());
    let wanted = if method == Method::GET { wanted } else { "" };
    let mut response = Redirect::to(&log_in::address(wanted)).into_response();
    let cookie: HeaderValue = Cookie::Session.clear(app.secure);
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}
