//! Comma-separated values [RFC 4180], as spreadsheets and HR systems write them: a row knows in which line it begins.

use super::{Fault, Row};

/// The rows under a head of column names, or what is wrong in which line.
pub(super) fn parse(text: &str) -> Result<(Vec<String>, Vec<Row>), Vec<Fault>> {
    // Spreadsheets write a byte order mark.
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut lines = split(text).map_err(|fault| vec![fault])?.into_iter();
    let Some((_, head)) = lines.next() else {
        return Err(vec![Fault::new(1, "there is no row of column names")]);
    };
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for (line, values) in lines {
        if values.len() == head.len() {
            rows.push(Row { line, values });
        } else {
            let (has, wanted) = (values.len(), head.len());
            let reason = format!("it has {has} values where the first row names {wanted} columns");
            faults.push(Fault::new(line, reason));
        }
    }
    if faults.is_empty() {
        Ok((head, rows))
    } else {
        Err(faults)
    }
}

/// Where the reader is within a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Plain,
    Quoted,
    /// After the closing quote, or the first of two.
    Closed,
}

/// The values of each row that is not blank, without the space around them, and the line in which it begins.
fn split(text: &str) -> Result<Vec<(usize, Vec<String>)>, Fault> {
    let mut rows = Vec::new();
    let (mut values, mut value, mut at) = (Vec::new(), String::new(), At::Start);
    let (mut line, mut begins) = (1, 1);
    let mut end = |values: &mut Vec<String>, begins| {
        let is_blank = matches!(values.as_slice(), [one] if one.is_empty());
        let row = std::mem::take(values);
        if !is_blank {
            rows.push((begins, row));
        }
    };
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        // A line ends with LF, CRLF or, from old spreadsheets, CR.
        let breaks = letter == '\n' || (letter == '\r' && letters.peek() != Some(&'\n'));
        line += usize::from(breaks);
        match (at, letter) {
            (At::Quoted, '"') => at = At::Closed,
            (At::Closed, '"') => {
                value.push('"');
                at = At::Quoted;
            }
            (At::Quoted, _) => value.push(letter),
            (At::Start, '"') => at = At::Quoted,
            (_, ',') => {
                values.push(std::mem::take(&mut value).trim().to_owned());
                at = At::Start;
            }
            _ if breaks => {
                values.push(std::mem::take(&mut value).trim().to_owned());
                end(&mut values, begins);
                (at, begins) = (At::Start, line);
            }
            (At::Closed, '\r' | ' ') => {}
            (At::Closed, _) => return Err(Fault::new(line, "something follows a closing quote")),
            (At::Plain, '"') => {
                return Err(Fault::new(
                    line,
                    "a quote stands within a value that has none around it",
                ));
            }
            (At::Start | At::Plain, _) => {
                value.push(letter);
                // Space before a quote is none.
                at = if letter == ' ' && at == At::Start {
                    at
                } else {
                    At::Plain
                };
            }
        }
    }
    if at == At::Quoted {
        return Err(Fault::new(
            begins,
            "a quote that opens in this row is never closed",
        ));
    }
    if at != At::Start || !value.is_empty() || !values.is_empty() {
        values.push(value.trim().to_owned());
        end(&mut values, begins);
    }
    Ok(rows)
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
