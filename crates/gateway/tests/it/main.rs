//! The gateway's integration tests, one binary for all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod abroad;
#[allow(dead_code)] // the store's tests use what is left
#[path = "../../../store/tests/it/database.rs"]
mod database;
mod description;
mod dialects;
mod every_answer;
mod foreign_issuer;
mod hostile_access_token;
mod hostile_authorize;
mod hostile_browser_and_wallet;
mod hostile_client;
mod hostile_client_keys;
mod hostile_clock;
mod hostile_corners;
mod hostile_credential_request;
mod hostile_flood;
mod hostile_hint;
mod hostile_offer;
mod hostile_outbound;
mod hostile_par;
mod hostile_presentation;
mod hostile_redirect;
mod hostile_revocation;
mod hostile_several_types;
mod hostile_short_code;
mod hostile_slow;
mod hostile_tenant;
mod hostile_token;
mod hostile_transaction_code;
mod hostile_two_wallets;
mod hostile_types;
mod hostile_unpushed;
mod hostile_wallet_response;
mod hostile_webhook;
mod id_tokens;
mod interop_openidconnect;
mod journeys;
mod kept_secret;
mod keyed;
mod languages;
mod openid_connect;
mod outcome;
mod page_states;
mod privacy;
mod public_documents;
mod raw_wallet;
mod receiver;
mod registrations;
mod scenes;
mod several_types;
mod status_lists;
mod waiting_page;
mod webhook;
mod world;
