//! Logging in.

pub(crate) mod page;
