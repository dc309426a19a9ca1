//! The catcher as a sender and as a reader meet it.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, missing_docs)]
