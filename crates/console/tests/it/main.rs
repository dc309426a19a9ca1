//! The console's integration tests, one binary for all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[allow(dead_code)] // the store's tests use what is left
#[path = "../../../store/tests/it/database.rs"]
mod database;
mod custody;
mod desk;
mod log_in;
