//! Comma-separated values, read as they are written and not as they might be meant. [RFC 4180 2]
//!
//! A quote in the wrong place can swallow the rows after it, and what they say is then lost without a word: a feed that
//! tells of ended records is no text to be read with indulgence. So a value has quotes around it or none in it, and a row
//! that is not so is told by its line. Where nobody can know in which line such a row ends, nothing after it is read.
//!
//! Read besides what the RFC has: lines that end with LF or CR alone, space around a value in quotes, lines with nothing in
//! them (which are no rows), and a byte order mark, since spreadsheets write these.

use std::io::{self, BufRead};

/// A row, and the line in which it begins.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Counted from 1, as an editor counts.
    pub line: u64,
    /// Its values, without their quotes. At least one.
    pub values: Vec<String>,
}

/// Why there is no row.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The row in this line is not as it should be; the next begins in the line after it.
    #[error("{reason}")]
    Malformed {
        /// Counted from 1.
        line: u64,
        /// What is wrong, without a value.
        reason: &'static str,
    },
    /// A quote goes over the end of its line and is not closed as it should be. Nothing after it is read.
    #[error("a quote that opens here is not closed as it should be")]
    Open {
        /// Where it opens.
        line: u64,
    },
    /// A row is longer than may be. Nothing after it is read.
    #[error("the row is too long")]
    Long {
        /// Where it begins.
        line: u64,
    },
    /// The text itself could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl RowError {
    /// Whether nothing can be read after it.
    #[must_use]
    pub fn is_last(&self) -> bool {
        !matches!(self, Self::Malformed { .. })
    }
}

/// The rows of a text.
pub struct Rows<R> {
    text: R,
    longest: usize,
    /// Lines that were read.
    lines: u64,
    /// One line.
    bytes: Vec<u8>,
}

impl<R: BufRead> Rows<R> {
    /// Of this text; a row may have so many bytes.
    pub fn new(text: R, longest: usize) -> Self {
        Self {
            text,
            longest,
            lines: 0,
            bytes: Vec::new(),
        }
    }

    /// The next row; `None` after the last.
    ///
    /// # Errors
    /// [`RowError`]. After one that [is the last](RowError::is_last) there is nothing to ask for.
    pub fn next_row(&mut self) -> Result<Option<Row>, RowError> {
        let mut row = Reader::default();
        let (mut begins, mut left) = (self.lines + 1, self.longest);
        loop {
            let is_long = !self.next_line(left)?;
            if self.bytes.is_empty() {
                return match row.at {
                    At::Quoted => Err(RowError::Open { line: row.opened }),
                    _ => Ok(None),
                };
            }
            self.lines += 1;
            if is_long {
                return Err(RowError::Long { line: begins });
            }
            left -= self.bytes.len();
            let bytes = match self.bytes.strip_prefix(b"\xEF\xBB\xBF") {
                Some(bytes) if self.lines == 1 => bytes,
                _ => &self.bytes,
            };
            match row.read(bytes, self.lines) {
                Ok(()) if row.at == At::Quoted => {}
                Ok(()) if row.is_blank() => {
                    row = Reader::default();
                    (begins, left) = (self.lines + 1, self.longest);
                }
                Ok(()) => return row.end(begins).map(Some),
                // Of its quotes one has gone over a line: whether it should have, nobody knows.
                Err(_) if begins < self.lines => {
                    return Err(RowError::Open { line: row.opened });
                }
                Err(reason) => return Err(malformed(begins, reason)),
            }
        }
    }

    /// Reads one line with its end; nothing at the end of the text. False if it is longer than `most`.
    fn next_line(&mut self, most: usize) -> io::Result<bool> {
        self.bytes.clear();
        loop {
            let at_hand = self.text.fill_buf()?;
            if at_hand.is_empty() {
                return Ok(self.bytes.len() <= most);
            }
            // LF after CR is of the same end.
            if self.bytes.last() == Some(&b'\r') {
                if at_hand[0] == b'\n' {
                    self.bytes.push(b'\n');
                    self.text.consume(1);
                }
                return Ok(self.bytes.len() <= most);
            }
            let end = at_hand
                .iter()
                .position(|byte| matches!(byte, b'\n' | b'\r'));
            let length = end.map_or(at_hand.len(), |at| at + 1);
            let ends = end.is_some_and(|at| at_hand[at] == b'\n');
            self.bytes.extend_from_slice(&at_hand[..length]);
            self.text.consume(length);
            if ends || self.bytes.len() > most {
                return Ok(self.bytes.len() <= most);
            }
        }
    }
}

/// Where the reader is within a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// Nothing but space has come.
    #[default]
    Start,
    Plain,
    Quoted,
    /// After the closing quote, or the first of two.
    Closed,
}

/// A row under way.
#[derive(Default)]
struct Reader {
    at: At,
    /// In which line the last quote was opened.
    opened: u64,
    values: Vec<Vec<u8>>,
    value: Vec<u8>,
}

impl Reader {
    /// Reads one line. After it, the row is at its end or within quotes.
    fn read(&mut self, bytes: &[u8], line: u64) -> Result<(), &'static str> {
        for &byte in bytes {
            match (self.at, byte) {
                (At::Quoted, b'"') => self.at = At::Closed,
                (At::Quoted, _) | (At::Start, b' ' | b'\t') => self.value.push(byte),
                (At::Closed, b'"') => {
                    self.value.push(b'"');
                    self.at = At::Quoted;
                }
                (_, b',') => self.end_value(),
                (_, b'\n' | b'\r') => break,
                (At::Closed, b' ' | b'\t') => {}
                (At::Closed, _) => return Err("something follows a closing quote"),
                (At::Start, b'"') => {
                    self.value.clear();
                    (self.at, self.opened) = (At::Quoted, line);
                }
                (At::Plain, b'"') => {
                    return Err("a quote stands within a value that has none around it");
                }
                (At::Start | At::Plain, _) => {
                    self.value.push(byte);
                    self.at = At::Plain;
                }
            }
        }
        if self.at != At::Quoted {
            self.end_value();
        }
        Ok(())
    }

    fn end_value(&mut self) {
        self.values.push(std::mem::take(&mut self.value));
        self.at = At::Start;
    }

    fn is_blank(&self) -> bool {
        matches!(self.values.as_slice(), [one] if one.trim_ascii().is_empty())
    }

    fn end(self, begins: u64) -> Result<Row, RowError> {
        let values = self.values.into_iter().map(String::from_utf8);
        Ok(Row {
            line: begins,
            values: values
                .collect::<Result<_, _>>()
                .map_err(|_| malformed(begins, "the row is not UTF-8"))?,
        })
    }
}

const fn malformed(line: u64, reason: &'static str) -> RowError {
    RowError::Malformed { line, reason }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::BufReader;

    use super::*;

    /// The rows of a text that comes in parts of so many bytes, and what came instead of rows.
    fn read(text: &[u8], part: usize) -> (Vec<(u64, Vec<String>)>, Vec<String>) {
        let mut rows = Rows::new(BufReader::with_capacity(part, text), 64);
        let (mut read, mut errors) = (Vec::new(), Vec::new());
        loop {
            match rows.next_row() {
                Ok(None) => return (read, errors),
                Ok(Some(row)) => read.push((row.line, row.values)),
                Err(error) => {
                    errors.push(match &error {
                        RowError::Malformed { line, reason } => format!("{line}: {reason}"),
                        RowError::Open { line } => format!("{line}: open"),
                        RowError::Long { line } => format!("{line}: long"),
                        RowError::Io(_) => error.to_string(),
                    });
                    if error.is_last() {
                        return (read, errors);
                    }
                }
            }
        }
    }

    fn row(line: u64, values: &[&str]) -> (u64, Vec<String>) {
        let values = values.iter().map(|value| (*value).to_owned());
        (line, values.collect())
    }

    #[test]
    fn a_row_is_read_as_rfc_4180_writes_it_and_knows_its_line() {
        for end in ["\n", "\r\n", "\r"] {
            let text = "\u{FEFF}a,b,c\n1, two ,\"3, \"\"three\"\"\"\n\n \n\"x\ny\", \"\" ,\" z\"\t\nlast,row,";
            for text in [text.to_owned(), format!("{text}\n")] {
                let text = text.replace('\n', end);
                let within = format!("x{end}y");
                for part in [1, 2, 3, 7, 100] {
                    let (rows, errors) = read(text.as_bytes(), part);
                    assert_eq!(errors, [""; 0], "{text:?}");
                    assert_eq!(
                        rows,
                        [
                            row(1, &["a", "b", "c"]),
                            row(2, &["1", " two ", "3, \"three\""]),
                            row(5, &[&within, "", " z"]),
                            row(7, &["last", "row", ""]),
                        ],
                        "{text:?} {part}"
                    );
                }
            }
        }
        assert_eq!(read(b"", 8), (vec![], vec![]));
        assert_eq!(read(b"\n\r\n", 8), (vec![], vec![]));
        assert_eq!(read(b"a", 8).0, [row(1, &["a"])]);
        assert_eq!(read(b"\"a\"", 8).0, [row(1, &["a"])]);
    }

    #[test]
    fn a_row_that_is_not_as_it_should_be_is_told_by_its_line_and_the_next_is_read() {
        for (text, reason) in [
            (
                &b"a\r\n\r\n5\" pipe,x\r\nlast"[..],
                "a quote stands within a value that has none around it",
            ),
            (
                b"a\r\n\r\n\"5\"\" pipe\"x\"\r\nlast",
                "something follows a closing quote",
            ),
            (b"a\r\n\r\n\xff\r\nlast", "the row is not UTF-8"),
        ] {
            for part in [1, 100] {
                let (rows, errors) = read(text, part);
                assert_eq!(rows, [row(1, &["a"]), row(4, &["last"])]);
                assert_eq!(errors, [format!("3: {reason}")]);
            }
        }
    }

    /// What stands between two quotes that do not belong together is lost to nobody in silence.
    #[test]
    fn nothing_is_read_after_a_quote_that_is_not_closed_as_it_should_be() {
        for (text, line) in [
            (&b"a\nchanged,\"1\ndeleted,2\nchanged,\"3\"\nb"[..], 2),
            (b"a\nchanged,\"1\ndeleted,2\n", 2),
            (b"a\n\"x\ny\",\"open\nb", 3),
            (b"a\n\"x\ny\",z\"\nb", 2),
            (b"a\n\"", 2),
        ] {
            for part in [1, 100] {
                let (rows, errors) = read(text, part);
                assert_eq!(rows, [row(1, &["a"])]);
                assert_eq!(errors, [format!("{line}: open")], "{text:?}");
            }
        }
    }

    /// SEC-34.
    #[test]
    fn a_row_without_end_is_not_kept_in_memory() {
        let long = "x".repeat(64);
        let fits = format!("a\n{}\n{}\n", &long[1..], &long[1..]);
        assert_eq!(read(fits.as_bytes(), 8).0.len(), 3);
        for text in [
            format!("a\n{long}x"),
            format!("a\n\"{}\n{}", &long[40..], &long[24..]),
        ] {
            let (rows, errors) = read(text.as_bytes(), 8);
            assert_eq!(
                (rows, errors),
                (vec![row(1, &["a"])], vec!["2: long".to_owned()])
            );
        }
    }
}
