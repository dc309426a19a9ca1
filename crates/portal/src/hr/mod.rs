//! The sandbox's HR office: records are changed, ended and deleted here.

pub(crate) mod page;
