//! What the sandbox's external systems have in common: where the gateway is, and how mails go out.

use connector::config::{GatewayConfig, MailConfig};
use connector::desk::SmtpSecurity;
use connector::{Dialect, SecretSource};

use super::secrets::PartySecrets;
use super::{Options, SMTP, parties};
use crate::sandbox_file::Urls;

/// The gateway, to this relying party of Anytown NHS Trust.
pub fn gateway(options: &Options, urls: &Urls, party: &PartySecrets) -> GatewayConfig {
    GatewayConfig {
        url: urls.gateway.clone(),
        dialect: Dialect::V2,
        client_id: party.client_id.clone(),
        client_secret: SecretSource::held(party.client_secret.as_str()),
        signing_key: SecretSource::held(party.signing_key.as_str()),
        organisation_id: parties::ANYTOWN.to_owned(),
        certificate_authority: options.tls_cert.clone(),
        journey_seconds: 48 * 60,
        answer_seconds: 45,
    }
}

/// By the sandbox's mail catcher, from this mailbox of Anytown's.
pub fn mail(options: &Options, mailbox: &str) -> anyhow::Result<MailConfig> {
    Ok(MailConfig {
        host: "localhost".to_owned(),
        port: options.port(SMTP)?,
        security: SmtpSecurity::Loopback,
        username: None,
        password: None,
        from: format!("Anytown NHS Trust <{mailbox}@anytown.example>"),
        contact: "hr@anytown.example, 01234 567890".to_owned(),
        home_link: true,
        notify: None,
        access_token: None,
        certificate_authority: None,
        texts: None,
        most_a_minute: None,
    })
}
