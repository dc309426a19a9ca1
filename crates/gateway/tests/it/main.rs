//! The gateway's integration tests, one binary for all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod database;
mod dialects;
mod hostile_authorize;
mod hostile_outbound;
mod hostile_par;
mod hostile_revocation;
mod hostile_token;
mod journeys;
mod store;
mod store_engines;
mod waiting_page;
mod world;
