//! The pages in a real browser: what the person sees, hears read out, can reach by keyboard, and where it leads.
//!
//! Each test has a sandbox, a relying party and a browser of its own; every state is brought about by what a wallet,
//! a clock or a person does. `LANYARD_PICTURES=1` leaves pictures
//! of all of them in `target/screens/`.

#![allow(clippy::unwrap_used)]

mod console_by_forms;
mod console_look;
mod console_shown;
mod console_stage;
mod driver;
mod example_portal;
mod gateway_look;
mod issue_pages;
mod keyboard;
mod look;
mod mail_pages;
mod notices;
mod portal_callbacks;
mod portal_changes;
mod portal_cheated;
mod portal_identity;
mod portal_look;
mod portal_person;
mod portal_requests;
mod portal_trouble;
mod portal_walk;
mod qr_code;
mod stage;
mod verify_pages;
mod wallet_pages;
mod webdriver;
mod without_javascript;
