//! Logging in.

pub(crate) mod page;
pub(crate) mod password;
pub(crate) mod throttle;
