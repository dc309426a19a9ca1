//! The way back from the gateway.

pub(crate) mod page;
