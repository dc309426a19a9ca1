//! The sandbox's staff portal: that of Anytown NHS Trust, for the relying party "Anytown Staff Services".

use std::sync::Arc;

use ::portal::Portal;
use ::portal::config::{AuditConfig, Config, GatewayConfig, IdentityConfig, MailConfig};
use connector::{Dialect, Policy, SecretSource, desk::SmtpSecurity};
use gateway::clock::Clock;

use super::secrets::Secrets;
use super::{Options, PORTAL, SMTP, parties, records};
use crate::sandbox_file::Urls;

/// Composes it, and lets it know everybody.
pub async fn compose(
    options: &Options,
    urls: &Urls,
    secrets: &Secrets,
    clock: &Clock,
) -> anyhow::Result<Portal> {
    let clock = clock.clone();
    let surroundings = ::portal::Surroundings {
        clock: Arc::new(move || clock.now()),
        sandbox: true,
        ..::portal::Surroundings::production()
    };
    let portal = Portal::compose(&config(options, urls, secrets)?, surroundings).await?;
    if options.fresh {
        portal.forget_everything().await?;
    }
    portal.import(&records::staff(&secrets.passwords)?).await?;
    Ok(portal)
}

fn config(options: &Options, urls: &Urls, secrets: &Secrets) -> anyhow::Result<Config> {
    let party = &secrets.parties[parties::STAFF_SERVICES];
    // Its own file, or its own tables beside the gateway's.
    let database = options
        .database
        .clone()
        .unwrap_or_else(|| format!("sqlite:{}", options.data.join("portal.db").display()));
    Ok(Config {
        public_url: urls.portal.clone(),
        listen: ([127, 0, 0, 1], options.port(PORTAL)?).into(),
        database,
        organisation: "Anytown NHS Trust".to_owned(),
        gateway: GatewayConfig {
            url: urls.gateway.clone(),
            dialect: Dialect::V2,
            client_id: party.client_id.clone(),
            client_secret: SecretSource::held(party.client_secret.as_str()),
            signing_key: SecretSource::held(party.signing_key.as_str()),
            organisation_id: parties::ANYTOWN.to_owned(),
            certificate_authority: options.tls_cert.clone(),
            journey_seconds: 48 * 60,
            answer_seconds: 45,
        },
        identity: IdentityConfig {
            policy: Policy::Exact,
        },
        mail: Some(MailConfig {
            host: "localhost".to_owned(),
            port: options.port(SMTP)?,
            security: SmtpSecurity::Loopback,
            username: None,
            password: None,
            from: "Anytown NHS Trust <staff-services@anytown.example>".to_owned(),
            contact: "hr@anytown.example, 01234 567890".to_owned(),
            home_link: true,
            notify: None,
            access_token: None,
            certificate_authority: None,
            texts: None,
            most_a_minute: None,
        }),
        log_in: None,
        records: None,
        applies: Vec::new(),
        audit: AuditConfig::default(),
        staff: None,
        brand: None,
        hr_page: true,
        address_header: None,
        idle_minutes: 30,
        session_hours: 12,
        tls_certificate: None,
        tls_key: None,
    })
}
