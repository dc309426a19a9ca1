//! What the person can add to the wallet, and what is there already.

pub(crate) mod page;
