//! The desk against the real gateway and a test wallet, on both engines.

mod browser;
mod door;
mod identity;
mod world;
