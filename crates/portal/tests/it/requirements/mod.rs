//! The standard's statements that bind an external system, each held by a test that is named by its id: the real portal,
//! gateway, wallet and mail server, and the record of what went between them.

mod again;
mod believing;
#[allow(dead_code)] // the browser's tests use what is left
pub(crate) mod cheat;
mod client;
mod confirming;
mod entering;
mod failing;
mod front_channel;
mod identifying;
mod matching;
mod reading;
mod returning;
mod revoking;
#[allow(dead_code)] // the browser's tests use what is left
pub(crate) mod wire;
