//! `/admin/v1/figures`: what a dashboard shows. Nothing in it is about a person.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::{Statement, Store, StoreError};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Custody;
use super::keys::{acts, owner};
use crate::admin::{Operator, Problem, Problems, Right, Routes};
use crate::app::{App, Parts};
use crate::availability::{self, PlannedWork};
use crate::paced::Paced;
use crate::registry::secrets;

/// How long counts of whole tables serve whoever asks again: they take seconds where there are millions of rows.
const KEPT: SignedDuration = SignedDuration::from_secs(60);
/// Days that are counted.
const DAYS: i64 = 14;
/// Hours that are told one by one.
const HOURS: i64 = 24;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

pub(super) fn routes() -> Routes {
    Routes::new().with(Right::FiguresRead, routes!(figures))
}

/// Interactions that began in one stretch of time, and how they ended.
#[derive(Clone, Copy, Default, Serialize, ToSchema)]
#[schema(as = InteractionFigures)]
struct Began {
    /// The stretch begins, in seconds since 1970.
    at: i64,
    /// All that began.
    begun: i64,
    /// Of these, what was shown and passed.
    verified: i64,
    /// Of these, what was issued.
    issued: i64,
    /// Of these, what was refused, or ended with its time.
    refused: i64,
}

/// Credentials of one type.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = CredentialFigures)]
struct OfType {
    /// Who issued them.
    organisation: String,
    /// The type.
    credential_type: String,
    /// Neither revoked nor suspended nor at their end.
    in_force: i64,
    /// Suspended.
    suspended: i64,
    /// Revoked.
    revoked: i64,
}

/// What waits.
#[derive(Default, Serialize, ToSchema)]
struct Queues {
    /// Interactions that may yet go on.
    open_interactions: i64,
    /// Events that are yet to be delivered.
    events_due: i64,
    /// How long the oldest of them has waited, in seconds.
    events_oldest_seconds: i64,
    /// Credentials that revocations of many have yet to revoke.
    revocations_waiting: i64,
    /// Proposals that wait for a second person.
    proposals_open: i64,
}

/// How old a key or a secret is.
#[derive(Serialize, ToSchema)]
#[schema(as = FigureAge)]
struct Age {
    /// `signing-key`, `client-secret` or `file`.
    kind: &'static str,
    /// The key's place, the relying party, or the file's name.
    name: String,
    /// Its state, or `live`.
    state: &'static str,
    /// Full days since it came into use.
    days: i64,
    /// When it ends, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
}

/// How much of one day the service was there.
#[derive(Serialize, ToSchema)]
#[schema(as = AvailabilityFigures)]
struct Day {
    /// The day in UTC.
    date: String,
    /// Minutes of which something is known, planned work left out.
    known_minutes: i64,
    /// Minutes in which it was there.
    available_minutes: i64,
}

/// Figures.
#[derive(Serialize, ToSchema)]
struct Figures {
    /// When the count of interactions and credentials began: a minute ago at most, and on large tables as long as it took.
    #[schema(value_type = String, format = DateTime)]
    counted_at: Timestamp,
    /// Interactions of the last 24 hours by the hour, the oldest first.
    by_hour: Vec<Began>,
    /// Interactions of the last 14 days by the day (UTC), the oldest first.
    by_day: Vec<Began>,
    /// Credentials by type.
    credentials: Vec<OfType>,
    /// What waits now.
    queues: Queues,
    /// Keys and secrets that are in use, the oldest first.
    ages: Vec<Age>,
    /// The last 14 days, the newest first.
    availability: Vec<Day>,
}

/// What was counted last, of all organisations.
pub(super) type Counted = Paced<Arc<Counts>>;

/// Nothing counted yet.
pub(super) fn counted() -> Counted {
    Paced::new(KEPT)
}

pub(super) struct Counts {
    at: Timestamp,
    began: Vec<(String, Began)>,
    credentials: Vec<OfType>,
}

async fn count(store: &Store, now: Timestamp) -> Result<Counts, StoreError> {
    let from = begin_of_day(now) - (DAYS - 1) * DAY;
    // The index is by the end, which comes later.
    let select = Statement::new(
        "SELECT organisation, created_at / 3600 AS hour, COUNT(*) AS begun, \
         COUNT(CASE WHEN outcome = 'verified' THEN 1 END) AS verified, \
         COUNT(CASE WHEN outcome = 'issued' THEN 1 END) AS issued, \
         COUNT(CASE WHEN outcome NOT IN ('verified', 'issued') OR (outcome IS NULL AND expires_at <= $2) THEN 1 END) \
         AS refused FROM interactions WHERE expires_at >= $1 AND created_at >= $1 GROUP BY organisation, created_at / 3600",
    );
    let mut began = Vec::new();
    for row in store.read(select.bind(from).bind(now)).await? {
        let of_hour = Began {
            at: row.integer("hour")? * HOUR,
            begun: row.integer("begun")?,
            verified: row.integer("verified")?,
            issued: row.integer("issued")?,
            refused: row.integer("refused")?,
        };
        began.push((row.text("organisation")?.to_owned(), of_hour));
    }
    let select = Statement::new(
        "SELECT organisation, credential_type, COUNT(revoked_at) AS revoked, \
         COUNT(CASE WHEN revoked_at IS NULL AND suspended_at IS NOT NULL THEN 1 END) AS suspended, \
         COUNT(CASE WHEN revoked_at IS NULL AND suspended_at IS NULL AND (expires_at IS NULL OR expires_at > $1) THEN 1 END) \
         AS in_force FROM credentials GROUP BY organisation, credential_type ORDER BY organisation, credential_type",
    );
    let mut credentials = Vec::new();
    for row in store.read(select.bind(now)).await? {
        credentials.push(OfType {
            organisation: row.text("organisation")?.to_owned(),
            credential_type: row.text("credential_type")?.to_owned(),
            in_force: row.integer("in_force")?,
            suspended: row.integer("suspended")?,
            revoked: row.integer("revoked")?,
        });
    }
    Ok(Counts {
        at: now,
        began,
        credentials,
    })
}

fn begin_of_day(now: Timestamp) -> i64 {
    now.as_second().div_euclid(DAY) * DAY
}

/// The stretches of so many seconds that end with the one of now, each with what began in it.
fn stretches(counts: &Counts, by: &Operator, seconds: i64, how_many: i64) -> Vec<Began> {
    let last = counts.at.as_second().div_euclid(seconds) * seconds;
    let first = last - (how_many - 1) * seconds;
    let mut stretches: Vec<Began> = (0..how_many)
        .map(|number| Began {
            at: first + number * seconds,
            ..Began::default()
        })
        .collect();
    for (organisation, began) in &counts.began {
        let place = usize::try_from((began.at - first).div_euclid(seconds));
        let place = place.ok().and_then(|place| stretches.get_mut(place));
        if let Some(stretch) = place.filter(|_| by.sees(Some(organisation))) {
            stretch.begun += began.begun;
            stretch.verified += began.verified;
            stretch.issued += began.issued;
            stretch.refused += began.refused;
        }
    }
    stretches
}

/// Figures for a dashboard
#[utoipa::path(
    get,
    path = "/admin/v1/figures",
    tag = "Figures",
    responses((status = 200, description = "Of what one may see", body = Figures), Problems)
)]
async fn figures(
    State(app): State<App>,
    Extension(custody): Extension<Custody>,
    by: Operator,
) -> Result<Json<Figures>, Problem> {
    let now = app.now();
    let store = app.store.clone();
    let counting = async move { count(&store, now).await.map(Arc::new) };
    let counts = custody.counted.get(&app.clock, counting).await;
    let counts = counts.unwrap_or(Err(StoreError::Closed))?;
    let theirs = counts.credentials.iter();
    let credentials = theirs.filter(|one| by.sees(Some(&one.organisation)));
    // A file that cannot be read is the log's to tell; the status page goes on without it, too.
    let planned = PlannedWork::read(custody.planned_work.as_deref()).unwrap_or_default();
    let days = availability::last_days(&app.store, &planned, now).await?;
    let days = days.into_iter().take(usize::try_from(DAYS).unwrap_or(0));
    Ok(Json(Figures {
        counted_at: counts.at,
        by_hour: stretches(&counts, &by, HOUR, HOURS),
        by_day: stretches(&counts, &by, DAY, DAYS),
        credentials: credentials.cloned().collect(),
        queues: queues(&app, &by, now).await?,
        ages: ages(&app, &custody, &by, now).await?,
        availability: days
            .map(|day| Day {
                date: day.date.to_string(),
                known_minutes: day.known,
                available_minutes: day.there,
            })
            .collect(),
    }))
}

async fn queues(app: &Parts, by: &Operator, now: Timestamp) -> Result<Queues, StoreError> {
    let mut queues = Queues::default();
    let events = "SELECT client_id, COUNT(*) AS count, MIN(offered_at) AS oldest FROM events WHERE delivery = 'due' \
                  GROUP BY client_id";
    for row in app.store.read(Statement::new(events)).await? {
        let party = app.organisations.relying_party(row.text("client_id")?);
        if by.sees(party.map(|party| party.organisation.id.as_str())) {
            let waited = now.duration_since(row.timestamp("oldest")?).as_secs();
            queues.events_due += row.integer("count")?;
            queues.events_oldest_seconds = queues.events_oldest_seconds.max(waited);
        }
    }
    let open = "SELECT COUNT(*) AS count FROM interactions WHERE sealed IS NOT NULL AND expires_at > $2 \
                AND (CAST($1 AS TEXT) IS NULL OR organisation = $1)";
    queues.open_interactions = one(app, by, open, now).await?;
    let waiting = "SELECT COUNT(*) AS count FROM revocation_jobs j JOIN revocation_job_lines l ON l.job = j.id \
                   WHERE j.stage IN ('running', 'paused') AND l.outcome IS NULL AND j.created_at <= $2 \
                   AND (CAST($1 AS TEXT) IS NULL OR j.organisation = $1)";
    queues.revocations_waiting = one(app, by, waiting, now).await?;
    let proposals = "SELECT COUNT(*) AS count FROM proposals WHERE state = 'open' AND expires_at > $2 \
                     AND (CAST($1 AS TEXT) IS NULL OR organisation = $1)";
    queues.proposals_open = one(app, by, proposals, now).await?;
    Ok(queues)
}

async fn one(
    app: &Parts,
    by: &Operator,
    sql: &'static str,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let select = Statement::new(sql).bind(by.organisation()).bind(now);
    let row = app.store.read_one(select).await?;
    row.map_or(Ok(0), |row| row.integer("count"))
}

async fn ages(
    app: &Parts,
    custody: &Custody,
    by: &Operator,
    now: Timestamp,
) -> Result<Vec<Age>, StoreError> {
    let days = |since: Timestamp| now.duration_since(since).as_hours() / 24;
    let mut ages = Vec::new();
    for key in acts(app, custody).await?.rows() {
        if key.state.is_published() && by.sees(owner(&key.place)) {
            ages.push(Age {
                kind: "signing-key",
                name: key.place.to_string(),
                state: key.state.name(),
                days: days(key.activated_at.unwrap_or(key.created_at)),
                ends_at: None,
            });
        }
    }
    for (client_id, secrets) in secrets::read(&app.store).await? {
        let party = app.organisations.relying_party(&client_id);
        let Some(party) = party.filter(|party| by.sees(Some(&party.organisation.id))) else {
            continue;
        };
        let live = secrets
            .iter()
            .filter(|secret| secret.ends_at.is_none_or(|end| end > now));
        ages.extend(live.map(|secret| Age {
            kind: "client-secret",
            name: party.client_id.clone(),
            state: "live",
            days: days(secret.created_at),
            ends_at: secret.ends_at,
        }));
    }
    if by.organisation().is_none() {
        for (name, changed_at) in custody.watch.secret_files() {
            ages.push(Age {
                kind: "file",
                name,
                state: "live",
                days: days(changed_at),
                ends_at: None,
            });
        }
    }
    ages.sort_by(|one, other| {
        other
            .days
            .cmp(&one.days)
            .then_with(|| one.name.cmp(&other.name))
    });
    Ok(ages)
}
