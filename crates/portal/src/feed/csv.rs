//! Comma-separated values [RFC 4180], as spreadsheets and HR systems write them: a row knows in which line it begins.

use connector::csv::{RowError, Rows};

use super::{Fault, Row};

/// The rows under a head of column names, their values without the space around them; or what is wrong in which line.
pub(super) fn parse(text: &str) -> Result<(Vec<String>, Vec<Row>), Vec<Fault>> {
    let mut from = Rows::new(text.as_bytes(), text.len());
    let mut head: Option<Vec<String>> = None;
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    loop {
        let (line, values) = match from.next_row() {
            Ok(None) => break,
            Ok(Some(row)) => {
                let values = row.values.iter().map(|value| value.trim().to_owned());
                (number(row.line), values.collect::<Vec<_>>())
            }
            Err(error) => {
                let line = match error {
                    RowError::Malformed { line, .. }
                    | RowError::Open { line }
                    | RowError::Long { line } => number(line),
                    RowError::Io(_) => 1,
                };
                faults.push(Fault::new(line, error.to_string()));
                if error.is_last() {
                    break;
                }
                continue;
            }
        };
        match &head {
            None => head = Some(values),
            Some(head) if values.len() == head.len() => rows.push(Row { line, values }),
            Some(head) => {
                let (has, wanted) = (values.len(), head.len());
                let reason =
                    format!("it has {has} values where the first row names {wanted} columns");
                faults.push(Fault::new(line, reason));
            }
        }
    }
    match head {
        Some(head) if faults.is_empty() => Ok((head, rows)),
        None if faults.is_empty() => Err(vec![Fault::new(1, "there is no row of column names")]),
        _ => Err(faults),
    }
}

fn number(line: u64) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX)
}

/// The values as one line, to be read by [`parse`] and by spreadsheets. What a spreadsheet would run as a formula is
/// made a text.
pub(crate) fn line(values: &[&str]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    quoted.join(",") + "\r\n"
}

fn quoted(value: &str) -> String {
    let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let value = if is_formula {
        format!("'{value}")
    } else {
        value.to_owned()
    };
    if value.contains(['"', ',', '\r', '\n']) || is_formula {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_row_is_read_as_rfc_4180_writes_it_and_knows_its_line() {
        let text =
            "\u{FEFF}a,b,c\r\n1, two ,\"3, \"\"three\"\"\"\n\n\"x\ny\",,\" z\" \r\nlast,row,";
        let (head, rows) = parse(text).unwrap();
        assert_eq!(head, ["a", "b", "c"]);
        let rows: Vec<(usize, Vec<&str>)> = rows
            .iter()
            .map(|row| (row.line, row.values.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(
            rows,
            [
                (2, vec!["1", "two", "3, \"three\""]),
                (4, vec!["x\ny", "", "z"]),
                (6, vec!["last", "row", ""]),
            ]
        );
        assert_eq!(parse("a,b\r1,2\r").unwrap().1[0].line, 2);
        assert!(parse("a,b\n").unwrap().1.is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        for (text, line) in [
            ("", 1),
            ("a,b\n1,2\n3\n", 3),
            ("a,b\n1,2,3\n", 2),
            ("a\n\"open\n\n", 2),
            ("a\n\"x\"y\n", 2),
            ("a\nx\"y\"\n", 2),
        ] {
            let faults = parse(text).err().unwrap();
            assert_eq!(faults[0].line, line, "{text:?}");
        }
    }

    #[test]
    fn sec_35_what_is_written_is_read_again_and_runs_in_no_spreadsheet() {
        let written = line(&["when", "a \"b\", c", "two\nlines", "=1+1"]);
        let (head, _) = parse(&written).unwrap();
        assert_eq!(head, ["when", "a \"b\", c", "two\nlines", "'=1+1"]);
    }
}
