//! The admin API put together: every slice's routes and two-person acts, in one place.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;

use crate::{Gateway, admin, operator};

impl Gateway {
    /// What operators and their programs call. For a listener of its own, never for the public one (SEC-13).
    pub fn admin_router(&self) -> Router {
        let routes = admin::Routes::new()
            .and(operator::routes())
            .and(admin::proposal_routes())
            .and(admin::audit_routes());
        let acts = operator::acts(admin::Acts::default());
        Arc::clone(&self.door).router(&self.live, routes, acts)
    }

    /// How often the account for emergencies was used since this process began.
    pub fn break_glass_uses(&self) -> u64 {
        self.door.break_glass_uses.load(Ordering::Relaxed)
    }
}
