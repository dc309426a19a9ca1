//! The standard's statements that bind an external system, each held by a test that is named by its id: the real portal,
//! gateway, wallet and mail server, and the record of what went between them.

pub(crate) mod wire;
