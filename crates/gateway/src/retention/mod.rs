//! What must not stay: personal values after their time, credentials that nobody collected, and traces that are old.
//!
//! A credential whose token no relying party collected has a serial number that nobody but the gateway knows.
//! Nobody could ever revoke it, so it is revoked when its interaction's time is over.

pub mod holds;
pub mod removals;
mod rules;

use jiff::Timestamp;

pub use rules::{Due, Rule, plan, rules};

use crate::app::App;
use crate::audit::{Act, Actor, Entry};
use crate::config::Lengths;
use crate::interaction::GRACE;
use crate::interaction::overdue::{OVERDUE_AT_ONCE, Overdue};
use crate::live::Live;
use crate::status::{self, Cause};
use store::{Statement, StoreError};
use uuid::Uuid;

/// Between two rounds.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(30);

/// What one round did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Interactions whose personal values were wiped.
    pub wiped: u64,
    /// Credentials that were revoked since nobody collected them.
    pub revoked: u64,
    /// Rows that were deleted, by the rule's code.
    pub deleted: Vec<(&'static str, u64)>,
    /// The codes of rules by which more is due: one round removes a bounded number of rows, and what others belong to goes after
    /// all of these. The next round goes on.
    pub unfinished: Vec<&'static str>,
}

impl Round {
    /// Whether there was anything to do.
    pub fn is_idle(&self) -> bool {
        self.wiped == 0 && self.deleted.iter().all(|(_, rows)| *rows == 0)
    }

    /// The rows that one rule deleted.
    pub fn rows(&self, rule: &str) -> u64 {
        let of_rule = self.deleted.iter().filter(|(code, _)| *code == rule);
        of_rule.map(|(_, rows)| rows).sum()
    }

    /// Everything that it did, by rule.
    pub fn removed(&self) -> Vec<(&'static str, u64)> {
        let by_itself = [
            (removals::PERSONAL_VALUES, self.wiped),
            (removals::NOT_COLLECTED, self.revoked),
        ];
        by_itself
            .into_iter()
            .chain(self.deleted.iter().copied())
            .collect()
    }

    /// That somebody had it done at once.
    pub fn entry(&self, actor: Actor<'_>, now: Timestamp) -> Entry {
        let entry = Entry::new(
            actor,
            Act::RetentionRun,
            ("retention", removals::ROUND),
            now,
        );
        let removed = self.removed().into_iter().filter(|(_, rows)| *rows > 0);
        removed.fold(entry, |entry, (rule, rows)| {
            entry.number(rule, i64::try_from(rows).unwrap_or(i64::MAX))
        })
    }
}

pub(crate) async fn run(live: &Live, lengths: Lengths) {
    loop {
        let app = live.now();
        let result = match round(&app, lengths).await {
            Ok(_) => "done",
            Err(error) => {
                tracing::error!(%error, "a retention round failed; the next one will do its work");
                "failed"
            }
        };
        app.metrics.rounds.add(&[result]);
        if let Err(error) = app.secret_uses.write(&app.store).await {
            tracing::warn!(%error, "which client secrets were used is written down later");
        }
        drop(app);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Does what is due, and writes one line of the log if that was anything.
pub(crate) async fn round(app: &App, lengths: Lengths) -> Result<Round, StoreError> {
    let now = app.now();
    let mut round = Round::default();
    loop {
        let overdue = app.interactions.find_overdue(now - GRACE).await?;
        for one in &overdue {
            wipe(app, one, &mut round, now).await?;
        }
        if overdue.len() < OVERDUE_AT_ONCE {
            break;
        }
    }
    app.store.write([rules::end_uploads(now, lengths)]).await?;
    for rule in rules(now, lengths) {
        let waits = rule
            .after
            .is_some_and(|first| round.unfinished.contains(&first));
        if waits {
            round.unfinished.push(rule.code);
            continue;
        }
        let removed = rule.remove(&app.store, now).await?;
        if !removed.is_all {
            round.unfinished.push(rule.code);
        }
        round.deleted.push((rule.code, removed.rows));
    }
    app.store.write([removals::round(now)]).await?;
    if !round.is_idle() {
        tracing::info!(
            wiped = round.wiped,
            revoked = round.revoked,
            interactions = round.rows("interactions"),
            events = round.rows("events"),
            retention_days = lengths.days,
            unfinished = round.unfinished.join(" "),
            "what must not stay was removed"
        );
    }
    Ok(round)
}

/// Ends one, and revokes what nobody collected of it, unless that is revoked already: a revocation has one cause.
async fn wipe(
    app: &App,
    overdue: &Overdue,
    round: &mut Round,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(serial_number) = overdue.serial_number {
        let done = end(app, overdue, round, Some(serial_number), now).await?;
        if done != End::RevokedBefore {
            return Ok(());
        }
    }
    end(app, overdue, round, None, now).await.map(drop)
}

/// What came of ending one.
#[derive(PartialEq, Eq)]
enum End {
    /// It has ended, by this round or by somebody who was quicker.
    Done,
    /// Its credential was revoked before, and so nothing was done.
    RevokedBefore,
}

/// Ends one and revokes that credential. What is counted of it is in the batch that ends it.
async fn end(
    app: &App,
    overdue: &Overdue,
    round: &mut Round,
    revoked: Option<Uuid>,
    now: Timestamp,
) -> Result<End, StoreError> {
    let cause = Cause::NotCollected;
    let first = |so_far: u64| u64::from(so_far == 0);
    let wiped = removals::add(removals::PERSONAL_VALUES, 1, first(round.wiped), now);
    let mut counts = vec![wiped];
    let mut also = Vec::new();
    if let Some(serial_number) = revoked {
        also = status::revoke_by_itself(&overdue.organisation, serial_number, cause, now);
        let revoked = removals::add(removals::NOT_COLLECTED, 1, first(round.revoked), now);
        counts.push(revoked);
    }
    // The interaction's own statement stands before these.
    let last = also.len();
    match app.interactions.wipe(overdue, also, counts, now).await {
        Ok(true) => {}
        Ok(false) => return Ok(End::Done),
        Err(StoreError::Unmet { statement }) if statement <= last => {
            return Ok(End::RevokedBefore);
        }
        Err(error) => return Err(error),
    }
    round.wiped += 1;
    if revoked.is_some() {
        round.revoked += 1;
        tracing::warn!(
            reference = overdue.reference,
            "a credential was never collected and is revoked"
        );
        app.metrics.revocations.add(&[cause.code()]);
        app.lists.changed();
    }
    Ok(End::Done)
}

pub(crate) async fn forget_everything(app: &App) -> Result<(), StoreError> {
    // The streams stay: their numbers go on. The numbers of lists go on as well, with a list that nobody has a place on:
    // somebody may still hold a credential that was forgotten, and its place must not be another's.
    let tables = [
        "interaction_steps",
        "interactions",
        "credentials",
        "revocation_jobs",
        "revocation_job_lines",
        "used_nonces",
        "used_assertions",
        "entra_requests",
        "events",
    ];
    let deleted = tables.map(|table| Statement::new(format!("DELETE FROM {table}")));
    let lists = [
        "UPDATE status_lists SET revision = revision + 1",
        "INSERT INTO status_lists (organisation, list, revision) \
         SELECT organisation, MAX(list) + 1, 0 FROM status_lists GROUP BY organisation",
    ];
    app.store
        .write(deleted.into_iter().chain(lists.map(Statement::new)))
        .await?;
    app.lists.changed();
    Ok(())
}
