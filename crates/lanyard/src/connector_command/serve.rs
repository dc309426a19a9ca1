//! `lanyard connector --config FILE`: the connector beside an external system in any language.

use std::path::Path;

use anyhow::Context as _;
use sidecar::{Config, Sidecar, Surroundings};

use crate::listen::{self, Listeners};
use crate::say::say;

/// Serves until it is told to stop; with `check` only looks whether it could.
pub(super) async fn run(file: &Path, check: bool) -> anyhow::Result<()> {
    let config = Config::read(file)?;
    let sidecar = Sidecar::compose(&config, Surroundings::production()).await?;
    let tls = match (&config.tls_certificate, &config.tls_key) {
        (Some(certificate), Some(key)) => Some(match &config.client_ca {
            Some(authority) => listen::mutual_tls(certificate, key, authority)?,
            None => listen::tls(certificate, key)?,
        }),
        _ => None,
    };
    if check {
        sidecar.close().await;
        return say(format_args!("{}: this connector can start", file.display()));
    }
    let mut listeners = Listeners::default();
    listeners
        .serve_at("connector", config.listen, tls, sidecar.router())
        .context("the connector cannot listen")?;
    tracing::info!(listen = %config.listen, "the connector is ready");
    let outcome = listeners
        .until_stopped(async {
            Box::pin(sidecar.keep_working()).await;
            anyhow::anyhow!("the connector stopped working behind its API")
        })
        .await;
    sidecar.close().await;
    outcome
}

/// Prints a new API key, and what the configuration file says of it.
pub(super) fn new_key() -> anyhow::Result<()> {
    let (key, sha256) =
        sidecar::new_api_key().context("this machine gives no randomness for a key")?;
    say(format_args!(
        "For whoever calls (shown once): {key}\nFor the configuration file:      sha256 = \"{sha256}\""
    ))
}
