//! The connector as a process of its own: a small HTTP API beside an external system in any language.
//!
//! It is a door to [`connector::desk::Desk`], with a database of its own. The external system has the browser, the log-in
//! and the records; it tells the sidecar what it needs to know, when it is needed. The contract is at `/openapi.json`, and
//! docs/integrate/sidecar.md explains it.
//!
//! One caller, the external system, is trusted with everything: whoever holds a key may act for each of its employees.

mod app;
mod backlog;
mod callbacks;
mod changes;
pub mod config;
mod confirmations;
mod events;
mod idempotency;
mod issuings;
mod key;
mod mails;
mod openapi;
mod people;
mod person_data;
mod problem;
mod records;
mod reviews;
mod revocations;
mod sessions;
mod states;
mod told;
mod verifications;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use connector::Clock;
use connector::config::ConfigError;
use connector::desk::{Desk, DeskError, DeskOptions};
use jiff::{SignedDuration, Timestamp};
use store::{Migrations, Statement, Store, StoreError};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use traces::Tracer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use app::{App, Parts};
use problem::{Code, Problem};

pub use config::Config;
pub use events::WebhookConfig;
pub use key::{ApiKeyConfig, PeerCertificate, new_api_key, sha256_of};

mod for_sqlite {
    refinery::embed_migrations!("migrations/sqlite");
}

mod for_postgres {
    refinery::embed_migrations!("migrations/postgres");
}

/// The sidecar's tables, which stand beside those of the desk.
pub const MIGRATIONS: Migrations = Migrations::new(
    "sidecar_history",
    for_sqlite::migrations::runner,
    for_postgres::migrations::runner,
);

/// The largest body, but for a feed of changes.
const LARGEST_BODY: usize = 1024 * 1024;
/// How long one request may take, calls to the gateway included; but for a feed.
const LONGEST_REQUEST: Duration = Duration::from_secs(40);
/// How often what has served its time is deleted.
const TIDY_EVERY: Duration = Duration::from_mins(1);

/// A sidecar. Cheap to clone.
#[derive(Clone)]
pub struct Sidecar {
    app: App,
}

/// What the composing program decides and a configuration file cannot say.
pub struct Surroundings {
    /// The clock; the sandbox and tests move theirs.
    pub clock: Clock,
    /// Whether http addresses on this machine and keys that belong to a sandbox are accepted.
    pub sandbox: bool,
}

impl Surroundings {
    /// Real use: the system's clock, https only.
    #[must_use]
    pub fn production() -> Self {
        Self {
            clock: Arc::new(Timestamp::now),
            sandbox: false,
        }
    }
}

/// Why a sidecar could not be composed.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database.
    #[error("the database could not be opened")]
    Store(#[from] StoreError),
    /// The desk: how it speaks to the gateway and to the mail server.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl Sidecar {
    /// Checks the configuration and opens the database. The gateway may be down now.
    pub async fn compose(
        config: &Config,
        surroundings: Surroundings,
    ) -> Result<Self, ComposeError> {
        let Surroundings { clock, sandbox } = surroundings;
        config.check(sandbox)?;
        let settings = config
            .gateway
            .settings(config.redirect_uri.clone(), sandbox)?;
        let http = config.gateway.http_options()?;
        let seconds = |seconds: u32| SignedDuration::from_secs(seconds.into());
        let identity_lasts = SignedDuration::from_hours(config.session_hours.into());
        let options = DeskOptions {
            policy: config.policy,
            supersede: config.supersede,
            identity_lasts,
            journey_lasts: seconds(config.gateway.journey_seconds),
            answer_lasts: seconds(config.gateway.answer_seconds),
            mail: match &config.mail {
                Some(mail) => Some(mail.options(&config.organisation, config.home.as_ref())?),
                None => None,
            },
            ..DeskOptions::default()
        };
        let keys = config.api_keys.iter().map(|key| {
            key::ApiKey::read(key).map_err(|_| {
                let reason = "it must be the SHA-256 of a key in hexadecimal, not the key";
                ConfigError::new(format!("api_keys: {}: sha256", key.name), reason)
            })
        });
        let keys = keys.collect::<Result<_, _>>()?;
        let webhook = config.webhook.as_ref().map(events::Webhook::open);
        let webhook = webhook.transpose()?;
        let tracer = Tracer::new(
            "lanyard-sidecar",
            &config.traces,
            Arc::clone(&clock),
            traces::system_random(),
        );
        let tracer = tracer.map_err(|fault| ConfigError::new(fault.key, fault.reason))?;
        let address = config.database_address()?;
        let address = address
            .parse()
            .map_err(|error: store::InvalidDatabaseUrl| ConfigError::new("database", error))?;

        let store = Store::open(&address, &[connector::desk::MIGRATIONS, MIGRATIONS]).await?;
        let desk = Desk::new(store.clone(), settings, http, options, Arc::clone(&clock))?;
        Ok(Self {
            app: Arc::new(Parts {
                store,
                desk,
                clock,
                tracer,
                keys,
                webhook,
                identity_lasts,
            }),
        })
    }

    /// Everything the sidecar serves.
    pub fn router(&self) -> Router {
        let app = &self.app;
        let (answered, mut document) = OpenApiRouter::default()
            .routes(routes!(verifications::start))
            .routes(routes!(callbacks::take))
            .routes(routes!(sessions::standing))
            .routes(routes!(sessions::end))
            .routes(routes!(reviews::list))
            .routes(routes!(reviews::decide))
            .routes(routes!(confirmations::confirm))
            .routes(routes!(confirmations::answer_about_old_copy))
            .routes(routes!(issuings::start))
            .routes(routes!(states::of_records))
            .routes(routes!(states::of_person))
            .routes(routes!(revocations::revoke))
            .routes(routes!(revocations::revoke_all))
            .routes(routes!(person_data::export, person_data::erase))
            .routes(routes!(events::list))
            .routes(routes!(events::redeliver))
            .routes(routes!(mails::hold))
            .routes(routes!(mails::release))
            .routes(routes!(mails::may_still_hold))
            .routes(routes!(mails::told_another_way))
            .routes(routes!(mails::send_again))
            .routes(routes!(backlog::list))
            .split_for_parts();
        let (feed, of_feed) = OpenApiRouter::default()
            .routes(routes!(changes::tell))
            .split_for_parts();
        let (open, of_open) = OpenApiRouter::default()
            .routes(routes!(backlog::healthy))
            .routes(routes!(backlog::ready))
            .routes(routes!(mails::notify_callback))
            .split_for_parts();
        document.merge(of_feed);
        document.merge(of_open);
        let document = openapi::document(document);
        // A feed may be large and slow; everything else may not.
        let answered = answered.layer(DefaultBodyLimit::max(LARGEST_BODY)).layer(
            TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST_REQUEST),
        );
        let routes = answered
            .merge(feed.layer(DefaultBodyLimit::disable()))
            .method_not_allowed_fallback(refuse_method)
            .fallback(|| async { Problem::from(Code::NotFound) })
            .layer(from_fn_with_state(app.clone(), idempotency::once))
            .layer(from_fn_with_state(app.clone(), key::required))
            .merge(open.method_not_allowed_fallback(refuse_method))
            .route("/openapi.json", get(|| async move { Json(document) }))
            .with_state(app.clone())
            .layer(from_fn(unread::thrown_away))
            .layer(map_response(complete))
            .layer(CatchPanicLayer::custom(answer_panic));
        traces::around(routes, app.tracer.as_ref())
    }

    /// Revokes, writes mails, finds out what is not known, tells of events, and deletes what has served its time, until
    /// the future is dropped.
    pub async fn keep_working(&self) {
        let tidying = async {
            loop {
                if let Err(error) = self.app.tidy().await {
                    tracing::warn!(%error, "what has served its time could not be removed");
                }
                tokio::time::sleep(TIDY_EVERY).await;
            }
        };
        let tracer = self.app.tracer.as_ref();
        let working = async {
            tokio::select! {
                () = Box::pin(self.app.desk.keep_working()) => {}
                () = events::run(&self.app) => {}
                () = tidying => {}
            }
        };
        tokio::select! {
            () = traces::beside(tracer, working) => {}
            () = traces::run(tracer) => {}
        }
    }

    /// Deletes what has served its time, once.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        self.app.tidy().await
    }

    /// The desk behind the door, for programs that link the sidecar.
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.app.desk
    }

    /// Deletes everybody and everything: a sandbox begins anew.
    pub async fn forget_everything(&self) -> Result<(), StoreError> {
        self.app.desk.forget_everything().await?;
        let tables = ["events", "answers", "erasures", "records", "people"];
        let deletes = tables.map(|table| Statement::new(format!("DELETE FROM sidecar_{table}")));
        self.app.store.write(deletes).await.map(drop)
    }

    /// Lets writes that were begun finish.
    pub async fn close(&self) {
        self.app.store.close().await;
    }
}

impl Parts {
    /// Deletes what nobody can need any more (SEC-40).
    async fn tidy(&self) -> Result<(), StoreError> {
        let answers = Statement::new("DELETE FROM sidecar_answers WHERE expires_at <= $1");
        // While somebody has to look at an identity of theirs, it must be known when the record is another.
        let people = Statement::new(
            "DELETE FROM sidecar_people WHERE told_at < $1 AND NOT EXISTS \
             (SELECT 1 FROM connector_reviews r WHERE r.employee = sidecar_people.employee)",
        );
        let batch = [
            answers.bind(self.now()),
            people.bind(self.ago(self.identity_lasts)),
            self.old_events(),
        ];
        self.store.write(batch).await?;
        self.forget_who_is_erased().await
    }
}

/// Names and serial numbers stay in no cache; an answer without a body of ours is a problem like any other.
async fn complete(response: Response) -> Response {
    let is_ours = response.headers().contains_key(header::CONTENT_TYPE);
    let mut response = match response.status() {
        StatusCode::SERVICE_UNAVAILABLE if !is_ours => Problem::from(Code::TooSlow).into_response(),
        _ => response,
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

async fn refuse_method() -> Problem {
    Code::MethodNotAllowed.into()
}

/// What panicked stays in the log of the panic hook: it may hold anything.
fn answer_panic(_: Box<dyn Any + Send>) -> axum::http::Response<axum::body::Body> {
    Problem::from(Code::Internal).into_response()
}
