//! The mailbox over HTTP: an API for programs and pages for people.

mod api;
mod pages;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;

use crate::Catcher;

/// The largest body taken: the name of a fault.
const LARGEST_BODY: usize = 4 * 1024;

/// How the pages look.
#[derive(Clone, Debug)]
pub struct PageOptions {
    /// Name and colours.
    pub brand: Arc<ui::Brand>,
}

impl Default for PageOptions {
    /// The neutral brand.
    fn default() -> Self {
        Self {
            brand: Arc::new(ui::Brand::neutral("Test mail")),
        }
    }
}

/// Everything the catcher answers to, to be served on a loopback address. The API is described in [`crate`].
pub fn router(catcher: Catcher, options: PageOptions) -> Router {
    let PageOptions { brand } = options;
    Router::new()
        .merge(api::router(catcher.clone()))
        .merge(pages::router(catcher, &brand))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn(ui::local::refuse_other_sites))
        // The pages show all that the API tells.
        .layer(from_fn(ui::local::loopback_only))
}
