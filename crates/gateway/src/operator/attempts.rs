//! How often somebody may try to sign in (SEC-34). An attempt counts before anything is looked at, in one statement and in the
//! database, so that many at once, or at several processes, are not more than many in a row.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use store::{Statement, StoreError};

use crate::app::App;

/// For how long an attempt counts. As the problem says.
pub(crate) const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// Wrong ones for one name.
const FOR_ONE_NAME: u32 = 5;
/// Wrong ones from one network.
const FROM_ONE_NETWORK: u32 = 50;

/// Who tries: kept as a digest, since people type their password where the name belongs.
pub(super) struct Attempt {
    name: String,
    network: String,
}

/// Whether an attempt may go on.
pub(super) enum Allowed {
    /// It may.
    Yes,
    /// There were too many before it; `first` of those that are refused in this window, for this name.
    No {
        /// Whether it is the first.
        first: bool,
    },
}

impl Attempt {
    pub(super) fn new(name: &str, organisation: Option<&str>, from: IpAddr) -> Self {
        // Neither can hold a `/`.
        let name = format!("name:{}/{name}", organisation.unwrap_or_default());
        Self {
            name: digest(&name),
            network: digest(&format!("address:{from}")),
        }
    }

    /// Counts the attempt.
    pub(super) async fn count(&self, app: &App) -> Result<Allowed, StoreError> {
        let now = app.now();
        let both = [
            (&self.network, FROM_ONE_NETWORK),
            (&self.name, FOR_ONE_NAME),
        ];
        let batch = both.map(|(who, most)| count(who, most, now).must_change(1));
        match app.store.write(batch).await {
            Ok(_) => Ok(Allowed::Yes),
            Err(StoreError::Unmet { statement }) => Ok(Allowed::No {
                first: statement == 1 && self.is_the_first_refused(app).await?,
            }),
            Err(error) => Err(error),
        }
    }

    /// Once for each name in each window: the count goes one beyond what is allowed, and stays there.
    async fn is_the_first_refused(&self, app: &App) -> Result<bool, StoreError> {
        let sql =
            "UPDATE operator_attempts SET attempts = attempts + 1 WHERE who = $1 AND attempts = $2";
        let beyond = Statement::new(sql).bind(&self.name).bind(FOR_ONE_NAME);
        match app.store.write([beyond.must_change(1)]).await {
            Ok(_) => Ok(true),
            Err(StoreError::Unmet { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// It was right: for its network it does not count, and for its name nothing does that was wrong before. In the order in
    /// which an attempt is counted, so that none waits for another in a circle.
    pub(super) fn forget(&self) -> [Statement; 2] {
        let give_back =
            "UPDATE operator_attempts SET attempts = attempts - 1 WHERE who = $1 AND attempts > 0";
        let forget = "DELETE FROM operator_attempts WHERE who = $1";
        [
            Statement::new(give_back).bind(&self.network),
            Statement::new(forget).bind(&self.name),
        ]
    }

    /// Changes nothing, and takes as long as writing about somebody.
    pub(super) fn touch(&self) -> Statement {
        let sql = "UPDATE operator_attempts SET attempts = attempts WHERE who = $1";
        Statement::new(sql).bind(&self.name)
    }
}

fn count(who: &str, most: u32, now: Timestamp) -> Statement {
    let window = now.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN);
    Statement::new(
        "INSERT INTO operator_attempts (who, attempts, since) VALUES ($1, 1, $2) \
         ON CONFLICT (who) DO UPDATE SET \
             attempts = CASE WHEN operator_attempts.since <= $3 THEN 1 ELSE operator_attempts.attempts + 1 END, \
             since = CASE WHEN operator_attempts.since <= $3 THEN $2 ELSE operator_attempts.since END \
         WHERE operator_attempts.since <= $3 OR operator_attempts.attempts < $4",
    )
    .bind(who)
    .bind(now)
    .bind(window)
    .bind(most)
}

fn digest(text: &str) -> String {
    hex::encode(crate::admin::digest_of(text))
}
