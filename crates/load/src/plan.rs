//! What to do, as the command that starts this program wrote it down.

use std::net::SocketAddr;

use serde::Deserialize;

/// One run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What is measured.
    pub server: Server,
    /// The relying party that everything is done for.
    pub party: Party,
    /// What is done.
    pub scenario: Scenario,
    /// How many callers are at it at once.
    pub in_flight: usize,
    /// What is done before anything counts.
    pub warm_up_seconds: f64,
    /// What counts.
    pub seconds: f64,
}

/// Credentials that `seed_credentials` (an example of the gateway) put into the database.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lists {
    /// How many there are.
    pub credentials: u64,
    /// How many have a place on one list.
    pub on_a_list: u64,
    /// How many are revoked, one after the other.
    pub changes: u64,
    /// How many wallets present a credential of theirs, at each of the two processes, until it is refused.
    pub presented: u64,
    /// Another process of the gateway, on the same database.
    pub beside: SocketAddr,
}

/// The server under load: one or more processes of this machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Where each of its processes listens, without TLS: this program stands where the proxy would that ends it, and
    /// gives each of them a request in turn. A page that waits stays with one.
    pub addresses: Vec<SocketAddr>,
    /// The address that it goes by, without a slash at its end.
    pub origin: String,
    /// Whose memory and CPU time are told, added up.
    pub processes: Vec<u32>,
}

/// A relying party as the server has registered it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// OAuth client id.
    pub client_id: String,
    /// Sent as `client_secret_basic`.
    pub client_secret: String,
    /// Base64 of the key that signs drafts; a party that only verifies has none.
    #[serde(default)]
    pub signing_key: Option<String>,
    /// Where the browser comes back to. Nothing listens there.
    pub redirect_uri: String,
    /// What ID tokens are signed with: `ES256` or `RS256`. Another is an error.
    pub algorithm: String,
}

/// What is done over and over.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// One verification, then one issue.
    Journey,
    /// One verification.
    Verify,
    /// One issue.
    Issue,
    /// One pushed request that no browser comes for.
    Par,
    /// One code for one ID token. So many verifications are made before, and the run ends when their codes do.
    Token {
        /// How many.
        codes: usize,
    },
    /// A login at a provider that asks nobody: pushed request, authorization, code, token.
    Login,
    /// So many pages wait, each asking how things stand as its script does, while journeys begin at that rate.
    Pages {
        /// How many.
        open: usize,
        /// Verify-and-issue journeys that begin in a second.
        journeys_a_second: f64,
    },
    /// Nothing but pushed requests, at that rate, whatever they are answered with. No caller is in flight: the rate is
    /// that of a clock.
    Flood {
        /// How many in a second.
        pushes_a_second: f64,
    },
    /// Status lists of credentials that were put into the database: fetched, changed, fetched again.
    Status(Lists),
    /// No server: the cryptography and the QR codes that one journey cannot do without, on two threads.
    Floor,
}
