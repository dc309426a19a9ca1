//! Telling the employee: by SMTP or by GOV.UK Notify, in our words or the operator's.

mod fault;
mod language;
mod mailroom;
mod notify;
mod post;
mod smtp;
mod texts;
mod way;
mod words;
mod xoauth2;

use std::path::PathBuf;

use jiff::Timestamp;
use lettre::message::Mailbox;
use url::Url;

pub(super) use fault::MailFault;
pub use language::Language;
pub(super) use mailroom::{Accepted, Mailroom, State};
pub(super) use notify::Delivery;
pub use notify::{Notify, NotifyKey, NotifyKeyError, NotifyTemplateError};
pub use smtp::{Smtp, SmtpLogin, SmtpSecurity, TokenSource};
pub use texts::TextError;
pub(super) use texts::{DELETE_CREDENTIAL, Texts};
pub use way::WayError;
pub(super) use words::{Revoked, delete_credential};

/// Exchange Online takes about so many a minute of one mailbox.
const BY_SMTP: u32 = 30;
/// GOV.UK Notify takes 3,000 a minute for each kind of key, of all that use the service.
const BY_NOTIFY: u32 = 1_000;

/// How mails go out.
#[derive(Clone, Debug)]
pub struct MailOptions {
    /// The way.
    pub channel: Channel,
    /// The sender, e.g. `Anytown NHS Trust <staff-services@anytown.example>`. GOV.UK Notify has its own; a mail's
    /// reference is made here all the same.
    pub from: String,
    /// The organisation, as the mail names it.
    pub organisation: String,
    /// The portal's bare address: the only link in a mail. `None` for mails without any.
    pub home: Option<Url>,
    /// Whom to ask, e.g. "hr@anytown.example, 01234 567890".
    pub contact: String,
    /// The folder of the operator's own texts, read when the desk is opened.
    pub texts: Option<PathBuf>,
    /// How many mails are handed over within a minute at most, by each process. `None`: 30 by SMTP, 1,000 by GOV.UK
    /// Notify.
    pub most_a_minute: Option<u32>,
}

/// The way that mails go.
#[derive(Clone, Debug)]
pub enum Channel {
    /// By a mail server.
    Smtp(Smtp),
    /// By GOV.UK Notify.
    Notify(Notify),
}

/// Why mails cannot be sent with these options.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MailOptionsError {
    /// The sender is no mail address.
    #[error("`from` is not a mail address")]
    From,
    /// Mail without TLS leaves this machine.
    #[error("mail without TLS is for this machine only")]
    NotLoopback,
    /// The server's name does not do.
    #[error("the mail server's name is not usable")]
    Host,
    /// A link that says more than where the portal is, or that anybody on the way could change.
    #[error(
        "`home` must be the portal's bare address: https (or http on this machine), no query, no fragment, no user"
    )]
    Home,
    /// A text that stands in each mail is empty or has more than one line.
    #[error("`{0}` must be one line of text")]
    Text(&'static str),
    /// A service that is spoken to in clear.
    #[error("the address of the {0} must be https (or http on this machine)")]
    Endpoint(&'static str),
    /// Nothing that a token could be asked for with.
    #[error("an access token needs a client secret or a refresh token")]
    TokenSource,
    /// No mail would ever go out.
    #[error("at least one mail a minute must be allowed")]
    Pace,
    /// A text of the operator's.
    #[error(transparent)]
    Texts(#[from] TextError),
}

/// A mail as its row has it. Everything in it is fixed there, so that a second copy of it is the same to the letter.
pub(super) struct Outgoing {
    pub(super) message_id: String,
    pub(super) recipient: String,
    pub(super) subject: String,
    pub(super) body: String,
    pub(super) personalisation: String,
    pub(super) language: Language,
    pub(super) written_at: Timestamp,
}

impl Outgoing {
    /// The part of the Message-ID that is random: how another party may name the mail. Nothing of anybody is in it.
    pub(super) fn reference(&self) -> &str {
        let id = self.message_id.split_once('@');
        id.map_or(self.message_id.as_str(), |(reference, _)| reference)
    }
}

impl MailOptions {
    /// Whether mails can be sent with these options. [`super::Desk::new`] asks this too.
    pub fn check(&self) -> Result<(), MailOptionsError> {
        self.sender()?;
        for (name, text) in [
            ("organisation", &self.organisation),
            ("contact", &self.contact),
        ] {
            if text.trim().is_empty() || text.chars().any(char::is_control) {
                return Err(MailOptionsError::Text(name));
            }
        }
        if let Some(home) = &self.home {
            let bare = home.query().is_none() && home.fragment().is_none();
            if !bare || !crate::http::is_secure(home) {
                return Err(MailOptionsError::Home);
            }
        }
        if self.a_minute() == 0 {
            return Err(MailOptionsError::Pace);
        }
        match &self.channel {
            Channel::Smtp(smtp) => smtp.check(),
            Channel::Notify(notify) => notify.check(),
        }
    }

    /// A Message-ID that is used once [RFC 5322 3.6.4], without angle brackets.
    pub(super) fn new_message_id(&self) -> Result<String, MailOptionsError> {
        let sender = self.sender()?;
        Ok(format!(
            "{}@{}",
            uuid::Uuid::new_v4(),
            sender.email.domain()
        ))
    }

    pub(super) fn is_notify(&self) -> bool {
        matches!(self.channel, Channel::Notify(_))
    }

    /// The language of a mail to somebody who wishes this one, as far as the channel decides.
    pub(super) fn language(&self, wanted: Language) -> Language {
        match &self.channel {
            Channel::Notify(notify) if notify.templates().all(|(one, _)| one != wanted) => {
                Language::English
            }
            _ => wanted,
        }
    }

    /// How many mails go out within a minute at most.
    fn a_minute(&self) -> u32 {
        let usual = if self.is_notify() { BY_NOTIFY } else { BY_SMTP };
        self.most_a_minute.unwrap_or(usual)
    }

    /// The sender, parsed.
    fn sender(&self) -> Result<Mailbox, MailOptionsError> {
        if self.from.chars().any(char::is_control) {
            return Err(MailOptionsError::From);
        }
        let sender: Mailbox = self.from.parse().map_err(|_| MailOptionsError::From)?;
        if AsRef::<str>::as_ref(&sender.email).is_ascii() {
            Ok(sender)
        } else {
            Err(MailOptionsError::From)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "options_tests.rs"]
mod tests;
