//! Telling relying parties what happened: signed, numbered, until they have taken it. [Standard Webhooks]
//!
//! The events themselves are written by the steps that they report (`event`). This slice delivers them ([`deliver`]) and
//! lists them for a receiver that was away ([`list`]). The promise is *at least once, in order, with one id for one
//! event*: a repeat is known by its `webhook-id`, a loss by a gap in `sequence`.

mod content;
mod deliver;
mod described;
mod list;
mod rows;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::live::Live;
pub(crate) use deliver::{round, run};
pub(crate) use described::described;

/// The routes of this slice.
pub fn router() -> OpenApiRouter<Live> {
    OpenApiRouter::default()
        .routes(routes!(list::events))
        .routes(routes!(list::redeliver))
}
