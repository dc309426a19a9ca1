//! How the chain stands at its end. It reads a few rows, so that it can be asked whenever somebody looks; [`verify`](super::verify)
//! reads all of them.

use jiff::Timestamp;
use standards::jose::Jwk;
use store::{Statement, Store, StoreError};

use super::{chain, checkpoint};

/// The end of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The position of the last entry that has a place.
    pub position: i64,
    /// Since when the oldest entry without one waits.
    pub waits_since: Option<Timestamp>,
    /// The day of the last checkpoint, and whether it is one of this gateway's and says what stands there.
    pub checkpoint: Option<(String, bool)>,
}

/// Looks at it.
pub async fn standing(store: &Store, issuer: &str, keys: &[Jwk]) -> Result<Standing, StoreError> {
    let waiting = Statement::new(
        "SELECT MIN(happened_at) AS oldest FROM audit_entries WHERE position IS NULL",
    );
    let waiting = store.read_one(waiting).await?;
    let waiting = waiting.map(|row| row.optional_timestamp("oldest"));
    let checkpoint = match checkpoint::last(store).await? {
        None => None,
        Some(last) => {
            let there = Statement::new("SELECT digest FROM audit_entries WHERE position = $1");
            let there = store.read_one(there.bind(last.position)).await?;
            let there = there.map(|row| {
                row.optional_blob("digest")
                    .map(|digest| digest.map(hex::encode))
            });
            // What retention removed is no longer there to be compared.
            let fits = match there.transpose()? {
                Some(digest) => digest.as_deref() == Some(last.digest.as_str()),
                None => last.position <= chain::horizon(store).await?.position,
            };
            let is_so = fits && last.signed(issuer, keys).is_some();
            Some((last.day, is_so))
        }
    };
    Ok(Standing {
        position: chain::head(store).await?.position,
        waits_since: waiting.transpose()?.flatten(),
        checkpoint,
    })
}
