//! Every address of the portal.

use axum::Router;

use crate::app::App;

/// Everything the portal serves.
pub(crate) fn router(app: &App) -> Router {
    let _ = app;
    Router::new()
}
