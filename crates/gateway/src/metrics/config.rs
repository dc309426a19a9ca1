//! What the configuration file says of watching.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// `[metrics]`: who may read the figures.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// Where figures and the full readiness are served, without TLS and without a password: an address that only the
    /// operator's machines reach, such as `127.0.0.1:8411`. Left out: nowhere.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
}

/// `[availability]`: what load balancers and people are told.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvailabilityConfig {
    /// Told to stop, for how many seconds the gateway first says that it is not ready, and goes on answering: longer
    /// than a load balancer takes to notice. Left out: 0, for where there is none.
    #[serde(default)]
    pub not_ready_seconds: u32,
    /// A file of planned work for the status page and the report (TOML).
    #[serde(default)]
    pub planned_work: Option<PathBuf>,
}
