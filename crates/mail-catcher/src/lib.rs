//! A mail system for tests: takes mail by SMTP, keeps it, shows it, sends nothing on. Not for real people: whoever
//! reaches its pages reads every message.
//!
//! [`Catcher`] keeps the messages in a folder, [`Catcher::serve_smtp`] takes them, [`http::router`] shows them.
//!
//! # SMTP
//!
//! [RFC 5321] with `PIPELINING`, `8BITMIME`, `SMTPUTF8` and `SIZE` (1 MiB); no TLS and no log-in, since it is for the
//! loopback interface. Every recipient is taken. A message is on disk before it is acknowledged.
//! [`Catcher::serve_smtp_by_login`] demands `STARTTLS` and `AUTH` (`PLAIN`, `XOAUTH2`), to see that a sender can do that.
//!
//! [`notify`] is a stand-in for GOV.UK Notify, whose messages are kept beside those that came by SMTP.
//!
//! # HTTP
//!
//! | request | answer |
//! |---|---|
//! | `GET /` | the messages, newest first |
//! | `GET /messages/{id}` | one message: headers and text, both as text |
//! | `GET /api/messages` | a list of [`Mail`], oldest first |
//! | `DELETE /api/messages` | 204: there are none any more |
//! | `GET /api/misbehave` | `{fault}`: the present one, or `null` |
//! | `POST /api/misbehave` `{fault}` | `{fault}`; the faults are [`Fault`]'s, `null` behaves again |
//!
//! Errors are `{"error": code, "message": sentence}`. The API answers only under a loopback host name.

mod catcher;
mod fault;
mod folder;
pub mod http;
mod kept;
mod mail;
pub mod notify;
mod smtp;

pub use catcher::{Catcher, Clock};
pub use fault::Fault;
pub use folder::OpenError;
pub use mail::Mail;
pub use smtp::{Demand, Login};
