//! A mail server, as the operator describes it.

use url::{Host, Url};

use super::MailOptionsError;
use crate::ClientSecret;

/// A mail server.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: SmtpSecurity,
    /// How to log in, if it asks for that.
    pub login: Option<SmtpLogin>,
    /// A certificate authority to trust besides the machine's own, as PEM.
    pub certificate_authority: Option<Vec<u8>>,
}

/// How to log in at a mail server.
#[derive(Clone, Debug)]
pub enum SmtpLogin {
    /// By user and password.
    Password {
        /// The user; where the server is Exchange Online, the mailbox's whole address.
        user: String,
        /// The password.
        password: ClientSecret,
    },
    /// By an access token [the `XOAUTH2` mechanism], which Exchange Online asks for.
    AccessToken {
        /// The mailbox's whole address.
        user: String,
        /// Where the token comes from.
        source: TokenSource,
    },
}

/// Where access tokens for the mail server come from: an OAuth token endpoint [RFC 6749 3.2].
#[derive(Clone, Debug)]
pub struct TokenSource {
    /// The token endpoint, e.g. `https://login.microsoftonline.com/TENANT/oauth2/v2.0/token`.
    pub endpoint: Url,
    /// The client's id there.
    pub client_id: String,
    /// The client's secret there. A public client with a refresh token has none.
    pub client_secret: Option<ClientSecret>,
    /// With a refresh token [RFC 6749 6]; without one, by the client's own credentials [RFC 6749 4.4].
    pub refresh_token: Option<ClientSecret>,
    /// What is asked for, e.g. `https://outlook.office365.com/.default`.
    pub scope: String,
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

impl Smtp {
    pub(super) fn check(&self) -> Result<(), MailOptionsError> {
        let host = Host::parse(&self.host).map_err(|_| MailOptionsError::Host)?;
        let loopback = match host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        if self.security == SmtpSecurity::Loopback && !loopback {
            return Err(MailOptionsError::NotLoopback);
        }
        if let Some(SmtpLogin::AccessToken { source, .. }) = &self.login {
            if !crate::http::is_secure(&source.endpoint) {
                return Err(MailOptionsError::Endpoint("token endpoint"));
            }
            if source.client_secret.is_none() && source.refresh_token.is_none() {
                return Err(MailOptionsError::TokenSource);
            }
        }
        Ok(())
    }
}
