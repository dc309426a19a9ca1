//! Standard output, whose reader may go before everything is said (`| head`).

use std::fmt;
use std::io::{self, ErrorKind, Write as _};

use anyhow::Context as _;

/// The reader of standard output has gone: there is nothing more to say, and nothing is wrong.
#[derive(Debug)]
pub struct ReaderGone;

impl fmt::Display for ReaderGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads on")
    }
}

impl std::error::Error for ReaderGone {}

/// Writes one line.
pub fn say(line: impl fmt::Display) -> anyhow::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        written => written.context("standard output cannot be written"),
    }
}
