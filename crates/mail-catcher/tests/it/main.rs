//! The catcher as a sender and as a reader meet it.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, missing_docs)]

mod abrupt_end;
mod faults;
mod login;
mod mailbox;
mod notify;
mod protocol;
mod reading;
mod sending;
