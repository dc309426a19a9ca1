//! The first page after logging in.

pub(crate) mod page;

use axum::response::Response;

use crate::visit::Visit;
use page::HomeView;

/// `GET /`.
pub(crate) async fn show(visit: Visit) -> Response {
    let view = HomeView {
        passport_applies: visit.app.applies_to(&visit.employee),
        is_hr: visit.is_hr(),
    };
    page::show(&visit.app.look, &visit.visitor(), view)
}
