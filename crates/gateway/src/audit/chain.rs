//! One chain through all entries, made behind the acts.
//!
//! Entries are written by several processes that do not wait for one another. Each gets its place afterwards: the digest
//! of an entry is SHA-256 of the digest before it and of its own canonical JSON, its position included. Which process
//! does it is decided by the condition on the chain's head in the batch: of two at once one is kept whole, and the other
//! finds nothing left to do.

use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Row, Statement, Store, StoreError};

/// A SHA-256.
pub type Digest = [u8; 32];

/// What stands before the first entry.
pub const START: Digest = [0; 32];

/// How many entries get their place in one batch.
const AT_ONCE: usize = 200;

/// A place in the chain and the digest there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Counts from 1; 0 is before the first entry.
    pub position: i64,
    /// The digest there.
    pub digest: Digest,
}

/// An entry as it is kept. `position` and `digest` (in hexadecimal) are there once it has its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = AuditEntry)]
pub struct Kept {
    /// Its place in the chain, from 1.
    pub position: Option<i64>,
    /// When, in seconds since 1970.
    pub at: i64,
    /// Who: `operator:…`, `client:…`, `command:…` or `gateway`.
    pub actor: String,
    /// What: a code of the closed list.
    pub act: String,
    /// Whose object it is.
    pub organisation: Option<String>,
    /// To what: its kind and its id.
    pub object: String,
    /// Words of this program, identifiers and numbers.
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    pub detail: Value,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// Under which ticket.
    pub ticket: Option<String>,
    /// SHA-256 of the digest before it and of this entry, in hexadecimal.
    pub digest: Option<String>,
}

impl Kept {
    /// The columns that [`Kept::read`] reads.
    pub(super) const COLUMNS: &'static str = "number, position, happened_at, actor, act, organisation, object, detail, reason, ticket, digest";

    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        let text = |column: &str| {
            row.optional_text(column)
                .map(|text| text.map(str::to_owned))
        };
        Ok(Self {
            position: row.optional_integer("position")?,
            at: row.integer("happened_at")?,
            actor: row.text("actor")?.to_owned(),
            act: row.text("act")?.to_owned(),
            organisation: text("organisation")?,
            object: row.text("object")?.to_owned(),
            // What somebody wrote over it need not be JSON; it has another digest in any case.
            detail: serde_json::from_str(row.text("detail")?).unwrap_or(Value::Null),
            reason: text("reason")?,
            ticket: text("ticket")?,
            digest: row.optional_blob("digest")?.map(hex::encode),
        })
    }

    /// Its digest at that position, behind that one.
    #[must_use]
    pub fn digest_after(&self, before: &Digest, position: i64) -> Digest {
        let whole = json!({
            "position": position, "at": self.at, "actor": self.actor, "act": self.act,
            "organisation": self.organisation, "object": self.object, "detail": self.detail,
            "reason": self.reason, "ticket": self.ticket,
        });
        let mut context = Context::new(&SHA256);
        context.update(before);
        context.update(canonical(&whole).as_bytes());
        let mut digest = START;
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }
}

/// JSON in one form only: members in order, no spaces. [RFC 8785; our names are ASCII and our numbers whole]
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut names: Vec<_> = members.iter().collect();
            names.sort_by_key(|(name, _)| *name);
            let members = names.into_iter().map(|(name, value)| {
                format!("{}:{}", Value::from(name.as_str()), canonical(value))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => {
            let values = values.iter().map(canonical);
            format!("[{}]", values.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// The chain's head.
pub async fn head(store: &Store) -> Result<Link, StoreError> {
    link(store, "head").await
}

/// Up to where retention removed entries.
pub async fn horizon(store: &Store) -> Result<Link, StoreError> {
    link(store, "horizon").await
}

async fn link(store: &Store, name: &str) -> Result<Link, StoreError> {
    let sql = "SELECT position, digest FROM audit_chain WHERE name = $1";
    let row = store.read_one(Statement::new(sql).bind(name)).await?;
    // Somebody who deletes the row is found out by the first entry.
    let Some(row) = row else {
        return Ok(Link {
            position: 0,
            digest: START,
        });
    };
    Ok(Link {
        position: row.integer("position")?,
        digest: row.blob("digest")?.try_into().unwrap_or(START),
    })
}

/// Gives every entry its place that has none yet.
pub async fn round(store: &Store) -> Result<(), StoreError> {
    while extend(store).await? == AT_ONCE {}
    Ok(())
}

/// Gives the next entries their place; tells how many there were.
async fn extend(store: &Store) -> Result<usize, StoreError> {
    let sql = format!(
        "SELECT {} FROM audit_entries WHERE position IS NULL ORDER BY number LIMIT {AT_ONCE}",
        Kept::COLUMNS
    );
    let rows = store.read(Statement::new(sql)).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let start = head(store).await?;
    let mut at = start;
    let mut batch = Vec::with_capacity(rows.len() + 1);
    for row in &rows {
        at.position += 1;
        at.digest = Kept::read(row)?.digest_after(&at.digest, at.position);
        let place = "UPDATE audit_entries SET position = $1, digest = $2 WHERE number = $3 AND position IS NULL";
        batch.push(
            Statement::new(place)
                .bind(at.position)
                .bind(at.digest)
                .bind(row.integer("number")?)
                .must_change(1),
        );
    }
    // First, so that of two processes the second stops here before it touches an entry.
    let go_on = "UPDATE audit_chain SET position = $1, digest = $2 WHERE name = 'head' AND position = $3 AND digest = $4";
    let go_on = Statement::new(go_on)
        .bind(at.position)
        .bind(at.digest)
        .bind(start.position)
        .bind(start.digest)
        .must_change(1);
    batch.insert(0, go_on);
    match store.write(batch).await {
        Ok(_) => Ok(rows.len()),
        // Another process was first; what it left is for the next round.
        Err(StoreError::Unmet { .. }) => Ok(0),
        Err(error) => Err(error),
    }
}

/// When an entry happened, as text.
pub(super) fn time(at: i64) -> String {
    Timestamp::from_second(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_one_form_whatever_the_order_of_its_members() {
        let one: Value = serde_json::from_str(r#"{"b": [1, {"d": "\"\n", "c": null}], "a": true}"#)
            .unwrap_or_default();
        assert_eq!(
            canonical(&one),
            r#"{"a":true,"b":[1,{"c":null,"d":"\"\n"}]}"#
        );
    }
}
