//! A file of serial numbers: one a line, or a table with a column for them.

use std::collections::BTreeSet;

use standards::csv::{RowError, Rows};
use uuid::Uuid;

/// The longest file: more than a million serial numbers.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// What the column may be called, without regard to case, spaces and hyphens.
const COLUMN: &str = "serialnumber";

/// The serial numbers of a file, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serials {
    /// In order.
    pub numbers: BTreeSet<Uuid>,
    /// How many lines named one that another had named already.
    pub repeated: usize,
}

/// Why a file is refused: whole, since one that is half right was not meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SerialsError {
    /// Not text, or too large.
    #[error("the file must be text of at most 64 MiB")]
    NotText,
    /// Nothing in it.
    #[error("the file holds no serial number")]
    Empty,
    /// A table whose header names no column of serial numbers.
    #[error("the first line is neither a serial number nor a header with the column serial_number")]
    NoColumn,
    /// A line is not as it should be.
    #[error("line {0} holds no serial number where one should be")]
    Line(u64),
}

impl SerialsError {
    /// A stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotText => "file-not-text",
            Self::Empty => "file-empty",
            Self::NoColumn => "file-without-column",
            Self::Line(_) => "file-line-malformed",
        }
    }
}

impl From<RowError> for SerialsError {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Malformed { line, .. } | RowError::Open { line } => Self::Line(line),
            // A file that is at hand has no row that is longer than itself.
            RowError::Long { .. } | RowError::Io(_) => Self::NotText,
        }
    }
}

impl Serials {
    /// Reads a file. Empty lines count for nothing.
    pub fn parse(file: &[u8]) -> Result<Self, SerialsError> {
        if file.len() > MOST_BYTES {
            return Err(SerialsError::NotText);
        }
        std::str::from_utf8(file).map_err(|_| SerialsError::NotText)?;
        let mut rows = Rows::new(file, MOST_BYTES);
        let mut serials = Self {
            numbers: BTreeSet::new(),
            repeated: 0,
        };
        let first = rows.next_row()?.ok_or(SerialsError::Empty)?;
        let column = match (Uuid::try_parse(first.values[0].trim()), first.values.len()) {
            (Ok(number), 1) => {
                serials.add(number);
                0
            }
            // A serial number with a slip in it is no header.
            (Err(_), 1) if !is_column(&first.values[0]) => {
                return Err(SerialsError::Line(first.line));
            }
            _ => {
                let named = first.values.iter().position(|name| is_column(name));
                named.ok_or(SerialsError::NoColumn)?
            }
        };
        while let Some(row) = rows.next_row()? {
            let number = row.values.get(column).map(|number| number.trim());
            let number = Uuid::try_parse(number.unwrap_or_default());
            serials.add(number.map_err(|_| SerialsError::Line(row.line))?);
        }
        if serials.numbers.is_empty() {
            return Err(SerialsError::Empty);
        }
        Ok(serials)
    }

    fn add(&mut self, number: Uuid) {
        if !self.numbers.insert(number) {
            self.repeated += 1;
        }
    }
}

fn is_column(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphabetic);
    letters.map(|c| c.to_ascii_lowercase()).eq(COLUMN.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10";
    const TWO: &str = "7d0f6a52-9d0e-4c55-8a39-0a2c7e0b1c44";

    fn parse(text: &str) -> Result<(usize, usize), SerialsError> {
        let serials = Serials::parse(text.as_bytes())?;
        Ok((serials.numbers.len(), serials.repeated))
    }

    #[test]
    fn one_a_line_and_a_table_are_read_and_what_is_named_twice_counts_once() {
        assert_eq!(parse(&format!("{ONE}\r\n\n{TWO}\n{ONE}\n")), Ok((2, 1)));
        assert_eq!(
            parse(&format!("\u{feff}serial_number\n{ONE}\n")),
            Ok((1, 0))
        );
        let table = format!(
            "Name,\"Serial number\",Note\n\"Morgan, Alex\",{ONE},\"says \"\"no\"\"\"\nB,\"{TWO}\"\n"
        );
        assert_eq!(parse(&table), Ok((2, 0)));
    }

    #[test]
    fn a_file_that_is_not_wholly_as_it_should_be_is_refused_whole() {
        for (text, error) in [
            (String::new(), SerialsError::Empty),
            ("serial_number\n".to_owned(), SerialsError::Empty),
            ("Name,Number\na,b\n".to_owned(), SerialsError::NoColumn),
            (format!("{ONE}\nnobody\n"), SerialsError::Line(2)),
            (format!("{}0\n{TWO}\n", &ONE[..34]), SerialsError::Line(1)),
            (
                format!("a,serial_number\n1,{ONE}\n{TWO}\n"),
                SerialsError::Line(3),
            ),
            // What it might have swallowed would not be revoked.
            (
                format!("serial_number,Note\r\n{ONE},\"no\r\n{TWO},\"yes\"\r\n"),
                SerialsError::Line(2),
            ),
        ] {
            assert_eq!(parse(&text), Err(error), "{text}");
        }
        assert_eq!(Serials::parse(b"\xff\xfe"), Err(SerialsError::NotText));
        let long = vec![b'\n'; MOST_BYTES + 1];
        assert_eq!(Serials::parse(&long), Err(SerialsError::NotText));
    }
}
