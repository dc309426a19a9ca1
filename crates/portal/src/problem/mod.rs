//! Pages for what went wrong.

pub(crate) mod page;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::app::App;
use crate::own_path;
use crate::token::is_reference;
use crate::visit::Visit;
use page::{Problem, ProblemView};

/// Where a person is led after the gateway could not be asked: loading it again asks nobody again.
pub(crate) fn path(reference: &str, from: &str) -> String {
    let from: String = url::form_urlencoded::byte_serialize(from.as_bytes()).collect();
    format!("/problem/{reference}?from={from}")
}

#[derive(Deserialize)]
pub(crate) struct From {
    from: Option<String>,
}

/// `GET /problem/{reference}`.
pub(crate) async fn show(
    State(app): State<App>,
    visit: Visit,
    Path(reference): Path<String>,
    Query(query): Query<From>,
) -> Response {
    if !is_reference(&reference) {
        return visit.not_found();
    }
    let view = ProblemView {
        problem: Problem::Service,
        reference: Some(reference),
        go_on: query.from.and_then(|from| own_path::parse(&app, &from)),
    };
    let mut response = page::show(&app.look, Some(&visit.visitor()), view);
    // It tells of another request's failure; this one is answered [DW-48].
    *response.status_mut() = StatusCode::OK;
    response
}

/// Whatever has no address of its own.
pub(crate) async fn nothing_here(
    State(app): State<App>,
    visit: Result<Visit, Response>,
) -> Response {
    let visitor = visit.ok().map(|visit| visit.visitor());
    not_found(&app, visitor.as_ref())
}

/// There is nothing, or nothing of this person's: which, is not said.
pub(crate) fn not_found(app: &App, visitor: Option<&crate::look::Visitor>) -> Response {
    let view = ProblemView {
        problem: Problem::NotFound,
        reference: None,
        go_on: None,
    };
    page::show(&app.look, visitor, view)
}

/// The form is not one of this session's.
pub(crate) fn too_old(app: &App, visitor: Option<&crate::look::Visitor>) -> Response {
    let view = ProblemView {
        problem: Problem::PageTooOld,
        reference: None,
        go_on: None,
    };
    page::show(&app.look, visitor, view)
}
