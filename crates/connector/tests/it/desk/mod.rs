//! The desk against the real gateway and a test wallet, on both engines.

mod browser;
mod callbacks;
pub(crate) mod door;
mod identity;
mod issuing;
mod tidying;
pub(crate) mod world;
