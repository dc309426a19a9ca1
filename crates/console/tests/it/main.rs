//! The console's integration tests, one binary for all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod again;
#[allow(dead_code)] // the gateway's tests use what is left
#[path = "../../../gateway/tests/it/authority.rs"]
mod authority;
mod certificates;
mod checklist;
mod custody;
#[allow(dead_code)] // the store's tests use what is left
#[path = "../../../store/tests/it/database.rs"]
mod database;
mod desk;
mod fetch_hosts;
mod hostile_console;
#[allow(dead_code)] // the connector's tests use what is left
#[path = "../../../gateway/tests/it/key_folder.rs"]
mod key_folder;
mod log_in;
mod operators;
mod pages;
mod registry;
#[path = "../../../gateway/tests/it/said.rs"]
mod said;
