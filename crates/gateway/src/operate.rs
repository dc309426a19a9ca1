//! What an operator does to a gateway: plan and carry out what is declared, make and end client secrets, note what is
//! settled. Commands and the admin API stand on this.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::Gateway;
use crate::audit::{self, Actor, Entry};
use crate::base::Known;
use crate::config::ConfigError;
use crate::keys::acts::{Act as KeyAct, ActError, Acts};
use crate::keys::{Place, RingError};
use crate::organisation::{Organisations, RelyingParty};
use crate::registry::onboarding::{self, Evidence, Item};
use crate::registry::secrets::{self, ClientSecret, Made};
use crate::registry::{self, Act, Declaration, Kind, Plan, Registered, RegistryError, Version};
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
        let app = self.live.now();
        let known = Known::read(&app.store, &app.seal).await?;
        let plan = Plan::make(&known.registered, declaration, prune)?;
        let after = Known {
            registered: known.registered.after(&plan),
            secrets: known.secrets,
        };
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
        Ok(plan)
    }

    /// Carries a plan out, all of it or nothing. New organisations get their keys in the same batch.
    pub async fn apply(&self, plan: &Plan, actor: Actor<'_>) -> Result<(), RegistryError> {
        if plan.is_empty() {
            return Ok(());
        }
        let app = self.live.now();
        let batch = registry::carry_out(plan, &app.seal, actor, app.now())?;
        let holder = &self.base.keys;
        let acts = Acts::read(&app.store, holder, app.now()).await?;
        let mut keys = KeyAct::default();
        for id in plan.new_organisations() {
            keys = keys.and(acts.create_missing(id).await?);
        }
        keys.keep(&app.store, holder, batch).await?;
        tracing::info!(
            %actor,
            changes = plan.changes.len(),
            "the registry was changed"
        );
        self.reload_keys().await?;
        self.reload().await
    }

    /// The secrets that the gateway made for a relying party, ended ones too.
    pub async fn client_secrets(
        &self,
        client_id: &str,
    ) -> Result<Vec<ClientSecret>, RegistryError> {
        self.with_secrets(client_id)?;
        let mut known = secrets::read(&self.live.now().store).await?;
        Ok(known.remove(client_id).unwrap_or_default())
    }

    /// Makes a secret for a relying party, whose text is there this once. With an overlap, the others end after it;
    /// without one they go on.
    pub async fn make_client_secret(
        &self,
        client_id: &str,
        overlap: Option<SignedDuration>,
        actor: Actor<'_>,
    ) -> Result<Made, RegistryError> {
        let party = self.with_secrets(client_id)?;
        let app = self.live.now();
        let now = app.now();
        let end = overlap.map(|overlap| now + overlap);
        let mut made = secrets::make(client_id, end, &app.random, now);
        let told = entry(actor, audit::Act::ClientSecretMade, &party, now).id("secret", &made.id);
        let batch = std::mem::take(&mut made.batch).into_iter();
        app.store.write(batch.chain([told.into()])).await?;
        tracing::info!(
            client_id,
            secret = made.id,
            %actor,
            "a client secret was made"
        );
        self.reload().await?;
        Ok(made)
    }

    /// Writes down which client secrets were used, as is done twice a minute.
    pub async fn write_down_uses(&self) -> Result<(), StoreError> {
        let app = self.live.now();
        app.secret_uses.write(&app.store).await
    }

    /// Ends a secret now. The last one that lives is refused: its relying party would be locked out.
    pub async fn end_client_secret(
        &self,
        client_id: &str,
        id: &str,
        actor: Actor<'_>,
    ) -> Result<(), RegistryError> {
        let party = self.with_secrets(client_id)?;
        let now = self.live.now().now();
        let known = self.client_secrets(client_id).await?;
        let found = secrets::find_ending(&known, client_id, id, now)?;
        let told = entry(actor, audit::Act::ClientSecretEnded, &party, now).id("secret", id);
        let batch = secrets::end(client_id, &found.id, now).into_iter();
        let written = self
            .live
            .now()
            .store
            .write(batch.chain([told.into()]))
            .await;
        written.map_err(|error| match error {
            StoreError::Unmet { .. } => {
                RegistryError::SecretUnknown(client_id.to_owned(), id.to_owned())
            }
            other => other.into(),
        })?;
        tracing::info!(client_id, secret = id, %actor, "a client secret was ended");
        self.reload().await
    }

    fn with_secrets(&self, client_id: &str) -> Result<Arc<RelyingParty>, RegistryError> {
        let party = self.known(client_id)?;
        if party.has_secrets() {
            Ok(party)
        } else {
            Err(RegistryError::NoSecret(client_id.to_owned()))
        }
    }

    /// A relying party's checklist before it goes live.
    pub async fn onboarding(
        &self,
        client_id: &str,
    ) -> Result<Vec<(Item, Option<Evidence>)>, RegistryError> {
        self.known(client_id)?;
        Ok(onboarding::find(&self.live.now().store, client_id).await?)
    }

    /// Writes down what shows that an item of it is settled, and since which day.
    pub async fn settle(
        &self,
        client_id: &str,
        item: Item,
        evidence: (&str, Date),
        actor: Actor<'_>,
    ) -> Result<(), RegistryError> {
        let party = self.known(client_id)?;
        let app = self.live.now();
        let now = app.now();
        let told = entry(actor, audit::Act::OnboardingNoted, &party, now).with("item", item.name());
        let statement = onboarding::settle(client_id, item, evidence, actor, now);
        app.store.write([statement, told.into()]).await?;
        Ok(())
    }

    fn known(&self, client_id: &str) -> Result<Arc<RelyingParty>, RegistryError> {
        let app = self.live.now();
        let party = app.organisations.relying_party(client_id);
        let party = party.ok_or_else(|| RegistryError::ClientUnknown(client_id.to_owned()))?;
        Ok(Arc::clone(party))
    }

    /// Writes to the database, durably and of no consequence; gives the engine's name.
    pub async fn try_database(&self) -> Result<&'static str, StoreError> {
        let app = self.live.now();
        let probe = "INSERT INTO revisions (name, revision) VALUES ('probe', 1) \
                     ON CONFLICT (name) DO UPDATE SET revision = revisions.revision + 1";
        app.store.write([store::Statement::new(probe)]).await?;
        Ok(app.store.engine())
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

/// What was done to a relying party, for the audit.
fn entry(actor: Actor<'_>, act: audit::Act, party: &RelyingParty, now: Timestamp) -> Entry {
    Entry::new(actor, act, ("relying-party", &party.client_id), now)
        .organisation(Some(&party.organisation.id))
}

/// The clients that are told of events.
pub(crate) fn told(organisations: &Organisations) -> std::collections::HashSet<String> {
    let webhooks = organisations.webhooks();
    webhooks
        .map(|(client_id, _)| client_id.to_owned())
        .collect()
}
