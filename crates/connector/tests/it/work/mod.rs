//! What the desk does behind the pages, against the real gateway, a real mail server and both databases.

mod asked;
mod asked_to;
mod erasing;
mod late;
mod mails;
mod revocations;
mod unknown;
mod world;
