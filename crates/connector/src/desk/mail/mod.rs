//! Telling the employee, by SMTP.

mod post;
mod words;

use lettre::message::Mailbox;
use url::{Host, Url};

pub(super) use post::{MailFault, Outgoing, Post};
pub(super) use words::{DELETE_CREDENTIAL, Revoked, delete_credential};

/// How mails go out.
#[derive(Clone, Debug)]
pub struct MailOptions {
    /// The way.
    pub smtp: Smtp,
    /// The sender, e.g. `Anytown NHS Trust <staff-services@anytown.example>`.
    pub from: String,
    /// The organisation, as the mail names it.
    pub organisation: String,
    /// The portal's bare address: the only link in a mail. `None` for mails without any.
    pub home: Option<Url>,
    /// Whom to ask, e.g. "hr@anytown.example, 01234 567890".
    pub contact: String,
}

/// A mail server.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: SmtpSecurity,
    /// User and password, if it asks for them.
    pub login: Option<(String, crate::ClientSecret)>,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmtpSecurity {
    /// STARTTLS, or no mail.
    #[default]
    Required,
    /// TLS from the first byte.
    Implicit,
    /// STARTTLS where the server offers it. Whoever is in between can take it away, so no password goes over a
    /// connection without it.
    Opportunistic,
    /// None. Accepted for this machine only.
    Loopback,
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
        self.smtp.check()
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

impl Smtp {
    fn check(&self) -> Result<(), MailOptionsError> {
        let host = Host::parse(&self.host).map_err(|_| MailOptionsError::Host)?;
        let loopback = match host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        if self.security == SmtpSecurity::Loopback && !loopback {
            return Err(MailOptionsError::NotLoopback);
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn options() -> MailOptions {
        MailOptions {
            smtp: Smtp {
                host: "localhost".to_owned(),
                port: 2525,
                security: SmtpSecurity::Loopback,
                login: None,
            },
            from: "Anytown NHS Trust <staff-services@anytown.example>".to_owned(),
            organisation: "Anytown NHS Trust".to_owned(),
            home: Some("https://staff.example/".parse().unwrap()),
            contact: "hr@anytown.example, 01234 567890".to_owned(),
        }
    }

    fn refused(change: impl FnOnce(&mut MailOptions)) -> Option<MailOptionsError> {
        let mut options = options();
        change(&mut options);
        options.check().err()
    }

    #[test]
    fn mail_without_tls_stays_on_this_machine() {
        assert_eq!(refused(|_| ()), None);
        for (host, wanted) in [
            ("127.0.0.1", None),
            ("[::1]", None),
            ("relay.nhs.uk", Some(MailOptionsError::NotLoopback)),
            ("localhost.example", Some(MailOptionsError::NotLoopback)),
            ("two words", Some(MailOptionsError::Host)),
            ("", Some(MailOptionsError::Host)),
        ] {
            assert_eq!(
                refused(|it| it.smtp.host = host.to_owned()),
                wanted,
                "{host}"
            );
        }
        let elsewhere = |it: &mut MailOptions| {
            it.smtp.host = "relay.nhs.uk".to_owned();
            it.smtp.security = SmtpSecurity::default();
        };
        assert_eq!(refused(elsewhere), None);
    }

    #[test]
    fn sec_35_a_sender_or_text_with_a_second_line_is_no_option() {
        for from in [
            "",
            "nobody",
            "A <a@b.example>\r\nBcc: c@d.example",
            "a@b.example\n",
            "ä@b.example",
        ] {
            assert_eq!(
                refused(|it| it.from = from.to_owned()),
                Some(MailOptionsError::From)
            );
        }
        let contact = refused(|it| it.contact = "hr\nsecond line".to_owned());
        assert_eq!(contact, Some(MailOptionsError::Text("contact")));
        let organisation = refused(|it| it.organisation = " ".to_owned());
        assert_eq!(organisation, Some(MailOptionsError::Text("organisation")));
    }

    #[test]
    fn sec_31_the_only_link_is_the_portals_bare_and_safe_address() {
        for (home, good) in [
            ("https://staff.example/", true),
            ("http://localhost:8401/", true),
            ("http://staff.example/", false),
            ("https://staff.example/?token=1", false),
            ("https://staff.example/#log-in", false),
            ("https://anna@staff.example/", false),
        ] {
            let answer = refused(|it| it.home = Some(home.parse().unwrap()));
            assert_eq!(answer.is_none(), good, "{home}");
        }
    }
}
