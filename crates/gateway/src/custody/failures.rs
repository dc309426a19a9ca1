//! Why interactions failed, counted from their rows by the closed list of causes.

use jiff::Timestamp;
use serde::Serialize;
use store::{Statement, Store, StoreError};

use crate::timeline::causes;

/// How often one cause met one relying party.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Failure {
    /// The cause's stable code.
    #[schema(example = "not-scanned")]
    cause: String,
    /// Whose relying party it is.
    organisation: String,
    /// The relying party.
    client_id: String,
    /// How often.
    count: i64,
    /// For the service desk.
    desk: &'static str,
}

/// What the timeline tells of one row, for many: what time alone ended is told apart by how far it came.
const CAUSE: &str = "CASE WHEN outcome IS NOT NULL AND outcome NOT IN ('verified', 'issued', 'expired') THEN outcome \
     WHEN browser_digest IS NULL THEN 'not-opened' \
     WHEN code_expires_at IS NOT NULL THEN 'token-not-collected' \
     WHEN answered_at IS NOT NULL THEN 'page-left' \
     WHEN scanned_at IS NOT NULL THEN 'wallet-no-response' ELSE 'not-scanned' END";

/// What began since then and is over without having come to anything, the most frequent first.
pub(super) async fn count(
    store: &Store,
    organisation: Option<&str>,
    from: Timestamp,
    now: Timestamp,
) -> Result<Vec<Failure>, StoreError> {
    // What begins later ends later, and the index is by the end.
    let select = Statement::new(format!(
        "SELECT {CAUSE} AS cause, organisation, client_id, COUNT(*) AS count FROM interactions \
         WHERE expires_at >= $1 AND created_at >= $1 AND stage <> 'collected' \
         AND ((outcome IS NOT NULL AND outcome NOT IN ('verified', 'issued', 'expired')) OR expires_at <= $2) \
         AND (CAST($3 AS TEXT) IS NULL OR organisation = $3) \
         GROUP BY {CAUSE}, organisation, client_id ORDER BY COUNT(*) DESC, 1, 2, 3 LIMIT 500"
    ));
    let select = select.bind(from).bind(now).bind(organisation);
    let rows = store.read(select).await?;
    let failure = |row: &store::Row| {
        let cause = row.text("cause")?;
        Ok(Failure {
            cause: cause.to_owned(),
            organisation: row.text("organisation")?.to_owned(),
            client_id: row.text("client_id")?.to_owned(),
            count: row.integer("count")?,
            desk: causes::find(cause).map_or("", |cause| cause.desk),
        })
    };
    rows.iter().map(failure).collect()
}
