//! What an operator does with keys: make the next one, let it sign, retire, remove, and say that one is compromised.
//!
//! Each act is one batch of statements, made from what the table says and kept only if it still says so. Whoever has more
//! to write beside it (an audit entry, a new organisation) puts it into the same batch: [`Act::keep`].

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use standards::jose::{Algorithm, Jwk};
use store::{Statement, Store, StoreError};
use uuid::Uuid;

use super::ring::opened;
use super::rows::{self, KeyRow};
use super::signed;
use super::{GATEWAY, KeyError, KeyHolder, KeyPurpose, Place, State};
use crate::audit::{self, By, Entry};
use crate::event;
use crate::revision::{self, Subject};

/// How long a key is published before it signs. Documents of ours may be kept for five minutes, but clients of the first
/// contract keep keys until they restart, and copies of key sets are made by hand: a week has a working day in it.
pub const PUBLISHED_BEFORE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long a key that signs no more is published at least. Everything but a credential that it signed ends within ten
/// minutes; clocks and copies that are a day behind are not unheard of.
pub const PUBLISHED_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Why an act was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// No such key.
    #[error("there is no key with the id {0}; `lanyard key list` names them")]
    UnknownKey(String),
    /// No such place.
    #[error(
        "`{0}` names no place of a key: say ORGANISATION.credentials, ORGANISATION.status, ORGANISATION.requests, \
         id-token-rs256, id-token-es256 or id-token-eddsa"
    )]
    UnknownPlace(String),
    /// It is in another state.
    #[error("the key {kid} is {}: {wanted}", .state.name())]
    State {
        /// The key.
        kid: String,
        /// Its state.
        state: State,
        /// What the act is for.
        wanted: &'static str,
    },
    /// Another key waits already.
    #[error("the key {0} is to be the next one already; activate or remove it first")]
    NextThere(String),
    /// None waits.
    #[error("there is no next key that could take its place; make one with `lanyard key create`")]
    NoNext,
    /// It has not been published for long enough.
    #[error(
        "the key {kid} may sign from {from} on, when it has been published for seven days; --at-once does it now"
    )]
    TooYoung {
        /// The key.
        kid: String,
        /// When it may.
        from: Timestamp,
    },
    /// Credentials that it signed are in force.
    #[error(
        "{0} credentials still verify with this key; --force removes it all the same, and then they do not"
    )]
    InForce(i64),
    /// It signed checkpoints of the audit.
    #[error(
        "checkpoints of the audit verify with this key, and must for as long as anybody has an export: it stays verify-only"
    )]
    Checkpoints,
    /// It stopped signing a short while ago.
    #[error("what this key signed may be believed until {0}; --force removes it now")]
    StillBelieved(Timestamp),
    /// It cannot sign here.
    #[error("a key of {place} does not sign with {algorithm}")]
    Algorithm {
        /// The place.
        place: Place,
        /// The algorithm that was asked for.
        algorithm: Algorithm,
    },
    /// Somebody was quicker.
    #[error("somebody else changed the keys in the same moment; look at them and try again")]
    Overtaken,
    /// A key could not be made, read or destroyed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ActError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownKey(_) => "key-unknown",
            Self::UnknownPlace(_) => "key-place-unknown",
            Self::State { .. } => "key-state",
            Self::NextThere(_) => "key-next-there",
            Self::NoNext => "key-no-next",
            Self::TooYoung { .. } => "key-too-young",
            Self::InForce(_) | Self::Checkpoints => "key-in-force",
            Self::StillBelieved(_) => "key-still-believed",
            Self::Algorithm { .. } => "key-algorithm",
            Self::Overtaken => "key-overtaken",
            Self::Key(_) => "key-unusable",
            Self::Store(_) => "unavailable",
        }
    }
}

/// One change of one key, for the log and whoever keeps records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub kid: String,
    /// Whose it is and what for.
    pub place: Place,
    /// What it may do from now on.
    pub to: State,
    /// Of a key of the audit that is compromised: its public half, which is needed for as long as what it signed.
    pub public: Option<Jwk>,
}

impl Change {
    /// What the audit says of it.
    pub(crate) fn entry(&self, by: By<'_>, now: Timestamp) -> Entry {
        let owner = Some(self.place.owner.as_str()).filter(|owner| *owner != GATEWAY);
        let key = ("signing-key", self.kid.as_str());
        let entry = by
            .entry(audit::Act::SigningKeyChanged, key, now)
            .organisation(owner)
            .with("purpose", self.place.purpose.name())
            .with("state", self.to.name());
        match self.public.as_ref().and_then(audit::public_half) {
            Some((x, y)) => entry.id("x", &x).id("y", &y),
            None => entry,
        }
    }
}

/// An act that is ready and not yet done.
#[must_use = "nothing is done before it is kept"]
#[derive(Default)]
pub struct Act {
    statements: Vec<Statement>,
    changes: Vec<Change>,
    made: Vec<String>,
    destroyed: Vec<String>,
}

impl Act {
    fn change(&mut self, key: &KeyRow, to: State, now: Timestamp) {
        self.statements.push(key.change(to, now));
        self.told(key, to);
    }

    /// The same, out of use for ever. A credential that is being written down in this very moment is not to be seen yet: it
    /// is waited for, and counts as signed. Whoever writes one later finds a key that has ended.
    fn end(&mut self, key: &KeyRow, to: State, now: Timestamp) {
        if key.place.purpose == KeyPurpose::Credentials {
            self.statements.push(Statement::lock("credentials"));
        }
        self.change(key, to, now);
        self.destroyed.push(key.name.clone());
    }

    fn insert(&mut self, key: &KeyRow) {
        self.statements.push(key.insert());
        self.made.push(key.name.clone());
        self.told(key, key.state);
    }

    fn told(&mut self, key: &KeyRow, to: State) {
        self.changes.push(Change {
            kid: key.kid.clone(),
            place: key.place.clone(),
            to,
            public: None,
        });
    }

    /// Both, in one batch.
    pub fn and(mut self, other: Self) -> Self {
        self.statements.extend(other.statements);
        self.changes.extend(other.changes);
        self.made.extend(other.made);
        self.destroyed.extend(other.destroyed);
        self
    }

    /// What it changes, in order.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// What relying parties are told, in the same batch: of a key that is compromised those of its organisation hear, and of one
    /// of the gateway's that they believe, all. `parties` are organisations and client ids.
    pub(crate) fn events<'a>(
        &self,
        parties: &(impl Iterator<Item = (&'a str, &'a str)> + Clone),
        now: Timestamp,
    ) -> Vec<Statement> {
        let ended = self.changes.iter().filter(|change| {
            change.to == State::Compromised && change.place.purpose != KeyPurpose::Audit
        });
        let each = ended.flat_map(|change| {
            let owner = change.place.owner.as_str();
            let key = (change.kid.as_str(), change.place.purpose.name());
            parties
                .clone()
                .filter(move |(organisation, _)| owner == GATEWAY || owner == *organisation)
                .flat_map(move |(_, client_id)| event::key_compromised(client_id, key, now))
        });
        each.collect()
    }

    /// Its rows and the news for every process, for somebody else's batch. A private half that nobody may use any more is
    /// destroyed when a process hears of it ([`super::destroy_ended`]).
    pub(crate) fn statements(self) -> Vec<Statement> {
        let news = (!self.statements.is_empty()).then(|| revision::raise(Subject::Keys));
        self.statements.into_iter().chain(news).collect()
    }

    /// Does it: the rows, what else belongs to the same batch, and the news for every process, all or nothing; after that
    /// the private halves that nobody may use any more are destroyed.
    pub async fn keep(
        self,
        store: &Store,
        holder: &Arc<dyn KeyHolder>,
        also: impl IntoIterator<Item = Statement>,
    ) -> Result<Vec<Change>, ActError> {
        let own = self.statements.len();
        let news = (own > 0).then(|| revision::raise(Subject::Keys));
        let batch = self.statements.into_iter().chain(news).chain(also);
        match store.write(batch).await {
            Ok(_) => {}
            // A commit of which nobody knows: the key may be in use. A key that is not is no harm.
            Err(error @ StoreError::Uncertain(_)) => return Err(error.into()),
            Err(error) => {
                for name in &self.made {
                    holder.destroy(name)?;
                }
                return Err(match error {
                    StoreError::Unmet { statement } | StoreError::Duplicate { statement }
                        if statement < own =>
                    {
                        ActError::Overtaken
                    }
                    error => error.into(),
                });
            }
        }
        for change in &self.changes {
            let (place, state) = (&change.place, change.to.name());
            tracing::info!(kid = change.kid, %place, state, "a signing key has another state");
        }
        for name in &self.destroyed {
            holder.destroy(name)?;
        }
        Ok(self.changes)
    }
}

/// What acts are made from.
pub struct Acts {
    holder: Arc<dyn KeyHolder>,
    rows: Vec<KeyRow>,
    now: Timestamp,
}

impl Acts {
    /// The keys as they stand.
    pub async fn read(
        store: &Store,
        holder: &Arc<dyn KeyHolder>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            holder: holder.clone(),
            rows: rows::find_all(store).await?,
            now,
        })
    }

    /// Every key that ever was, the oldest first.
    pub fn rows(&self) -> &[KeyRow] {
        &self.rows
    }

    /// The key of that id.
    pub fn find(&self, kid: &str) -> Result<&KeyRow, ActError> {
        let found = self.rows.iter().find(|key| key.kid == kid);
        found.ok_or_else(|| ActError::UnknownKey(kid.to_owned()))
    }

    pub(crate) fn in_place(&self, place: &Place, state: State) -> Option<&KeyRow> {
        self.rows
            .iter()
            .find(|key| key.place == *place && key.state == state)
    }

    async fn made(&self, place: &Place, algorithm: Algorithm) -> Result<KeyRow, ActError> {
        if !place.purpose.fits(algorithm) {
            let place = place.clone();
            return Err(ActError::Algorithm { place, algorithm });
        }
        let day = self.now.strftime("%Y%m%d");
        let name = format!("{place}.{day}-{}", Uuid::new_v4().simple());
        let (holder, made) = (self.holder.clone(), name.clone());
        tokio::task::spawn_blocking(move || holder.create(&made, algorithm))
            .await
            .map_err(|error| KeyError::Unmade(error.to_string()))??;
        let signer = opened(&self.holder, &name).await?;
        Ok(KeyRow::new(place, name, signer.as_ref(), self.now))
    }

    /// Makes a key. It is the next one; the first of a place signs at once, since nobody knows another.
    pub async fn create(&self, place: &Place, algorithm: Algorithm) -> Result<Act, ActError> {
        if let Some(next) = self.in_place(place, State::Next) {
            return Err(ActError::NextThere(next.kid.clone()));
        }
        let made = self.made(place, algorithm).await?;
        let mut act = Act::default();
        act.insert(&match self.in_place(place, State::Active) {
            Some(_) => made,
            None => made.active(self.now),
        });
        Ok(act)
    }

    /// The keys that a new organisation needs, those that it has left out.
    pub async fn create_missing(&self, organisation: &str) -> Result<Act, ActError> {
        let mut act = Act::default();
        for place in Place::of_organisation(organisation) {
            if self.in_place(&place, State::Active).is_none() {
                let made = self.made(&place, place.purpose.algorithm()).await?;
                act.insert(&made.active(self.now));
            }
        }
        Ok(act)
    }

    /// Lets the next key sign. The one before it goes on verifying.
    pub fn activate(&self, kid: &str, at_once: bool) -> Result<Act, ActError> {
        let key = self.find(kid)?;
        if key.state != State::Next {
            return Err(state(key, "only a next key is activated"));
        }
        let from = key.created_at + PUBLISHED_BEFORE;
        if self.now < from {
            if !at_once {
                let kid = key.kid.clone();
                return Err(ActError::TooYoung { kid, from });
            }
            tracing::warn!(
                kid,
                "a key signs before others can know it: for a while they may refuse what it signs"
            );
        }
        let mut act = Act::default();
        // In this order: only one signs at a time.
        if let Some(active) = self.in_place(&key.place, State::Active) {
            act.change(active, State::VerifyOnly, self.now);
        }
        act.change(key, State::Active, self.now);
        Ok(act)
    }

    /// The next step of changing a place's key: makes the next key if there is none, or else lets it sign.
    pub async fn rotate(&self, place: &Place, at_once: bool) -> Result<Act, ActError> {
        if let Some(next) = self.in_place(place, State::Next) {
            return self.activate(&next.kid, at_once);
        }
        let Some(active) = self.in_place(place, State::Active) else {
            return self.create(place, place.purpose.algorithm()).await;
        };
        let made = self.made(place, active.algorithm).await?;
        let mut act = Act::default();
        if at_once {
            let kid = made.kid.as_str();
            tracing::warn!(
                kid,
                "a key signs before others can know it: for a while they may refuse what it signs"
            );
            act.change(active, State::VerifyOnly, self.now);
            act.insert(&made.active(self.now));
        } else {
            act.insert(&made);
        }
        Ok(act)
    }

    /// Takes a key out of signing. Another has to take its place, so this is letting the next one sign.
    pub fn retire(&self, kid: &str, at_once: bool) -> Result<Act, ActError> {
        let key = self.find(kid)?;
        if key.state != State::Active {
            return Err(state(key, "only an active key is retired"));
        }
        let next = self.in_place(&key.place, State::Next);
        self.activate(&next.ok_or(ActError::NoNext)?.kid, at_once)
    }

    /// Takes a key out of everything, and destroys it. Whatever it signed is then refused. For a key that is gone already
    /// only what a crash may have left of it is destroyed.
    pub async fn remove(&self, store: &Store, kid: &str, force: bool) -> Result<Act, ActError> {
        let key = self.find(kid)?;
        let mut act = Act::default();
        match key.state {
            State::Next => {}
            // No force helps: without its public half the audit of years cannot be checked any more.
            State::VerifyOnly if key.place.purpose == KeyPurpose::Audit => {
                return Err(ActError::Checkpoints);
            }
            State::VerifyOnly if force => {}
            State::VerifyOnly => {
                let signed = signed::find_signed(store, key, self.now).await?;
                let in_force: i64 = signed.iter().map(|of_type| of_type.in_force).sum();
                if in_force > 0 {
                    return Err(ActError::InForce(in_force));
                }
                let until = key.retired_at.unwrap_or(key.created_at) + PUBLISHED_AFTER;
                if self.now < until {
                    return Err(ActError::StillBelieved(until));
                }
            }
            State::Active => return Err(state(key, "another has to sign first; see `key rotate`")),
            State::Removed | State::Compromised => {
                act.destroyed.push(key.name.clone());
                return Ok(act);
            }
        }
        act.end(key, State::Removed, self.now);
        Ok(act)
    }

    /// Somebody else may have this key: it is out of everything at once, and if it was the one that signs, the next one
    /// takes its place, however young, or a new one. Said again, only what a crash may have left of it is destroyed.
    pub async fn compromised(&self, kid: &str) -> Result<Act, ActError> {
        let key = self.find(kid)?;
        let mut act = Act::default();
        if key.state == State::Compromised {
            act.destroyed.push(key.name.clone());
            return Ok(act);
        }
        act.end(key, State::Compromised, self.now);
        if key.place.purpose == KeyPurpose::Audit
            && let Ok(signer) = opened(&self.holder, &key.name).await
            && signer.public_jwk().kid() == Some(key.kid.as_str())
            && let Some(change) = act.changes.last_mut()
        {
            change.public = Some(signer.public_jwk().clone());
        }
        if key.state == State::Active {
            if let Some(next) = self.in_place(&key.place, State::Next) {
                act.change(next, State::Active, self.now);
            } else {
                let made = self.made(&key.place, key.algorithm).await?;
                act.insert(&made.active(self.now));
            }
        }
        Ok(act)
    }
}

fn state(key: &KeyRow, wanted: &'static str) -> ActError {
    ActError::State {
        kid: key.kid.clone(),
        state: key.state,
        wanted,
    }
}
