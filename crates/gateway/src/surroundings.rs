//! What is around a gateway: clock, random source, and whether it is a sandbox.

use std::sync::Arc;
use std::time::Duration;

use traces::{Tracer, TracesConfig};

use crate::clock::Clock;
use crate::config::ConfigError;
use crate::random::Random;

/// What the composing program decides and a configuration file cannot say.
pub struct Surroundings {
    /// The clock; the sandbox and tests move theirs.
    pub clock: Clock,
    /// Where random values come from.
    pub random: Random,
    /// The one http origin (or few) that the outbound client may call, for loopback only (rulings 15).
    pub http_origins: Vec<url::Url>,
    /// Whether keys, secrets and an http address that belong to a sandbox are accepted.
    pub sandbox: bool,
    /// Whether every page can be looked at in every state below `/__states`. Of a sandbox only: elsewhere it is as if
    /// nobody had asked.
    pub page_states: bool,
    /// How long a request may take once its body is here, outbound fetches included. What it has asked the database to
    /// write goes on all the same.
    pub longest_request: Duration,
}

impl Surroundings {
    /// Real use: the system's clock and random source, https only, no sandbox keys.
    pub fn production() -> Self {
        Self {
            clock: Clock::system(),
            random: Random::system(),
            http_origins: Vec::new(),
            sandbox: false,
            page_states: false,
            longest_request: Duration::from_secs(30),
        }
    }

    /// Who tells traces, where somebody is to be told.
    pub(crate) fn tracer(&self, config: &TracesConfig) -> Result<Option<Arc<Tracer>>, ConfigError> {
        let (clock, random) = (self.clock.clone(), self.random.clone());
        let clock = Arc::new(move || clock.now());
        let random = Arc::new(move |bytes: &mut [u8]| random.fill(bytes));
        Tracer::new("lanyard-gateway", config, clock, random)
            .map_err(|fault| ConfigError::value(fault.key, fault.reason))
    }
}
