//! The sandbox's sidecar: the connector for an external system that somebody writes in another language. It is the relying
//! party "Anytown Learning Portal".

use std::sync::Arc;

use ::sidecar::{ApiKeyConfig, Config, MailConfig, Sidecar, Surroundings};
use connector::config::GatewayConfig;
use connector::desk::SmtpSecurity;
use connector::{Dialect, Policy, SecretSource};
use gateway::clock::Clock;
use url::Url;

use super::secrets::Secrets;
use super::{Options, SIDECAR, SMTP, parties};
use crate::sandbox_file::{SidecarPlace, Urls};

/// Composes it. It knows nobody: its external system tells.
pub async fn compose(
    options: &Options,
    urls: &Urls,
    secrets: &Secrets,
    redirect_uri: &Url,
    clock: &Clock,
) -> anyhow::Result<Sidecar> {
    let clock = clock.clone();
    let surroundings = Surroundings {
        clock: Arc::new(move || clock.now()),
        sandbox: true,
    };
    let config = config(options, urls, secrets, redirect_uri)?;
    let sidecar = Sidecar::compose(&config, surroundings).await?;
    if options.fresh {
        sidecar.forget_everything().await?;
    }
    Ok(sidecar)
}

/// What outside programs need to know.
pub fn told(
    options: &Options,
    secrets: &Secrets,
    redirect_uri: Url,
) -> anyhow::Result<SidecarPlace> {
    Ok(SidecarPlace {
        url: options.local(SIDECAR)?,
        api_key: secrets.sidecar_key.clone(),
        redirect_uri,
    })
}

fn config(
    options: &Options,
    urls: &Urls,
    secrets: &Secrets,
    redirect_uri: &Url,
) -> anyhow::Result<Config> {
    let party = &secrets.parties[parties::LEARNING_PORTAL];
    // A file of its own: in one database its desk and the portal's would do each other's work.
    let database = format!("sqlite:{}", options.data.join("sidecar.db").display());
    Ok(Config {
        listen: ([127, 0, 0, 1], options.port(SIDECAR)?).into(),
        database,
        organisation: "Anytown NHS Trust".to_owned(),
        redirect_uri: redirect_uri.clone(),
        home: Some(redirect_uri.join("/")?),
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
        api_keys: vec![ApiKeyConfig {
            name: "sandbox".to_owned(),
            sha256: ::sidecar::sha256_of(&secrets.sidecar_key),
        }],
        policy: Policy::Exact,
        session_hours: 12,
        supersede: true,
        mail: Some(MailConfig {
            host: "localhost".to_owned(),
            port: options.port(SMTP)?,
            security: SmtpSecurity::Loopback,
            username: None,
            password: None,
            from: "Anytown NHS Trust <learning@anytown.example>".to_owned(),
            contact: "hr@anytown.example, 01234 567890".to_owned(),
        }),
        webhook: None,
        tls_certificate: None,
        tls_key: None,
        client_ca: None,
    })
}
