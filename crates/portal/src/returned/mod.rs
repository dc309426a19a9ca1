//! The way back from the gateway.

pub(crate) mod page;

/// Where the gateway sends the browser back to, as it is registered there.
pub(crate) const PATH: &str = "/callback";
