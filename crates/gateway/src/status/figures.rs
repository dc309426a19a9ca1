//! How many credentials there are and how they stand, by organisation and type: for an assurance file.

use jiff::Timestamp;
use serde::Serialize;

use store::{Statement, Store, StoreError};

/// The credentials of one type of one organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// The organisation's id.
    pub organisation: String,
    /// The type.
    pub credential_type: String,
    /// All that were issued.
    pub issued: i64,
    /// Neither revoked nor suspended nor at their end.
    pub in_force: i64,
    /// Revoked, for good.
    pub revoked: i64,
    /// Suspended, for the time being.
    pub suspended: i64,
    /// The status lists on which they have their places.
    pub lists: i64,
}

/// The figures of now.
pub async fn figures(store: &Store, now: Timestamp) -> Result<Vec<Figures>, StoreError> {
    let select = "SELECT organisation, credential_type, COUNT(*) AS issued, COUNT(DISTINCT list) AS lists, \
                  COUNT(revoked_at) AS revoked, \
                  COUNT(CASE WHEN revoked_at IS NULL THEN suspended_at END) AS suspended, \
                  COUNT(CASE WHEN revoked_at IS NULL AND suspended_at IS NULL \
                  AND (expires_at IS NULL OR expires_at > $1) THEN 1 END) AS in_force \
                  FROM credentials GROUP BY organisation, credential_type ORDER BY organisation, credential_type";
    let rows = store.read(Statement::new(select).bind(now)).await?;
    let figures = rows.iter().map(|row| {
        Ok(Figures {
            organisation: row.text("organisation")?.to_owned(),
            credential_type: row.text("credential_type")?.to_owned(),
            issued: row.integer("issued")?,
            in_force: row.integer("in_force")?,
            revoked: row.integer("revoked")?,
            suspended: row.integer("suspended")?,
            lists: row.integer("lists")?,
        })
    });
    figures.collect()
}
