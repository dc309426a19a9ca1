//! Hostile input for every parser that reads something from outside, on both faces of the house.
//!
//! A [`Target`] is a plain function over bytes: it feeds them to one party's parsers and panics when a promise
//! does not hold, not only when a parser panics. Two programs call it: the fuzzer (`cargo xtask fuzz`), which makes
//! up input for as long as it is let, and an ordinary test, which replays the committed corpus with every change.
//!
//! A parser that wants a signature is reached twice: with the bytes as they are, which must never be believed,
//! and with the bytes as the content of a token that is signed as it should be, so that what comes after the
//! signature is reached, too.

mod door;
mod scene;
pub mod targets;

pub use targets::{TARGETS, Target, find};
