//! Telling the employee, by SMTP.

use url::Url;

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
    /// STARTTLS where the server offers it. Whoever is in between can take it away.
    Opportunistic,
    /// None. Accepted for this machine only.
    Loopback,
}

/// Why mails cannot be sent with these options.
#[derive(Debug, thiserror::Error)]
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
}
