//! The connector against a small OpenID provider written for these tests, which keeps the contract
//! until a test tells it to break one rule.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code)] // the store's tests use what is left
#[path = "../../../store/tests/it/database.rs"]
mod database;
mod desk;
mod hostile_callback;
mod hostile_id_token;
mod hostile_transport;
mod independent;
mod issue;
#[path = "../../../gateway/tests/it/key_folder.rs"]
mod key_folder;
mod outcome;
#[path = "../../../lanyard/tests/it/ports.rs"]
mod ports;
mod provider;
mod revoke;
#[path = "../../../gateway/tests/it/said.rs"]
mod said;
mod verify;
mod work;
