//! One person who revokes many credentials, one by one: noticed early, stopped late.
//!
//! Revoking many takes two persons, and a loop around revoking one would be the same. But on the night on which a device with
//! thirty wallets is stolen nobody waits for a second person, and a credential that was revoked wrongly is issued again, while
//! one that a thief has is not taken back. So the first [`NOTICED`] within an hour are quiet, the next raises an alarm and is
//! done, and what is beyond [`ALONE`] takes two persons. (Decision 0042.)

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use store::Statement;

use crate::admin::{Code, Operator, Problem};
use crate::app::{App, Parts};
use crate::audit::{Act, Entry};

/// So many within an hour are an operator's day.
const NOTICED: i64 = 20;
/// So many within an hour nobody clicks; a file is counted first, and two persons agree.
const ALONE: i64 = 200;
/// How far back is counted.
const WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// That somebody came over the number that is noticed.
pub(super) struct Alarm<'a> {
    by: &'a Operator,
    revoked: i64,
    at: Timestamp,
}

/// How many the person behind this operator has revoked within the hour, with whichever account: too many are refused, and the
/// first of many is an alarm.
pub(super) async fn look<'a>(
    app: &App,
    by: &'a Operator,
    now: Timestamp,
) -> Result<Option<Alarm<'a>>, Problem> {
    let select = Statement::new(
        "SELECT COUNT(CASE WHEN act = $1 THEN 1 END) AS revoked, COUNT(CASE WHEN act = $2 THEN 1 END) AS alarms \
         FROM audit_entries WHERE actor IN (SELECT 'operator:' || id FROM operators WHERE person = $3) AND happened_at > $4",
    );
    let select = select
        .bind(Act::CredentialRevoked.code())
        .bind(Act::ManyRevokedByOne.code())
        .bind(by.person.as_str())
        .bind(now - WITHIN);
    let Some(row) = app.store.read_one(select).await? else {
        return Ok(None);
    };
    let (revoked, alarms) = (row.integer("revoked")?, row.integer("alarms")?);
    if revoked >= ALONE {
        let reason = format!(
            "You have revoked {revoked} credentials within an hour, one by one. More take two persons: upload their serial \
             numbers as a revocation of many, and have somebody else approve it. Nothing was changed."
        );
        return Err(Problem::with(Code::TwoPersonsNeeded, reason));
    }
    Ok((revoked >= NOTICED && alarms == 0).then_some(Alarm {
        by,
        revoked: revoked + 1,
        at: now,
    }))
}

impl Alarm<'_> {
    /// The entry, in the batch of the revocation that raised it.
    pub(super) fn entry(&self) -> Entry {
        let operator = ("operator", self.by.id.as_str());
        Entry::new(self.by.actor(), Act::ManyRevokedByOne, operator, self.at)
            .organisation(self.by.organisation())
            .number("revoked", self.revoked)
    }

    /// Wakes whoever watches, once it is done.
    pub(super) fn raise(self, app: &Parts) {
        app.metrics
            .many_revoked_by_one
            .fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            operator = self.by.id,
            revoked = self.revoked,
            "one person revokes many credentials, one by one"
        );
    }
}
