//! The table of keys: which there are, what each may do, what each signed.

use jiff::Timestamp;
use standards::jose::{Algorithm, Signer};
use store::{Row, Statement, Store, StoreError};

use super::{Place, State};

/// What the database says of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its id: the thumbprint of its public half. [RFC 7638]
    pub kid: String,
    /// Whose it is and what for.
    pub place: Place,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// What it may do.
    pub state: State,
    /// Under which name its holder has it.
    pub name: String,
    /// Whether it was there before the table: it may have signed credentials that name no key.
    pub adopted: bool,
    /// Since when it has been published.
    pub created_at: Timestamp,
    /// When it began to sign.
    pub activated_at: Option<Timestamp>,
    /// When it stopped signing.
    pub retired_at: Option<Timestamp>,
    /// When it was removed or found compromised.
    pub ended_at: Option<Timestamp>,
}

const COLUMNS: &str = "kid, owner, purpose, algorithm, state, name, adopted, created_at, activated_at, \
                       retired_at, ended_at";

impl KeyRow {
    /// A new key of a place, published from now on.
    pub(super) fn new(place: &Place, name: String, signer: &dyn Signer, now: Timestamp) -> Self {
        let public = signer.public_jwk();
        Self {
            kid: public
                .kid()
                .map_or_else(|| public.thumbprint(), str::to_owned),
            place: place.clone(),
            algorithm: signer.algorithm(),
            state: State::Next,
            name,
            adopted: false,
            created_at: now,
            activated_at: None,
            retired_at: None,
            ended_at: None,
        }
    }

    /// When it began to sign; `None` where it does not sign. A copy of a key's file is younger than its key, and a key in a token
    /// has none.
    pub(crate) fn signs_since(&self) -> Option<Timestamp> {
        let signs = self.state == State::Active;
        signs.then(|| self.activated_at.unwrap_or(self.created_at))
    }

    /// The same, signing from now on.
    pub(super) fn active(self, now: Timestamp) -> Self {
        Self {
            state: State::Active,
            activated_at: Some(now),
            ..self
        }
    }

    /// `None`: a newer program's purpose, state or algorithm, which is none of ours.
    fn parse(row: &Row) -> Result<Option<Self>, StoreError> {
        let place = Place::from_columns(row.text("owner")?, row.text("purpose")?);
        let state = State::parse(row.text("state")?);
        let algorithm = Algorithm::parse(row.text("algorithm")?);
        let (Some(place), Some(state), Some(algorithm)) = (place, state, algorithm) else {
            return Ok(None);
        };
        Ok(Some(Self {
            kid: row.text("kid")?.to_owned(),
            place,
            algorithm,
            state,
            name: row.text("name")?.to_owned(),
            adopted: row.boolean("adopted")?,
            created_at: row.timestamp("created_at")?,
            activated_at: row.optional_timestamp("activated_at")?,
            retired_at: row.optional_timestamp("retired_at")?,
            ended_at: row.optional_timestamp("ended_at")?,
        }))
    }

    pub(super) fn insert(&self) -> Statement {
        Statement::new(format!(
            "INSERT INTO signing_keys ({COLUMNS}) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        ))
        .bind(self.kid.as_str())
        .bind(self.place.owner.as_str())
        .bind(self.place.purpose.name())
        .bind(self.algorithm.as_str())
        .bind(self.state.name())
        .bind(self.name.as_str())
        .bind(self.adopted)
        .bind(self.created_at)
        .bind(self.activated_at)
        .bind(self.retired_at)
        .bind(self.ended_at)
    }

    /// The change to another state, if the key is still in the one that was read.
    pub(super) fn change(&self, to: State, now: Timestamp) -> Statement {
        let column = match to {
            State::Next => "created_at",
            State::Active => "activated_at",
            State::VerifyOnly => "retired_at",
            State::Removed | State::Compromised => "ended_at",
        };
        Statement::new(format!(
            "UPDATE signing_keys SET state = $1, {column} = $2 WHERE kid = $3 AND state = $4"
        ))
        .bind(to.name())
        .bind(now)
        .bind(self.kid.as_str())
        .bind(self.state.name())
        .must_change(1)
    }
}

/// Every key that ever was, the oldest first.
pub async fn find_all(store: &Store) -> Result<Vec<KeyRow>, StoreError> {
    find(store, "").await
}

/// Those that sign.
pub(crate) async fn find_active(store: &Store) -> Result<Vec<KeyRow>, StoreError> {
    find(store, "WHERE state = 'active'").await
}

async fn find(store: &Store, which: &str) -> Result<Vec<KeyRow>, StoreError> {
    let select = format!("SELECT {COLUMNS} FROM signing_keys {which} ORDER BY created_at, kid");
    let rows = store.read(Statement::new(select)).await?;
    let rows = rows.iter().map(KeyRow::parse);
    rows.filter_map(Result::transpose).collect()
}

/// Whether that key is out of use for ever, as the database says now.
pub async fn has_ended(store: &Store, kid: &str) -> Result<bool, StoreError> {
    let select = Statement::new(
        "SELECT state FROM signing_keys WHERE kid = $1 AND state IN ('removed', 'compromised')",
    );
    Ok(store.read_one(select.bind(kid)).await?.is_some())
}
