//! The wallet over HTTP: an API for programs and pages for people.

mod api;
mod pages;
mod pending;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;

use crate::Wallet;

/// The largest body taken: a picture of a QR code.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

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
            brand: Arc::new(ui::Brand::neutral("Test wallet")),
        }
    }
}

/// Everything the wallet answers to, to be served on a loopback address. The API is described in [`crate`].
pub fn router(wallet: Wallet, options: PageOptions) -> Router {
    let PageOptions { brand } = options;
    Router::new()
        .merge(api::router(wallet.clone()))
        .merge(pages::router(wallet, &brand))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn(ui::local::refuse_other_sites))
}
