//! One credential: its state, its facts, and what can be done.

pub(crate) mod page;
