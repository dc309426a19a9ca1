//! Adding a credential once more: the old copy is to be deleted first.

pub(crate) mod page;
