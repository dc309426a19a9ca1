//! The gateway's integration tests, one binary for all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod database;
mod hostile_outbound;
mod store;
