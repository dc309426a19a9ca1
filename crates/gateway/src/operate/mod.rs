//! What an operator does to a gateway: plan and carry out what is declared, make and end client secrets, note what is
//! settled. Commands and the admin API stand on this.

mod certificates;
mod clients;
mod declared;

use jiff::Timestamp;

use crate::Gateway;
use crate::app::App;
use crate::audit::By;
use crate::base::Known;
use crate::config::ConfigError;
use crate::keys::acts::{Act as KeyAct, ActError, Acts};
use crate::keys::{Place, RingError};
use crate::operator;
use crate::organisation::Organisations;
use crate::registry::{self, Act, Declaration, Kind, Plan, Registered, RegistryError, Version};
pub use certificates::ChainStands;
pub(crate) use certificates::{certificate_chains, fault as chain_fault};
pub(crate) use declared::{Declared, Guarded};
use store::StoreError;

impl Gateway {
    /// Everything that is declared in the registry.
    pub async fn registered(&self) -> Result<Registered, RegistryError> {
        let app = self.live.now();
        registry::read(&app.store, &app.seal).await
    }

    /// Every version that one declared thing had, the newest first.
    pub async fn history(&self, kind: Kind, name: &str) -> Result<Vec<Version>, RegistryError> {
        let app = self.live.now();
        Ok(registry::find_history(&app.store, kind, name).await?)
    }

    /// What a declaration would change. Everything is checked as at a start, so that what was planned can be carried
    /// out; nothing is written, not even a key.
    pub async fn plan(
        &self,
        declaration: &Declaration,
        prune: bool,
    ) -> Result<Plan, RegistryError> {
        self.plan_with(|registered| Ok(Plan::make(registered, declaration, prune)?))
            .await
    }

    /// The same, of a plan that is made from what is registered.
    pub(crate) async fn plan_with<E: From<RegistryError>>(
        &self,
        make: impl FnOnce(&Registered) -> Result<Plan, E>,
    ) -> Result<Plan, E> {
        let app = self.live.now();
        let known = Known::read(&app.store, &app.seal).await?;
        let plan = make(&known.registered)?;
        self.check(&app, known, &plan).await?;
        Ok(plan)
    }

    async fn check(&self, app: &App, known: Known, plan: &Plan) -> Result<(), RegistryError> {
        certificates::check(app, &known.registered, plan)?;
        let after = Known {
            registered: known.registered.after(plan),
            secrets: known.secrets,
        };
        // Whoever asked looked before: since then an organisation went, or a relying party of it came.
        let config = &self.base.config;
        if known.registered.is_whole(config) && !after.registered.is_whole(config) {
            return Err(RegistryError::Overtaken);
        }
        self.base.organisations(&after)?;
        for change in plan.changes.iter().filter(|one| one.act == Act::Remove) {
            let Some(column) = change.key.0.of_credentials() else {
                continue;
            };
            let count =
                registry::count_in_force(&app.store, column, &change.key.1, app.now()).await?;
            if count > 0 {
                let (kind, name) = change.key.clone();
                return Err(RegistryError::InForce { kind, name, count });
            }
        }
        Ok(())
    }

    /// Carries a plan out, all of it or nothing. New organisations get their keys in the same batch.
    pub async fn apply<'a>(&self, plan: &Plan, by: impl Into<By<'a>>) -> Result<(), RegistryError> {
        if plan.is_empty() {
            return Ok(());
        }
        let by = by.into();
        let app = self.live.now();
        let mut batch = registry::carry_out(plan, &app.seal, by, app.now())?;
        for id in plan.gone_organisations() {
            batch.extend(operator::remove_confined_to(&app.store, id, by, app.now()).await?);
        }
        let holder = &self.base.keys;
        let acts = Acts::read(&app.store, holder, app.now()).await?;
        let mut keys = KeyAct::default();
        for id in plan.new_organisations() {
            keys = keys.and(acts.create_missing(id).await?);
        }
        let now = app.now();
        let told = keys
            .changes()
            .iter()
            .map(|change| change.entry(by.actor.into(), now).into());
        let batch: Vec<_> = batch.into_iter().chain(told).collect();
        keys.keep(&app.store, holder, batch).await?;
        tracing::info!(
            actor = %by.actor,
            changes = plan.changes.len(),
            "the registry was changed"
        );
        self.follow_own().await;
        Ok(())
    }

    /// Writes to the database, durably and of no consequence; gives the engine's name.
    pub async fn try_database(&self) -> Result<&'static str, StoreError> {
        let app = self.live.now();
        let probe = "INSERT INTO revisions (name, revision) VALUES ('probe', 1) \
                     ON CONFLICT (name) DO UPDATE SET revision = revisions.revision + 1";
        app.store.write([store::Statement::new(probe)]).await?;
        Ok(app.store.engine())
    }

    /// What the configuration file says.
    pub(crate) fn config(&self) -> &crate::Config {
        &self.base.config
    }

    /// The gateway's time.
    pub fn now(&self) -> Timestamp {
        self.live.now().now()
    }
}

/// Where keys are needed: the gateway's own places and those of its organisations.
pub(crate) fn places(organisations: &Organisations) -> Vec<Place> {
    let theirs = organisations
        .iter()
        .flat_map(|organisation| Place::of_organisation(&organisation.id));
    Place::of_gateway().into_iter().chain(theirs).collect()
}

impl From<RingError> for RegistryError {
    fn from(error: RingError) -> Self {
        match error {
            RingError::Key(error) => ConfigError::from(error).into(),
            RingError::Store(error) => error.into(),
        }
    }
}

impl From<ActError> for RegistryError {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Overtaken
            | ActError::Store(StoreError::Unmet { .. } | StoreError::Duplicate { .. }) => {
                Self::Overtaken
            }
            ActError::Store(error) => error.into(),
            ActError::Key(error) => ConfigError::from(error).into(),
            other => ConfigError::value("keys", other.to_string()).into(),
        }
    }
}

/// The clients that are told of events.
pub(crate) fn told(organisations: &Organisations) -> std::collections::HashSet<String> {
    let webhooks = organisations.webhooks();
    webhooks
        .map(|(client_id, _)| client_id.to_owned())
        .collect()
}
