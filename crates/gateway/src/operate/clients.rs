//! What is done for one relying party: its secrets, and its checklist before it goes live.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use store::{Statement, StoreError};

use crate::Gateway;
use crate::audit::{self, By, Entry};
use crate::organisation::RelyingParty;
use crate::organisation::declared::must_be_declared;
use crate::registry::onboarding::{self, Evidence, Item};
use crate::registry::secrets::{self, ClientSecret, Made};
use crate::registry::{Kind, RegistryError};

impl Gateway {
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
    pub async fn make_client_secret<'a>(
        &self,
        client_id: &str,
        overlap: Option<SignedDuration>,
        by: impl Into<By<'a>>,
    ) -> Result<Made, RegistryError> {
        self.make_client_secret_with(client_id, overlap, by, None)
            .await
    }

    /// The same in one batch with another statement, if there is one.
    pub(crate) async fn make_client_secret_with<'a>(
        &self,
        client_id: &str,
        overlap: Option<SignedDuration>,
        by: impl Into<By<'a>>,
        also: Option<Statement>,
    ) -> Result<Made, RegistryError> {
        let by = by.into();
        let party = self.with_secrets(client_id)?;
        let app = self.live.now();
        let now = app.now();
        let end = overlap.map(|overlap| now + overlap);
        let mut made = secrets::make(client_id, end, &app.random, now);
        let told = entry(by, audit::Act::ClientSecretMade, &party, now).id("secret", &made.id);
        let mut batch = std::mem::take(&mut made.batch);
        batch.push(told.into());
        // Otherwise it would be the secret of whoever comes under that client id.
        batch.extend(must_be_declared(
            &party.organisation,
            Kind::RelyingParty.name(),
            client_id,
        ));
        batch.extend(also);
        let others = secrets::read(&app.store).await?.remove(client_id);
        let others = others.unwrap_or_default();
        // Whoever has it is that relying party. Nobody may need to wait for a second person when one is lost, but nobody does it
        // unheard.
        let beside = others.iter().filter(|other| other.is_live(now)).count();
        if beside > 0 {
            let act = audit::Act::ClientSecretBesideAnother;
            let alarm = entry(by, act, &party, now).id("secret", &made.id);
            batch.push(
                alarm
                    .number("others", beside.try_into().unwrap_or(i64::MAX))
                    .into(),
            );
        }
        app.store.write(batch).await.map_err(|error| match error {
            StoreError::Unmet { .. } => RegistryError::ClientUnknown(client_id.to_owned()),
            other => other.into(),
        })?;
        if beside > 0 {
            app.metrics.secrets_beside.add(&[client_id]);
            tracing::warn!(
                client_id,
                secret = made.id,
                actor = %by.actor,
                "a live relying party has another secret: its contact should know of it"
            );
        }
        tracing::info!(
            client_id,
            secret = made.id,
            actor = %by.actor,
            "a client secret was made"
        );
        self.follow_own().await;
        Ok(made)
    }

    /// Writes down which client secrets were used, as is done twice a minute.
    pub async fn write_down_uses(&self) -> Result<(), StoreError> {
        let app = self.live.now();
        app.secret_uses.write(&app.store).await
    }

    /// Ends a secret now. The last one that lives is refused: its relying party would be locked out.
    pub async fn end_client_secret<'a>(
        &self,
        client_id: &str,
        id: &str,
        by: impl Into<By<'a>>,
    ) -> Result<(), RegistryError> {
        let by = by.into();
        let party = self.with_secrets(client_id)?;
        let now = self.live.now().now();
        let known = self.client_secrets(client_id).await?;
        let found = secrets::find_ending(&known, client_id, id, now)?;
        let told = entry(by, audit::Act::ClientSecretEnded, &party, now).id("secret", id);
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
        tracing::info!(client_id, secret = id, actor = %by.actor, "a client secret was ended");
        self.follow_own().await;
        Ok(())
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
        Ok(self.checklist(client_id).await?)
    }

    /// The same of whoever has that client id, known to this process or not.
    pub(crate) async fn checklist(
        &self,
        client_id: &str,
    ) -> Result<Vec<(Item, Option<Evidence>)>, StoreError> {
        onboarding::find(&self.live.now().store, client_id).await
    }

    /// Writes down what shows that an item of it is settled, and since which day.
    pub async fn settle<'a>(
        &self,
        client_id: &str,
        item: Item,
        evidence: (&str, Date),
        by: impl Into<By<'a>>,
    ) -> Result<(), RegistryError> {
        let by = by.into();
        let party = self.known(client_id)?;
        let app = self.live.now();
        let now = app.now();
        let told = entry(by, audit::Act::OnboardingNoted, &party, now).with("item", item.name());
        let statement = onboarding::settle(client_id, item, evidence, by.actor, now);
        app.store.write([statement, told.into()]).await?;
        Ok(())
    }

    fn known(&self, client_id: &str) -> Result<Arc<RelyingParty>, RegistryError> {
        let app = self.live.now();
        let party = app.organisations.relying_party(client_id);
        let party = party.ok_or_else(|| RegistryError::ClientUnknown(client_id.to_owned()))?;
        Ok(Arc::clone(party))
    }
}

/// What was done to a relying party, for the audit.
fn entry(by: By<'_>, act: audit::Act, party: &RelyingParty, now: Timestamp) -> Entry {
    by.entry(act, ("relying-party", &party.client_id), now)
        .organisation(Some(&party.organisation.id))
}
