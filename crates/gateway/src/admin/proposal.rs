//! The two-person rule as data: what one operator asks for is a row, and is done when another person approves it, in the
//! batch that marks the row, so that it is done once or not at all.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use store::{Row, Statement, StoreError};

use super::caller::Operator;
use super::problem::{Code, Problem};
use super::read::Why;
use super::role::Role;
use crate::app::App;

/// How long a proposal waits for its second person.
pub(super) const WAITS: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A proposal as it is kept.
pub(super) struct Kept {
    pub(super) id: String,
    pub(super) act: String,
    pub(super) organisation: Option<String>,
    pub(super) object: String,
    pub(super) detail: Value,
    pub(super) reason: Option<String>,
    pub(super) ticket: Option<String>,
    pub(super) proposed_by: String,
    pub(super) person: String,
    pub(super) proposed_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) state: String,
    pub(super) decided_by: Option<String>,
    pub(super) decided_at: Option<Timestamp>,
    pub(super) decision_reason: Option<String>,
}

const COLUMNS: &str = "id, act, organisation, object, detail, reason, ticket, proposed_by, person, proposed_at, expires_at, \
                       state, decided_by, decided_at, decision_reason";

impl Kept {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let text = |column| row.text(column).map(str::to_owned);
        let optional = |column| {
            row.optional_text(column)
                .map(|text| text.map(str::to_owned))
        };
        Ok(Self {
            id: text("id")?,
            act: text("act")?,
            organisation: optional("organisation")?,
            object: text("object")?,
            detail: serde_json::from_str(row.text("detail")?).unwrap_or(Value::Null),
            reason: optional("reason")?,
            ticket: optional("ticket")?,
            proposed_by: text("proposed_by")?,
            person: text("person")?,
            proposed_at: row.timestamp("proposed_at")?,
            expires_at: row.timestamp("expires_at")?,
            state: text("state")?,
            decided_by: optional("decided_by")?,
            decided_at: row.optional_timestamp("decided_at")?,
            decision_reason: optional("decision_reason")?,
        })
    }

    /// What became of it: nobody writes down that time has passed.
    pub(super) fn state_at(&self, now: Timestamp) -> &str {
        match self.state.as_str() {
            "open" if self.expires_at <= now => "expired",
            state => state,
        }
    }

    /// Why nobody can decide on it any more, if so.
    pub(super) fn must_be_open(&self, now: Timestamp) -> Result<(), Problem> {
        match self.state_at(now) {
            "open" => Ok(()),
            "expired" => Err(Code::ProposalExpired.into()),
            _ => Err(Code::ProposalDecided.into()),
        }
    }
}

/// The newest of those that the operator may see; `only` with that state.
pub(super) async fn list(
    app: &App,
    operator: &Operator,
    only: Option<&str>,
    limit: u32,
) -> Result<Vec<Kept>, Problem> {
    let sql = format!(
        "SELECT {COLUMNS} FROM proposals WHERE (CAST($1 AS TEXT) IS NULL OR organisation = $1) \
         AND (CAST($2 AS TEXT) IS NULL OR (CASE WHEN state = 'open' AND expires_at <= $3 THEN 'expired' ELSE state END) = $2) \
         ORDER BY proposed_at DESC, id LIMIT $4"
    );
    let statement = Statement::new(sql)
        .bind(operator.organisation())
        .bind(only)
        .bind(app.now())
        .bind(limit);
    let rows = app.store.read(statement).await?;
    Ok(rows.iter().map(Kept::read).collect::<Result<_, _>>()?)
}

/// One that the operator may see.
pub(super) async fn find(app: &App, operator: &Operator, id: &str) -> Result<Kept, Problem> {
    let sql = format!(
        "SELECT {COLUMNS} FROM proposals WHERE id = $1 AND (CAST($2 AS TEXT) IS NULL OR organisation = $2)"
    );
    let statement = Statement::new(sql).bind(id).bind(operator.organisation());
    let row = app.store.read_one(statement).await?.ok_or(Code::NotFound)?;
    Ok(Kept::read(&row)?)
}

/// Whether it names that operator, or one that is the same person: a program that they answer for, another account of theirs.
pub(super) async fn names(app: &App, kept: &Kept, operator: &Operator) -> Result<bool, StoreError> {
    let Some(id) = kept.object.strip_prefix("operator:") else {
        return Ok(false);
    };
    let sql = "SELECT id FROM operators WHERE id = $1 AND person = $2 AND removed_at IS NULL";
    let named = Statement::new(sql).bind(id).bind(&operator.person);
    Ok(app.store.read_one(named).await?.is_some())
}

/// The row of a new one, by an operator of that role.
pub(super) fn insert(kept: &Kept, role: Role) -> Statement {
    let sql = format!(
        "INSERT INTO proposals ({COLUMNS}, role) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'open', NULL, NULL, NULL, $12)"
    );
    Statement::new(sql)
        .bind(&kept.id)
        .bind(&kept.act)
        .bind(kept.organisation.as_deref())
        .bind(&kept.object)
        .bind(kept.detail.to_string())
        .bind(kept.reason.as_deref())
        .bind(kept.ticket.as_deref())
        .bind(&kept.proposed_by)
        .bind(&kept.person)
        .bind(kept.proposed_at)
        .bind(kept.expires_at)
        .bind(role.name())
}

/// Marks it approved, if at this moment it is open and in time, both operators are there, each with the role that was looked at,
/// and the one who approves is another person than the one who proposed.
pub(super) fn approve(id: &str, by: &Operator, why: &Why, now: Timestamp) -> Statement {
    let sql = "UPDATE proposals SET state = 'approved', decided_by = $1, decided_at = $2, decision_reason = $8 \
               WHERE id = $3 AND state = 'open' AND expires_at > $4 AND person <> $5 \
               AND EXISTS (SELECT 1 FROM operators WHERE id = $6 AND removed_at IS NULL AND role = $7) \
               AND EXISTS (SELECT 1 FROM operators o WHERE o.id = proposals.proposed_by AND o.removed_at IS NULL \
               AND (proposals.role IS NULL OR o.role = proposals.role))";
    Statement::new(sql)
        .bind(&by.id)
        .bind(now)
        .bind(id)
        .bind(now)
        .bind(&by.person)
        .bind(&by.id)
        .bind(by.role.name())
        .bind(why.reason.as_deref())
        .must_change(1)
}

/// Marks it declined, if it is open.
pub(super) fn decline(id: &str, by: &Operator, why: &Why, now: Timestamp) -> Statement {
    let sql = "UPDATE proposals SET state = 'declined', decided_by = $1, decided_at = $2, decision_reason = $5 \
               WHERE id = $3 AND state = 'open' AND expires_at > $4";
    Statement::new(sql)
        .bind(&by.id)
        .bind(now)
        .bind(id)
        .bind(now)
        .bind(why.reason.as_deref())
        .must_change(1)
}
