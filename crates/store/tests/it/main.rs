//! The store's tests, one binary for all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod batches;
mod copies;
#[allow(dead_code)] // other crates' tests use what is left
mod database;
mod elsewhere;
mod engines;
mod full;
