//! What every request can reach: configuration made ready, the store, and the only clock, random source and
//! HTTP client of the gateway.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::entra::Tokens;
use crate::following::Behind;
use crate::interaction::rows::Interactions;
use crate::keys::Ring;
use crate::limits::{Kind, Limits, Place, TooMany};
use crate::metrics::Metrics;
use crate::oidc::Guesses;
use crate::organisation::{Organisations, RelyingParty};
use crate::outbound::Outbound;
use crate::random::Random;
use crate::registry::secrets::Uses;
use crate::seal::Seal;
use crate::status::Lists;
use store::Store;
use traces::Tracer;

/// What a handler is given: the parts that were current when its request began ([`Live`](crate::live::Live)).
/// Cheap to clone.
pub type App = Arc<Parts>;

/// The parts that slices share. Only the composition root makes one; a copy shares all that counts or remembers.
#[derive(Clone)]
pub struct Parts {
    /// The public address without a slash at its end; every identifier begins with it.
    pub base: String,
    /// Who may use the gateway, and for what.
    pub organisations: Arc<Organisations>,
    /// The database.
    pub store: Store,
    /// The interactions in it.
    pub interactions: Interactions,
    /// Status lists, published and allotted.
    pub lists: Lists,
    /// How long a request may take.
    pub longest_request: Duration,
    /// The one clock.
    pub clock: Clock,
    /// The one random source.
    pub random: Random,
    /// Encrypts, and derives keys for values that the gateway hands out and reads back.
    pub seal: Seal,
    /// The one HTTP client.
    pub outbound: Outbound,
    /// The signing keys of the gateway and of every organisation.
    pub keys: Arc<Ring>,
    /// How many wrong short codes came lately.
    pub short_code_guesses: Arc<Guesses>,
    /// The operator's name and colours.
    pub brand: Arc<ui::Brand>,
    /// Which client secrets were used lately.
    pub secret_uses: Arc<Uses>,
    /// How much anybody may ask.
    pub limits: Arc<Limits>,
    /// Access tokens of organisations' Entra tenants.
    pub entra: Arc<Tokens>,
    /// What is counted of the gateway's work.
    pub metrics: Arc<Metrics>,
    /// Compares operators' passwords; made ready when the first is compared.
    pub passwords: Arc<tokio::sync::OnceCell<passwords::Passwords>>,
    /// What this process could not take over of what others changed.
    pub behind: Arc<Behind>,
    /// Makes traces, where somebody is told of them.
    pub tracer: Option<Arc<Tracer>>,
}

impl Parts {
    /// Counts one request of a relying party that has proved who it is, and gives it a place among those under way:
    /// to be kept until the request is answered.
    pub fn admit(&self, kind: Kind, party: &RelyingParty) -> Result<Place<String>, TooMany> {
        self.limits
            .charge_client(kind, &party.client_id, &party.limits, self.now())
    }

    /// The time of this request.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An address of the gateway's own; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Whether browsers reach the gateway over TLS, which decides cookie names and flags (rulings 17).
    pub fn is_https(&self) -> bool {
        self.base.starts_with("https://")
    }
}
