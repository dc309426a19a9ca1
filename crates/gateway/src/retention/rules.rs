//! How long what stays, as data: one rule for each kind of row. What a dry run counts is what a round deletes, since
//! both are made from the same condition.

use jiff::{SignedDuration, Timestamp};

use super::removals;
use crate::config::Lengths;
use crate::event::OFFERED;
use crate::interaction::GRACE;
use store::{Statement, Store, StoreError};

/// How many days of heartbeats stay: a year's report, and a month to write it in.
const HEARTBEAT_DAYS: i64 = 400;

/// How many days of what ended stays that an assurance file of the year before may name. The audit has its entries for longer.
const ENDED_DAYS: i64 = 400;

/// How many rows go in one transaction: whoever issues waits for no more than that.
const SLICE: u64 = 1000;

/// How many slices one rule removes in one round, so that what must be wiped waits for no table of millions. The next round goes on.
const SLICES: u32 = 100;

/// How often a rule counts anew in one round, since others removed what it had counted. The next round does the rest.
const ATTEMPTS: u32 = 5;

/// Rows of one table whose time is over.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its stable name.
    pub code: &'static str,
    /// The table.
    pub table: &'static str,
    /// The columns by which one row is told from another.
    key: &'static str,
    /// The rule by which what belongs to these rows goes. All of that goes before them: nobody would find it afterwards.
    pub(super) after: Option<&'static str>,
    /// What the rule says, in words.
    pub sentence: String,
    /// Which rows: those whose time is over.
    past: String,
    /// Which of them a legal hold keeps; none where nothing of this kind is ever held.
    held: Option<String>,
    /// The values of both.
    values: Vec<i64>,
}

/// What a round removed by one rule.
pub(super) struct Removed {
    /// So many rows.
    pub(super) rows: u64,
    /// Whether that was all that was due; otherwise the next round goes on.
    pub(super) is_all: bool,
}

/// What a round would do by one rule.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = RetentionDue)]
pub struct Due {
    /// The rule's name.
    pub rule: &'static str,
    /// The table.
    pub table: &'static str,
    /// What the rule says.
    pub sentence: String,
    /// Rows that would go.
    pub rows: i64,
    /// Rows whose time is over, and that a legal hold keeps.
    pub held: i64,
}

/// An interaction that somebody must keep.
const HELD: &str = "EXISTS (SELECT 1 FROM legal_holds h WHERE (h.kind = 'organisation' AND h.subject = \
     interactions.organisation) OR (h.kind = 'interaction' AND h.subject = interactions.id))";

/// One line of a bulk revocation.
const LINE: &str = "job, serial_number";

/// An upload that is counted, or was broken off before, and that nobody proposed in its time. One whose proposal waits for its second
/// person is none.
const UNPROPOSED: &str = "stage IN ('counted', 'uploading') AND created_at < $1 AND NOT EXISTS (SELECT 1 FROM proposals p WHERE \
     p.act = 'bulk-revocation' AND p.object = 'job:' || revocation_jobs.id AND p.state = 'open' AND p.expires_at > $2)";

/// One that was ended for it.
const ENDED_UNPROPOSED: &str =
    "stage = 'stopped' AND proposal IS NULL AND created_at < $1 AND finished_at <= $2";

/// Ends the uploads that nobody proposed, whole and before the first of their lines goes: two persons must not agree to what is
/// left of one.
pub(super) fn end_uploads(now: Timestamp, lengths: Lengths) -> Statement {
    let end = format!(
        "UPDATE revocation_jobs SET stage = 'stopped', finished_at = $2 WHERE {UNPROPOSED} AND NOT EXISTS (SELECT 1 FROM \
         legal_holds h WHERE h.kind = 'organisation' AND h.subject = revocation_jobs.organisation)"
    );
    let since = uploaded_before(now, lengths.upload_days);
    Statement::new(end).bind(since).bind(now.as_second())
}

fn uploaded_before(now: Timestamp, days: u32) -> i64 {
    (now - SignedDuration::from_hours(24 * i64::from(days))).as_second()
}

/// Every rule but the wiping of personal values, which no hold delays.
pub fn rules(now: Timestamp, lengths: Lengths) -> Vec<Rule> {
    rules_with(now, lengths, ENDED_UNPROPOSED)
}

/// The same, where these are the uploads that nobody proposed.
fn rules_with(now: Timestamp, lengths: Lengths, uploads: &str) -> Vec<Rule> {
    let retention_days = lengths.days;
    let kept = now - SignedDuration::from_hours(24 * i64::from(retention_days));
    let kept_seconds = kept.as_second();
    let past = "expires_at < $1 AND sealed IS NULL";
    let of_past = |held: &str| {
        format!("interaction IN (SELECT id FROM interactions WHERE {past} AND {held})")
    };
    let days = format!("{retention_days} days");
    let spent = |code, key, what: &str| Rule {
        code,
        table: code,
        key,
        after: None,
        sentence: format!("{what} until they could no longer pass"),
        past: "expires_at < $1".to_owned(),
        held: None,
        values: vec![now.as_second()],
    };
    vec![
        // Before the interactions that they belong to.
        Rule {
            code: "interaction-steps",
            table: "interaction_steps",
            key: "interaction, at, step, cause",
            after: None,
            sentence: format!("what went wrong on the way, {days}, with its interaction"),
            past: of_past("1 = 1"),
            held: Some(of_past(HELD)),
            values: vec![kept_seconds],
        },
        Rule {
            code: "interactions",
            table: "interactions",
            key: "id",
            after: Some("interaction-steps"),
            sentence: format!("traces of ended interactions, {days}; nothing personal is among them"),
            past: past.to_owned(),
            held: Some(HELD.to_owned()),
            values: vec![kept_seconds],
        },
        // A credential outlives its interaction: what is told of it then names no reference.
        Rule {
            code: "events",
            table: "events",
            key: "client_id, sequence",
            after: None,
            sentence: format!("events that were delivered or given up, {days}"),
            past: "happened_at < $1 AND (delivery <> 'due' OR offered_at < $2)".to_owned(),
            held: Some(
                "EXISTS (SELECT 1 FROM interactions i JOIN legal_holds h ON (h.kind = 'organisation' AND h.subject = \
                 i.organisation) OR (h.kind = 'interaction' AND h.subject = i.id) \
                 WHERE i.reference = events.reference AND i.client_id = events.client_id) \
                 OR EXISTS (SELECT 1 FROM credentials c JOIN legal_holds h ON h.kind = 'organisation' AND h.subject = \
                 c.organisation WHERE c.serial_number = events.serial_number)"
                    .to_owned(),
            ),
            values: vec![kept_seconds, (kept - OFFERED).as_second()],
        },
        spent("used_nonces", "digest", "nonces of wallets"),
        spent("used_assertions", "digest", "assertions of clients"),
        Rule {
            code: "entra-requests",
            table: "entra_requests",
            key: "state_digest",
            after: None,
            sentence: "what a callback of Entra Verified ID must bring, a day after its request ended"
                .to_owned(),
            past: "expires_at < $1".to_owned(),
            held: None,
            values: vec![now.as_second() - 86_400],
        },
        Rule {
            code: "operator-sessions",
            table: "operator_tokens",
            key: "id",
            after: None,
            sentence: format!("sessions of operators, {days} after their end; tokens stay"),
            past: "kind = 'session' AND expires_at < $1".to_owned(),
            held: None,
            values: vec![kept_seconds],
        },
        spent("operator_set_ups", "operator", "sign-ins of operators that nobody confirmed"),
        spent("spent_marks", "digest", "marks of forms that were sent, a day"),
        Rule {
            code: "operator_attempts",
            table: "operator_attempts",
            key: "who",
            after: None,
            sentence: "how often somebody tried to sign in, a day".to_owned(),
            past: "since < $1".to_owned(),
            held: None,
            values: vec![now.as_second() - 86_400],
        },
        Rule {
            code: "heartbeats",
            table: "heartbeats",
            key: "minute, process",
            after: None,
            sentence: format!("heartbeats, {HEARTBEAT_DAYS} days"),
            past: "minute < $1".to_owned(),
            held: None,
            values: vec![now.as_second().div_euclid(60) - HEARTBEAT_DAYS * 1440],
        },
        Rule {
            code: "retention-removals",
            table: "retention_removals",
            key: "day, rule",
            after: None,
            sentence: format!("how much these rules removed on which day, {HEARTBEAT_DAYS} days"),
            past: "day < $1".to_owned(),
            held: None,
            values: vec![removals::day_of(now) - HEARTBEAT_DAYS],
        },
    ]
    .into_iter()
    .chain(of_operators(now, kept_seconds, &days))
    .chain(of_uploads(now, lengths.upload_days, uploads))
    .collect()
}

/// What operators began and what has ended since: nothing of it opens or decides anything any more.
fn of_operators(now: Timestamp, kept: i64, days: &str) -> Vec<Rule> {
    let ended = (now - SignedDuration::from_hours(24 * ENDED_DAYS)).as_second();
    let rule = |code, table: &'static str, what: &str, past: &str, since: i64| {
        let key = match table {
            "revocation_job_lines" => LINE,
            _ => "id",
        };
        Rule {
        code,
        table,
        key,
        after: (table == "revocation_jobs").then_some("revocation-job-lines"),
        sentence: what.to_owned(),
        past: past.to_owned(),
        held: table.starts_with("revocation_job").then(|| {
            format!(
                "EXISTS (SELECT 1 FROM legal_holds h WHERE h.kind = 'organisation' AND h.subject = {table}.organisation)"
            )
        }),
        values: vec![since],
    }
    };
    let done = "SELECT id FROM revocation_jobs WHERE finished_at < $1";
    vec![
        // Before the jobs that they belong to.
        rule(
            "revocation-job-lines",
            "revocation_job_lines",
            &format!("the serial numbers of finished bulk revocations, {days} after their end"),
            &format!("job IN ({done})"),
            kept,
        ),
        rule(
            "revocation-jobs",
            "revocation_jobs",
            &format!(
                "finished bulk revocations, {days} after their end; the audit has who asked for them"
            ),
            "finished_at < $1",
            kept,
        ),
        rule(
            "client-secrets",
            "client_secrets",
            &format!("digests of client secrets that ended, {ENDED_DAYS} days"),
            "ends_at < $1",
            ended,
        ),
        rule(
            "proposals",
            "proposals",
            &format!(
                "proposals that were decided or ran out, {ENDED_DAYS} days; the audit has what became of them"
            ),
            "COALESCE(decided_at, expires_at) < $1",
            ended,
        ),
        rule(
            "operator-tokens",
            "operator_tokens",
            &format!(
                "digests of operators' tokens that ran out or were revoked, {ENDED_DAYS} days"
            ),
            // One on which a sign-in rests is still to be revoked, and all that lead to it.
            "COALESCE(revoked_at, expires_at) < $1 AND NOT EXISTS (SELECT 1 FROM operator_sign_ins s \
             WHERE s.operator = operator_tokens.operator AND s.set_up_with IS NOT NULL)",
            ended,
        ),
    ]
}

/// Uploads that nobody proposed: what was a list of people to lose their credentials must not lie about. One whose proposal
/// waits for its second person stays until that is decided or has run out.
///
/// They have ended before ([`end_uploads`]), and one that was stopped by hand without a proposal is one of them.
fn of_uploads(now: Timestamp, days: u32, jobs: &str) -> Vec<Rule> {
    let since = uploaded_before(now, days);
    let jobs = format!("SELECT id FROM revocation_jobs WHERE {jobs}");
    let rule = |code, (table, key): (&'static str, _), column: &str, what: &str| Rule {
        code,
        table,
        key,
        after: (table == "revocation_jobs").then_some("upload-lines"),
        sentence: format!(
            "{what} that nobody proposed, {days} days; the audit has who uploaded them"
        ),
        past: format!("{column} IN ({jobs})"),
        held: Some(format!(
            "EXISTS (SELECT 1 FROM legal_holds h WHERE h.kind = 'organisation' AND h.subject = {table}.organisation)"
        )),
        values: vec![since, now.as_second()],
    };
    vec![
        // Before the jobs that they belong to.
        rule(
            "upload-lines",
            ("revocation_job_lines", LINE),
            "job",
            "serial numbers uploaded for a bulk revocation",
        ),
        rule(
            "uploads",
            ("revocation_jobs", "id"),
            "id",
            "bulk revocations",
        ),
    ]
}

impl Rule {
    /// Deletes what is past and not held, slice by slice, and counts each slice on its day in the same batch. Whoever removes
    /// some of it at the same moment counts that: then this counts again what is left, and where others are always quicker it
    /// leaves the rest to the next round.
    pub(super) async fn remove(
        &self,
        store: &Store,
        now: Timestamp,
    ) -> Result<Removed, StoreError> {
        let condition = match &self.held {
            Some(held) => format!("({}) AND NOT ({held})", self.past),
            None => self.past.clone(),
        };
        let (table, key) = (self.table, self.key);
        let slice = format!("SELECT {key} FROM {table} WHERE {condition} LIMIT {SLICE}");
        let due = format!("SELECT COUNT(*) AS count FROM ({slice}) AS slice");
        let delete = format!("DELETE FROM {table} WHERE ({key}) IN ({slice})");
        let (mut removed, mut slices, mut lost) = (0, 0, 0);
        while slices < SLICES && lost < ATTEMPTS {
            let rows = count(store, self.bound(due.clone())).await?;
            let rows = u64::try_from(rows).unwrap_or_default();
            if rows > 0 {
                let delete = self.bound(delete.clone()).must_change(rows);
                let counted = removals::add(self.code, rows, u64::from(removed == 0), now);
                match store.write([delete, counted]).await {
                    Ok(_) => removed += rows,
                    Err(StoreError::Unmet { .. }) => {
                        lost += 1;
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
            if rows < SLICE {
                return Ok(Removed {
                    rows: removed,
                    is_all: true,
                });
            }
            slices += 1;
        }
        Ok(Removed {
            rows: removed,
            is_all: false,
        })
    }

    fn count(&self, condition: &str) -> Statement {
        self.bound(format!(
            "SELECT COUNT(*) AS count FROM {} WHERE {condition}",
            self.table
        ))
    }

    fn bound(&self, sql: String) -> Statement {
        let statement = Statement::new(sql);
        self.values
            .iter()
            .fold(statement, |statement, value| statement.bind(*value))
    }

    async fn due(&self, store: &Store) -> Result<Due, StoreError> {
        let past = count(store, self.count(&self.past)).await?;
        let held = match &self.held {
            Some(held) => {
                let both = format!("({}) AND ({held})", self.past);
                count(store, self.count(&both)).await?
            }
            None => 0,
        };
        Ok(Due {
            rule: self.code,
            table: self.table,
            sentence: self.sentence.clone(),
            rows: past - held,
            held,
        })
    }
}

/// What a round would do now. Nothing is changed.
pub async fn plan(store: &Store, now: Timestamp, lengths: Lengths) -> Result<Vec<Due>, StoreError> {
    let overdue = Statement::new(
        "SELECT COUNT(*) AS count FROM interactions WHERE expires_at < $1 AND sealed IS NOT NULL",
    );
    let overdue = overdue.bind((now - GRACE).as_second());
    let mut plan = vec![Due {
        rule: "personal-values",
        table: "interactions",
        sentence: "personal values of interactions, until the token is collected, 35 minutes at most; no hold keeps them"
            .to_owned(),
        rows: count(store, overdue).await?,
        held: 0,
    }];
    // A round ends these first.
    let uploads = format!("({ENDED_UNPROPOSED}) OR ({UNPROPOSED})");
    for rule in rules_with(now, lengths, &uploads) {
        plan.push(rule.due(store).await?);
    }
    Ok(plan)
}

async fn count(store: &Store, select: Statement) -> Result<i64, StoreError> {
    let row = store.read_one(select).await?;
    row.map_or(Ok(0), |row| row.integer("count"))
}
