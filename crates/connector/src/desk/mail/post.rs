//! Handing a mail to the mail server [RFC 5321].
//!
//! The conversation is led step by step, because what a refusal means depends on where it falls: at the recipient or
//! the content it is about this mail, anywhere else about the way, and then it says nothing against any mail.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};

use super::{MailOptions, Smtp, SmtpSecurity};

/// The longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A mail as its row has it. Everything in it is fixed there, so that a second copy of it is the same to the letter.
pub(in crate::desk) struct Outgoing {
    pub(in crate::desk) message_id: String,
    pub(in crate::desk) recipient: String,
    pub(in crate::desk) subject: String,
    pub(in crate::desk) body: String,
    pub(in crate::desk) written_at: Timestamp,
}

/// Why a mail was not accepted. Its words never hold the server's, which may repeat the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::desk) enum MailFault {
    /// The options are not usable.
    Options,
    /// No connection.
    Unreachable,
    /// No answer in time. The server may have the mail.
    Silent,
    /// The server offers no TLS, or none that can be trusted.
    NoTls,
    /// The server does not take mail from here, or not with this login or sender.
    NotTaken(u16),
    /// The server does not take this mail now.
    RefusedForNow(u16),
    /// The server will never take this mail.
    Refused(u16),
    /// The recipient's address is none.
    Address,
}

impl MailFault {
    /// Whether it is about this mail. If not, the others need not try either.
    pub(in crate::desk) fn is_about_this_mail(self) -> bool {
        matches!(
            self,
            Self::RefusedForNow(_) | Self::Refused(_) | Self::Address
        )
    }

    /// Whether another try is of no use.
    pub(in crate::desk) fn is_for_good(self) -> bool {
        matches!(self, Self::Refused(_) | Self::Address)
    }
}

/// A stable code, and what an operator can do something with.
impl fmt::Display for MailFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options => f.write_str("mail-options: the mail options are not usable"),
            Self::Unreachable => {
                f.write_str("mail-server-unreachable: no connection to the mail server, or it broke")
            }
            Self::Silent => f.write_str("mail-server-silent: the mail server did not answer in time"),
            Self::NoTls => {
                f.write_str("mail-server-without-tls: the mail server offers no TLS that can be trusted")
            }
            Self::NotTaken(code) => write!(
                f,
                "mail-not-taken: the mail server takes no mail from this sender (reply {code})"
            ),
            Self::RefusedForNow(code) => write!(
                f,
                "mail-refused-for-now: the mail server does not take this mail now (reply {code})"
            ),
            Self::Refused(code) => write!(
                f,
                "mail-refused: the mail server will not take this mail (reply {code}); reach the employee another way"
            ),
            Self::Address => f.write_str(
                "mail-address: the employee's address is not a mail address; reach the employee another way",
            ),
        }
    }
}

/// A connection to the mail server, ready for mails.
pub(in crate::desk) struct Post {
    connection: AsyncSmtpConnection,
    sender: Mailbox,
}

impl Post {
    /// Connects, protects the connection as the options say, and logs in.
    pub(in crate::desk) async fn open(options: &MailOptions) -> Result<Self, MailFault> {
        let sender = options.sender().map_err(|_| MailFault::Options)?;
        let Smtp {
            host,
            port,
            security,
            login,
        } = &options.smtp;
        let hello = ClientId::default();
        let tls = match security {
            SmtpSecurity::Loopback => None,
            _ => Some(TlsParameters::new(host.clone()).map_err(|_| MailFault::NoTls)?),
        };
        let from_the_first_byte = tls.clone().filter(|_| *security == SmtpSecurity::Implicit);
        // `[::1]` is written with brackets in a name, and without in an address.
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let connecting = AsyncSmtpConnection::connect_tokio1(
            (name, *port),
            Some(CONNECT_TIMEOUT),
            &hello,
            from_the_first_byte,
            None,
        );
        let mut connection = connecting.await.map_err(|error| way_fault(&error))?;
        let upgrade = match security {
            SmtpSecurity::Required => true,
            SmtpSecurity::Opportunistic => connection.can_starttls(),
            SmtpSecurity::Implicit | SmtpSecurity::Loopback => false,
        };
        if let Some(tls) = tls.filter(|_| upgrade) {
            if !connection.can_starttls() {
                return Err(MailFault::NoTls);
            }
            let upgraded = connection.starttls(tls, &hello).await;
            upgraded.map_err(|error| match way_fault(&error) {
                MailFault::Silent => MailFault::Silent,
                _ => MailFault::NoTls,
            })?;
        }
        if let Some((user, password)) = login {
            if !connection.is_encrypted() && *security != SmtpSecurity::Loopback {
                return Err(MailFault::NoTls);
            }
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            let answer = connection.auth(DEFAULT_MECHANISMS, &credentials).await;
            answer.map_err(|error| way_fault(&error))?;
        }
        Ok(Self { connection, sender })
    }

    /// Hands one mail over. `Ok` when the server took responsibility for it. After an error the connection is not to
    /// be used again.
    pub(in crate::desk) async fn send(&mut self, mail: &Outgoing) -> Result<(), MailFault> {
        let recipient = parse_recipient(&mail.recipient)?;
        let content = compose(&self.sender, &recipient, mail)?;
        let from = Mail::new(Some(self.sender.email.clone()), Vec::new());
        let answer = self.connection.command(from).await;
        answer.map_err(|error| way_fault(&error))?;
        let to = Rcpt::new(recipient, Vec::new());
        let answer = self.connection.command(to).await;
        answer.map_err(|error| mail_fault(&error))?;
        let answer = self.connection.command(Data).await;
        answer.map_err(|error| mail_fault(&error))?;
        let answer = self.connection.message(&content).await;
        answer.map_err(|error| mail_fault(&error))?;
        Ok(())
    }

    /// Says goodbye.
    pub(in crate::desk) async fn close(mut self) {
        self.connection.abort().await;
    }
}

/// The name before the address is left out: nothing but an address can stand in the header then.
fn parse_recipient(text: &str) -> Result<Address, MailFault> {
    if !text.is_ascii() {
        return Err(MailFault::Address);
    }
    text.trim().parse().map_err(|_| MailFault::Address)
}

/// The message [RFC 5322], in plain text.
fn compose(sender: &Mailbox, recipient: &Address, mail: &Outgoing) -> Result<Vec<u8>, MailFault> {
    let written_at = SystemTime::from(mail.written_at);
    let mut message = Message::builder()
        .from(sender.clone())
        .to(Mailbox::new(None, recipient.clone()))
        .subject(mail.subject.as_str())
        .date(written_at)
        .message_id(Some(format!("<{}>", mail.message_id)))
        .header(ContentType::TEXT_PLAIN)
        .body(mail.body.clone())
        .map_err(|_| MailFault::Options)?;
    // [RFC 3834 5] No holiday notice in answer, please.
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    message
        .headers_mut()
        .insert_raw(HeaderValue::new(name, "auto-generated".to_owned()));
    Ok(message.formatted())
}

/// What an error means before any mail is spoken of.
fn way_fault(error: &SmtpError) -> MailFault {
    if let Some(code) = error.status() {
        MailFault::NotTaken(code.into())
    } else if error.is_timeout() {
        MailFault::Silent
    } else if error.is_tls() {
        MailFault::NoTls
    } else {
        MailFault::Unreachable
    }
}

/// What an error means once a mail is spoken of.
fn mail_fault(error: &SmtpError) -> MailFault {
    match error.status().map(u16::from) {
        // [RFC 5321 3.8] The server is closing down: that is about no mail.
        Some(421) => MailFault::NotTaken(421),
        Some(code) if is_about_the_address(code, &error.to_string()) => MailFault::Refused(code),
        Some(code) => MailFault::RefusedForNow(code),
        None => way_fault(error),
    }
}

/// Whether the recipient's address is what is wrong [RFC 5321 4.2.3, RFC 3463 3.2]. Every other refusal, also one that
/// the server calls permanent, is of its set-up or of ours (no relaying, no login, a policy): somebody can mend that, so
/// the mail is tried as long as any other.
fn is_about_the_address(code: u16, said: &str) -> bool {
    let speaks_of = |class: &str| said.split_whitespace().any(|word| word.starts_with(class));
    match code {
        521 | 551 | 553 | 556 => true,
        550 => !["5.2.", "5.3.", "5.4.", "5.5.", "5.6.", "5.7."]
            .iter()
            .any(|class| speaks_of(class)),
        _ => speaks_of("5.1."),
    }
}

#[cfg(test)]
mod tests {
    use super::is_about_the_address;

    #[test]
    fn only_a_refusal_of_the_address_is_for_good() {
        for (code, said, is_it) in [
            (550, "permanent error (550): 5.1.1 no such user", true),
            (550, "permanent error (550): no such user here", true),
            (553, "permanent error (553): mailbox name not allowed", true),
            (554, "permanent error (554): 5.1.2 no such host", true),
            (550, "permanent error (550): 5.7.1 relaying denied", false),
            (554, "permanent error (554): 5.7.1 policy", false),
            (
                530,
                "permanent error (530): 5.7.0 authentication required",
                false,
            ),
            (552, "permanent error (552): 5.2.2 mailbox full", false),
            (452, "transient error (452): 4.2.2 mailbox full", false),
        ] {
            assert_eq!(is_about_the_address(code, said), is_it, "{said}");
        }
    }
}
