//! The desk against the real gateway and a test wallet, on both engines.

pub(crate) mod browser;
mod callbacks;
pub(crate) mod door;
mod identity;
mod issuing;
mod review;
mod tidying;
pub(crate) mod world;
