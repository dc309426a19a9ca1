//! The person checks exactly what the credential will say.

pub(crate) mod page;
