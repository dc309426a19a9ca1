//! Pages for what went wrong.

pub(crate) mod page;
