//! A message as its reader sees it: decoded, and as text only.

use std::fmt;

use jiff::Timestamp;
use mail_parser::MessageParser;
use serde::Serialize;

use crate::kept::Kept;

/// A message that was caught.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// The recipients of the envelope, joined by `, `.
    pub to: String,
    /// The sender of the envelope, where a bounce would go; empty for a bounce itself.
    pub from: String,
    /// The subject, decoded; empty where there is none.
    pub subject: String,
    /// The first text body, decoded, its lines ended by `\n`, without the empty lines at its end, which mail
    /// clients add as they please; made from the HTML where that is all there is.
    pub text: String,
    /// The `Message-ID` as it stands in its header, without the angle brackets.
    pub message_id: Option<String>,
    /// When the message was taken, by the catcher's clock, to the second.
    pub received_at: Timestamp,
}

impl Mail {
    pub(crate) fn read(kept: &Kept) -> Self {
        let parsed = MessageParser::default().parse(kept.content());
        let text_of = |read: fn(&mail_parser::Message<'_>) -> Option<String>| {
            parsed.as_ref().and_then(read).unwrap_or_default()
        };
        let subject = text_of(|message| message.subject().map(str::to_owned));
        let text = text_of(|message| {
            let text = message.body_text(0)?.replace("\r\n", "\n");
            Some(text.trim_end_matches('\n').to_owned())
        });
        let message_id = parsed
            .as_ref()
            .and_then(|message| message.message_id().map(str::to_owned));
        Self {
            to: kept.envelope().to.join(", "),
            from: kept.envelope().from.clone(),
            subject,
            text,
            message_id,
            received_at: kept.received_at(),
        }
    }
}

// Names, addresses and what people write: nothing for a log.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail(…)")
    }
}
