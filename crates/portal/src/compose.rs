//! A portal, composed from its configuration and ready to serve.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderName;
use connector::desk::{Desk, DeskError, DeskOptions};
use connector::{Clock, HttpOptions, Observer, Settings};
use jiff::{SignedDuration, Timestamp};
use store::{Migrations, Statement, Store, StoreError};
use traces::Tracer;
use url::{Host, Url};

use crate::app::{App, Parts};
use crate::applies::Rules;
use crate::audit;
use crate::config::{Config, ConfigError};
use crate::feed::{self, Accept, Feed, FeedError, Taken};
use crate::login::provider::Provider;
use crate::look::{Limits, Look, english};
use crate::staff::Staff;
use crate::{import, language, routes, session};
use passwords::Passwords;

mod for_sqlite {
    refinery::embed_migrations!("migrations/sqlite");
}

mod for_postgres {
    refinery::embed_migrations!("migrations/postgres");
}

/// The portal's tables, which stand beside those of the desk.
pub const MIGRATIONS: Migrations = Migrations::new(
    "portal_history",
    for_sqlite::migrations::runner,
    for_postgres::migrations::runner,
);

/// As long as a person has at the gateway's page: whoever took all of it is still logged in when they come back.
const SHORTEST_IDLE_MINUTES: u16 = 30;
/// How often what has served its time is deleted.
const TIDY_EVERY: Duration = Duration::from_mins(1);

/// A portal. Cheap to clone.
#[derive(Clone)]
pub struct Portal {
    app: App,
}

/// What the composing program decides and a configuration file cannot say.
pub struct Surroundings {
    /// The clock; the sandbox and tests move theirs.
    pub clock: Clock,
    /// Whether an http address on this machine and keys that belong to a sandbox are accepted.
    pub sandbox: bool,
    /// Who watches the exchanges with the gateway.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Surroundings {
    /// Real use: the system's clock, https only, nobody watching.
    pub fn production() -> Self {
        Self {
            clock: Arc::new(Timestamp::now),
            sandbox: false,
            observer: None,
        }
    }
}

/// Why a portal could not be composed.
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
    /// A password could not be hashed, or there was no randomness for it.
    #[error("passwords cannot be hashed on this machine")]
    Passwords,
}

impl Portal {
    /// Checks the configuration, opens the database, takes in the staff file. The gateway may be down now.
    pub async fn compose(
        config: &Config,
        surroundings: Surroundings,
    ) -> Result<Self, ComposeError> {
        check(config, surroundings.sandbox)?;
        let settings = settings(config, surroundings.sandbox)?;
        let options = desk_options(config)?;
        let brand = match &config.brand {
            Some(file) => {
                ui::Brand::open(file).map_err(|error| ConfigError::value("brand", error))?
            }
            None => ui::Brand::neutral("Staff account"),
        };
        // Whoever answers the mails is asked about the pages too.
        let brand = match &config.mail {
            Some(mail) => brand.or_support_contact(&mail.contact),
            None => brand,
        };
        let catalogue = config.catalogue.as_deref();
        let catalogue = catalogue.map(|file| language::open(file, &english()));
        let catalogue = catalogue.transpose()?;
        let address_header = address_header(config)?;
        let provider = config.log_in.as_ref().map(|log_in| {
            let clock = Arc::clone(&surroundings.clock);
            Provider::new(log_in, &config.public_url, surroundings.sandbox, clock)
        });
        let provider = provider.transpose()?;
        let tracer = Tracer::new(
            "lanyard-portal",
            &config.traces,
            Arc::clone(&surroundings.clock),
            traces::system_random(),
        );
        let tracer = tracer.map_err(|fault| ConfigError::value(fault.key, fault.reason))?;
        let rules = Rules::parse(&config.applies)?;
        let feed = config.records.as_ref().map(Feed::new).transpose()?;
        let staff = config.staff.as_deref().map(Staff::read).transpose()?;
        if let (Some(staff), None) = (&staff, &config.records) {
            import::check_facts(staff, &rules)?;
        }
        let http = HttpOptions {
            observer: surroundings.observer,
            ..config.gateway.http_options().map_err(ConfigError::from)?
        };
        let address = config
            .database_address()?
            .parse()
            .map_err(|error: store::InvalidDatabaseUrl| ConfigError::value("database", error))?;

        let store = Store::open(&address, &[connector::desk::MIGRATIONS, MIGRATIONS]).await?;
        let clock = surroundings.clock;
        let desk = Desk::new(store.clone(), settings, http, options, Arc::clone(&clock))?;
        let limits = Limits {
            idle_minutes: config.idle_minutes,
            longest_hours: config.session_hours,
            ..Limits::default()
        };
        let mut look = Look::new(Arc::new(brand), limits);
        if let Some(catalogue) = catalogue {
            look = look.that_speaks(catalogue);
        }
        let portal = Self {
            app: Arc::new(Parts {
                store,
                desk,
                clock,
                tracer,
                look: if surroundings.sandbox {
                    look.of_a_sandbox()
                } else {
                    look
                },
                passwords: Passwords::new()
                    .await
                    .map_err(|_| ComposeError::Passwords)?,
                provider,
                feed,
                rules,
                public_url: config.public_url.clone(),
                gateway_url: config.gateway.url.clone(),
                organisation: config.organisation.clone(),
                hr_page: config.hr_page,
                hr_staff: config.hr_staff.iter().cloned().collect(),
                address_header,
                audit_days: config.audit.keep_days,
                answer_lasts: SignedDuration::from_secs(config.gateway.answer_seconds.into()),
                journey_lasts: SignedDuration::from_secs(config.gateway.journey_seconds.into()),
            }),
        };
        portal.app.fold_addresses().await?;
        if let Some(staff) = staff {
            portal.import(&staff).await?;
        }
        Ok(portal)
    }

    /// Takes in employees and records that are not there yet; what is there stays as it is, changed or deleted.
    pub async fn import(&self, staff: &Staff) -> Result<(), ComposeError> {
        import::take_in(&self.app, staff).await
    }

    /// Takes in a CSV file of people and records, all of it or nothing: what it no longer says is over. A file with
    /// which more than the configured shares would be gone or changed is refused unless that is accepted.
    pub async fn take_in_file(&self, file: &Path, accept: Accept) -> Result<Taken, FeedError> {
        feed::take_in_file(&self.app, file, accept).await
    }

    /// Takes in what the configuration's `records` name, as [`keep_working`](Self::keep_working) does again and again.
    /// Nothing, where they name nothing.
    pub async fn take_in_now(&self, accept: Accept) -> Result<Option<Taken>, FeedError> {
        feed::take_in_now(&self.app, accept).await
    }

    /// What [`take_in_now`](Self::take_in_now) would do now. It does not.
    pub async fn look_at_feed(&self) -> Result<Option<Taken>, FeedError> {
        feed::look_at(&self.app).await
    }

    /// Who did and saw what, as CSV, the newest first.
    pub async fn audit_csv(&self) -> Result<String, StoreError> {
        audit::whole_csv(&self.app, None).await
    }

    /// The desk behind the pages, for programs that link the portal.
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.app.desk
    }

    /// Everything the portal serves.
    pub fn router(&self) -> Router {
        routes::router(&self.app)
    }

    /// Revokes, writes mails, finds out what is not known, and deletes what has served its time, until the future is
    /// dropped.
    pub async fn keep_working(&self) {
        let tidying = async {
            // A template that does not fit is known when the portal starts, and not when somebody has to be told.
            if let Err(error) = self.app.desk.check_mail().await {
                tracing::error!(code = "notify-template", %error, "mails wait until GOV.UK Notify can send them");
            }
            loop {
                if let Err(error) = session::rows::tidy(&self.app).await {
                    tracing::warn!(%error, "old sessions could not be deleted");
                }
                tokio::time::sleep(TIDY_EVERY).await;
            }
        };
        let tracer = self.app.tracer.as_ref();
        let working = async {
            tokio::select! {
                () = Box::pin(self.app.desk.keep_working()) => {}
                () = tidying => {}
                () = feed::keep_taking_in(&self.app) => {}
            }
        };
        tokio::select! {
            () = traces::beside(tracer, working) => {}
            () = traces::run(tracer) => {}
        }
    }

    /// Deletes everybody and everything: a sandbox begins anew.
    pub async fn forget_everything(&self) -> Result<(), StoreError> {
        self.app.desk.forget_everything().await?;
        // Those that refer to others first.
        let tables = [
            "audit",
            "attempts",
            "log_ins",
            "sessions",
            "records",
            "employees",
        ];
        let deletes = tables.map(|table| Statement::new(format!("DELETE FROM portal_{table}")));
        self.app.store.write(deletes).await.map(drop)
    }

    /// Lets writes that were begun finish.
    pub async fn close(&self) {
        self.app.store.close().await;
    }
}

/// Whether what the file says can be meant so.
fn check(config: &Config, sandbox: bool) -> Result<(), ConfigError> {
    let url = &config.public_url;
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    if !bare {
        let reason = "it must be scheme and host only, such as https://staff.example";
        return Err(ConfigError::value("public_url", reason));
    }
    let here = is_loopback(url);
    if url.scheme() != "https" && !(url.scheme() == "http" && sandbox && here) {
        let reason = "it must begin with https://";
        return Err(ConfigError::value("public_url", reason));
    }
    if config.hr_page && !(here && config.listen.ip().is_loopback()) {
        let reason = "anybody may change records there: public_url and listen must be on loopback";
        return Err(ConfigError::value("hr_page", reason));
    }
    if let Some(unlike) = config.hr_staff.iter().find(|id| !import::is_id(id)) {
        let reason = format!("{unlike:?} is no id: lower-case letters, digits and hyphens");
        return Err(ConfigError::value("hr_staff", reason));
    }
    if config.idle_minutes < SHORTEST_IDLE_MINUTES {
        let reason = "it must be 30 at least: people are away at the gateway for that long";
        return Err(ConfigError::value("idle_minutes", reason));
    }
    for (key, value) in [
        ("session_hours", u32::from(config.session_hours)),
        ("audit.keep_days", u32::from(config.audit.keep_days)),
    ] {
        if value == 0 {
            return Err(ConfigError::value(key, "it must be 1 at least"));
        }
    }
    if config.tls_certificate.is_some() != config.tls_key.is_some() {
        let reason = "tls_certificate and tls_key belong together";
        return Err(ConfigError::value("tls_key", reason));
    }
    Ok(())
}

fn settings(config: &Config, sandbox: bool) -> Result<Settings, ConfigError> {
    let redirect_uri = config.public_url.join(crate::returned::PATH);
    let redirect_uri = redirect_uri.map_err(|error| ConfigError::value("public_url", error))?;
    Ok(config.gateway.settings(redirect_uri, sandbox)?)
}

fn desk_options(config: &Config) -> Result<DeskOptions, ConfigError> {
    let seconds = |seconds: u32| SignedDuration::from_secs(seconds.into());
    Ok(DeskOptions {
        policy: config.identity.policy,
        supersede: config.supersede,
        identity_lasts: SignedDuration::from_hours(config.session_hours.into()),
        journey_lasts: seconds(config.gateway.journey_seconds),
        answer_lasts: seconds(config.gateway.answer_seconds),
        mail: match &config.mail {
            Some(mail) => Some(mail.options(&config.organisation, Some(&config.public_url))?),
            None => None,
        },
        ..DeskOptions::default()
    })
}

fn address_header(config: &Config) -> Result<Option<HeaderName>, ConfigError> {
    let name = config.address_header.as_deref().map(str::parse);
    name.transpose().map_err(|_| {
        let reason = "it must be the name of a header, such as x-forwarded-for";
        ConfigError::value("address_header", reason)
    })
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
