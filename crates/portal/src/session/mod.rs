//! How long a person stays logged in, and the warning before the end.

pub(crate) mod cookie;
pub(crate) mod page;
pub(crate) mod rows;
