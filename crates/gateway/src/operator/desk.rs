//! What whoever has the machine and the configuration file may do about operators: make the first one, and help out when
//! nobody is left who could. `lanyard operator …` is this.

use jiff::Timestamp;
use store::{Store, StoreError};

use super::rows::{self, Known, NewOperator, Token};
use super::{MOST_TOKEN_DAYS, TOKEN_DAYS, sign_in};
use crate::admin::{digest_of, new_token};
use crate::audit::{Act, Actor, Entry};
use crate::random::Random;

/// The operators of a database, without a gateway.
pub struct Desk<'a> {
    /// The database.
    pub store: &'a Store,
    /// Where ids and tokens come from.
    pub random: &'a Random,
    /// Who has the machine, as the environment says.
    pub account: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// Not the form of a name.
    #[error(
        "a name has 1 to 64 lower-case letters, digits, `.`, `-`, `_` and `@`, a letter or digit first"
    )]
    Name,
    /// The name was given before.
    #[error("this name was given before, and is never given twice: choose another")]
    NameTaken,
    /// No such operator, or removed.
    #[error("there is no operator of this name; `lanyard operator list` shows them")]
    Unknown,
    /// No such token in force.
    #[error("there is no such token in force; `lanyard operator list` shows them")]
    UnknownToken,
    /// A token's time.
    #[error("a token is in force for 1 to {MOST_TOKEN_DAYS} days")]
    Days,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeskError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Name => "operator-name",
            Self::NameTaken => "operator-name-taken",
            Self::Unknown => "operator-unknown",
            Self::UnknownToken => "operator-token-unknown",
            Self::Days => "operator-token-days",
            Self::Store(_) => "store",
        }
    }
}

impl Desk<'_> {
    /// Adds an operator and gives its token, which nobody can ask for again.
    pub async fn add(&self, new: &NewOperator<'_>, days: Option<u32>) -> Result<String, DeskError> {
        if !new.has_a_name() {
            return Err(DeskError::Name);
        }
        let days = checked(days)?;
        if rows::of_name(self.store, new.name, new.organisation)
            .await?
            .is_some()
        {
            return Err(DeskError::NameTaken);
        }
        let (id, token_id) = (new_id("op", self.random), new_id("tk", self.random));
        let token = new_token(self.random);
        let entry = self
            .entry(Act::OperatorAdded, &id, new.organisation)
            .id("name", new.name)
            .with("role", new.role.name())
            .id("token", &token_id)
            .number("break-glass", new.break_glass.into());
        let batch = [
            new.insert(&id, self.now),
            rows::insert_token(&token_id, &id, digest_of(&token), self.now, days),
            entry.into(),
        ];
        match self.store.write(batch).await {
            Ok(_) => Ok(token),
            Err(StoreError::Duplicate { .. }) => Err(DeskError::NameTaken),
            Err(error) => Err(error.into()),
        }
    }

    /// Every operator with its tokens.
    pub async fn list(&self) -> Result<Vec<(Known, Vec<Token>)>, DeskError> {
        let mut found = Vec::new();
        for known in rows::all(self.store, None).await? {
            let tokens = rows::tokens_of(self.store, &known.id).await?;
            found.push((known, tokens));
        }
        Ok(found)
    }

    /// The id of the one of that name that is in force.
    pub async fn id_of(&self, name: &str, organisation: Option<&str>) -> Result<String, DeskError> {
        Ok(self.find(name, organisation).await?.id)
    }

    /// Removes an operator, and the programs that it answers for.
    pub async fn remove(&self, name: &str, organisation: Option<&str>) -> Result<(), DeskError> {
        let known = self.find(name, organisation).await?;
        let mut batch = rows::remove(&known.id, self.now);
        batch.push(
            self.entry(Act::OperatorRemoved, &known.id, organisation)
                .into(),
        );
        Ok(self.store.write(batch).await.map(drop)?)
    }

    /// One more token for an operator.
    pub async fn new_token(
        &self,
        name: &str,
        organisation: Option<&str>,
        days: Option<u32>,
    ) -> Result<String, DeskError> {
        let days = checked(days)?;
        let known = self.find(name, organisation).await?;
        let (id, token) = (new_id("tk", self.random), new_token(self.random));
        let insert = rows::insert_token(&id, &known.id, digest_of(&token), self.now, days);
        let entry = self
            .entry(Act::OperatorTokenMade, &known.id, organisation)
            .id("token", &id);
        self.store.write([insert, entry.into()]).await?;
        Ok(token)
    }

    /// Revokes a token by its id, with all that was made with it and the sign-in that was set up with it.
    pub async fn revoke_token(&self, id: &str) -> Result<(), DeskError> {
        let owner = rows::owner_of(self.store, id)
            .await?
            .ok_or(DeskError::UnknownToken)?;
        let entry = self
            .entry(
                Act::OperatorTokenRevoked,
                &owner.id,
                owner.organisation.as_deref(),
            )
            .id("token", id);
        let ends_sign_in = rows::has_set_up(self.store, id).await?;
        let entry = rows::tells_of_sign_in(entry, ends_sign_in);
        let revoked = rows::revoke_token(id, ends_sign_in, self.now).into_iter();
        self.store.write(revoked.chain([entry.into()])).await?;
        Ok(())
    }

    /// Forgets how an operator signs in: their password, authenticator and recovery codes; and ends their sessions and the tokens
    /// that these made. With a token of theirs they set it up anew.
    pub async fn reset_sign_in(
        &self,
        name: &str,
        organisation: Option<&str>,
    ) -> Result<(), DeskError> {
        let known = self.find(name, organisation).await?;
        let mut batch = sign_in::forget(&known.id, self.now);
        let entry = self.entry(Act::OperatorSignInReset, &known.id, organisation);
        batch.push(entry.into());
        Ok(self.store.write(batch).await.map(drop)?)
    }

    async fn find(&self, name: &str, organisation: Option<&str>) -> Result<Known, DeskError> {
        let known = rows::of_name(self.store, name, organisation).await?;
        known
            .filter(|known| known.removed_at.is_none())
            .ok_or(DeskError::Unknown)
    }

    fn entry(&self, act: Act, id: &str, organisation: Option<&str>) -> Entry {
        Entry::new(
            Actor::Command(self.account),
            act,
            ("operator", id),
            self.now,
        )
        .organisation(organisation)
    }
}

/// An id that a person can read out. Nothing rests on nobody guessing it.
pub(super) fn new_id(kind: &str, random: &Random) -> String {
    format!("{kind}-{}", random.reference().to_ascii_lowercase())
}

fn checked(days: Option<u32>) -> Result<u32, DeskError> {
    let days = days.unwrap_or(TOKEN_DAYS);
    (1..=MOST_TOKEN_DAYS)
        .contains(&days)
        .then_some(days)
        .ok_or(DeskError::Days)
}
