//! The credential gateway: an OpenID Connect provider in front, a verifier and credential issuer behind.

pub mod store;
