//! [RFC 5321 4.5.2] Where the content ends, and the dots that were put before its lines.

/// Takes the content byte by byte. Only CR LF ends a line: a line feed alone is content, so that what one system
/// takes for the end is not the middle of a message for the next.
pub(super) struct Content {
    taken: Vec<u8>,
    largest: usize,
    too_large: bool,
    position: Position,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    LineStart,
    /// After a dot that begins a line.
    Dot,
    /// After a dot that begins a line, and CR.
    DotCr,
    Text,
    Cr,
}

/// How the content ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Whole(Vec<u8>),
    TooLarge,
}

impl Content {
    pub(super) fn new(largest: usize) -> Self {
        Self {
            taken: Vec::new(),
            largest,
            too_large: false,
            position: Position::LineStart,
        }
    }

    /// Takes what has arrived; says how much of it was content, and whether that was the end.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, byte) in bytes.iter().enumerate() {
            if self.take_byte(*byte) {
                return (at + 1, true);
            }
        }
        (bytes.len(), false)
    }

    pub(super) fn end(self) -> Ended {
        if self.too_large {
            Ended::TooLarge
        } else {
            Ended::Whole(self.taken)
        }
    }

    fn take_byte(&mut self, byte: u8) -> bool {
        use Position::{Cr, Dot, DotCr, LineStart, Text};
        self.position = match (self.position, byte) {
            (LineStart, b'.') => Dot,
            (Dot, b'\r') => DotCr,
            (DotCr, b'\n') => return true,
            (Cr, b'\n') => {
                self.push(byte);
                LineStart
            }
            (before, byte) => {
                // The dot was one put before the line; its CR is content after all.
                if before == DotCr {
                    self.push(b'\r');
                }
                self.push(byte);
                if byte == b'\r' { Cr } else { Text }
            }
        };
        false
    }

    fn push(&mut self, byte: u8) {
        if self.taken.len() < self.largest {
            self.taken.push(byte);
        } else {
            self.too_large = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
        let mut content = Content::new(100);
        let (taken, ended) = content.take(bytes);
        match content.end() {
            Ended::Whole(text) => ended.then_some((text, bytes.len() - taken)),
            Ended::TooLarge => None,
        }
    }

    #[test]
    fn a_dot_alone_on_a_line_ends_and_other_leading_dots_lose_one() {
        for (sent, text, left) in [
            (&b".\r\n"[..], &b""[..], 0),
            (b"a\r\n.\r\nQUIT\r\n", b"a\r\n", 6),
            (b"..\r\n.a\r\n...b\r\n.\r\n", b".\r\na\r\n..b\r\n", 0),
            (b"a.\r\n.\r\n", b"a.\r\n", 0),
        ] {
            assert_eq!(read(sent), Some((text.to_vec(), left)));
        }
    }

    #[test]
    fn nothing_but_cr_lf_dot_cr_lf_ends() {
        for sent in [
            &b"a\n.\n"[..],
            b"a\n.\r\n",
            b"a\r.\r\n",
            b"a\r\n.\n",
            b"a\r\n.\r",
            b"a\r\n.\r\r\n",
            b"a\r\n.\ra\r\n",
        ] {
            assert_eq!(read(sent), None, "{:?}", String::from_utf8_lossy(sent));
        }
        assert_eq!(
            read(b"a\n.\r\nb\r\n.\r\r\nc\r\n.\r\n"),
            Some((b"a\n.\r\nb\r\n\r\r\nc\r\n".to_vec(), 0))
        );
    }

    #[test]
    fn the_end_is_found_in_what_comes_in_pieces() {
        let mut content = Content::new(100);
        let pieces: Vec<bool> = b"a\r\n.\r\n"
            .iter()
            .map(|byte| content.take(&[*byte]).1)
            .collect();
        assert_eq!(pieces, [false, false, false, false, false, true]);
        assert_eq!(content.end(), Ended::Whole(b"a\r\n".to_vec()));
    }

    #[test]
    fn more_than_the_largest_is_read_to_its_end_and_not_kept() {
        let mut content = Content::new(3);
        assert_eq!(content.take(b"ab\r\n.\r\n"), (7, true));
        assert_eq!(content.end(), Ended::TooLarge);
    }
}
