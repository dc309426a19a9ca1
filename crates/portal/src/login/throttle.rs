//! How often somebody may try to log in (SEC-34). An attempt counts before its password is looked at, in one
//! statement, so that many at once are not more than many in a row.
//!
//! The address is known where the serving program hands it over (`ConnectInfo`). Behind a reverse proxy it must not: all
//! callers are one address there, and the proxy has limits of its own.

use jiff::SignedDuration;
use store::{Statement, StoreError};

use crate::app::Parts;
use crate::token::digest_of;

/// As the page says.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// Wrong passwords for one user name.
const FOR_ONE_NAME: u32 = 5;
/// Attempts from one address, behind which a whole hospital may sit.
const FROM_ONE_ADDRESS: u32 = 100;

/// Who tries: kept as a digest, since people type their password where the user name belongs.
pub(crate) struct Attempt {
    name: String,
    address: Option<String>,
}

impl Attempt {
    pub(crate) fn new(username: &str, address: Option<std::net::IpAddr>) -> Self {
        Self {
            name: digest_of(&format!("name:{username}")),
            address: address.map(|address| digest_of(&format!("address:{address}"))),
        }
    }

    /// Counts the attempt; false if there were too many before it.
    pub(crate) async fn is_allowed(&self, parts: &Parts) -> Result<bool, StoreError> {
        let by_address = self.address.as_ref().map(|who| (who, FROM_ONE_ADDRESS));
        let both = by_address.into_iter().chain([(&self.name, FOR_ONE_NAME)]);
        let batch = both.map(|(who, most)| count(parts, who, most).must_change(1));
        match parts.store.write(batch).await {
            Ok(_) => Ok(true),
            Err(StoreError::Unmet { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// It was right: what was wrong before it no longer counts. For the batch of the log-in.
    pub(crate) fn forget(&self) -> Statement {
        Statement::new("DELETE FROM portal_attempts WHERE who = $1").bind(&self.name)
    }
}

fn count(parts: &Parts, who: &str, most: u32) -> Statement {
    Statement::new(
        "INSERT INTO portal_attempts (who, attempts, since) VALUES ($1, 1, $2) \
         ON CONFLICT (who) DO UPDATE SET \
             attempts = CASE WHEN portal_attempts.since <= $3 THEN 1 ELSE portal_attempts.attempts + 1 END, \
             since = CASE WHEN portal_attempts.since <= $3 THEN $2 ELSE portal_attempts.since END \
         WHERE portal_attempts.since <= $3 OR portal_attempts.attempts < $4",
    )
    .bind(who)
    .bind(parts.now())
    .bind(parts.ago(WINDOW))
    .bind(most)
}

/// Deletes what no longer counts.
pub(crate) async fn tidy(parts: &Parts) -> Result<(), StoreError> {
    let delete = Statement::new("DELETE FROM portal_attempts WHERE since <= $1");
    parts
        .store
        .write([delete.bind(parts.ago(WINDOW))])
        .await
        .map(drop)
}
