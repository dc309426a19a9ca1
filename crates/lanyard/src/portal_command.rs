//! `lanyard portal --config FILE`: the reference staff portal alone.

use std::path::PathBuf;

use anyhow::Context as _;
use portal::{Config, Portal, Surroundings};

use crate::listen::{self, Listeners};
use crate::say::say;

/// What to run.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The configuration file; docs/operate/portal.md explains its keys.
    #[arg(long, value_name = "FILE", env = "LANYARD_PORTAL_CONFIG")]
    config: PathBuf,
    /// Check the configuration, the staff file and the database, and stop.
    #[arg(long)]
    check: bool,
}

/// Runs the portal until it is told to stop.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let config = Config::read(&options.config)?;
    let tls = match (&config.tls_certificate, &config.tls_key) {
        (Some(certificate), Some(key)) => Some(listen::tls(certificate, key)?),
        (None, None) => None,
        _ => anyhow::bail!("tls_certificate and tls_key belong together"),
    };
    let portal = Portal::compose(&config, Surroundings::production()).await?;
    if options.check {
        portal.close().await;
        return say(format_args!(
            "{}: this portal can start",
            options.config.display()
        ));
    }
    let mut listeners = Listeners::default();
    listeners
        .serve_at("portal", config.listen, tls, portal.router())
        .context("the portal cannot listen")?;
    tracing::info!(listen = %config.listen, public_url = %config.public_url, "the portal is ready");
    let outcome = listeners
        .until_stopped(async {
            Box::pin(portal.keep_working()).await;
            anyhow::anyhow!("the portal stopped working behind its pages")
        })
        .await;
    portal.close().await;
    outcome
}
