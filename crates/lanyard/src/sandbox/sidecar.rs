//! The sandbox's sidecar: the connector for an external system that somebody writes in another language. It is the relying
//! party "Anytown Learning Portal".

use std::sync::Arc;

use ::sidecar::{ApiKeyConfig, Config, Sidecar, Surroundings};
use connector::Policy;
use gateway::clock::Clock;
use url::Url;

use super::secrets::Secrets;
use super::{Options, SIDECAR, parties, settings};
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
        gateway: settings::gateway(options, urls, party),
        api_keys: vec![ApiKeyConfig {
            name: "sandbox".to_owned(),
            sha256: ::sidecar::sha256_of(&secrets.sidecar_key),
        }],
        policy: Policy::Exact,
        session_hours: 12,
        supersede: true,
        mail: Some(settings::mail(options, "learning")?),
        webhook: None,
        traces: traces::TracesConfig::default(),
        tls_certificate: None,
        tls_key: None,
        client_ca: None,
    })
}
