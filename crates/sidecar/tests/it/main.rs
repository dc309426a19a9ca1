//! The sidecar by its API: an external system, its browsers, a test wallet, and the real gateway behind it.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code)] // the store's tests use what is left
#[path = "../../../connector/tests/it/desk/browser.rs"]
mod browser;
mod caller;
mod changes;
#[allow(dead_code)] // the gateway's tests use what is left
#[path = "../../../gateway/tests/it/collector.rs"]
mod collector;
#[allow(dead_code)]
#[path = "../../../store/tests/it/database.rs"]
mod database;
mod description;
mod events;
mod hostile_caller;
mod idempotency;
mod issuing;
#[allow(dead_code)] // the connector's tests use what is left
#[path = "../../../gateway/tests/it/key_folder.rs"]
mod key_folder;
mod mails;
mod person_data;
mod reviewing;
#[path = "../../../gateway/tests/it/said.rs"]
mod said;
mod states;
mod traces;
mod verifying;
mod world;
