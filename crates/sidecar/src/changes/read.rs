//! Reading a feed, on a thread of its own: bytes in as they come, batches of lines out.

use std::io::{self, BufRead as _, BufReader, Read};

use axum::body::Bytes;
use connector::csv::{RowError, Rows};
use tokio::sync::mpsc::{Receiver, Sender};

use super::BATCH;
use super::line::{self, Header, Line};
use crate::problem::{Code, Problem};

/// The longest line, in bytes: two hundred claims of the usual length.
const LONGEST_LINE: usize = 256 * 1024;

/// What a feed is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// One change as JSON.
    One,
    /// A change as JSON on each line.
    Lines,
    /// A header and a row for each change.
    Csv,
}

/// Reads all of it. What cannot be read as a line is a line that is refused; what ends the feed itself is an error, after
/// the lines before it were handed on.
pub(super) fn read(
    format: Format,
    body: Receiver<Option<Bytes>>,
    batches: &Sender<Vec<Line>>,
) -> Result<(), Problem> {
    let body = Body {
        parts: body,
        at_hand: Bytes::new(),
    };
    let mut out = Out {
        batches,
        lines: Vec::with_capacity(BATCH),
    };
    let read = match format {
        Format::One => one(body, &mut out),
        Format::Lines => lines(body, &mut out),
        Format::Csv => rows(body, &mut out),
    };
    out.hand_on();
    read
}

fn one(body: Body, out: &mut Out<'_>) -> Result<(), Problem> {
    let mut text = Vec::new();
    let mut body = body.take(LONGEST_LINE as u64 + 1);
    body.read_to_end(&mut text).map_err(|_| cut_off())?;
    if text.len() > LONGEST_LINE {
        return Err(Code::BodyTooLarge.into());
    }
    out.push(line::of_json(&text, 1));
    Ok(())
}

fn lines(body: Body, out: &mut Out<'_>) -> Result<(), Problem> {
    let mut body = BufReader::with_capacity(64 * 1024, body);
    let mut text = Vec::new();
    for number in 1.. {
        text.clear();
        let mut limited = body.by_ref().take(LONGEST_LINE as u64 + 1);
        let read = limited.read_until(b'\n', &mut text);
        if read.map_err(|_| cut_off())? == 0 {
            return Ok(());
        }
        if text.len() > LONGEST_LINE {
            return Err(too_long(number));
        }
        // As in CSV, the mark of byte order before the first line is none of it.
        let line = match text.strip_prefix(b"\xEF\xBB\xBF") {
            Some(line) if number == 1 => line,
            _ => text.as_slice(),
        };
        if line.trim_ascii().is_empty() {
            continue;
        }
        if !out.push(line::of_json(line, number)) {
            return Ok(());
        }
    }
    Ok(())
}

fn rows(body: Body, out: &mut Out<'_>) -> Result<(), Problem> {
    let body = BufReader::with_capacity(64 * 1024, body);
    let mut rows = Rows::new(body, LONGEST_LINE);
    let header = match rows.next_row() {
        Ok(header) => header.map_or_else(Vec::new, |row| row.values),
        Err(error) => return Err(ended(&error)),
    };
    let header = Header::read(&header)?;
    loop {
        let line = match rows.next_row() {
            Ok(None) => return Ok(()),
            Ok(Some(row)) => header.change(&row),
            Err(RowError::Malformed { line, reason }) => {
                let problem = Problem::with(Code::BodyUnreadable, reason);
                Err(line::refused(line, &problem))
            }
            Err(error) => return Err(ended(&error)),
        };
        if !out.push(line) {
            return Ok(());
        }
    }
}

/// Why nothing more is read.
fn ended(error: &RowError) -> Problem {
    match error {
        RowError::Malformed { reason, .. } => Problem::with(Code::BodyUnreadable, *reason),
        RowError::Open { line } => Problem::with(
            Code::BodyUnreadable,
            format!(
                "Line {line}: a quote that opens there is not closed as it should be. What came before was applied: correct \
                 it and send all of it again."
            ),
        ),
        RowError::Long { line } => too_long(*line),
        RowError::Io(_) => cut_off(),
    }
}

fn cut_off() -> Problem {
    Problem::with(
        Code::BodyUnreadable,
        "The body did not arrive whole: what came was applied; send all of it again.",
    )
}

fn too_long(line: u64) -> Problem {
    let reason = format!("Line {line} is longer than 256 KiB: what came before was applied.");
    Problem::with(Code::BodyTooLarge, reason)
}

/// Lines on their way to be applied.
struct Out<'a> {
    batches: &'a Sender<Vec<Line>>,
    lines: Vec<Line>,
}

impl Out<'_> {
    /// False if nobody applies them any more.
    fn push(&mut self, line: Line) -> bool {
        self.lines.push(line);
        self.lines.len() < BATCH || self.hand_on()
    }

    fn hand_on(&mut self) -> bool {
        let lines = std::mem::replace(&mut self.lines, Vec::with_capacity(BATCH));
        lines.is_empty() || self.batches.blocking_send(lines).is_ok()
    }
}

/// A body as a thread reads it. `None` among its parts says that it broke off.
struct Body {
    parts: Receiver<Option<Bytes>>,
    at_hand: Bytes,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at_hand.is_empty() {
            match self.parts.blocking_recv() {
                Some(Some(part)) => self.at_hand = part,
                Some(None) => return Err(io::ErrorKind::UnexpectedEof.into()),
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.at_hand.len());
        buffer[..length].copy_from_slice(&self.at_hand.split_to(length));
        Ok(length)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What is read of a feed that comes in parts of so many bytes.
    fn of(format: Format, text: &str, part: usize) -> (Vec<Line>, Result<(), Problem>) {
        let (parts, body) = tokio::sync::mpsc::channel(1024);
        for part in text.as_bytes().chunks(part) {
            parts.try_send(Some(Bytes::copy_from_slice(part))).unwrap();
        }
        drop(parts);
        let (batches, mut read) = tokio::sync::mpsc::channel(1024);
        let outcome = super::read(format, body, &batches);
        drop(batches);
        let mut lines = Vec::new();
        while let Ok(batch) = read.try_recv() {
            lines.extend(batch);
        }
        (lines, outcome)
    }

    const CSV: &str = "change,record,credential_type,FS-Level,FS-Note\n\
        changed,r-1,FireSafety,1,\"two\nlines\"\n\
        ended,r-2,,,\n";
    const LINES: &str = concat!(
        r#"{"change":"changed","record":"r-1","credential_type":"FireSafety","claims":{"FS-Level":"1","FS-Note":"two\nlines"}}"#,
        "\n\n",
        r#"{"change":"ended","record":"r-2"}"#,
    );

    #[test]
    fn csv_and_json_lines_say_the_same_however_the_body_is_cut() {
        let seen = |(lines, outcome): (Vec<Line>, Result<(), Problem>)| {
            outcome.unwrap();
            let told = lines.into_iter().map(Result::unwrap);
            told.map(|change| (change.record, change.digest, change.cause.code()))
                .collect::<Vec<_>>()
        };
        let expected = seen(of(Format::Lines, LINES, 1000));
        assert_eq!(expected.len(), 2);
        assert!(expected[0].1.is_some() && expected[1].1.is_none());
        for part in [1, 7, 64] {
            assert_eq!(seen(of(Format::Csv, CSV, part)), expected);
            assert_eq!(seen(of(Format::Lines, LINES, part)), expected);
            for (format, text) in [(Format::Csv, CSV), (Format::Lines, LINES)] {
                let marked = format!("\u{FEFF}{text}");
                assert_eq!(seen(of(format, &marked, part)), expected, "byte order mark");
            }
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_told_by_number_without_its_values_and_the_rest_goes_on() {
        let text = format!("{{\"change\":\"Okafor\"}}\nOkafor\n{LINES}");
        let (lines, outcome) = of(Format::Lines, &text, 10);
        outcome.unwrap();
        let refused: Vec<_> = lines
            .iter()
            .filter_map(|line| line.as_ref().err())
            .collect();
        assert_eq!(refused.iter().map(|it| it.line).collect::<Vec<_>>(), [1, 2]);
        assert!(refused.iter().all(|it| !it.detail.contains("Okafor")));
        assert_eq!(lines.len(), 4);

        let text =
            format!("{CSV}moved,r-3,,,\nchanged,r-4\nchanged,r-5,FireSafety,,\ndeleted,r-6,,,\n");
        let (lines, outcome) = of(Format::Csv, &text, 10);
        outcome.unwrap();
        let refused: Vec<_> = lines
            .iter()
            .filter_map(|line| line.as_ref().err())
            .collect();
        let codes: Vec<_> = refused.iter().map(|it| (it.line, it.code)).collect();
        assert_eq!(
            codes,
            [
                (5, "field-invalid"),
                (6, "body-unreadable"),
                (7, "field-invalid")
            ]
        );
        assert_eq!(lines.len(), 6);
    }

    /// "Correct those lines and send them again": so they are the lines of an editor, whatever ends them.
    #[test]
    fn a_refused_row_has_the_number_that_an_editor_shows() {
        let text = "change,record,credential_type,FS-Level\n\nmoved,r-1,,\nended,r-2\n\nended,r-3,,\n5\" pipe,,,\n";
        for end in ["\n", "\r\n", "\r"] {
            let (lines, outcome) = of(Format::Csv, &text.replace('\n', end), 10);
            outcome.unwrap();
            let refused = lines.iter().filter_map(|line| line.as_ref().err());
            assert_eq!(refused.map(|it| it.line).collect::<Vec<_>>(), [3, 4, 7]);
            assert_eq!(lines.len(), 4);
        }
    }

    /// The rows that it may have swallowed say what is gone.
    #[test]
    fn a_quote_that_is_not_closed_as_it_should_be_ends_the_feed_and_is_told_by_its_line() {
        let row = "changed,r-1,FireSafety,\"1\n";
        for rest in [
            "deleted,r-2,,\nchanged,r-3,FireSafety,\"3\"\n",
            "deleted,r-2,,\n",
        ] {
            let text = format!("change,record,credential_type,FS-Level\nended,r-0,,\n{row}{rest}");
            let (lines, outcome) = of(Format::Csv, &text, 10);
            assert_eq!(lines.len(), 1, "what came before is applied");
            let problem = outcome.unwrap_err();
            assert_eq!(problem.code(), Code::BodyUnreadable);
            assert!(
                problem.detail().starts_with("Line 3: "),
                "{}",
                problem.detail()
            );
        }
    }

    #[test]
    fn many_rows_that_are_refused_one_after_the_other_are_no_long_row() {
        let row = "deleted,record-number-1\n";
        let text = format!(
            "change,record,credential_type\n{}",
            row.repeat(2 * LONGEST_LINE / row.len())
        );
        let (lines, outcome) = of(Format::Csv, &text, 64 * 1024);
        outcome.unwrap();
        assert!(lines.iter().all(Result::is_err));
    }

    #[test]
    fn a_header_without_its_columns_or_with_one_twice_ends_the_feed() {
        for header in [
            "record,FS-Level\n",
            "change\n",
            "change,record,a,a\n",
            "change,record,\n",
            "",
        ] {
            let (lines, outcome) = of(Format::Csv, header, 100);
            assert!(outcome.is_err() && lines.is_empty(), "{header}");
        }
    }

    #[test]
    fn sec_34_a_line_without_end_is_not_kept_in_memory() {
        let long = "x".repeat(300 * 1024);
        let (_, outcome) = of(Format::Lines, &long, 1024);
        assert_eq!(outcome.unwrap_err().code(), Code::BodyTooLarge);
        let open = format!("change,record\nended,\"{long}");
        let (_, outcome) = of(Format::Csv, &open, 1024);
        assert_eq!(outcome.unwrap_err().code(), Code::BodyTooLarge);
    }
}
