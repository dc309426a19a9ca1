//! Sessions as they are kept: under the SHA-256 of what the cookie says, so that whoever reads the table can use none.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use store::{Row, Statement, StoreError};

use crate::app::Parts;
use crate::audit::{self, Act};
use crate::login::{throttle, under_way};
use crate::token::digest_of;

/// A session is written to at most this often just because somebody is there.
const SEEN_EVERY: SignedDuration = SignedDuration::from_secs(15);

/// One log-in in one browser. Debug prints neither whose it is nor the token of its forms.
#[derive(Clone)]
pub(crate) struct SessionRow {
    /// The key of its row, and the desk's key of it. No secret: nobody gets in with it.
    pub(crate) digest: String,
    pub(crate) employee: String,
    pub(crate) csrf: String,
    /// How it began.
    pub(crate) method: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) seen_at: Timestamp,
    /// The page that follows when the browser is back from the gateway.
    pub(crate) away_to: Option<String>,
    /// When it came back.
    pub(crate) returned_at: Option<Timestamp>,
    /// When what it brought was dealt with.
    pub(crate) settled_at: Option<Timestamp>,
}

impl fmt::Debug for SessionRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRow")
            .field("created_at", &self.created_at)
            .field("seen_at", &self.seen_at)
            .finish_non_exhaustive()
    }
}

impl SessionRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let text = |column| {
            row.optional_text(column)
                .map(|text| text.map(str::to_owned))
        };
        Ok(Self {
            digest: row.text("digest")?.to_owned(),
            employee: row.text("employee")?.to_owned(),
            csrf: row.text("csrf")?.to_owned(),
            method: text("method")?,
            created_at: row.timestamp("created_at")?,
            seen_at: row.timestamp("seen_at")?,
            away_to: text("away_to")?,
            returned_at: row.optional_timestamp("returned_at")?,
            settled_at: row.optional_timestamp("settled_at")?,
        })
    }

    /// Whether what the browser brought back is dealt with, or whoever dealt with it is taken for dead.
    pub(crate) fn is_settled(&self, answers_since: Timestamp) -> bool {
        self.settled_at.is_some() || self.returned_at.is_none_or(|at| at <= answers_since)
    }
}

/// When a session ends of which this much is known, and whether doing something puts it off.
pub(crate) fn end_of(
    parts: &Parts,
    created_at: Timestamp,
    seen_at: Timestamp,
) -> (Timestamp, bool) {
    let limits = parts.look.limits();
    let add = |at: Timestamp, by| at.saturating_add(by).unwrap_or(Timestamp::MAX);
    let idle = add(
        seen_at,
        SignedDuration::from_mins(limits.idle_minutes.into()),
    );
    let longest = add(created_at, longest(parts));
    (idle.min(longest), idle < longest)
}

/// How long a session lasts whatever its person does.
fn longest(parts: &Parts) -> SignedDuration {
    SignedDuration::from_hours(parts.look.limits().longest_hours.into())
}

impl Parts {
    /// The session that this cookie belongs to, if it is not over.
    pub(crate) async fn find_session(&self, token: &str) -> Result<Option<SessionRow>, StoreError> {
        let session = self.find_row(token).await?;
        Ok(session.filter(|session| self.is_open(session)))
    }

    /// The same for a browser that comes back from the gateway: as long as it could be away, it was not idle.
    pub(crate) async fn find_returning(
        &self,
        token: &str,
    ) -> Result<Option<SessionRow>, StoreError> {
        let session = self.find_row(token).await?;
        let was_away = |session: &SessionRow| {
            let is_away = session.away_to.is_some() && session.settled_at.is_none();
            is_away
                && session.seen_at > self.ago(self.journey_lasts)
                && session.created_at > self.ago(longest(self))
        };
        Ok(session.filter(|session| self.is_open(session) || was_away(session)))
    }

    fn is_open(&self, session: &SessionRow) -> bool {
        self.now() < end_of(self, session.created_at, session.seen_at).0
    }

    async fn find_row(&self, token: &str) -> Result<Option<SessionRow>, StoreError> {
        let select = Statement::new(
            "SELECT digest, employee, csrf, method, created_at, seen_at, away_to, returned_at, \
             settled_at FROM portal_sessions WHERE digest = $1",
        );
        let row = self.store.read_one(select.bind(digest_of(token))).await?;
        row.as_ref().map(SessionRow::read).transpose()
    }

    /// Somebody is there: the session's end is put off.
    pub(crate) async fn see_session(&self, session: &mut SessionRow) -> Result<(), StoreError> {
        let now = self.now();
        if now.duration_since(session.seen_at) < SEEN_EVERY {
            return Ok(());
        }
        let update = Statement::new("UPDATE portal_sessions SET seen_at = $1 WHERE digest = $2")
            .bind(now)
            .bind(&session.digest);
        self.store.write([update]).await?;
        session.seen_at = now;
        Ok(())
    }

    /// The browser goes to the gateway; this is the page that follows.
    pub(crate) async fn leave_for(
        &self,
        session: &SessionRow,
        page: &str,
        act: Act<'_>,
    ) -> Result<(), StoreError> {
        let update = Statement::new(
            "UPDATE portal_sessions SET away_to = $1, returned_at = NULL, settled_at = NULL \
             WHERE digest = $2",
        );
        let update = update.bind(page).bind(&session.digest);
        let batch = [update, act.statement(self.now())];
        self.store.write(batch).await.map(drop)
    }

    /// The browser is back, and what it brought is not dealt with yet.
    pub(crate) async fn come_back(&self, session: &SessionRow) -> Result<(), StoreError> {
        let update = Statement::new(
            "UPDATE portal_sessions SET returned_at = $1 WHERE digest = $2 AND settled_at IS NULL",
        );
        let update = update.bind(self.now()).bind(&session.digest);
        self.store.write([update]).await.map(drop)
    }

    /// What it brought is dealt with, and this page follows.
    pub(crate) async fn settle(&self, session: &SessionRow, page: &str) -> Result<(), StoreError> {
        let update = Statement::new(
            "UPDATE portal_sessions SET away_to = $1, settled_at = $2 WHERE digest = $3",
        );
        let update = update.bind(page).bind(self.now()).bind(&session.digest);
        self.store.write([update]).await.map(drop)
    }

    /// The session is over, with all that was verified in it.
    pub(crate) async fn end_session(&self, digest: &str) -> Result<(), StoreError> {
        let delete = Statement::new("DELETE FROM portal_sessions WHERE digest = $1").bind(digest);
        self.store.write([delete]).await?;
        self.desk.forget_session(digest).await
    }
}

/// A new session, for the batch of a log-in.
pub(crate) fn insert(
    token: &str,
    employee: &str,
    csrf: &str,
    method: &str,
    now: Timestamp,
) -> Statement {
    Statement::new(
        "INSERT INTO portal_sessions (digest, employee, csrf, method, created_at, seen_at) \
         VALUES ($1, $2, $3, $4, $5, $5)",
    )
    .bind(digest_of(token))
    .bind(employee)
    .bind(csrf)
    .bind(method)
    .bind(now)
}

/// Deletes sessions that are over, and attempts to log in that no longer count.
pub(crate) async fn tidy(parts: &Parts) -> Result<(), StoreError> {
    let limits = parts.look.limits();
    let idle = parts.ago(SignedDuration::from_mins(limits.idle_minutes.into()));
    // A browser that is away at the gateway may still come back.
    let over = Statement::new(
        "SELECT digest FROM portal_sessions WHERE created_at <= $1 OR (seen_at <= $2 AND \
         (away_to IS NULL OR settled_at IS NOT NULL OR seen_at <= $3)) LIMIT 1000",
    )
    .bind(parts.ago(longest(parts)))
    .bind(idle)
    .bind(parts.ago(parts.journey_lasts));
    for row in parts.store.read(over).await? {
        parts.end_session(row.text("digest")?).await?;
    }
    audit::tidy(parts).await?;
    under_way::tidy(parts).await?;
    throttle::tidy(parts).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_session_lets_nobody_send_its_forms() {
        let session = SessionRow {
            digest: "d1g35t".to_owned(),
            employee: "e-anna".to_owned(),
            csrf: "t0k3n".to_owned(),
            method: None,
            created_at: Timestamp::UNIX_EPOCH,
            seen_at: Timestamp::UNIX_EPOCH,
            away_to: None,
            returned_at: None,
            settled_at: None,
        };
        let text = format!("{session:?}");
        for secret in ["d1g35t", "e-anna", "t0k3n"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
