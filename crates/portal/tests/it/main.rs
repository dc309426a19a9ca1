//! The portal's tests.

mod catalogue;
mod pages;
