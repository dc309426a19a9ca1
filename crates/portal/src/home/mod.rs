//! The first page after logging in.

pub(crate) mod page;
