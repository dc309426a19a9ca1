//! The connector against a small OpenID provider written for these tests, which keeps the contract
//! until a test tells it to break one rule.
#![allow(clippy::unwrap_used, missing_docs)]

mod hostile_callback;
mod hostile_id_token;
mod hostile_transport;
mod issue;
mod provider;
mod revoke;
mod verify;
