//! How mails go out, as a host's configuration file says it.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::{ConfigError, secret};
use crate::desk::{
    Channel, MailOptions, Notify, NotifyKey, Smtp, SmtpLogin, SmtpSecurity, TokenSource,
};
use crate::{ClientSecret, SecretSource};

/// How employees are written to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// The mail server; none where `notify` is set.
    #[serde(default)]
    pub host: String,
    /// Its port.
    #[serde(default = "submission")]
    pub port: u16,
    /// `required` (STARTTLS or no mail), `implicit` (TLS from the first byte), `opportunistic`, or `loopback` (none,
    /// on this machine only).
    #[serde(default)]
    pub security: SmtpSecurity,
    /// The user name there, if it asks for one.
    #[serde(default)]
    pub username: Option<String>,
    /// The password there.
    #[serde(default)]
    pub password: Option<SecretSource>,
    /// The sender, e.g. `Anytown NHS Trust <staff-services@anytown.example>`.
    pub from: String,
    /// Whom to ask, e.g. `hr@anytown.example, 01234 567890`.
    pub contact: String,
    /// Whether a mail names the portal's bare address, its only link.
    #[serde(default = "yes")]
    pub home_link: bool,
    /// GOV.UK Notify, in place of a mail server.
    #[serde(default)]
    pub notify: Option<NotifyConfig>,
    /// Access tokens for the mail server, in place of a password.
    #[serde(default)]
    pub access_token: Option<AccessTokenConfig>,
    /// A certificate authority (PEM) to trust besides the machine's own, for the mail server.
    #[serde(default)]
    pub certificate_authority: Option<PathBuf>,
    /// A folder of the operator's own texts.
    #[serde(default)]
    pub texts: Option<PathBuf>,
    /// How many mails go out within a minute at most: 30 by a mail server, 1,000 by GOV.UK Notify.
    #[serde(default)]
    pub most_a_minute: Option<u32>,
}

/// A service at GOV.UK Notify, by which mails go in place of a mail server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifyConfig {
    /// The API key.
    pub key: SecretSource,
    /// The template's id.
    pub template: Uuid,
    /// The id of the template in Welsh.
    #[serde(default)]
    pub welsh_template: Option<Uuid>,
    /// The bearer token that was entered for callbacks to `/notify/callback`. Without it statuses are asked for.
    #[serde(default)]
    pub callback_token: Option<SecretSource>,
    /// The API's address, for tests; Notify's own without it.
    #[serde(default)]
    pub url: Option<Url>,
}

/// Where access tokens for the mail server come from (XOAUTH2), in place of a password.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessTokenConfig {
    /// The OAuth token endpoint.
    pub endpoint: Url,
    /// The client's id there.
    pub client_id: String,
    /// The client's secret there.
    #[serde(default)]
    pub client_secret: Option<SecretSource>,
    /// A refresh token, where the client has no rights of its own.
    #[serde(default)]
    pub refresh_token: Option<SecretSource>,
    /// What is asked for.
    #[serde(default = "exchange_online")]
    pub scope: String,
}

fn exchange_online() -> String {
    "https://outlook.office365.com/.default".to_owned()
}

impl MailConfig {
    /// The options of the desk of this organisation, whose portal is at `home`.
    pub fn options(
        &self,
        organisation: &str,
        home: Option<&Url>,
    ) -> Result<MailOptions, ConfigError> {
        let channel = match &self.notify {
            Some(_) if !self.host.is_empty() => {
                let reason = "mails go by a mail server or by GOV.UK Notify, not by both";
                return Err(ConfigError::new("mail.notify", reason));
            }
            Some(notify) => Channel::Notify(by_notify(notify)?),
            None => Channel::Smtp(by_smtp(self)?),
        };
        Ok(MailOptions {
            channel,
            from: self.from.clone(),
            organisation: organisation.to_owned(),
            home: home.filter(|_| self.home_link).cloned(),
            contact: self.contact.clone(),
            texts: self.texts.clone(),
            most_a_minute: self.most_a_minute,
        })
    }
}

fn by_notify(notify: &NotifyConfig) -> Result<Notify, ConfigError> {
    let key = secret("mail.notify.key", &notify.key)?;
    let key = NotifyKey::parse(&key);
    let public = Url::parse(Notify::PUBLIC);
    let base = notify.url.clone().map_or(public, Ok);
    Ok(Notify {
        base: base.map_err(|error| ConfigError::new("mail.notify.url", error))?,
        key: key.map_err(|error| ConfigError::new("mail.notify.key", error))?,
        template: notify.template,
        welsh_template: notify.welsh_template,
        callback_token: optional("mail.notify.callback_token", notify.callback_token.as_ref())?,
    })
}

fn by_smtp(mail: &MailConfig) -> Result<Smtp, ConfigError> {
    let login = match (&mail.username, &mail.password, &mail.access_token) {
        (Some(user), Some(password), None) => {
            let password = secret("mail.password", password)?;
            Some(SmtpLogin::Password {
                user: user.clone(),
                password: ClientSecret::new(password.as_str()),
            })
        }
        (Some(user), None, Some(token)) => Some(SmtpLogin::AccessToken {
            user: user.clone(),
            source: TokenSource {
                endpoint: token.endpoint.clone(),
                client_id: token.client_id.clone(),
                client_secret: optional(
                    "mail.access_token.client_secret",
                    token.client_secret.as_ref(),
                )?,
                refresh_token: optional(
                    "mail.access_token.refresh_token",
                    token.refresh_token.as_ref(),
                )?,
                scope: token.scope.clone(),
            },
        }),
        (None, None, None) => None,
        _ => {
            let reason =
                "mail.username belongs together with either mail.password or mail.access_token";
            return Err(ConfigError::new("mail.username", reason));
        }
    };
    Ok(Smtp {
        host: mail.host.clone(),
        port: mail.port,
        security: mail.security,
        login,
        certificate_authority: match &mail.certificate_authority {
            Some(file) => Some(super::pem("mail.certificate_authority", file)?),
            None => None,
        },
    })
}

fn optional(key: &str, source: Option<&SecretSource>) -> Result<Option<ClientSecret>, ConfigError> {
    let found = source.map(|source| secret(key, source)).transpose()?;
    Ok(found.map(|text| ClientSecret::new(text.as_str())))
}

fn yes() -> bool {
    true
}

/// The port for submission [RFC 6409].
fn submission() -> u16 {
    587
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mail(text: &str) -> Result<MailConfig, String> {
        let both = "from = \"A <a@anytown.example>\"\ncontact = \"hr\"\n";
        toml::from_str(&format!("{both}{text}")).map_err(|error| error.to_string())
    }

    #[test]
    fn notify_needs_a_key_and_a_template_and_no_mail_server() {
        let key = std::env::temp_dir().join(format!("lanyard-key-{}", Uuid::new_v4()));
        let text = "k-26785a09-ab16-4eb0-8407-a37497a57506-3d844edf-8d35-48ac-975b-e847b4f122b0\n";
        std::fs::write(&key, text).unwrap();
        let notify = format!(
            "[notify]\nkey = {{ file = {key:?} }}\ntemplate = \"9d751e0e-f929-4891-82a1-a3e1c3c18ee3\"\n"
        );
        let config = mail(&notify).unwrap();
        let notify = by_notify(config.notify.as_ref().unwrap()).unwrap();
        assert_eq!(notify.base.as_str(), Notify::PUBLIC);
        assert!(notify.callback_token.is_none());
        std::fs::write(&key, "no key").unwrap();
        let refused = by_notify(config.notify.as_ref().unwrap()).unwrap_err();
        assert!(
            refused.to_string().starts_with("mail.notify.key: "),
            "{refused}"
        );
        std::fs::remove_file(&key).unwrap();
        assert!(mail("[notify]\ntemplate = \"no-id\"").is_err());
    }

    #[test]
    fn a_user_logs_in_by_a_password_or_by_an_access_token() {
        let server = "host = \"smtp.example\"\n";
        let token =
            "[access_token]\nendpoint = \"https://login.example/token\"\nclient_id = \"c\"\n";
        let smtp = |text: &str| by_smtp(&mail(&format!("{server}{text}")).unwrap());
        let by_token = smtp(&format!("username = \"a@anytown.example\"\n{token}")).unwrap();
        assert_eq!(by_token.port, 587);
        let Some(SmtpLogin::AccessToken { user, source }) = by_token.login else {
            panic!("another log-in");
        };
        assert_eq!(user, "a@anytown.example");
        assert_eq!(source.scope, "https://outlook.office365.com/.default");
        assert!(smtp("").unwrap().login.is_none());
        for text in [token, "username = \"a\"\n", "password = { env = \"X\" }\n"] {
            assert!(smtp(text).is_err(), "{text}");
        }
    }
}
