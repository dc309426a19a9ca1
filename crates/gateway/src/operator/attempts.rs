//! How often somebody may try to sign in (SEC-34). An attempt counts before anything is looked at, in one statement and in the
//! database, so that many at once, or at several processes, are not more than many in a row.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use store::{Statement, StoreError};

use crate::app::App;

/// For how long an attempt counts. As the problem says.
pub(crate) const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// Wrong ones for one name from one network.
const FROM_ONE_NETWORK_FOR_ONE_NAME: u32 = 5;
/// Wrong ones from one network, for whatever names.
const FROM_ONE_NETWORK: u32 = 50;
/// Wrong ones for one name, wherever from; beyond them it is slowed down and never closed, or one script would close the names
/// of all operators for ever. Then there is one try in each [`SLOW`].
const FOR_ONE_NAME: u32 = 5;
/// What is left to whoever guesses from many networks: `FOR_ONE_NAME` and 15 in each window, hence 1,920 a day, and a guess is
/// right only if password and code are. From a network where that name has signed in within a day nobody is slowed down.
const SLOW: SignedDuration = SignedDuration::from_mins(1);
/// For how long a network is known.
const KNOWN: SignedDuration = SignedDuration::from_hours(24);

/// Who tries: kept as a digest, since people type their password where the name belongs.
pub(super) struct Attempt {
    name: String,
    /// When a name that is slowed down was tried last.
    turn: String,
    /// Nothing where all callers have one address: it is a proxy's, and whoever is behind it is everybody.
    from: Option<From>,
}

struct From {
    network: String,
    pair: String,
    known: String,
}

/// Whether an attempt may go on.
pub(super) enum Allowed {
    /// It may.
    Yes,
    /// There were too many before it.
    No {
        /// Whether it is the first that is refused in this window for this name and network.
        first: bool,
        /// How long to wait.
        wait: SignedDuration,
    },
}

impl Attempt {
    /// `from` is this machine where the network is not known.
    pub(super) fn new(name: &str, organisation: Option<&str>, from: IpAddr) -> Self {
        // None of them can hold a `/`.
        let name = format!("{}/{name}", organisation.unwrap_or_default());
        let from = (!from.is_loopback()).then(|| From {
            network: digest(&format!("address:{from}")),
            pair: digest(&format!("pair:{name}/{from}")),
            known: digest(&format!("known:{name}/{from}")),
        });
        Self {
            turn: digest(&format!("turn:{name}")),
            name: digest(&format!("name:{name}")),
            from,
        }
    }

    /// Counts the attempt.
    pub(super) async fn count(&self, app: &App) -> Result<Allowed, StoreError> {
        let now = app.now();
        let mut batch = Vec::new();
        if let Some(from) = &self.from {
            for (who, most) in [
                (&from.network, FROM_ONE_NETWORK),
                (&from.pair, FROM_ONE_NETWORK_FOR_ONE_NAME),
            ] {
                batch.push(count(who, most, now).must_change(1));
            }
        }
        let hard = batch.len();
        batch.push(count(&self.name, u32::MAX, now));
        if !self.is_from_where_they_were(app, now).await? {
            batch.push(self.take_a_turn(now).must_change(1));
        }
        match app.store.write(batch).await {
            Ok(_) => Ok(Allowed::Yes),
            Err(StoreError::Unmet { statement }) if statement < hard => {
                let first = statement == 1 && self.is_the_first_refused(app).await?;
                Ok(Allowed::No {
                    first,
                    wait: WINDOW,
                })
            }
            Err(StoreError::Unmet { .. }) => Ok(Allowed::No {
                first: self.is_the_first_slowed_down(app).await?,
                wait: SLOW,
            }),
            Err(error) => Err(error),
        }
    }

    /// Whether that name has signed in from there of late.
    async fn is_from_where_they_were(&self, app: &App, now: Timestamp) -> Result<bool, StoreError> {
        let Some(from) = &self.from else {
            return Ok(false);
        };
        let since = now.saturating_sub(KNOWN).unwrap_or(Timestamp::MIN);
        let known =
            Statement::new("SELECT since FROM operator_attempts WHERE who = $1 AND since > $2");
        let known = known.bind(&from.known).bind(since);
        Ok(app.store.read_one(known).await?.is_some())
    }

    /// One in a minute, once a name was tried too often. Its count is written before, in the same batch, and holds others back.
    fn take_a_turn(&self, now: Timestamp) -> Statement {
        let last = now.saturating_sub(SLOW).unwrap_or(Timestamp::MIN);
        Statement::new(
            "INSERT INTO operator_attempts (who, attempts, since) VALUES ($1, 0, $2) \
             ON CONFLICT (who) DO UPDATE SET since = $2, attempts = 0 WHERE operator_attempts.since <= $3 \
             OR (SELECT a.attempts FROM operator_attempts a WHERE a.who = $4) <= $5",
        )
        .bind(&self.turn)
        .bind(now)
        .bind(last)
        .bind(&self.name)
        .bind(FOR_ONE_NAME)
    }

    /// Once for each name and network in each window: the count goes one beyond what is allowed, and stays there.
    async fn is_the_first_refused(&self, app: &App) -> Result<bool, StoreError> {
        let Some(from) = &self.from else {
            return Ok(false);
        };
        let sql =
            "UPDATE operator_attempts SET attempts = attempts + 1 WHERE who = $1 AND attempts = $2";
        let beyond = Statement::new(sql)
            .bind(&from.pair)
            .bind(FROM_ONE_NETWORK_FOR_ONE_NAME);
        changes(app, beyond).await
    }

    /// Once between two turns.
    async fn is_the_first_slowed_down(&self, app: &App) -> Result<bool, StoreError> {
        let sql = "UPDATE operator_attempts SET attempts = 1 WHERE who = $1 AND attempts = 0";
        changes(app, Statement::new(sql).bind(&self.turn)).await
    }

    /// It was right: for its network it does not count, for its name nothing does that was wrong before, and from there that
    /// name is not slowed down. In the order in which an attempt is counted, so that none waits for another in a circle.
    pub(super) fn forget(&self) -> Vec<Statement> {
        let forget =
            |who: &str| Statement::new("DELETE FROM operator_attempts WHERE who = $1").bind(who);
        let mut batch = Vec::new();
        if let Some(from) = &self.from {
            let give_back = "UPDATE operator_attempts SET attempts = attempts - 1 WHERE who = $1 AND attempts > 0";
            batch.push(Statement::new(give_back).bind(&from.network));
            batch.push(forget(&from.pair));
        }
        batch.push(forget(&self.name));
        batch.push(forget(&self.turn));
        if let Some(from) = &self.from {
            // Since the network's window began, a quarter of an hour ago at most.
            let known = "INSERT INTO operator_attempts (who, attempts, since) SELECT $1, 0, since FROM operator_attempts \
                         WHERE who = $2 ON CONFLICT (who) DO UPDATE SET since = excluded.since";
            batch.push(Statement::new(known).bind(&from.known).bind(&from.network));
        }
        batch
    }

    /// Changes nothing, and takes as long as writing about somebody.
    pub(super) fn touch(&self) -> Statement {
        let sql = "UPDATE operator_attempts SET attempts = attempts WHERE who = $1";
        Statement::new(sql).bind(&self.name)
    }
}

async fn changes(app: &App, statement: Statement) -> Result<bool, StoreError> {
    match app.store.write([statement.must_change(1)]).await {
        Ok(_) => Ok(true),
        Err(StoreError::Unmet { .. }) => Ok(false),
        Err(error) => Err(error),
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
