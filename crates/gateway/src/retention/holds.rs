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
}

/// A hold that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// `organisation` or `interaction`.
    pub kind: String,
    /// The organisation's id, or the interaction's reference.
    pub subject: String,
    /// Why, in the operator's words.
    pub reason: String,
    /// Since when.
    pub placed_at: Timestamp,
}

/// Places a hold; one that stands keeps its time and gets the new reason.
pub fn place(subject: &Subject, reason: &str, now: Timestamp) -> Statement {
    let (kind, id) = subject.columns();
    Statement::new(
        "INSERT INTO legal_holds (kind, subject, reason, placed_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (kind, subject) DO UPDATE SET reason = excluded.reason",
    )
    .bind(kind)
    .bind(id)
    .bind(reason)
    .bind(now)
}

/// Lifts a hold. The next round deletes what it kept.
pub fn lift(subject: &Subject) -> Statement {
    let (kind, id) = subject.columns();
    let sql = "DELETE FROM legal_holds WHERE kind = $1 AND subject = $2";
    Statement::new(sql).bind(kind).bind(id)
}

/// All holds, the oldest first.
pub async fn find(store: &Store) -> Result<Vec<Hold>, StoreError> {
    let select = Statement::new(
        "SELECT h.kind, h.subject, h.reason, h.placed_at, i.reference FROM legal_holds h \
         LEFT JOIN interactions i ON h.kind = 'interaction' AND i.id = h.subject ORDER BY h.placed_at, h.subject",
    );
    let rows = store.read(select).await?;
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
        })
    };
    rows.iter().map(read).collect()
}
