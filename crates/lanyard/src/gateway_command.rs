//! `lanyard gateway --config FILE`: the gateway alone, for real use.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum_server::tls_rustls::RustlsConfig;
use gateway::{Config, Gateway, Surroundings};

use crate::certificate;
use crate::listen::{self, Listeners};
use crate::say::say;

/// What to run.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The configuration file; docs/operate/gateway.md explains its keys.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG")]
    config: PathBuf,
    /// Create the signing keys that the configuration needs and that are not there, and stop.
    #[arg(long)]
    create_keys: bool,
    /// Check the configuration, the keys and the database, and stop.
    #[arg(long)]
    check: bool,
}

/// What the admin listener serves: the admin API, and the console over it unless the file says otherwise.
pub fn administration(config: &Config, gateway: &Gateway) -> Router {
    let api = gateway.admin_router();
    let Some(admin) = config.admin.as_ref().filter(|admin| admin.console) else {
        return api;
    };
    let app = gateway.app();
    let clock = app.clock.clone();
    let header = config.address_header.as_deref();
    let settings = console::Settings {
        brand: Arc::clone(&app.brand),
        secure: admin.is_https(),
        // It was read when the gateway was composed.
        address_header: header.and_then(|name| name.parse().ok()),
        clock: Arc::new(move || clock.now()),
    };
    console::router(api, settings)
}

/// The gateway's own certificate, if it ends TLS itself.
pub fn tls(config: &Config) -> anyhow::Result<Option<RustlsConfig>> {
    match (&config.tls_certificate, &config.tls_key) {
        (Some(certificate), Some(key)) => Ok(Some(listen::tls(certificate, key)?)),
        (None, None) => Ok(None),
        _ => anyhow::bail!("tls_certificate and tls_key belong together"),
    }
}

/// Runs the gateway until it is told to stop.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let config = Config::read(&options.config)?;
    if options.create_keys {
        for name in gateway::create_keys(&config, false)? {
            say(format_args!("created {name}"))?;
        }
        return Ok(());
    }
    let tls = tls(&config)?;
    let gateway = Gateway::compose(&config, Surroundings::production()).await?;
    gateway::restored::check(&gateway.app().store).await??;
    if options.check {
        gateway.close().await;
        return say(format_args!(
            "{}: this gateway can start",
            options.config.display()
        ));
    }
    let mut listeners = Listeners::new(&config.limits.process);
    listeners
        .serve_at("gateway", config.listen, tls.clone(), gateway.router())
        .context("the gateway cannot listen")?;
    if let Some(address) = config.metrics.listen {
        listeners
            .serve_at("metrics", address, None, gateway.metrics_router())
            .context("the metrics cannot listen")?;
    }
    if let Some(certificate) = &config.tls_certificate {
        match certificate::end(certificate) {
            Ok(end) => gateway.tell_certificate_end(end),
            Err(error) => tracing::warn!(%error, "when the certificate ends is not known"),
        }
    }
    if let Some(admin) = &config.admin {
        // A certificate names a host, which 127.0.0.1 is not.
        let tls = tls.filter(|_| admin.has_tls());
        listeners
            .serve_at(
                "admin API",
                admin.listen,
                tls,
                administration(&config, &gateway),
            )
            .context("the admin API cannot listen")?;
        tracing::info!(listen = %admin.listen, "the admin API is ready");
    }
    tracing::info!(listen = %config.listen, public_url = %config.public_url, "the gateway is ready");
    let told_to_stop = async {
        listen::stop_signal().await;
        gateway.stop_being_ready();
        let seconds = u64::from(config.availability.not_ready_seconds);
        if seconds > 0 {
            tracing::info!(seconds, "told to stop: not ready, and still answering");
            // Whoever says it a second time has no load balancer to wait for.
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
                () = listen::stop_signal() => {}
            }
        }
    };
    let outcome = listeners
        .until(told_to_stop, async {
            Box::pin(gateway.keep_working()).await;
            anyhow::anyhow!("the gateway stopped working behind its pages")
        })
        .await;
    gateway.close().await;
    outcome
}
