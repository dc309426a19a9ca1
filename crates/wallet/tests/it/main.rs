//! The test wallet against a small issuer and verifier written here, on loopback.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, missing_docs)]

mod issuer;
mod party;
mod presenting;
mod presenting_faults;
mod receiving;
mod receiving_faults;
mod verifier;
mod web;
