//! A message as it lies on disk: the trace lines of [RFC 5321 4.4], then the content as it came. Any mail program
//! can open the file.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;

const SENDER: &str = "Return-Path: <";
const RECIPIENT: &str = "Delivered-To: ";
const RECEIVED: &str = "Received: ";

/// Who sends to whom, as SMTP says it. Addresses hold no control characters, so that each stays on its line.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
}

/// One message that was taken.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    envelope: Envelope,
    received_at: Timestamp,
    file: Vec<u8>,
    /// Where our lines end and the sender's begin.
    content_from: usize,
}

impl Kept {
    pub(crate) fn new(id: &str, envelope: Envelope, at: Timestamp, content: &[u8]) -> Self {
        let mut trace = format!("{SENDER}{}>\r\n", envelope.from);
        for recipient in &envelope.to {
            trace.extend([RECIPIENT, recipient, "\r\n"]);
        }
        let date = at
            .to_zoned(TimeZone::UTC)
            .strftime("%a, %d %b %Y %H:%M:%S %z");
        let how = "from localhost by localhost with ESMTP";
        let _ = write!(trace, "{RECEIVED}{how} id {id}; {date}\r\n");
        let content_from = trace.len();
        let mut file = trace.into_bytes();
        file.extend_from_slice(content);
        // As a reader of the file would have it: to the second.
        let received_at = Timestamp::from_second(at.as_second()).unwrap_or(at);
        Self {
            envelope,
            received_at,
            file,
            content_from,
        }
    }

    /// Reads a file of [`Kept::file`]; nothing when it is another's.
    pub(crate) fn parse(file: Vec<u8>) -> Option<Self> {
        let mut envelope = Envelope {
            from: String::new(),
            to: Vec::new(),
        };
        let mut at = 0;
        loop {
            let length = file[at..].windows(2).position(|pair| pair == b"\r\n")?;
            let line = std::str::from_utf8(&file[at..at + length]).ok()?;
            at += length + 2;
            if let Some(sender) = line.strip_prefix(SENDER) {
                sender.strip_suffix('>')?.clone_into(&mut envelope.from);
            } else if let Some(recipient) = line.strip_prefix(RECIPIENT) {
                envelope.to.push(recipient.to_owned());
            } else {
                let (_, date) = line.strip_prefix(RECEIVED)?.rsplit_once("; ")?;
                let received_at = DateTimeParser::new().parse_timestamp(date).ok()?;
                return Some(Self {
                    envelope,
                    received_at,
                    file,
                    content_from: at,
                });
            }
        }
    }

    pub(crate) fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    pub(crate) fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// Trace lines and content.
    pub(crate) fn file(&self) -> &[u8] {
        &self.file
    }

    /// What the sender sent.
    pub(crate) fn content(&self) -> &[u8] {
        &self.file[self.content_from..]
    }

    /// Everything before the first empty line, for people to look at.
    pub(crate) fn headers(&self) -> String {
        let content = self.content();
        let end = content.windows(4).position(|four| four == b"\r\n\r\n");
        let headers = &content[..end.unwrap_or(content.len())];
        String::from_utf8_lossy(headers).replace("\r\n", "\n")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_says_again_who_sent_what_to_whom_and_when() {
        let envelope = Envelope {
            from: "bounce+7@portal.example".to_owned(),
            to: vec![
                "sam@ward.example".to_owned(),
                "jörg@ward.example".to_owned(),
            ],
        };
        let at = "2026-11-22T21:16:18.75Z".parse().unwrap();
        // Lines like ours in the content are the sender's.
        let content = b"Received: by elsewhere; never\r\nReturn-Path: <x>\r\n\r\nHello\r\n";
        let kept = Kept::new("00000007", envelope, at, content);
        let read = Kept::parse(kept.file().to_vec()).unwrap();
        assert!(read == kept);
        assert_eq!(read.content(), content);
        assert_eq!(read.received_at().to_string(), "2026-11-22T21:16:18Z");
        assert!(Kept::parse(b"Subject: another file\r\n\r\n".to_vec()).is_none());
        assert!(Kept::parse(kept.file()[..40].to_vec()).is_none());
    }
}
