//! How often somebody may try to log in (SEC-34). An attempt counts before its password is looked at, in one
//! statement, so that many at once are not more than many in a row.

use std::net::IpAddr;

use jiff::SignedDuration;
use store::{Statement, StoreError};

use crate::app::Parts;
use crate::audit;
use crate::token::digest_of;

/// As the page says.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// Wrong passwords for one user name.
const FOR_ONE_NAME: u32 = 5;
/// Wrong passwords from one network, behind which a whole hospital may sit.
const FROM_ONE_NETWORK: u32 = 100;

/// Who tries: kept as a digest, since people type their password where the user name belongs.
pub(crate) struct Attempt {
    username: String,
    name: String,
    network: Option<String>,
}

impl Attempt {
    pub(crate) fn new(username: &str, network: Option<IpAddr>) -> Self {
        Self {
            // What no database can hold is nobody's name.
            username: if username.contains('\0') {
                String::new()
            } else {
                username.to_owned()
            },
            name: digest_of(&format!("name:{username}")),
            network: network.map(|network| digest_of(&format!("address:{network}"))),
        }
    }

    /// Counts the attempt; false if there were too many before it.
    pub(crate) async fn is_allowed(&self, parts: &Parts) -> Result<bool, StoreError> {
        let by_network = self.network.as_ref().map(|who| (who, FROM_ONE_NETWORK));
        let both = by_network.into_iter().chain([(&self.name, FOR_ONE_NAME)]);
        let batch = both.map(|(who, most)| count(parts, who, most).must_change(1));
        match parts.store.write(batch).await {
            Ok(_) => Ok(true),
            Err(StoreError::Unmet { .. }) => {
                self.keep_that_it_was_too_often(parts).await?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The pair was wrong: a row about whoever has the name. Something is written in any case, so that the time it takes
    /// does not tell whether anybody has it.
    pub(crate) async fn keep_that_it_was_wrong(&self, parts: &Parts) -> Result<(), StoreError> {
        let touch = Statement::new("UPDATE portal_attempts SET attempts = attempts WHERE who = $1");
        let refused = audit::refused(&self.username, "wrong-pair", parts.now());
        let batch = [touch.bind(&self.name), refused];
        parts.store.write(batch).await.map(drop)
    }

    /// Once for each name in each window: the count goes one beyond what is allowed, and stays there.
    async fn keep_that_it_was_too_often(&self, parts: &Parts) -> Result<(), StoreError> {
        let beyond = Statement::new(
            "UPDATE portal_attempts SET attempts = attempts + 1 WHERE who = $1 AND attempts = $2",
        );
        let beyond = beyond.bind(&self.name).bind(FOR_ONE_NAME).must_change(1);
        let refused = audit::refused(&self.username, "too-many-attempts", parts.now());
        match parts.store.write([beyond, refused]).await {
            Err(StoreError::Unmet { .. }) => Ok(()),
            kept => kept.map(drop),
        }
    }

    /// It was right: for its network it does not count, and for its name nothing does that was wrong before. For the
    /// batch of the log-in; in the order in which an attempt is counted, so that none waits for another in a circle.
    pub(crate) fn forget(&self) -> Vec<Statement> {
        let give_back = self.network.as_ref().map(|who| {
            let sql = "UPDATE portal_attempts SET attempts = attempts - 1 \
                       WHERE who = $1 AND attempts > 0";
            Statement::new(sql).bind(who)
        });
        let forget = Statement::new("DELETE FROM portal_attempts WHERE who = $1").bind(&self.name);
        give_back.into_iter().chain([forget]).collect()
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
