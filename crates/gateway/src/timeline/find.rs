//! Finding interactions by what people have in hand: a reference, a `request_uri`, a serial number, a page's id.

use std::fmt::Write as _;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Timeline, steps};
use crate::interaction::Digest;
use crate::interaction::reference::read_out;
use store::{Row, Statement, Store, StoreError};

/// How many one question finds at most. References are drawn by chance, so that there may be two.
const MOST: usize = 10;

const SELECT: &str = "SELECT i.id, i.organisation, i.client_id, i.purpose, i.credential_type, i.reference, i.stage, \
     i.stage_at, i.outcome, i.bound_to, i.released, i.browser_digest, i.code_expires_at, i.serial_number, i.created_at, \
     i.expires_at, i.scanned_at, i.answered_at, i.version, c.issued_at, c.revoked_at, c.revocation_cause \
     FROM interactions i LEFT JOIN credentials c ON c.serial_number = i.serial_number";

/// The interactions that this text names, the newest first: a reference as it is read out, a `request_uri`, a serial
/// number, or the id in a page's address. `organisation` looks among its own only.
pub async fn find(
    store: &Store,
    text: &str,
    organisation: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Timeline>, StoreError> {
    let mut told = Vec::new();
    for row in rows(store, text, organisation).await? {
        told.push(read(store, &row, now).await?);
    }
    Ok(told)
}

/// One interaction, by what others may be told and by what they may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its id, which opens its page.
    pub id: String,
    /// Whose it is.
    pub organisation: String,
    /// What the employee reads out.
    pub reference: String,
}

/// The one interaction that this text names; none where it names none or several. `organisation` looks among its own only.
pub async fn one(
    store: &Store,
    text: &str,
    organisation: Option<&str>,
) -> Result<Option<Named>, StoreError> {
    let rows = rows(store, text, organisation).await?;
    let [row] = rows.as_slice() else {
        return Ok(None);
    };
    Ok(Some(Named {
        id: row.text("id")?.to_owned(),
        organisation: row.text("organisation")?.to_owned(),
        reference: row.text("reference")?.to_owned(),
    }))
}

/// The newest interactions of a relying party that have that digest of the `state` which it chose.
pub async fn find_state(
    store: &Store,
    client_id: &str,
    digest: &str,
    now: Timestamp,
) -> Result<Vec<Timeline>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE i.client_id = $1 AND i.state_digest = $2 ORDER BY i.created_at DESC LIMIT {MOST}"
    );
    let select = Statement::new(sql).bind(client_id).bind(digest);
    let mut told = Vec::new();
    for row in store.read(select).await? {
        told.push(read(store, &row, now).await?);
    }
    Ok(told)
}

/// The newest interactions by when they began, after that time, the oldest of them first: for whoever watches.
pub async fn newest(
    store: &Store,
    after: Timestamp,
    most: u32,
    now: Timestamp,
) -> Result<Vec<Timeline>, StoreError> {
    // What moved lately began at most half an hour and ten minutes ago, so that few rows are looked at.
    let sql = format!(
        "{SELECT} WHERE i.expires_at >= $1 AND (i.created_at > $2 OR i.stage_at > $3 OR i.scanned_at > $4 \
         OR i.answered_at > $5) ORDER BY i.created_at DESC LIMIT $6"
    );
    let second = after.as_second();
    let select = Statement::new(sql)
        .bind(second - 3600)
        .bind(second)
        .bind(second)
        .bind(second)
        .bind(second)
        .bind(most);
    let mut told = Vec::new();
    for row in store.read(select).await?.iter().rev() {
        told.push(read(store, row, now).await?);
    }
    Ok(told)
}

async fn rows(
    store: &Store,
    text: &str,
    organisation: Option<&str>,
) -> Result<Vec<Row>, StoreError> {
    let text = text.trim();
    let (condition, value) = if text.starts_with("urn:ietf:params:oauth:request_uri:") {
        ("i.request_digest = $1", Digest::of(text).0)
    } else if let Ok(serial) = Uuid::try_parse(text) {
        // The credential is kept longer than what says which number an interaction has.
        (
            "i.id = (SELECT interaction FROM credentials WHERE serial_number = $1)",
            serial.to_string(),
        )
    } else if let Some(reference) = read_out(text) {
        ("i.reference = $1", reference)
    } else {
        ("i.id = $1", text.to_owned())
    };
    let mut sql = format!("{SELECT} WHERE {condition}");
    if organisation.is_some() {
        sql.push_str(" AND i.organisation = $2");
    }
    // Writing into a string does not fail.
    let _ = write!(sql, " ORDER BY i.created_at DESC LIMIT {MOST}");
    let select = Statement::new(sql).bind(value);
    let select = match organisation {
        Some(organisation) => select.bind(organisation),
        None => select,
    };
    store.read(select).await
}

async fn read(store: &Store, row: &Row, now: Timestamp) -> Result<Timeline, StoreError> {
    let select = Statement::new(
        "SELECT at, step, cause FROM interaction_steps WHERE interaction = $1 ORDER BY at",
    );
    let beside = store.read(select.bind(row.text("id")?)).await?;
    steps::tell(row, &beside, now)
}
