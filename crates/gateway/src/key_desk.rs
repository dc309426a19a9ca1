//! What an operator does with signing keys, beside gateways that run: the door behind `lanyard key`.

use std::sync::Arc;

use jiff::Timestamp;
use standards::jose::Algorithm;
use store::{Statement, Store, StoreError};

use crate::audit::{self, Actor, Entry};
use crate::base::{Known, key_files, key_store};
use crate::config::Config;
use crate::keys::acts::{Act, ActError, Acts, Change};
use crate::keys::rows::KeyRow;
use crate::keys::signed::{self, Signed};
use crate::keys::{self, GATEWAY, KeyError, KeyHolder, Place, Unchanged};
use crate::tables::{self, Opening};
use crate::{ComposeError, Surroundings, seal};

/// The keys of a gateway, to be looked at and changed. Processes that run follow within a second or two.
pub struct KeyDesk {
    store: Store,
    holder: Arc<dyn KeyHolder>,
    surroundings: Surroundings,
    organisations: Vec<String>,
    /// Each relying party: its organisation and its client id.
    parties: Vec<(String, String)>,
    account: String,
}

impl KeyDesk {
    /// Opens the keys and the database of that configuration. What a gateway would refuse to start with is warned of:
    /// this may be where it is put right.
    pub async fn open(config: &Config, surroundings: Surroundings) -> Result<Self, ComposeError> {
        let desk = Self::open_on(config, surroundings, Opening::Bring).await?;
        for place in desk.places() {
            let adopted = keys::adopt(&desk.store, &desk.holder, [place], desk.now()).await;
            if let Err(error) = adopted {
                tracing::warn!(%error, "a signing key is not as it should be");
            }
        }
        keys::destroy_ended(&desk.store, &desk.holder).await?;
        Ok(desk)
    }

    /// The same for whoever only looks: the database stays as it is, and one of another version is refused.
    pub async fn look(config: &Config, surroundings: Surroundings) -> Result<Self, ComposeError> {
        Self::open_on(config, surroundings, Opening::Look).await
    }

    async fn open_on(
        config: &Config,
        surroundings: Surroundings,
        opening: Opening,
    ) -> Result<Self, ComposeError> {
        let holder = key_store(config, surroundings.sandbox)?;
        let store = tables::open(&config.database_address()?, opening).await?;
        let known = Known::read(&store, &seal(config)?).await?;
        let config = known.registered.complete(config)?;
        let organisations = config.organisations.iter();
        let parties = organisations.clone().flat_map(|entry| {
            let parties = entry.relying_parties.iter();
            parties.map(|party| (entry.id.clone(), party.client_id.clone()))
        });
        Ok(Self {
            parties: parties.collect(),
            store,
            holder,
            organisations: organisations.map(|entry| entry.id.clone()).collect(),
            surroundings,
            account: String::new(),
        })
    }

    /// Who sits there, for the audit.
    #[must_use]
    pub fn by(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    fn now(&self) -> Timestamp {
        self.surroundings.clock.now()
    }

    fn places(&self) -> Vec<Place> {
        let organisations = self.organisations.iter();
        let theirs = organisations.flat_map(|id| Place::of_organisation(id));
        Place::of_gateway().into_iter().chain(theirs).collect()
    }

    async fn acts(&self) -> Result<Acts, ActError> {
        Ok(Acts::read(&self.store, &self.holder, self.now()).await?)
    }

    async fn keep(&self, act: Act) -> Result<Vec<Change>, ActError> {
        let (actor, now) = (Actor::Command(&self.account), self.now());
        let entries = act.changes().iter();
        let entries = entries.map(|change| change.entry(actor.into(), now).into());
        let parties = self.parties.iter();
        let parties = parties.map(|(organisation, party)| (organisation.as_str(), party.as_str()));
        let told: Vec<Statement> = entries.chain(act.events(&parties, now)).collect();
        act.keep(&self.store, &self.holder, told).await
    }

    /// Every key that ever was, the oldest first.
    pub async fn list(&self) -> Result<Vec<KeyRow>, ActError> {
        Ok(self.acts().await?.rows().to_vec())
    }

    /// Makes the next key of a place, or its first.
    pub async fn create(
        &self,
        place: &str,
        algorithm: Option<Algorithm>,
    ) -> Result<Vec<Change>, ActError> {
        let place = self.place(place)?;
        let algorithm = algorithm.unwrap_or(place.purpose.algorithm());
        let act = self.acts().await?.create(&place, algorithm).await?;
        self.keep(act).await
    }

    /// The next step of changing the key of a place.
    pub async fn rotate(&self, place: &str, at_once: bool) -> Result<Vec<Change>, ActError> {
        let place = self.place(place)?;
        let act = self.acts().await?.rotate(&place, at_once).await?;
        self.keep(act).await
    }

    /// Lets a next key sign.
    pub async fn activate(&self, kid: &str, at_once: bool) -> Result<Vec<Change>, ActError> {
        let act = self.acts().await?.activate(kid, at_once)?;
        self.keep(act).await
    }

    /// Takes a key out of signing; the next one of its place takes over.
    pub async fn retire(&self, kid: &str, at_once: bool) -> Result<Vec<Change>, ActError> {
        let act = self.acts().await?.retire(kid, at_once)?;
        self.keep(act).await
    }

    /// Takes a key out of everything.
    pub async fn remove(&self, kid: &str, force: bool) -> Result<Vec<Change>, ActError> {
        let acts = self.acts().await?;
        let act = acts.remove(&self.store, kid, force).await?;
        self.keep(act).await
    }

    /// Somebody else may have a key: it is out of everything at once.
    pub async fn compromised(&self, kid: &str) -> Result<Vec<Change>, ActError> {
        let act = self.acts().await?.compromised(kid).await?;
        self.keep(act).await
    }

    /// What a key signed, by credential type.
    pub async fn signed(&self, kid: &str) -> Result<Vec<Signed>, ActError> {
        let acts = self.acts().await?;
        Ok(signed::find_signed(&self.store, acts.find(kid)?, self.now()).await?)
    }

    /// The serial numbers of credentials in force that a key signed, of the first status list behind that one, with the list's
    /// number; `None` when there are no more. Lists are numbered from 1.
    pub async fn serial_numbers(
        &self,
        kid: &str,
        after: i64,
    ) -> Result<Option<(i64, Vec<String>)>, ActError> {
        let acts = self.acts().await?;
        let key = acts.find(kid)?;
        Ok(signed::find_serial_numbers(&self.store, key, after, self.now()).await?)
    }

    /// Lets writes that were begun finish.
    pub async fn close(&self) {
        self.store.close().await;
    }

    fn place(&self, name: &str) -> Result<Place, ActError> {
        let place = Place::parse(name)
            .filter(|place| place.owner == GATEWAY || self.organisations.contains(&place.owner));
        place.ok_or_else(|| ActError::UnknownPlace(name.to_owned()))
    }
}

/// Closes every key file that an earlier passphrase closed with the one in use, beside gateways that run. A token is not asked:
/// its keys have no passphrase.
///
/// # Errors
///
/// What is wrong with the files, with its code; the configuration; the database, which is opened before a file is written.
pub async fn change_key_passphrase(
    config: &Config,
    surroundings: Surroundings,
    account: &str,
) -> Result<keys::Changed, PassphraseError> {
    let files = key_files(config, surroundings.sandbox).map_err(ComposeError::from)?;
    let store = crate::open_store(&config.database_address().map_err(ComposeError::from)?).await?;
    let files = Arc::new(files);
    let walks = Arc::clone(&files);
    let now = surroundings.clock.now();
    let changed = tokio::task::spawn_blocking(move || {
        let mut rewritten = 0;
        let changed = walks.change_passphrase(now.into(), &mut rewritten);
        (changed, rewritten)
    });
    let (changed, rewritten) = changed.await.unwrap_or_else(|error| {
        let error = Unchanged::File(KeyError::Unmade(error.to_string()));
        (Err(error), 0)
    });
    // Also of a change that failed further on: what was closed anew stays so.
    let noted = if changed.is_ok() || rewritten > 0 {
        note_passphrase(&store, files, rewritten, account, now).await
    } else {
        Ok(())
    };
    store.close().await;
    let changed = changed?;
    noted.map_err(ComposeError::from)?;
    Ok(changed)
}

async fn note_passphrase(
    store: &Store,
    files: Arc<keys::KeyStore>,
    rewritten: u64,
    account: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let told = Entry::new(
        Actor::Command(account),
        audit::Act::KeyPassphraseChanged,
        ("key-passphrase", "current"),
        now,
    );
    let rewritten = rewritten.try_into().unwrap_or(i64::MAX);
    store
        .write([told.number("rewritten", rewritten).into()])
        .await?;
    // A key may have been destroyed in the moment in which its file was replaced: what is out of use must not lie there again.
    let files: Arc<dyn KeyHolder> = files;
    keys::destroy_ended(store, &files).await
}

/// Why the passphrase of the keys was not changed.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// The files.
    #[error(transparent)]
    Files(#[from] Unchanged),
    /// The configuration or the database.
    #[error(transparent)]
    Compose(#[from] ComposeError),
}

/// Forgets which keys there were, and those that an earlier storage secret keeps: a sandbox begins anew, with new ones.
pub async fn forget_keys(config: &Config) -> Result<(), ComposeError> {
    let store = crate::open_store(&config.database_address()?).await?;
    let forgotten = store
        .write(
            ["signing_keys", "kept_keys"]
                .map(|table| Statement::new(format!("DELETE FROM {table}"))),
        )
        .await;
    store.close().await;
    Ok(forgotten.map(drop)?)
}
