//! The test wallet: library, page and every way of misbehaving.
