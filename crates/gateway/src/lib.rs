//! The credential gateway: an OpenID Connect provider in front, a verifier and credential issuer behind.
//!
//! [`Gateway::compose`] makes one from a [`Config`]; [`Gateway::router`] is everything it serves. The slices
//! meet in [`interaction`] and [`status`]; only this file knows them all.

pub mod admin;
mod administration;
mod admission;
pub mod app;
pub mod audit;
pub mod availability;
mod base;
pub mod checklist;
mod client;
pub mod clock;
pub mod config;
mod copies;
mod custody;
mod entra;
mod event;
pub mod evidence;
mod flight;
pub mod following;
pub mod health;
pub mod interaction;
pub mod issue;
mod key_desk;
pub mod keys;
pub mod limits;
mod live;
pub mod metrics;
pub mod oidc;
mod openapi;
mod operate;
pub mod operator;
pub mod organisation;
pub mod outbound;
mod outcome;
mod paced;
pub mod random;
pub mod registry;
pub mod restored;
pub mod retention;
mod revision;
pub mod revoke;
pub mod seal;
pub mod status;
mod storage_secret;
mod surroundings;
mod tables;
pub mod timeline;
pub mod verify;
mod watching;
mod webhook;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, StatusCode};
use axum::response::{Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

pub use administration::{audit_keys, export_audit, note_in_audit, organisation_ids, verify_audit};
use app::{App, Parts};
use availability::PlannedWork;
pub use base::SANDBOX_SECRET_PREFIX;
use base::{Base, Known};
pub use config::Config;
use config::ConfigError;
use following::Following;
use interaction::rows::Interactions;
pub use key_desk::{KeyDesk, PassphraseError, change_key_passphrase, forget_keys};
use keys::{Place, Ring};
use limits::Limits;
use live::Live;
use metrics::Metrics;
pub use operate::ChainStands;
use outbound::Outbound;
use registry::RegistryError;
use status::Lists;
use storage_secret::seal;
pub use storage_secret::{Renewed, Rotated, SEALED, Sealed, rotate_storage_secret};
use store::{Migrations, StoreError};
pub use surroundings::Surroundings;
use tables::Opening;
pub use tables::{OtherTables, look_into_store, open_store};
use watching::Watch;

mod for_sqlite {
    refinery::embed_migrations!("migrations/sqlite");
}

mod for_postgres {
    refinery::embed_migrations!("migrations/postgres");
}

/// The gateway's tables.
pub const MIGRATIONS: Migrations = Migrations::new(
    "refinery_schema_history",
    for_sqlite::migrations::runner,
    for_postgres::migrations::runner,
);

/// The largest request body that any endpoint reads. Pushed drafts and presentations stay far below it.
const LARGEST_BODY: usize = 256 * 1024;

/// A gateway, composed and ready to serve.
#[derive(Clone)]
pub struct Gateway {
    live: Live,
    base: Arc<Base>,
    following: Arc<Following>,
    watch: Arc<Watch>,
    planned_work: Option<std::path::PathBuf>,
    kept_for: config::Lengths,
    audit_days: u32,
    loopback: bool,
    page_states: bool,
    door: Arc<admin::Door>,
}

/// Why a gateway could not be composed.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What is registered.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The database.
    #[error("the database could not be opened")]
    Store(#[from] StoreError),
    /// The database's tables are of another version, and nothing was to be changed.
    #[error("{0}")]
    Tables(OtherTables),
}

impl Gateway {
    /// Checks the configuration, loads the keys, opens the database. Refuses to start rather than to start
    /// half-right.
    pub async fn compose(
        config: &Config,
        surroundings: Surroundings,
    ) -> Result<Self, ComposeError> {
        Self::compose_on(config, surroundings, Opening::Bring).await
    }

    /// The same for whoever only looks: the database stays as it is, and one of another version is refused.
    pub async fn look(config: &Config, surroundings: Surroundings) -> Result<Self, ComposeError> {
        Self::compose_on(config, surroundings, Opening::Look).await
    }

    async fn compose_on(
        config: &Config,
        surroundings: Surroundings,
        opening: Opening,
    ) -> Result<Self, ComposeError> {
        let base = check_public_url(config, surroundings.sandbox)?;
        let tracer = surroundings.tracer(&config.traces)?;
        let outbound = Outbound::new(&surroundings.http_origins)
            .map_err(|error| ConfigError::value("http_origins", error.to_string()))?
            .traced(tracer.clone());
        let standing = Base::new(config, outbound.clone(), surroundings.sandbox)?;
        let seal = seal(config)?;
        config.check_admin()?;
        let address_header = address_header(config)?;
        let store = tables::open(&config.database_address()?, opening).await?;
        let seal = storage_secret::with_kept_keys(seal, &store, opening).await?;
        let limits = Limits::new(
            config.limits.clone(),
            address_header,
            &surroundings.random.bytes(),
            interaction::PUSHED_LIFETIME,
            interaction::LIFETIME,
        );
        let limits = Arc::new(limits);
        // Numbers first: what changes in between is read twice, and not missed.
        let followed = revision::find(&store).await?;
        let known = Known::read(&store, &seal).await?;
        let organisations = standing.organisations_at_start(&known)?;
        let places = operate::places(&organisations);
        let now = surroundings.clock.now();
        let adopted = match opening {
            Opening::Bring => keys::adopt(&store, &standing.keys, places, now).await,
            Opening::Look => keys::find_unadopted(&store, &standing.keys, &places, now)
                .await
                .map(drop),
        };
        adopted.map_err(RegistryError::from)?;
        let ring = Ring::load(&store, &standing.keys).await;
        let ring = ring.map_err(RegistryError::from)?;
        if opening == Opening::Bring {
            keys::destroy_ended(&store, &standing.keys).await?;
        }
        let listeners = match (opening, operate::told(&organisations)) {
            (Opening::Bring, told) => event::listeners(&store, told).await?,
            (Opening::Look, told) => told,
        };
        let metrics = Arc::new(Metrics::default());
        PlannedWork::read(config.availability.planned_work.as_deref())
            .map_err(|error| ConfigError::value("availability.planned_work", error.to_string()))?;
        let live = Live::new(Parts {
            organisations: Arc::new(organisations),
            interactions: Interactions::new(
                store.clone(),
                seal.clone(),
                Arc::new(listeners),
                Arc::clone(&metrics),
                Arc::clone(&limits),
            ),
            lists: Lists::new(
                base.clone(),
                store.clone(),
                surroundings.random.clone(),
                seal.clone(),
            ),
            base,
            store,
            longest_request: surroundings.longest_request,
            clock: surroundings.clock,
            random: surroundings.random,
            seal,
            outbound,
            keys: Arc::new(ring),
            short_code_guesses: Arc::default(),
            brand: Arc::clone(&standing.brand),
            secret_uses: Arc::default(),
            limits,
            entra: Arc::default(),
            metrics,
            passwords: Arc::default(),
            behind: Arc::default(),
            tracer,
        });
        Ok(Self {
            watch: Watch::new(&live, config),
            planned_work: config.availability.planned_work.clone(),
            live,
            base: Arc::new(standing),
            following: Arc::new(Following::new(followed.into(), known.registered)),
            kept_for: config.kept_for(),
            audit_days: config.audit_retention_days,
            loopback: is_loopback(&config.public_url),
            page_states: surroundings.page_states && surroundings.sandbox,
            door: Arc::default(),
        })
    }

    /// Everything the gateway serves.
    pub fn router(&self) -> Router {
        // A browser that is told 'https only' for localhost would hold it against every other port.
        let app = self.live.now();
        let secure = app.is_https() && !self.loopback;
        let routes = self
            .addresses()
            // The first is the outermost. One layer of five, since the router boxes each and copies it for each request.
            .layer(
                tower::ServiceBuilder::new()
                    .map_response(move |response: axum::http::Response<_>| {
                        ui::headers::complete(response.map(Body::new), secure)
                    })
                    .layer(CatchPanicLayer::custom(answer_panic))
                    .layer(axum::middleware::from_fn_with_state(
                        self.live.clone(),
                        admission::admit,
                    ))
                    .layer(DefaultBodyLimit::max(LARGEST_BODY)),
            );
        // Before routing, hence around the router and not on it.
        let routes = tower::ServiceBuilder::new()
            .map_request(without_case)
            .service(routes);
        // However busy the gateway is, whoever watches it hears that it is alive.
        watching::probes(&self.watch)
            .layer(axum::middleware::map_response(move |response| async move {
                ui::headers::complete(response, secure)
            }))
            .fallback_service(routes)
    }

    /// Each address that the gateway serves, without what stands around them all: for whoever lists them. Served is
    /// [`Self::router`].
    pub fn addresses(&self) -> Router {
        let (described, document) = OpenApiRouter::default()
            .merge(oidc::router(&self.live, self.page_states))
            .merge(revoke::router())
            .merge(outcome::router())
            .merge(webhook::router())
            .split_for_parts();
        let document = openapi::document(document, webhook::described(), &self.live.now().base);
        described
            .route("/openapi.json", get(|| async move { Json(document) }))
            .merge(verify::router())
            .merge(issue::router())
            .merge(entra::router())
            .merge(status::router())
            .merge(registry::router())
            .merge(
                availability::router(self.planned_work.clone(), oidc::frame(&self.live)).layer(
                    axum::middleware::from_fn_with_state(self.live.clone(), oidc::speak),
                ),
            )
            // Whoever opens the address itself is told what this is.
            .route("/", get(|| async { Redirect::to("/help") }))
            .fallback(|| async { (StatusCode::NOT_FOUND, "There is nothing at this address.\n") })
            .with_state(self.live.clone())
    }

    /// Does what is due beside the requests, until the future is dropped: wipes what must not stay, tells relying
    /// parties what happened, and follows what other processes change. Each at its own pace.
    pub async fn keep_working(&self) {
        tokio::join!(
            retention::run(&self.live, self.kept_for),
            webhook::run(&self.live),
            self.follow(),
            self.watch.beat(),
            self.send_traces(),
            audit::run(&self.live, self.audit_days),
            revoke::jobs::run(&self.live)
        );
    }

    /// Sends traces to the collector, where the configuration names one, until the future is dropped.
    pub async fn send_traces(&self) {
        traces::run(self.live.now().tracer.as_ref()).await;
    }

    /// One round of telling, to its end.
    pub async fn deliver_once(&self) -> Result<(), StoreError> {
        webhook::round(&self.live.now()).await
    }

    /// One round of wiping.
    pub async fn tidy_once(&self) -> Result<retention::Round, StoreError> {
        retention::round(&self.live.now(), self.kept_for).await
    }

    /// One second of every revocation of many that two persons wanted.
    pub async fn revoke_once(&self) -> Result<(), revoke::bulk::JobError> {
        revoke::jobs::round(&self.live.now()).await
    }

    /// Deletes every interaction and credential: a sandbox begins anew.
    pub async fn forget_everything(&self) -> Result<(), StoreError> {
        retention::forget_everything(&self.live.now()).await
    }

    /// Lets writes that were begun finish.
    pub async fn close(&self) {
        self.live.now().store.close().await;
    }

    /// The current parts, for tests and for the programs that compose a gateway.
    pub fn app(&self) -> App {
        self.live.now()
    }
}

/// Creates every key that the configuration needs and that is not there yet; tells their names.
pub fn create_keys(config: &Config, sandbox: bool) -> Result<Vec<String>, ConfigError> {
    let keys = base::key_store(config, sandbox)?;
    let organisations = config.organisations.iter();
    let theirs = organisations.flat_map(|entry| Place::of_organisation(&entry.id));
    let there = keys.names()?;
    let mut created = Vec::new();
    for place in Place::of_gateway().into_iter().chain(theirs) {
        let name = place.to_string();
        // The first key of a place may be gone long since: a later one has a longer name.
        let later = format!("{name}.");
        let has_later = there.iter().any(|one| one.starts_with(&later));
        if !has_later && keys.create(&name, place.purpose.algorithm())? {
            created.push(name);
        }
    }
    Ok(created)
}

/// A fault of this program: the caller hears no more than that, in the form that its other errors have.
fn answer_panic(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request ended in a panic; its place is in the lines before");
    let sentence = "the gateway failed at this request";
    client::answer_error(StatusCode::INTERNAL_SERVER_ERROR, "server_error", sentence)
}

fn address_header(config: &Config) -> Result<Option<HeaderName>, ConfigError> {
    let fault = |reason: &str| ConfigError::value("address_header", reason);
    let name = config.address_header.as_deref().map(str::parse);
    let name = name
        .transpose()
        .map_err(|_| fault("it must be the name of a header, such as x-forwarded-for"))?;
    if name.as_ref() == Some(&axum::http::header::FORWARDED) {
        return Err(fault(
            "the form of Forwarded [RFC 7239] is not read here; have the proxy send X-Forwarded-For",
        ));
    }
    Ok(name)
}

fn check_public_url(config: &Config, sandbox: bool) -> Result<String, ConfigError> {
    let url = &config.public_url;
    let fault = |reason: &str| Err(ConfigError::value("public_url", reason));
    if url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
    {
        return fault("it must be scheme and host only, such as https://credentials.example");
    }
    match url.scheme() {
        "https" => {}
        "http" if sandbox && is_loopback(url) => {}
        _ => return fault("it must begin with https://"),
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The old contracts' paths are matched without regard to case, since their clients do not agree on it
/// (gateway contract 2.1). Other paths carry ids and stay as they are.
fn without_case(mut request: Request) -> Request {
    let path = request.uri().path();
    let old = [
        "/oidc/",
        "/v2.0/",
        "/v2/",
        "/revocation/",
        "/api/revocation/",
        "/.well-known/openid-configuration",
    ];
    let is_old = old.iter().any(|prefix| {
        path.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    });
    if is_old && path.bytes().any(|b| b.is_ascii_uppercase()) {
        let query = request
            .uri()
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        if let Ok(uri) = format!("{}{query}", path.to_ascii_lowercase()).parse() {
            *request.uri_mut() = uri;
        }
    }
    request
}

#[cfg(test)]
mod tests {
    use super::MIGRATIONS;

    #[test]
    fn both_engines_have_the_same_migrations() {
        let [mut sqlite, postgres] = MIGRATIONS.names();
        assert_eq!(sqlite, postgres);
        // V10 comes after V9.
        sqlite.sort_by_key(|name| (name.find("__"), name.clone()));
        // A number that is left out cannot be given later: a database beyond it would not start again.
        for (at, name) in sqlite.iter().enumerate() {
            assert!(name.starts_with(&format!("V{}__", at + 1)), "{name}");
        }
    }
}
