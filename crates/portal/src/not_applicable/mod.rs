//! The staff passport does not apply to this person.

pub(crate) mod page;
