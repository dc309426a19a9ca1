//! What every request can reach: configuration made ready, the store, and the only clock, random source and
//! HTTP client of the gateway.

use std::sync::Arc;

use jiff::Timestamp;
use standards::jose::Signer;

use crate::clock::Clock;
use crate::interaction::rows::Interactions;
use crate::limits::{Kind, Limits, Place, TooMany};
use crate::oidc::Guesses;
use crate::organisation::{Organisations, RelyingParty};
use crate::outbound::Outbound;
use crate::random::Random;
use crate::seal::Seal;
use crate::status::Lists;
use store::Store;

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
    /// The one clock.
    pub clock: Clock,
    /// The one random source.
    pub random: Random,
    /// Encrypts, and derives keys for values that the gateway hands out and reads back.
    pub seal: Seal,
    /// The one HTTP client.
    pub outbound: Outbound,
    /// Signs the ID tokens of dialect clients (RS256).
    pub id_token_rs256: Arc<dyn Signer>,
    /// Signs the ID tokens of plain clients that ask for nothing else (ES256).
    pub id_token_es256: Arc<dyn Signer>,
    /// Signs the ID tokens of clients that ask for Ed25519 (`EdDSA`).
    pub id_token_eddsa: Arc<dyn Signer>,
    /// Signs the checkpoints of the audit (ES256), and nothing else.
    pub audit_key: Arc<dyn Signer>,
    /// How many wrong short codes came lately.
    pub short_code_guesses: Arc<Guesses>,
    /// The operator's name and colours.
    pub brand: Arc<ui::Brand>,
    /// How much anybody may ask.
    pub limits: Arc<Limits>,
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
