//! The page that every footer's Help link leads to.

use askama::Template;
use axum::Router;
use axum::routing::get;

use crate::{Page, render};

pub(crate) const PATH: &str = "/help";
pub(crate) const TITLE: &str = "Help";

#[derive(Template)]
#[template(path = "help.html")]
struct Help {
    page: Page,
}

pub(crate) fn router<S>(page: Page) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let answer = move || async move { render(&Help { page }) };
    Router::new().route(PATH, get(answer))
}
