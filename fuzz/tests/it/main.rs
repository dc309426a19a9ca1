//! The corpus, replayed: every input that a fuzzer found worth keeping goes through its target again.

mod replay;
