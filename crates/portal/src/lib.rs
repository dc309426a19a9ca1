//! The reference external system: a staff portal that uses the connector.
//!
//! An employee logs in, sees what can go into the wallet, checks it, proves who they are, adds it, and is told when
//! a credential is cancelled. Each slice is one thing that a person wants; its page, its template and its handler
//! stand together. Every text is in `words/en.ftl`.

mod added;
mod again;
mod confirm;
mod credential;
mod credential_state;
mod home;
mod hr;
mod identity;
mod list;
mod login;
mod look;
mod not_applicable;
mod problem;
mod returned;
mod session;
#[doc(hidden)]
pub mod states;
