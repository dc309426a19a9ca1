//! The reference external system: a staff portal that uses the connector.
//!
//! An employee logs in, sees what can go into the wallet, checks it, proves who they are, adds it, and is told when
//! a credential is cancelled. Each slice is one thing that a person wants; its page, its template and its handler
//! stand together. Every text is in `words/en.ftl`.

mod added;
mod again;
mod app;
mod applies;
mod audit;
mod compose;
pub mod config;
mod confirm;
mod credential;
mod credential_state;
mod credential_type;
mod employees;
mod feed;
mod home;
mod hr;
mod identity;
mod import;
mod language;
mod list;
mod login;
mod look;
mod lost_phone;
mod mail;
mod not_applicable;
mod own_path;
mod problem;
mod progress;
mod records;
mod returned;
mod routes;
mod session;
pub mod staff;
#[doc(hidden)]
pub mod states;
mod to_look_at;
mod to_tell;
mod token;
mod trouble;
mod visit;

pub use applies::RuleConfig;
pub use compose::{ComposeError, MIGRATIONS, Portal, Surroundings};
pub use config::Config;
pub use feed::{Accept, Fault, FeedError, Taken};
pub use staff::Staff;
