//! What the gateway knows of credentials by their serial numbers, for as long as it keeps them: longer than the interactions
//! in which they were issued.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Revoked;
use crate::app::Parts;
use store::{Row, Statement, StoreError};

/// How many credentials in force one answer tells of.
const PAGE: usize = 100;

const COLUMNS: &str = "serial_number, organisation, credential_type, list, list_index, issued_at, expires_at, revoked_at, \
                       revocation_cause";

/// A credential that left the gateway in an interaction of this client's. What does not apply is left out.
#[derive(Serialize, ToSchema)]
#[schema(as = KnownCredential)]
pub(super) struct Known {
    serial_number: String,
    /// Its type.
    #[schema(example = "TrainingProgramme")]
    credential_type: String,
    /// The DID that signs it and its status list.
    issuer: String,
    /// When it left.
    #[schema(value_type = String, format = DateTime)]
    issued_at: Timestamp,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    expires_at: Option<Timestamp>,
    /// It counts no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    revoked: Option<Revoked>,
    /// Where it is published whether it counts, as the credential itself says it.
    status_list: Place,
}

/// A place in a status list.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusListPlace)]
struct Place {
    /// The list's address.
    uri: String,
    /// The entry.
    idx: i64,
}

/// Those of the client that asks; another client's are left out like unknown ones (SEC-33).
pub(super) async fn find(
    app: &Parts,
    client_id: &str,
    serial_numbers: &[Uuid],
) -> Result<Vec<Known>, StoreError> {
    let places: Vec<String> = (2..serial_numbers.len() + 2)
        .map(|place| format!("${place}"))
        .collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM credentials WHERE client_id = $1 AND serial_number IN ({}) ORDER BY serial_number",
        places.join(", ")
    );
    let select = serial_numbers
        .iter()
        .fold(Statement::new(sql).bind(client_id), |select, number| {
            select.bind(number.to_string())
        });
    read_all(app, select).await
}

/// The next of the client's credentials that are in force, behind the last one that it has: so that it may find those of
/// which it knows nothing, after it lost what it had.
pub(super) async fn in_force_after(
    app: &Parts,
    client_id: &str,
    last: Uuid,
    now: Timestamp,
) -> Result<Vec<Known>, StoreError> {
    let select = Statement::new(format!(
        "SELECT {COLUMNS} FROM credentials WHERE client_id = $1 AND serial_number > $2 AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $3) ORDER BY serial_number LIMIT {PAGE}"
    ))
    .bind(client_id)
    .bind(last.to_string())
    .bind(now);
    read_all(app, select).await
}

async fn read_all(app: &Parts, select: Statement) -> Result<Vec<Known>, StoreError> {
    let mut known = Vec::new();
    for row in &app.store.read(select).await? {
        known.extend(read(app, row)?);
    }
    Ok(known)
}

/// `None` where the organisation is configured no more: nobody publishes its lists.
fn read(app: &Parts, row: &Row) -> Result<Option<Known>, StoreError> {
    let Some(organisation) = app.organisations.find(row.text("organisation")?) else {
        return Ok(None);
    };
    let revoked = row.optional_timestamp("revoked_at")?.map(|at| {
        let cause = row.optional_text("revocation_cause")?;
        Ok::<_, StoreError>(Revoked {
            at,
            cause: cause.unwrap_or("unknown").to_owned(),
        })
    });
    Ok(Some(Known {
        serial_number: row.text("serial_number")?.to_owned(),
        credential_type: row.text("credential_type")?.to_owned(),
        issuer: organisation.did.clone(),
        issued_at: row.timestamp("issued_at")?,
        expires_at: row.optional_timestamp("expires_at")?,
        revoked: revoked.transpose()?,
        status_list: Place {
            uri: app.lists.uri(organisation, row.integer("list")?),
            idx: row.integer("list_index")?,
        },
    }))
}
