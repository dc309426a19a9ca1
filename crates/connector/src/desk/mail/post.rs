//! Handing a mail to the mail server [RFC 5321].
//!
//! The conversation is led step by step, because what a refusal means depends on where it falls: at the recipient or
//! the content it is about this mail, anywhere else about the way, and then it says nothing against any mail.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};

use super::xoauth2::Tokens;
use super::{MailFault, Outgoing, Smtp, SmtpLogin, SmtpSecurity};
use crate::http::Http;

/// The longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to the mail server, ready for mails.
pub(super) struct Post {
    connection: AsyncSmtpConnection,
    sender: Mailbox,
}

impl Post {
    /// Connects, protects the connection as the options say, and logs in.
    pub(super) async fn open(
        smtp: &Smtp,
        sender: Mailbox,
        tokens: &mut Tokens,
        http: &Http,
        now: Timestamp,
    ) -> Result<Self, MailFault> {
        let Smtp {
            host,
            port,
            security,
            login,
            ..
        } = smtp;
        let hello = ClientId::default();
        let tls = match security {
            SmtpSecurity::Loopback => None,
            _ => Some(tls(smtp)?),
        };
        let from_the_first_byte = tls.clone().filter(|_| *security == SmtpSecurity::Implicit);
        let connecting = AsyncSmtpConnection::connect_tokio1(
            (bare(host), *port),
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
        if let Some(login) = login {
            if !connection.is_encrypted() && *security != SmtpSecurity::Loopback {
                return Err(MailFault::NoTls);
            }
            log_in(&mut connection, login, tokens, http, now).await?;
        }
        Ok(Self { connection, sender })
    }

    /// Whether the connection, unused for a while, is still one.
    pub(super) async fn is_alive(&mut self) -> bool {
        !self.connection.has_broken() && self.connection.test_connected().await
    }

    /// Hands one mail over. `Ok` when the server took responsibility for it. After an error the connection is not to
    /// be used again.
    pub(super) async fn send(&mut self, mail: &Outgoing) -> Result<(), MailFault> {
        let recipient = parse_recipient(&mail.recipient)?;
        let content = compose(&self.sender, &recipient, mail)?;
        #[cfg(debug_assertions)]
        let step = store::point::before("SMTP envelope");
        let from = Mail::new(Some(self.sender.email.clone()), Vec::new());
        let answer = self.connection.command(from).await;
        answer.map_err(|error| way_fault(&error))?;
        let to = Rcpt::new(recipient, Vec::new());
        let answer = self.connection.command(to).await;
        answer.map_err(|error| mail_fault(&error))?;
        let answer = self.connection.command(Data).await;
        answer.map_err(|error| mail_fault(&error))?;
        #[cfg(debug_assertions)]
        step.after();
        #[cfg(debug_assertions)]
        let step = store::point::before("SMTP content");
        // Whoever dies from here on until the answer is kept does not know whether the server has it (rulings 21).
        let answer = self.connection.message(&content).await;
        answer.map_err(|error| mail_fault(&error))?;
        #[cfg(debug_assertions)]
        step.after();
        Ok(())
    }

    /// Says goodbye.
    pub(super) async fn close(mut self) {
        self.connection.abort().await;
    }
}

async fn log_in(
    connection: &mut AsyncSmtpConnection,
    login: &SmtpLogin,
    tokens: &mut Tokens,
    http: &Http,
    now: Timestamp,
) -> Result<(), MailFault> {
    match login {
        SmtpLogin::Password { user, password } => {
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            let answer = connection.auth(DEFAULT_MECHANISMS, &credentials).await;
            answer.map_err(|error| way_fault(&error))?;
        }
        SmtpLogin::AccessToken { user, source } => {
            let token = tokens.access(http, source, now).await?;
            let credentials = Credentials::new(user.clone(), token.expose().to_owned());
            let answer = connection.auth(&[Mechanism::Xoauth2], &credentials).await;
            if let Err(error) = answer {
                // It may have been withdrawn: the next try asks for another.
                tokens.forget();
                return Err(way_fault(&error));
            }
        }
    }
    Ok(())
}

/// `[::1]` is written with brackets in a name, and without in an address.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn tls(smtp: &Smtp) -> Result<TlsParameters, MailFault> {
    let mut builder = TlsParameters::builder(bare(&smtp.host).to_owned());
    if let Some(pem) = &smtp.certificate_authority {
        let authority = Certificate::from_pem(pem).map_err(|_| MailFault::Options)?;
        builder = builder.add_root_certificate(authority);
    }
    builder.build().map_err(|_| MailFault::NoTls)
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
