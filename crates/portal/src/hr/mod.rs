//! The sandbox's HR office: a record is changed, ended or deleted, and what was issued from it is revoked by the same
//! batch. On loopback addresses only, and without a log-in.

mod audit;
pub(crate) mod audit_page;
pub(crate) mod lists;
mod overview;
pub(crate) mod page;
mod person;
pub(crate) mod person_page;
mod record;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};

use crate::app::App;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/hr", get(overview::show))
        .route("/hr/audit", get(audit::show))
        .route("/hr/audit.csv", get(audit::export))
        .route("/hr/records/{id}", get(record::show).post(record::save))
        .route("/hr/records/{id}/end", post(record::end))
        .route("/hr/records/{id}/delete", post(record::delete))
        .route(
            "/hr/employees/{username}",
            get(person::show).post(person::save),
        )
        // No page whose host name points here reads it (DNS rebinding).
        .layer(from_fn(ui::local::loopback_only))
}
