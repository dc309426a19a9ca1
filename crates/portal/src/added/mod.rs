//! What became of a credential that the person wanted in the wallet.

pub(crate) mod page;
