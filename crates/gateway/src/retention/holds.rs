//! Legal holds: what must stay although its time is over. A hold keeps traces, which hold nothing personal; personal
//! values are wiped at their time all the same (rulings 10).

use jiff::Timestamp;
use serde::Serialize;

use store::{Statement, Store, StoreError};

/// What is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Everything of an organisation, by its id.
    Organisation(String),
    /// One interaction, by its id.
    Interaction(String),
}

impl Subject {
    fn columns(&self) -> (&'static str, &str) {
        match self {
            Self::Organisation(id) => ("organisation", id),
            Self::Interaction(id) => ("interaction", id),
        }
    }

    /// `organisation` or `interaction`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.columns().0
    }
}

/// Who places a hold.
#[derive(Debug, Clone, Copy)]
pub struct Placer<'a> {
    /// As the audit names them.
    pub actor: &'a str,
    /// The organisation to which they are confined; `None`: they look after the whole gateway.
    pub within: Option<&'a str>,
}

/// A hold that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = LegalHold)]
pub struct Hold {
    /// `organisation` or `interaction`.
    pub kind: String,
    /// The organisation's id, or the interaction's reference.
    pub subject: String,
    /// Why, in the operator's words.
    pub reason: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub placed_at: Timestamp,
    /// Who placed it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placed_by: Option<String>,
}

/// Places a hold; one that stands keeps its time and gets the new reason. Whoever is confined to an organisation does not
/// touch what others placed: then nothing is changed, and the batch is not kept.
pub fn place(subject: &Subject, reason: &str, placer: Placer<'_>, now: Timestamp) -> Statement {
    let (kind, id) = subject.columns();
    Statement::new(
        "INSERT INTO legal_holds (kind, subject, reason, placed_at, placed_by, placed_within) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (kind, subject) DO UPDATE SET reason = excluded.reason, placed_by = excluded.placed_by, \
         placed_within = excluded.placed_within \
         WHERE CAST($7 AS TEXT) IS NULL OR legal_holds.placed_within = $7",
    )
    .bind(kind)
    .bind(id)
    .bind(reason)
    .bind(now)
    .bind(placer.actor)
    .bind(placer.within)
    .bind(placer.within)
    .must_change(1)
}

/// Lifts a hold, if there is one, and if whoever is confined to that organisation placed it. The next round deletes what it
/// kept.
pub fn lift(subject: &Subject, within: Option<&str>) -> Statement {
    let (kind, id) = subject.columns();
    let sql = "DELETE FROM legal_holds WHERE kind = $1 AND subject = $2 \
               AND (CAST($3 AS TEXT) IS NULL OR placed_within = $3)";
    Statement::new(sql)
        .bind(kind)
        .bind(id)
        .bind(within)
        .must_change(1)
}

/// Whether such a hold stands.
pub async fn stands(store: &Store, subject: &Subject) -> Result<bool, StoreError> {
    let (kind, id) = subject.columns();
    let select =
        Statement::new("SELECT placed_at FROM legal_holds WHERE kind = $1 AND subject = $2");
    let row = store.read_one(select.bind(kind).bind(id)).await?;
    Ok(row.is_some())
}

/// All holds, of one organisation where one is named, the oldest first.
pub async fn find(store: &Store, organisation: Option<&str>) -> Result<Vec<Hold>, StoreError> {
    let select = Statement::new(
        "SELECT h.kind, h.subject, h.reason, h.placed_at, h.placed_by, i.reference FROM legal_holds h \
         LEFT JOIN interactions i ON h.kind = 'interaction' AND i.id = h.subject \
         WHERE CAST($1 AS TEXT) IS NULL OR i.organisation = $1 OR (h.kind = 'organisation' AND h.subject = $1) \
         ORDER BY h.placed_at, h.subject",
    );
    let rows = store.read(select.bind(organisation)).await?;
    let read = |row: &store::Row| {
        // An interaction's id opens a page: people are told its reference.
        let subject = match (row.optional_text("reference")?, row.text("kind")?) {
            (Some(reference), _) => reference.to_owned(),
            (None, "interaction") => "an interaction that is not there".to_owned(),
            (None, _) => row.text("subject")?.to_owned(),
        };
        Ok(Hold {
            kind: row.text("kind")?.to_owned(),
            subject,
            reason: row.text("reason")?.to_owned(),
            placed_at: row.timestamp("placed_at")?,
            placed_by: row.optional_text("placed_by")?.map(str::to_owned),
        })
    };
    rows.iter().map(read).collect()
}
