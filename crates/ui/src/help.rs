//! The pages that every footer links to: Help, and the accessibility statement.

use askama::Template;
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;

use crate::{Page, render};

pub(crate) const PATH: &str = "/help";
pub(crate) const ACCESSIBILITY_PATH: &str = "/accessibility";

#[derive(Template)]
#[template(path = "help.html")]
struct Help {
    page: Page,
}

/// A draft, as far as it can be written before somebody runs the service (screens 3.1).
#[derive(Template)]
#[template(path = "accessibility.html")]
struct Accessibility {
    page: Page,
}

pub(crate) fn router<S>(
    frame: impl Fn(&HeaderMap, &str) -> Page + Clone + Send + Sync + 'static,
) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let titled = move |headers: &HeaderMap, path: &str, key: &str| {
        let page = frame(headers, path);
        let title = page.fixed(key);
        page.with_title(title)
    };
    let for_statement = titled.clone();
    let help = move |headers: HeaderMap| async move {
        let page = titled(&headers, PATH, "help");
        render(&Help { page })
    };
    let statement = move |headers: HeaderMap| async move {
        let page = for_statement(&headers, ACCESSIBILITY_PATH, "accessibility");
        render(&Accessibility { page })
    };
    Router::new()
        .route(PATH, get(help))
        .route(ACCESSIBILITY_PATH, get(statement))
}
