//! The crate from outside: its markup, its assets, what it answers.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod markup;
mod serving;
mod vendored;
