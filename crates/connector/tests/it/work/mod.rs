//! What the desk does behind the pages, against the real gateway, a real mail server and both databases.

mod asked;
mod asked_to;
mod by_notify;
mod erasing;
mod holds;
mod in_order;
mod late;
mod login;
mod mails;
mod notify;
mod reconciling;
mod revocations;
mod simulators;
mod unknown;
mod world;
