//! How long a person stays logged in, and the warning before the end.

pub(crate) mod page;
