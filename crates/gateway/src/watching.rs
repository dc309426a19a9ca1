//! What is watched of a gateway, put together: probes, figures, heartbeats. Only the composition root knows all of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use jiff::Timestamp;
use utoipa_axum::routes;

use crate::Gateway;
use crate::admin::{self, Code, Operator, Problem, Problems, Right};
use crate::app::App;
use crate::availability;
use crate::checklist::arrival;
use crate::config::{Config, Secret};
use crate::event;
use crate::health::{Health, Readiness};
use crate::keys::rows;
use crate::live::Live;
use crate::metrics::process;
use crate::metrics::text::{MEDIA_TYPE, Text};
use crate::operate::{self, ChainStands, certificate_chains};
use store::{Statement, StoreError};

/// What one process knows of itself.
pub(crate) struct Watch {
    live: Live,
    health: Health,
    stopping: AtomicBool,
    /// Tells this process's heartbeats from another's.
    process: String,
    started: Timestamp,
    /// Secrets in files, whose age is known.
    secrets: Vec<(String, PathBuf)>,
    certificate_ends: std::sync::OnceLock<Timestamp>,
}

impl Watch {
    pub(crate) fn new(live: &Live, config: &Config) -> Arc<Self> {
        let app = live.now();
        let mut secrets = Vec::new();
        for (name, secret) in [
            ("storage", &config.storage_secret),
            ("key-passphrase", &config.key_passphrase),
        ] {
            if let Secret::File(path) = secret {
                secrets.push((name.to_owned(), path.clone()));
            }
        }
        secrets.sort();
        Arc::new(Self {
            live: live.clone(),
            health: Health::default(),
            stopping: AtomicBool::new(false),
            process: app.random.token_128(),
            started: app.now(),
            secrets,
            certificate_ends: std::sync::OnceLock::new(),
        })
    }

    async fn readiness(&self) -> Arc<Readiness> {
        let stopping = self.stopping.load(Ordering::Relaxed);
        self.health.readiness(&self.live.now(), stopping).await
    }

    /// Writes a heartbeat at once and then in every minute, until the future is dropped.
    pub(crate) async fn beat(&self) {
        loop {
            let ready = self.readiness().await.ready;
            let app = self.live.now();
            let now = app.now();
            if let Err(error) = app
                .store
                .write([availability::beat(&self.process, ready, now)])
                .await
            {
                tracing::error!(%error, "a heartbeat could not be written: this minute counts as away");
            }
            drop(app);
            // In the middle of a minute there is room for a late beat on both sides.
            let into_minute = now.as_second().rem_euclid(60);
            let pause = if into_minute < 30 { 30 } else { 90 } - into_minute;
            tokio::time::sleep(Duration::from_secs(pause.unsigned_abs())).await;
        }
    }

    /// All figures, as Prometheus reads them.
    async fn figures(&self) -> String {
        let app = self.live.now();
        let mut text = Text::default();
        let version = env!("CARGO_PKG_VERSION");
        text.family("lanyard_build_info", "gauge", "The program that runs.");
        text.sample(
            "lanyard_build_info",
            &[("version", version), ("engine", app.store.engine())],
            1,
        );
        let help = "When the process started, in seconds since 1970.";
        text.single(
            "process_start_time_seconds",
            "gauge",
            help,
            self.started.as_second(),
        );
        process::write(&mut text);
        app.metrics.write(&mut text, app.store.timings());
        if let Some(tracer) = &app.tracer {
            let name = "lanyard_trace_spans_total";
            let help = "Parts of traces: sent to the collector, or dropped since it took none.";
            text.family(name, "counter", help);
            for (result, count) in tracer.counts() {
                text.sample(name, &[("result", result)], count);
            }
        }
        text.family(
            "lanyard_limit_refusals_total",
            "counter",
            "Requests that a limit refused.",
        );
        for (limit, count) in app.limits.refusals() {
            text.sample("lanyard_limit_refusals_total", &[("limit", limit)], count);
        }
        let readiness = self.readiness().await;
        text.single(
            "lanyard_ready",
            "gauge",
            "Whether requests should come here.",
            u8::from(readiness.ready),
        );
        text.family(
            "lanyard_ready_check",
            "gauge",
            "Each check of readiness: 1 is well.",
        );
        for check in &readiness.checks {
            text.sample(
                "lanyard_ready_check",
                &[("check", check.code)],
                u8::from(check.ok),
            );
        }
        let patience = Duration::from_secs(2);
        // What the database cannot say is left out, and lanyard_ready_check or the log says why.
        let keys = tokio::time::timeout(patience, key_ages(&app)).await;
        let keys = keys.unwrap_or(Ok(Vec::new())).unwrap_or_else(|error| {
            tracing::error!(%error, "the figures lack how old the keys are");
            Vec::new()
        });
        self.ages(&mut text, keys);
        let said = tokio::time::timeout(patience, of_database(&app, &mut text)).await;
        if let Ok(Err(error)) = said {
            tracing::error!(%error, "the figures lack what the database knows");
        }
        text.into_string()
    }

    /// The secrets that lie in files of their own and when each was last changed.
    pub(crate) fn secret_files(&self) -> Vec<(String, Timestamp)> {
        let known = self.secrets.iter().filter_map(|(name, path)| {
            let changed = std::fs::metadata(path).and_then(|data| data.modified());
            Some((name.clone(), Timestamp::try_from(changed.ok()?).ok()?))
        });
        known.collect()
    }

    fn ages(&self, text: &mut Text, keys: Vec<(String, Timestamp)>) {
        let name = "lanyard_secret_changed_timestamp_seconds";
        text.family(
            name,
            "gauge",
            "When a secret's file was last changed, or a key began to sign, in seconds since 1970.",
        );
        let files = self.secret_files().into_iter();
        for (secret, since) in files.chain(keys) {
            text.sample(name, &[("secret", &secret)], since.as_second());
        }
        let app = self.live.now();
        let mut chains = certificate_chains(&app);
        chains.retain(ChainStands::is_wanted);
        let name = "lanyard_certificate_chain_end_timestamp_seconds";
        let help =
            "When the certificate chain of an organisation's key ends, in seconds since 1970.";
        text.family(name, "gauge", help);
        for chain in &chains {
            let labels = [
                ("organisation", chain.organisation.as_str()),
                ("key", chain.kid.as_str()),
            ];
            text.sample(name, &labels, chain.ends.as_second());
        }
        if let Some(ends) = self.certificate_ends.get() {
            let help = "When the TLS certificate ends, in seconds since 1970.";
            let name = "lanyard_tls_certificate_end_timestamp_seconds";
            text.single(name, "gauge", help, ends.as_second());
        }
    }
}

/// Since when the key of each place has signed, as the database has it and the checklist tells it.
async fn key_ages(app: &App) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let places = operate::places(&app.organisations);
    let mut rows = rows::find_active(&app.store).await?;
    rows.retain(|row| places.contains(&row.place));
    let ages = rows.iter().filter_map(|row| {
        let since = row.signs_since()?;
        Some((format!("key:{}", row.place), since))
    });
    Ok(ages.collect())
}

/// What every process reads alike: take the maximum over processes, not the sum.
async fn of_database(app: &App, text: &mut Text) -> Result<(), StoreError> {
    let now = app.now();
    let open = Statement::new(
        "SELECT purpose, stage, COUNT(*) AS count FROM interactions WHERE sealed IS NOT NULL AND expires_at > $1 \
         GROUP BY purpose, stage ORDER BY purpose, stage",
    );
    let open = app.store.read(open.bind(now)).await?;
    text.family(
        "lanyard_open_interactions",
        "gauge",
        "Interactions that may yet go on.",
    );
    for row in open {
        let labels = [
            ("purpose", row.text("purpose")?),
            ("stage", row.text("stage")?),
        ];
        text.sample("lanyard_open_interactions", &labels, row.integer("count")?);
    }
    let (due, oldest) = event::due(&app.store).await?;
    text.single(
        "lanyard_events_due",
        "gauge",
        "Events that are yet to be delivered.",
        due,
    );
    let waited = oldest.map_or(0, |at| now.duration_since(at).as_secs().max(0));
    let help = "How long the oldest of them has waited.";
    text.single("lanyard_events_oldest_due_seconds", "gauge", help, waited);
    Ok(())
}

impl Gateway {
    /// From now on the gateway says that it is not ready, and goes on answering: a load balancer takes it out.
    pub fn stop_being_ready(&self) {
        self.watch.stopping.store(true, Ordering::Relaxed);
    }

    /// When the TLS certificate that is served ends, for the figures. The first that is told counts.
    pub fn tell_certificate_end(&self, ends: Timestamp) {
        let _ = self.watch.certificate_ends.set(ends);
    }

    /// When that certificate ends, where this process serves it.
    pub(crate) fn certificate_end(&self) -> Option<Timestamp> {
        self.watch.certificate_ends.get().copied()
    }

    /// Figures and the readiness in full, for the operator's own network only.
    pub fn metrics_router(&self) -> Router {
        let watch = Arc::clone(&self.watch);
        let figures = move || {
            let watch = Arc::clone(&watch);
            async move {
                let media_type = [(header::CONTENT_TYPE, MEDIA_TYPE)];
                (media_type, watch.figures().await)
            }
        };
        let watch = Arc::clone(&self.watch);
        let ready = move || {
            let watch = Arc::clone(&watch);
            async move {
                let readiness = watch.readiness().await;
                (status_of(&readiness), Json((*readiness).clone()))
            }
        };
        Router::new()
            .route("/metrics", get(figures))
            .route("/readyz", get(ready))
            .route("/healthz", get(|| async { "ok\n" }))
    }
}

/// What operators are told of how this process is.
pub(crate) fn admin_routes() -> admin::Routes {
    admin::Routes::new().with(Right::GatewayRead, routes!(checks))
}

/// Whether this process can do its work now
#[utoipa::path(
    get,
    path = "/admin/v1/checks",
    tag = "Gateway",
    responses((status = 200, description = "Each check; `ready` says whether requests should come here", body = Readiness), Problems)
)]
async fn checks(
    Extension(watch): Extension<Arc<Watch>>,
    by: Operator,
) -> Result<Json<Readiness>, Problem> {
    // Whoever sees one organisation only does not learn how the others' work goes.
    if by.organisation().is_some() {
        return Err(Code::NotFound.into());
    }
    Ok(Json((*watch.readiness().await).clone()))
}

/// The probes on the public address: they say yes or no and nothing more, but to the doctor of whoever has the machine.
pub(crate) fn probes(watch: &Arc<Watch>) -> Router {
    let asked = Arc::clone(watch);
    let alive = move |request: Request| {
        let app = asked.live.now();
        async move { (arrival::answer(&app, &request).map(AppendHeaders), "ok\n") }
    };
    let watch = Arc::clone(watch);
    let ready = move || {
        let watch = Arc::clone(&watch);
        async move { answer_ready(&*watch.readiness().await) }
    };
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
}

fn answer_ready(readiness: &Readiness) -> Response {
    let said = if readiness.ready {
        "ready\n"
    } else {
        "not ready\n"
    };
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    (status_of(readiness), no_store, said).into_response()
}

fn status_of(readiness: &Readiness) -> StatusCode {
    if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
