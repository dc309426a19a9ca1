//! The person proves who they are, once in a session.

pub(crate) mod page;
