//! The gateway's integration tests, one binary for all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod database;
mod dialects;
mod foreign_issuer;
mod hostile_authorize;
mod hostile_corners;
mod hostile_credential_request;
mod hostile_offer;
mod hostile_outbound;
mod hostile_par;
mod hostile_presentation;
mod hostile_revocation;
mod hostile_token;
mod hostile_wallet_response;
mod journeys;
mod public_documents;
mod raw_wallet;
mod scenes;
mod store;
mod store_engines;
mod waiting_page;
mod world;
