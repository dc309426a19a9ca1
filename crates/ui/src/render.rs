//! From a template to an answer.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::headers::Policy;

/// A page whose forms stay on its own origin.
pub fn render(template: &impl Template) -> Response {
    render_with(StatusCode::OK, template, &Policy::new())
}

/// A page with another status, or whose forms may be answered by a redirect elsewhere.
pub fn render_with(status: StatusCode, template: &impl Template, policy: &Policy) -> Response {
    let mut response = match template.render() {
        Ok(html) => (status, html).into_response(),
        // Our own values failed to print themselves: nothing the person did.
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            let text = "There is a problem with the service. Try again later.";
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    };
    if response.status() == status {
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
    }
    policy.apply(response.headers_mut());
    response
}
