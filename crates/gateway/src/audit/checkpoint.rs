//! The head of the chain, signed once a day: whoever keeps a checkpoint elsewhere can tell later whether what stood before
//! it is still the same.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use standards::jose::jws::{self, Typ};
use standards::jose::signer::{ProtectedHeader, SignError, sign};
use standards::jose::{Algorithm, Jwk, Signer};
use store::{Row, Statement, Store, StoreError};

use super::chain::{self, Link};

/// The type of a checkpoint: no other token of the gateway passes for one, nor one for another (SEC-14).
pub const TYP: &str = "lanyard-audit-checkpoint+jwt";

/// The key that signs checkpoints, and nothing else.
pub const KEY: &str = "audit";

/// A checkpoint as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The day in UTC, `YYYY-MM-DD`.
    pub day: String,
    /// The position of the head then.
    pub position: i64,
    /// The digest of the head then, in hexadecimal.
    pub digest: String,
    /// The same, signed.
    pub jws: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    iat: i64,
    day: String,
    position: i64,
    digest: String,
}

/// Why none was made.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key.
    #[error("the checkpoint could not be signed: {0}")]
    Sign(#[from] SignError),
}

/// Signs the head, unless today has its checkpoint or nothing was ever written.
pub async fn round(
    store: &Store,
    issuer: &str,
    key: &dyn Signer,
    now: Timestamp,
) -> Result<(), CheckpointError> {
    let day = now.to_zoned(TimeZone::UTC).date().to_string();
    let made = Statement::new("SELECT day FROM audit_checkpoints WHERE day = $1").bind(&day);
    let Link { position, digest } = chain::head(store).await?;
    if position == 0 || store.read_one(made).await?.is_some() {
        return Ok(());
    }
    let claims = Claims {
        iss: issuer.to_owned(),
        iat: now.as_second(),
        day: day.clone(),
        position,
        digest: hex::encode(digest),
    };
    let jws = sign(key, ProtectedHeader::typ(TYP), &claims).await?;
    // Of two processes at once the first keeps its own; both say the truth.
    let keep = "INSERT INTO audit_checkpoints (day, position, digest, jws) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (day) DO NOTHING";
    let keep = Statement::new(keep)
        .bind(day)
        .bind(position)
        .bind(digest)
        .bind(jws);
    store.write([keep]).await?;
    Ok(())
}

/// All of them, oldest first.
pub async fn all(store: &Store) -> Result<Vec<Checkpoint>, StoreError> {
    let sql = "SELECT day, position, digest, jws FROM audit_checkpoints ORDER BY day";
    store
        .read(Statement::new(sql))
        .await?
        .iter()
        .map(read)
        .collect()
}

/// Those of a stretch of positions, its ends included, oldest first.
pub(super) async fn between(
    store: &Store,
    (first, last): (i64, i64),
) -> Result<Vec<Checkpoint>, StoreError> {
    let sql = "SELECT day, position, digest, jws FROM audit_checkpoints WHERE position >= $1 AND position <= $2 \
               ORDER BY day";
    let select = Statement::new(sql).bind(first).bind(last);
    store.read(select).await?.iter().map(read).collect()
}

/// The newest one.
pub(super) async fn last(store: &Store) -> Result<Option<Checkpoint>, StoreError> {
    let sql = "SELECT day, position, digest, jws FROM audit_checkpoints ORDER BY day DESC LIMIT 1";
    let row = store.read_one(Statement::new(sql)).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Checkpoint, StoreError> {
    Ok(Checkpoint {
        day: row.text("day")?.to_owned(),
        position: row.integer("position")?,
        digest: hex::encode(row.blob("digest")?),
        jws: row.text("jws")?.to_owned(),
    })
}

/// What its signature says beside what the checkpoint says.
pub(super) struct Signed {
    /// When, by the clock of whoever signed, in seconds since 1970.
    pub(super) at: i64,
}

impl Checkpoint {
    /// Whether one of these keys signed it for this gateway, and what it says beside the signature is what was signed.
    pub(super) fn signed(&self, issuer: &str, keys: &[Jwk]) -> Option<Signed> {
        let parsed = jws::parse(&self.jws).ok()?;
        let verified = keys
            .iter()
            .find_map(|key| parsed.verify(key, &[Algorithm::ES256], Typ::Is(TYP)).ok())?;
        let claims = verified.claims_as::<Claims>().ok()?;
        let is_so = claims.iss == issuer
            && claims.day == self.day
            && claims.position == self.position
            && claims.digest == self.digest;
        is_so.then_some(Signed { at: claims.iat })
    }

    /// The key that it says it was signed with.
    pub(super) fn kid(&self) -> Option<String> {
        let parsed = jws::parse(&self.jws).ok()?;
        parsed.header().kid().map(str::to_owned)
    }
}
