//! What the configuration file says of traces.

use serde::Deserialize;
use url::Url;

/// `[traces]`: who is told how long requests took, part by part.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracesConfig {
    /// Where an OpenTelemetry collector takes OTLP/HTTP as JSON, such as `http://127.0.0.1:4318/v1/traces`. Left out: nobody
    /// is told. `http` in your own network only: who listens there sees what is asked, though not by whom.
    #[serde(default)]
    pub otlp_endpoint: Option<Url>,
    /// Of how many traces that begin here one is kept. Those of others are kept as their `traceparent` says.
    #[serde(default = "every_one")]
    pub one_in: u32,
}

const fn every_one() -> u32 {
    1
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            one_in: every_one(),
        }
    }
}

/// What the configuration says of traces cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct InvalidTraces {
    /// Which key.
    pub key: &'static str,
    /// Why.
    pub reason: &'static str,
}

pub(crate) fn check(endpoint: &Url, config: &TracesConfig) -> Result<(), InvalidTraces> {
    let has_host = matches!(endpoint.scheme(), "http" | "https") && endpoint.has_host();
    if !has_host || !endpoint.username().is_empty() || endpoint.password().is_some() {
        let reason = "it must be an http or https address without a user name, such as http://127.0.0.1:4318/v1/traces";
        let key = "traces.otlp_endpoint";
        return Err(InvalidTraces { key, reason });
    }
    if config.one_in == 0 {
        let (key, reason) = ("traces.one_in", "it must be 1 or more");
        return Err(InvalidTraces { key, reason });
    }
    Ok(())
}
