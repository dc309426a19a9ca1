//! Operators and tokens as rows.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::{Row, Statement, Store, StoreError};

use crate::admin::{IDLE, Role};
use crate::audit::{Act, By, Entry};

/// An operator that is not there yet.
#[derive(Clone, Debug)]
pub struct NewOperator<'a> {
    /// Its name: 1 to 64 lower-case letters, digits, `.`, `-`, `_`, `@`.
    pub name: &'a str,
    /// Its role.
    pub role: Role,
    /// The organisation to which it is confined, if it is.
    pub organisation: Option<&'a str>,
    /// For a program the id of the operator who answers for it.
    pub person: Option<&'a str>,
    /// Whether it is the account for emergencies.
    pub break_glass: bool,
}

impl NewOperator<'_> {
    /// Whether the name has the form of one.
    #[must_use]
    pub fn has_a_name(&self) -> bool {
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_@".contains(&byte)
        };
        (1..=64).contains(&self.name.len())
            && self
                .name
                .starts_with(|first: char| first.is_ascii_alphanumeric())
            && self.name.bytes().all(allowed)
    }

    /// Its row: of a program where somebody answers for it.
    pub(super) fn insert(&self, id: &str, now: Timestamp) -> Statement {
        self.insert_as(id, self.person.is_some(), now)
    }

    /// Its row. What is no program and has somebody else's id as its person is another account of theirs.
    pub(super) fn insert_as(&self, id: &str, program: bool, now: Timestamp) -> Statement {
        let sql = "INSERT INTO operators (id, name, role, organisation, person, break_glass, added_at, program) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        Statement::new(sql)
            .bind(id)
            .bind(self.name)
            .bind(self.role.name())
            .bind(self.organisation)
            .bind(self.person.unwrap_or(id))
            .bind(self.break_glass)
            .bind(now)
            .bind(program)
    }
}

/// An operator as it is kept.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Operator)]
pub struct Known {
    /// Its id.
    #[schema(example = "op-k7q2-9mfd")]
    pub id: String,
    /// Its name.
    #[schema(example = "j.bloggs")]
    pub name: String,
    /// Its role.
    pub role: String,
    /// The organisation to which it is confined; absent: the whole gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The person: its own id, that of another account of theirs, or for a program that of whoever answers for it.
    pub person: String,
    /// Whether it is a program, with which nobody signs in.
    pub program: bool,
    /// Whether it is the account for emergencies.
    pub break_glass: bool,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub added_at: Timestamp,
    /// Until when, if it is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub removed_at: Option<Timestamp>,
}

/// A token as it is kept, without what opens anything.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OperatorToken)]
pub struct Token {
    /// Its id.
    #[schema(example = "tk-3n8c-71vw")]
    pub id: String,
    /// Whose it is.
    pub operator: String,
    /// `token`, or `session`: one that began by signing in.
    #[schema(example = "token")]
    pub kind: String,
    /// The token or session with which it was made, where one was: it is revoked with that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "tk-5d0a-88cb")]
    pub made_with: Option<String>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// Until when; a session as things stand now: what is asked with it puts that off.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
}

const OPERATORS: &str = "SELECT id, name, role, organisation, person, program, break_glass, added_at, removed_at FROM operators";

fn operator(row: &Row) -> Result<Known, StoreError> {
    Ok(Known {
        id: row.text("id")?.to_owned(),
        name: row.text("name")?.to_owned(),
        role: row.text("role")?.to_owned(),
        organisation: row.optional_text("organisation")?.map(str::to_owned),
        person: row.text("person")?.to_owned(),
        program: row.boolean("program")?,
        break_glass: row.boolean("break_glass")?,
        added_at: row.timestamp("added_at")?,
        removed_at: row.optional_timestamp("removed_at")?,
    })
}

/// All operators, of one organisation where one is named.
pub(super) async fn all(
    store: &Store,
    organisation: Option<&str>,
) -> Result<Vec<Known>, StoreError> {
    let sql = format!(
        "{OPERATORS} WHERE (CAST($1 AS TEXT) IS NULL OR organisation = $1) ORDER BY COALESCE(organisation, ''), name, id"
    );
    let rows = store.read(Statement::new(sql).bind(organisation)).await?;
    rows.iter().map(operator).collect()
}

/// One that is in force, of that organisation where one is named.
pub(super) async fn find(
    store: &Store,
    id: &str,
    organisation: Option<&str>,
) -> Result<Option<Known>, StoreError> {
    let sql = format!(
        "{OPERATORS} WHERE id = $1 AND removed_at IS NULL AND (CAST($2 AS TEXT) IS NULL OR organisation = $2)"
    );
    let row = store
        .read_one(Statement::new(sql).bind(id).bind(organisation))
        .await?;
    row.as_ref().map(operator).transpose()
}

/// The one of that name, removed or not, of that organisation or of the whole gateway.
pub(super) async fn of_name(
    store: &Store,
    name: &str,
    organisation: Option<&str>,
) -> Result<Option<Known>, StoreError> {
    let sql = format!("{OPERATORS} WHERE name = $1 AND COALESCE(organisation, '') = $2");
    let statement = Statement::new(sql)
        .bind(name)
        .bind(organisation.unwrap_or_default());
    store
        .read_one(statement)
        .await?
        .as_ref()
        .map(operator)
        .transpose()
}

/// Removes an operator and the programs that it answers for, their tokens, and what they proposed: all at once. Another account
/// of the same person stays: it may be another organisation's to decide on.
pub(super) fn remove(id: &str, now: Timestamp) -> Vec<Statement> {
    remove_where("id", id, 1, now)
}

/// The same of all who are confined to an organisation that is no more, with an entry for each: under the same id somebody else
/// may come. What anybody proposed there and nobody decided on is declined. It comes after the statement that takes the
/// organisation away, and is unmet where somebody was added or removed meanwhile.
pub(crate) async fn remove_confined_to(
    store: &Store,
    organisation: &str,
    by: By<'_>,
    now: Timestamp,
) -> Result<Vec<Statement>, StoreError> {
    let entry = |act, object: (&'static str, &str)| -> Statement {
        let entry = by.entry(act, object, now);
        entry.organisation(Some(organisation)).into()
    };
    let known = all(store, Some(organisation)).await?.into_iter();
    let known: Vec<_> = known.filter(|one| one.removed_at.is_none()).collect();
    let open =
        "SELECT id FROM proposals WHERE organisation = $1 AND state = 'open' AND expires_at > $2";
    let open = Statement::new(open).bind(organisation).bind(now);
    let mut batch = remove_where("organisation", organisation, known.len() as u64, now);
    let others = "UPDATE proposals SET state = 'declined', decided_at = $1 WHERE organisation = $2 AND state = 'open'";
    batch.push(Statement::new(others).bind(now).bind(organisation));
    let removed = known
        .iter()
        .map(|one| entry(Act::OperatorRemoved, ("operator", &one.id)));
    batch.extend(removed);
    for row in store.read(open).await? {
        batch.push(entry(Act::ProposalDeclined, ("proposal", row.text("id")?)));
    }
    Ok(batch)
}

/// Removes those whose `column` says that, of whom there are so many.
fn remove_where(column: &'static str, says: &str, count: u64, now: Timestamp) -> Vec<Statement> {
    let those = |place: u32| format!("(SELECT id FROM operators WHERE {column} = ${place})");
    let theirs = format!(
        "(SELECT id FROM operators WHERE {column} = $2 OR (program = 1 AND person IN {}))",
        those(2)
    );
    let with = |sql: String| Statement::new(sql).bind(now).bind(says);
    let delete = |table| {
        let sql = format!("DELETE FROM {table} WHERE operator IN {}", those(1));
        Statement::new(sql).bind(says)
    };
    vec![
        with(format!(
            "UPDATE operators SET removed_at = $1 WHERE {column} = $2 AND removed_at IS NULL"
        ))
        .must_change(count),
        with(format!(
            "UPDATE operators SET removed_at = $1 WHERE person IN {} AND program = 1 AND removed_at IS NULL",
            those(2)
        )),
        with(format!(
            "UPDATE operator_tokens SET revoked_at = $1 WHERE operator IN {theirs} AND revoked_at IS NULL"
        )),
        // Nobody signs in any more; what they did it by need not stay.
        delete("operator_sign_ins"),
        delete("operator_set_ups"),
        delete("operator_recovery_codes"),
        with(decline_all(&theirs)),
    ]
}

/// Declines what these have proposed and nobody decided on. `$1` is when.
fn decline_all(these: &str) -> String {
    format!(
        "UPDATE proposals SET state = 'declined', decided_at = $1 WHERE proposed_by IN {these} AND state = 'open'"
    )
}

/// The same of one.
pub(super) fn decline_open(operator: &str, now: Timestamp) -> Statement {
    Statement::new(decline_all("($2)")).bind(now).bind(operator)
}

/// Changes nothing, and is the condition of its batch: that operator is there.
pub(super) fn must_be_there(operator: &str) -> Statement {
    let there = "UPDATE operators SET person = person WHERE id = $1 AND removed_at IS NULL";
    Statement::new(there).bind(operator).must_change(1)
}

/// The row of a new token. Its operator must be there.
pub(super) fn insert_token(
    id: &str,
    operator: &str,
    digest: [u8; 32],
    now: Timestamp,
    days: u32,
) -> Statement {
    let expires = now + SignedDuration::from_hours(24 * i64::from(days));
    let sql = "INSERT INTO operator_tokens (id, operator, digest, made_at, expires_at) \
               SELECT $1, id, $2, $3, $4 FROM operators WHERE id = $5 AND removed_at IS NULL";
    Statement::new(sql)
        .bind(id)
        .bind(digest)
        .bind(now)
        .bind(expires)
        .bind(operator)
        .must_change(1)
}

/// The row of a token that its holder makes with another one: it ends with that one at the latest, so that whoever finds a
/// token has no more than what is left of it.
pub(super) fn insert_own_token(
    id: &str,
    (operator, maker): (&str, &str),
    digest: [u8; 32],
    now: Timestamp,
    days: u32,
) -> Statement {
    let expires = now + SignedDuration::from_hours(24 * i64::from(days));
    // Nobody makes one with what was revoked a moment ago.
    let sql = "INSERT INTO operator_tokens (id, operator, digest, made_at, expires_at, made_with) \
               SELECT $1, o.id, $2, $3, CASE WHEN t.expires_at < $4 THEN t.expires_at ELSE $4 END, t.id \
               FROM operators o JOIN operator_tokens t ON t.id = $5 \
               WHERE o.id = $6 AND o.removed_at IS NULL AND t.revoked_at IS NULL";
    Statement::new(sql)
        .bind(id)
        .bind(digest)
        .bind(now)
        .bind(expires)
        .bind(maker)
        .bind(operator)
        .must_change(1)
}

/// A token and all that was made with it, to the last of the chain.
fn made_with(place: u32) -> String {
    format!(
        "(WITH RECURSIVE made (id) AS (SELECT CAST(${place} AS TEXT) \
         UNION SELECT t.id FROM operator_tokens t JOIN made ON t.made_with = made.id) SELECT id FROM made)"
    )
}

/// Whether somebody signs in by what was set up with that token, or with one that was made with it.
pub(super) async fn has_set_up(store: &Store, token: &str) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT operator FROM operator_sign_ins WHERE set_up_with IN {}",
        made_with(1)
    );
    let found = store.read_one(Statement::new(sql).bind(token)).await?;
    Ok(found.is_some())
}

/// The same in the entry of the audit.
pub(super) fn tells_of_sign_in(entry: Entry, ends: bool) -> Entry {
    if ends {
        entry.with("sign-in", "ended")
    } else {
        entry
    }
}

/// Revokes a token, if it is in force, and all that was made with it; a sign-in that was set up with any of these ends as well,
/// with its recovery codes, and with what its holder began to set up anew. Unmet where `ends_sign_in` ([`has_set_up`]) is no
/// longer so.
pub(super) fn revoke_token(id: &str, ends_sign_in: bool, now: Timestamp) -> Vec<Statement> {
    let of_holder = |table: &str, more: &str| {
        let sql = format!(
            "DELETE FROM {table} WHERE operator = (SELECT operator FROM operator_tokens WHERE id = $1){more} \
             AND NOT EXISTS (SELECT 1 FROM operator_sign_ins s WHERE s.operator = {table}.operator)"
        );
        Statement::new(sql).bind(id)
    };
    let revoke = "UPDATE operator_tokens SET revoked_at = $1 WHERE revoked_at IS NULL AND id";
    let revoke = |which: &str| {
        Statement::new(format!("{revoke} {which}"))
            .bind(now)
            .bind(id)
    };
    let ended = format!(
        "DELETE FROM operator_sign_ins WHERE set_up_with IN {}",
        made_with(1)
    );
    vec![
        // Its row is held from here on: nobody sets up a sign-in with it meanwhile.
        revoke("= $2").must_change(1),
        Statement::new(ended)
            .bind(id)
            .must_change(ends_sign_in.into()),
        of_holder("operator_set_ups", " AND proved = 1"),
        of_holder("operator_recovery_codes", ""),
        // After the sign-in is gone, so that a session that began with it at this moment is among them.
        revoke(&format!("IN {}", made_with(2))),
    ]
}

/// An operator's tokens, newest first.
pub(super) async fn tokens_of(store: &Store, operator: &str) -> Result<Vec<Token>, StoreError> {
    let sql = "SELECT id, operator, kind, made_with, made_at, expires_at, last_used_at, revoked_at FROM operator_tokens \
               WHERE operator = $1 ORDER BY made_at DESC, id";
    let rows = store.read(Statement::new(sql).bind(operator)).await?;
    let token = |row: &Row| {
        let kind = row.text("kind")?.to_owned();
        let made_at = row.timestamp("made_at")?;
        let last_used_at = row.optional_timestamp("last_used_at")?;
        let mut expires_at = row.timestamp("expires_at")?;
        if kind == "session" {
            expires_at = expires_at.min(last_used_at.unwrap_or(made_at) + IDLE);
        }
        Ok(Token {
            id: row.text("id")?.to_owned(),
            operator: row.text("operator")?.to_owned(),
            kind,
            made_with: row.optional_text("made_with")?.map(str::to_owned),
            made_at,
            expires_at,
            last_used_at,
            revoked_at: row.optional_timestamp("revoked_at")?,
        })
    };
    rows.iter().map(token).collect()
}

/// Whose token that is and whose operator that is, where the token is in force.
pub(super) async fn owner_of(store: &Store, token: &str) -> Result<Option<Known>, StoreError> {
    let sql = format!(
        "{OPERATORS} WHERE id = (SELECT operator FROM operator_tokens WHERE id = $1 AND revoked_at IS NULL)"
    );
    let row = store.read_one(Statement::new(sql).bind(token)).await?;
    row.as_ref().map(operator).transpose()
}
