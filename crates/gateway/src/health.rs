//! Whether this process can do its work now: what a load balancer asks, and what somebody asks at three in the morning.
//!
//! Two kinds of checks. Some say that this process answers nobody well: the database, the keys, its clock, that it is
//! stopping; any of them takes it out of the load balancer. The others say that work behind the requests is late, which
//! the other processes do no better: they are told, and page somebody, and take nothing out
//! ([decision 0029](../../../docs/decisions/0029-figures-are-counted-by-hand-and-late-work-does-not-stop-requests.md)).

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::sync::Mutex;

use crate::app::{App, Parts};
use crate::audit::{self, Trouble};
use crate::interaction::GRACE;
use crate::keys::{GATEWAY, KeyPurpose};
use store::{Statement, StoreError};

/// How long the database, and then the keys, may take.
const LONGEST: Duration = Duration::from_secs(2);
/// How long an answer serves whoever asks again.
const KEPT: Duration = Duration::from_secs(1);
/// How far the clock may be behind what the database last saw.
const BEHIND: SignedDuration = SignedDuration::from_mins(2);
/// How long an event may wait whose receiver is not known to be down.
const LATE_EVENT: SignedDuration = SignedDuration::from_mins(5);
/// How long personal values may outlive their time.
const LATE_WIPE: SignedDuration = SignedDuration::from_mins(5);

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Check {
    /// Its stable name.
    pub code: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// Whether this process should be asked nothing while it is not.
    pub stops: bool,
    /// What is wrong and what to do; or that all is well.
    pub sentence: String,
}

/// All that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Readiness {
    /// Whether requests should come here.
    pub ready: bool,
    /// Each check.
    pub checks: Vec<Check>,
}

impl Readiness {
    fn of(checks: Vec<Check>) -> Self {
        let ready = checks.iter().all(|check| check.ok || !check.stops);
        Self { ready, checks }
    }
}

/// The codes of all checks, for whoever has words for them.
pub const CHECKS: [&str; 9] = [
    "database",
    "keys",
    "following",
    "clock",
    "outbox",
    "retention",
    "status-lists",
    "audit",
    "stopping",
];

/// Looks, at most once a second, however many ask.
#[derive(Default)]
pub struct Health {
    last: Mutex<Option<(Instant, Arc<Readiness>)>>,
}

impl Health {
    /// The readiness of now. `stopping` is known without looking.
    pub async fn readiness(&self, parts: &App, stopping: bool) -> Arc<Readiness> {
        // Whoever asks at the same moment waits for the same answer, which is bounded.
        let mut last = self.last.lock().await;
        let known = last
            .as_ref()
            .filter(|(at, _)| at.elapsed() < KEPT)
            .map(|(_, readiness)| Arc::clone(readiness));
        let looked = if let Some(known) = known {
            known
        } else {
            let looked = Arc::new(look(parts).await);
            *last = Some((Instant::now(), Arc::clone(&looked)));
            looked
        };
        drop(last);
        if !stopping {
            return looked;
        }
        let mut checks = looked.checks.clone();
        checks.push(Check {
            code: "stopping",
            ok: false,
            stops: true,
            sentence: "the process was told to stop, and finishes what is under way".to_owned(),
        });
        Arc::new(Readiness::of(checks))
    }
}

/// What the database says about its own clock, its outbox and what should be gone.
struct Seen {
    last_minute: Option<Timestamp>,
    oldest_event: Option<(String, Timestamp)>,
    oldest_overdue: Option<Timestamp>,
}

async fn look(parts: &App) -> Readiness {
    let now = parts.now();
    let began = Instant::now();
    let seen = tokio::time::timeout(LONGEST, see(parts)).await;
    let took = began.elapsed().as_millis();
    let (database, seen) = match seen {
        Ok(Ok(seen)) => (Ok(format!("the database answers in {took} ms")), Some(seen)),
        Ok(Err(error)) => (Err(format!("{error}; look at the database")), None),
        Err(_) => {
            let sentence = "the database did not answer within 2 seconds; look at it and at the network between";
            (Err(sentence.to_owned()), None)
        }
    };
    let mut checks = vec![check("database", true, database)];
    checks.push(check("keys", true, keys(parts).await));
    checks.push(check("following", false, following(parts)));
    if let Some(seen) = seen {
        checks.push(check("clock", true, clock(&seen, now)));
        checks.push(check("outbox", false, outbox(&seen, now)));
        checks.push(check("retention", false, retention(&seen, now)));
        checks.push(check("status-lists", false, status_lists(parts).await));
        checks.push(check("audit", false, audit(parts, now).await));
    }
    Readiness::of(checks)
}

fn check(code: &'static str, stops: bool, found: Result<String, String>) -> Check {
    debug_assert!(CHECKS.contains(&code), "{code} is not on the list");
    let ok = found.is_ok();
    let sentence = found.unwrap_or_else(|sentence| sentence);
    Check {
        code,
        ok,
        stops,
        sentence,
    }
}

async fn see(parts: &Parts) -> Result<Seen, StoreError> {
    let last = Statement::new("SELECT MAX(minute) AS minute FROM heartbeats");
    let last = parts.store.read_one(last).await?;
    let last = last.map(|row| row.optional_integer("minute")).transpose()?;
    let last_minute = last
        .flatten()
        .and_then(|minute| Timestamp::from_second(minute * 60).ok());
    let overdue = Statement::new(
        "SELECT MIN(expires_at) AS oldest FROM interactions WHERE sealed IS NOT NULL",
    );
    let overdue = parts.store.read_one(overdue).await?;
    let overdue = overdue
        .map(|row| row.optional_timestamp("oldest"))
        .transpose()?;
    Ok(Seen {
        last_minute,
        oldest_event: oldest_event(parts).await?,
        oldest_overdue: overdue.flatten(),
    })
}

/// The event that has waited longest of those that this gateway delivers and whose receiver is not known to be down.
async fn oldest_event(parts: &Parts) -> Result<Option<(String, Timestamp)>, StoreError> {
    let select = Statement::new(
        "SELECT e.client_id, MIN(e.offered_at) AS oldest FROM events e \
         JOIN event_streams s ON s.client_id = e.client_id \
         WHERE e.delivery = 'due' AND s.failures = 0 GROUP BY e.client_id",
    );
    let mut oldest: Option<(String, Timestamp)> = None;
    for row in parts.store.read(select).await? {
        let client_id = row.text("client_id")?;
        let party = parts.organisations.relying_party(client_id);
        let at = row.timestamp("oldest")?;
        let is_older = oldest.as_ref().is_none_or(|(_, known)| at < *known);
        if party.is_some_and(|party| party.webhook.is_some()) && is_older {
            oldest = Some((client_id.to_owned(), at));
        }
    }
    Ok(oldest)
}

/// Signs something: a key that was opened at the start may be in a device that has gone since.
async fn keys(parts: &Parts) -> Result<String, String> {
    let key = parts.keys.id_token(KeyPurpose::IdTokenEs256);
    let key = key.map_err(|error| format!("{error}; look at the key store"))?;
    let signed = key.sign(b"readiness");
    match tokio::time::timeout(LONGEST, signed).await {
        Ok(Ok(_)) => Ok("the signing keys are open".to_owned()),
        Ok(Err(error)) => Err(format!("{error}; look at the key store")),
        Err(_) => Err("a key did not sign within 2 seconds; look at the key store".to_owned()),
    }
}

/// Whether this process knows what others changed.
fn following(parts: &Parts) -> Result<String, String> {
    let faults = parts.behind.faults();
    if faults.is_empty() {
        return Ok("what other processes changed is in force here".to_owned());
    }
    Err(format!(
        "a change is not in force here: {}; put it right, or start this process anew to see what it makes of it",
        faults.join("; ")
    ))
}

fn clock(seen: &Seen, now: Timestamp) -> Result<String, String> {
    match seen.last_minute {
        Some(last) if now + BEHIND < last => Err(format!(
            "this machine's clock says {now:.0}, and a process on the same database was at {last:.0} already; \
             set the clock right"
        )),
        _ => Ok("the clock is not behind what the database last saw".to_owned()),
    }
}

fn outbox(seen: &Seen, now: Timestamp) -> Result<String, String> {
    match &seen.oldest_event {
        Some((client_id, at)) if now > *at + LATE_EVENT => Err(format!(
            "an event for {client_id} waits since {at:.0} although its receiver is not known to be down; \
             look for errors of deliveries in the log"
        )),
        _ => Ok("no event waits that could be delivered".to_owned()),
    }
}

fn retention(seen: &Seen, now: Timestamp) -> Result<String, String> {
    match seen.oldest_overdue {
        Some(at) if now > at + GRACE + LATE_WIPE => Err(format!(
            "personal values that should be wiped since {:.0} are still there; look for errors of retention in the log",
            at + GRACE
        )),
        _ => Ok("what must not stay is wiped in time".to_owned()),
    }
}

/// One organisation's newest list at each look, by chance: with many of them, all are looked at within minutes.
async fn status_lists(parts: &App) -> Result<String, String> {
    let organisations = parts.organisations.iter().count();
    let at = parts
        .random
        .below(i64::try_from(organisations).unwrap_or(1).max(1));
    let chosen = usize::try_from(at).unwrap_or(0);
    let Some(organisation) = parts.organisations.iter().nth(chosen) else {
        return Ok("there is no organisation, hence no status list".to_owned());
    };
    let made = crate::status::is_published(parts, &organisation.id);
    match tokio::time::timeout(LONGEST, made).await {
        Ok(Ok(())) => Ok("the newest status list is published".to_owned()),
        Ok(Err(error)) => Err(format!(
            "the newest status list of {} cannot be published: {error}; verifiers believe the last one for 10 minutes",
            organisation.id
        )),
        Err(_) => Err(format!(
            "the newest status list of {} is not made within 2 seconds",
            organisation.id
        )),
    }
}

/// Whether the audit's chain is signed, and at its end still what was signed. Reading all of it is `lanyard audit verify`'s.
async fn audit(parts: &Parts, now: Timestamp) -> Result<String, String> {
    if let Err(error) = parts.keys.active(KeyPurpose::Audit, GATEWAY) {
        return Err(format!(
            "{error}: no checkpoint of the audit is signed; lanyard key list says what became of that key, and lanyard key \
             create audit makes another"
        ));
    }
    let keys = parts.keys.published(KeyPurpose::Audit, GATEWAY);
    let keys: Vec<_> = keys.cloned().collect();
    let standing = audit::standing(&parts.store, &parts.base, &keys);
    match tokio::time::timeout(LONGEST, standing).await {
        Ok(Ok(standing)) => match standing.trouble(now) {
            None => Ok("the end of the audit's chain is as it was signed".to_owned()),
            // Nobody has to get up: a gateway that was just set up signs its first within ten minutes, and after a report
            // another key signs on the next day.
            Some(trouble @ (Trouble::Unsigned | Trouble::KeyReported(_))) => {
                Ok(trouble.to_string())
            }
            Some(trouble @ Trouble::Broken(_)) => Err(format!(
                "{trouble}; check the whole chain with lanyard audit verify"
            )),
            Some(trouble @ (Trouble::Waits(_) | Trouble::Old(_) | Trouble::NeverSigned)) => Err(
                format!("{trouble}; look for errors of the audit in the log"),
            ),
        },
        Ok(Err(error)) => Err(format!("{error}; look at the database")),
        Err(_) => Err(
            "the end of the audit's chain was not read within 2 seconds; look at the database"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(30_000_000 + minutes)
    }

    fn seen() -> Seen {
        Seen {
            last_minute: None,
            oldest_event: None,
            oldest_overdue: None,
        }
    }

    #[test]
    fn a_clock_behind_the_database_by_more_than_two_minutes_is_told() {
        let seen = Seen {
            last_minute: Some(at(0)),
            ..seen()
        };
        assert!(clock(&seen, at(-2)).is_ok());
        assert!(clock(&seen, at(5)).is_ok());
        assert!(clock(&seen, at(-3)).is_err());
    }

    #[test]
    fn work_that_is_late_is_told_and_stops_nothing() {
        let seen = Seen {
            oldest_event: Some(("portal".to_owned(), at(0))),
            oldest_overdue: Some(at(0)),
            ..seen()
        };
        assert!(outbox(&seen, at(5)).is_ok() && retention(&seen, at(10)).is_ok());
        assert!(outbox(&seen, at(6)).unwrap_err().contains("portal"));
        assert!(retention(&seen, at(11)).is_err());
        let late = check("outbox", false, outbox(&seen, at(6)));
        assert!(Readiness::of(vec![late]).ready);
        let down = check("database", true, Err("down".to_owned()));
        assert!(!Readiness::of(vec![down]).ready);
    }
}
