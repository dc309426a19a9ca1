//! What an external system links to use a credential gateway: check an employee's identity, put a
//! credential into their wallet, revoke it later.
//!
//! The gateway looks like an OpenID Connect provider, so each journey has two halves. The first
//! ([`Connector::verify`], [`Connector::issue`]) gives an address for the employee's browser and a
//! [`Pending`] to keep for that browser's session; the second ([`Connector::finish`]) takes that
//! `Pending` out again when the browser comes back, and says what happened in a type.
//!
//! ```no_run
//! # async fn example(settings: connector::Settings) -> Result<(), Box<dyn std::error::Error>> {
//! use connector::{Callback, Connector, Http, HttpOptions, Returned};
//!
//! let connector = Connector::discover(settings, Http::new(HttpOptions::default())?).await?;
//! let started = connector.verify(&["Identity"]).await?;
//! // Keep `started.pending` in the employee's session; send the browser to `started.url`.
//! // The browser comes back to the redirect URI with a query:
//! let callback = Callback::parse("code=…&state=…")?;
//! match connector.finish(started.pending, callback).await? {
//!     Returned::Verified(verified) => println!("{}", verified.identity()?.unique_identifier),
//!     Returned::Issued(issued) => println!("{}", issued.serial_number),
//! }
//! # Ok(()) }
//! ```
//!
//! A portal that wants the whole of it (identity once a session, exactly what was confirmed, revocation and mail that
//! survive a crash) opens a [`desk::Desk`] instead, which keeps what must be kept.
//!
//! A browser that does not come back leaves a question, which [`Connector::look_up`] asks the gateway.
//!
//! Keep the `Pending` of an issue *before* the browser leaves: it holds the serial number, so a
//! credential that reached the wallet can be found and revoked whatever happens afterwards.

mod callback;
pub mod config;
pub mod desk;
mod discovery;
mod fault;
mod finish;
mod http;
mod id_token;
mod identity;
mod issue;
mod keys;
mod known;
mod matching;
mod outcome;
mod pending;
mod revoke;
mod secret;
mod secret_source;
mod settings;
pub mod sign_in;
mod verify;

use std::sync::Arc;

use jiff::Timestamp;

pub use callback::{Callback, CallbackError};
pub use discovery::{DiscoverError, Metadata};
pub use fault::{Endpoint, GatewayFault, Refusal, with_causes};
pub use finish::{AuthorizationError, FinishError, Issued, NotOurs, Returned};
pub use http::{Exchange, FetchError, Http, HttpOptions, Observer};
pub use id_token::IdTokenError;
pub use identity::{Attributes, Identity, IdentityError, Verified, parse_date};
pub use issue::{Draft, DraftError};
pub use known::{KnownCredential, PublishedList, StatusListFault, StatusPlace};
pub use matching::{
    Answer, Comparison, MatchOutcome, OnRecord, Policy, Reason, WrittenIdentity, WrittenPair,
    WrittenRecord, compare, compare_line,
};
pub use outcome::{About, Ended, Outcome, Revoked};
pub use pending::{Pending, Purpose, Started};
pub use revoke::{Revocation, RevokeError};
pub use secret_source::{SecretSource, SecretSourceError};
pub use settings::{ClientSecret, Dialect, Push, Settings, SigningKey};
// For feeds of records.
pub use standards::csv;
pub use standards::jose::hmac_key::HmacKeyError;
pub use verify::StartError;

/// Where the connector reads the time. The system's clock, or one that a test moves.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A relying party of one gateway. Make one at start, share it; it holds no journey's state.
pub struct Connector {
    settings: Settings,
    metadata: Metadata,
    keys: keys::Keys,
    http: Http,
    clock: Clock,
}

impl Connector {
    /// Read the gateway's discovery document and check it against the settings.
    pub async fn discover(settings: Settings, http: Http) -> Result<Self, DiscoverError> {
        Self::discover_with_clock(settings, http, Arc::new(Timestamp::now)).await
    }

    /// As [`Connector::discover`], reading the time from `clock`.
    pub async fn discover_with_clock(
        settings: Settings,
        http: Http,
        clock: Clock,
    ) -> Result<Self, DiscoverError> {
        let metadata = discovery::fetch(&http, &settings).await?;
        let keys = keys::Keys::new(metadata.jwks_uri.clone());
        Ok(Self {
            settings,
            metadata,
            keys,
            http,
            clock,
        })
    }

    /// What the gateway's discovery document said.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}
