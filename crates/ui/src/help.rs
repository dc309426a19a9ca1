//! The page that every footer's Help link leads to.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::routing::get;

use crate::{Brand, Page, render};

pub(crate) const PATH: &str = "/help";

#[derive(Template)]
#[template(path = "help.html")]
struct Help {
    page: Page,
}

pub(crate) fn router<S>(brand: &Arc<Brand>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let page = Page::new(brand, "Help");
    let answer = move || async move { render(&Help { page }) };
    Router::new().route(PATH, get(answer))
}
