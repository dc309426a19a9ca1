//! A local stand-in for Microsoft Entra Verified ID, and for Authenticator. For tests: nobody is really asked anything.
//!
//! [`VerifiedId`] is what Microsoft runs: the token endpoint and the Request Service, over HTTP on loopback, with errors in
//! Microsoft's shapes and callbacks that bring the headers given at creation. [`Authenticator`] is the wallet. It asks by
//! HTTP, too, and answers, says no, or closes. [`VerifiedId::callback`] makes a callback by hand, to be bent before it is
//! sent; [`VerifiedId::will`] breaks the service.
//!
//! It is written from Microsoft's public documentation and shares no code with the gateway, so that a misreading of one is
//! not the misreading of both. Nothing in it has been compared with a live tenant. What passes between Authenticator and
//! the service is its own: the gateway never sees that.

mod authenticator;
mod callback;
mod fault;
mod jwt;
mod present;
mod service;
mod token;
mod validate;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::Router;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

pub use authenticator::{Answer, Authenticator, Card, Outcome, Retrieval};
pub use callback::Callback;
pub use fault::Fault;

/// The application id of the Request Service: the audience of its access tokens.
pub const REQUEST_SERVICE: &str = "3db474b9-6a0c-4840-96ac-1fceb342124f";
/// The application id of the Admin API, whose tokens open nothing here.
pub const ADMIN_API: &str = "6a8b4b39-c021-437c-b060-5a14a3fd65f3";

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// One organisation's directory, with the one application that is registered in it.
#[derive(Clone)]
pub struct Tenant {
    /// The directory id.
    pub id: Uuid,
    /// The application id.
    pub client_id: Uuid,
    /// The application's secret.
    pub client_secret: String,
    /// The DID of its authority.
    pub authority: String,
    /// The application roles that an administrator consented to. None: tokens are given, and open nothing.
    pub roles: Vec<String>,
    /// How long an access token lives, in seconds.
    pub token_seconds: i64,
}

/// What Microsoft runs, on a port of this machine; cheap to clone. It ends with the runtime that it was started in.
#[derive(Clone)]
pub struct VerifiedId(Arc<Inner>);

struct Inner {
    base: Url,
    clock: Clock,
    tenants: Vec<Tenant>,
    access_tokens: hmac::Key,
    requests_key: EcdsaKeyPair,
    client: reqwest::Client,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    requests: HashMap<Uuid, Request>,
    sent: Vec<Value>,
    tokens: usize,
    /// Access tokens that began before are not taken any more.
    tokens_since: i64,
    faults: VecDeque<Fault>,
}

/// One presentation request.
#[derive(Clone)]
struct Request {
    tenant: Uuid,
    /// As the relying party sent it.
    body: Value,
    expires_at: Timestamp,
    /// What Authenticator must bring back: not the relying party's state.
    opaque: String,
    nonce: String,
    is_used: bool,
    retrieval: Retrieval,
    times: usize,
}

/// Why the stand-in could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the stand-in cannot be started: {0}")]
pub struct StartError(String);

impl VerifiedId {
    /// Starts it on a free port of 127.0.0.1.
    pub async fn start(tenants: Vec<Tenant>, clock: Clock) -> Result<Self, StartError> {
        let failed = |error: &dyn std::fmt::Display| StartError(error.to_string());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .map_err(|error| failed(&error))?;
        let port = listener
            .local_addr()
            .map_err(|error| failed(&error))?
            .port();
        let base = format!("http://localhost:{port}")
            .parse()
            .map_err(|error| failed(&error))?;
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|error| failed(&error))?;
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| failed(&error))?;
        let own = Self(Arc::new(Inner {
            base,
            clock,
            tenants,
            access_tokens: hmac::Key::new(hmac::HMAC_SHA256, Uuid::new_v4().as_bytes()),
            requests_key: key,
            client,
            memory: Mutex::default(),
        }));
        let router = own.router();
        // Whoever stops listening first is the test: there is nobody to tell.
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(own)
    }

    fn router(&self) -> Router {
        let wallet = "/v1.0/tenants/{tenant}/verifiableCredentials";
        Router::new()
            .route("/{tenant}/oauth2/v2.0/token", post(token::give))
            .route(
                "/v1.0/verifiableCredentials/createPresentationRequest",
                post(service::create),
            )
            .route(
                &format!("{wallet}/presentationRequests/{{id}}"),
                get(present::retrieve),
            )
            .route(
                &format!("{wallet}/verifyPresentation"),
                post(present::verify),
            )
            .layer(axum::extract::DefaultBodyLimit::max(2 * service::LARGEST))
            .with_state(self.clone())
    }

    /// Its address: the token endpoint's and the Request Service's alike.
    pub fn base(&self) -> &Url {
        &self.0.base
    }

    /// The bodies of the creating calls that came, as they came, whether or not they were taken.
    pub fn sent(&self) -> Vec<Value> {
        self.memory().sent.clone()
    }

    /// How many access tokens were given.
    pub fn tokens(&self) -> usize {
        self.memory().tokens
    }

    /// What the next creating call meets; several are met one after the other.
    pub fn will(&self, fault: Fault) {
        self.memory().faults.push_back(fault);
    }

    /// From now on, access tokens that were given before open nothing.
    pub fn forget_tokens(&self) {
        let now = self.now().as_second();
        self.memory().tokens_since = now + 1;
    }

    /// Forgets the requests that were made and what came in. For whoever makes a great many: nothing else is ever forgotten.
    pub fn forget_requests(&self) {
        let mut memory = self.memory();
        memory.requests.clear();
        memory.sent.clear();
    }

    /// A callback as the service would send it, to the relying party whose link this is: one that says
    /// `request_retrieved`. `None` where the link is none of this service's.
    pub fn callback(&self, link: &str) -> Option<Callback> {
        let id = authenticator::request_uri(link)?
            .path_segments()?
            .next_back()?
            .parse()
            .ok()?;
        let request = self.memory().requests.get(&id)?.clone();
        Some(Callback::retrieved(&self.0.client, id, &request.body))
    }

    fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tenant(&self, id: Uuid) -> Option<&Tenant> {
        self.0.tenants.iter().find(|tenant| tenant.id == id)
    }
}
