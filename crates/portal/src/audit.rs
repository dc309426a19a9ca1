//! Who did or saw what, when, and about whom: rows of ids and codes, without values and without secrets. A row is written
//! in the batch of the act where there is one, so that neither is there without the other.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use store::{Row, Statement, StoreError};

use crate::app::Parts;

/// What was done or seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    LogIn,
    LogInRefused,
    LogOut,
    Confirmed,
    IdentityStarted,
    AddingStarted,
    PhoneLost,
    CredentialRevoked,
    ListViewed,
    PersonViewed,
    RecordViewed,
    PersonChanged,
    PersonLeft,
    RecordChanged,
    RecordEnded,
    RecordDeleted,
    AuditViewed,
    AuditExported,
    ToTellViewed,
    ToldAnotherWay,
    MailSentAgain,
    ReviewsViewed,
    IdentityAccepted,
    IdentityRefused,
}

impl Kind {
    pub(crate) const ALL: [Self; 24] = [
        Self::LogIn,
        Self::LogInRefused,
        Self::LogOut,
        Self::Confirmed,
        Self::IdentityStarted,
        Self::AddingStarted,
        Self::PhoneLost,
        Self::CredentialRevoked,
        Self::ListViewed,
        Self::PersonViewed,
        Self::RecordViewed,
        Self::PersonChanged,
        Self::PersonLeft,
        Self::RecordChanged,
        Self::RecordEnded,
        Self::RecordDeleted,
        Self::AuditViewed,
        Self::AuditExported,
        Self::ToTellViewed,
        Self::ToldAnotherWay,
        Self::MailSentAgain,
        Self::ReviewsViewed,
        Self::IdentityAccepted,
        Self::IdentityRefused,
    ];

    /// Its text in the catalogue.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::LogIn => "audit-log-in",
            Self::LogInRefused => "audit-log-in-refused",
            Self::LogOut => "audit-log-out",
            Self::Confirmed => "audit-confirmed",
            Self::IdentityStarted => "audit-identity-started",
            Self::AddingStarted => "audit-adding-started",
            Self::PhoneLost => "audit-phone-lost",
            Self::CredentialRevoked => "audit-credential-revoked",
            Self::ListViewed => "audit-list-viewed",
            Self::PersonViewed => "audit-person-viewed",
            Self::RecordViewed => "audit-record-viewed",
            Self::PersonChanged => "audit-person-changed",
            Self::PersonLeft => "audit-person-left",
            Self::RecordChanged => "audit-record-changed",
            Self::RecordEnded => "audit-record-ended",
            Self::RecordDeleted => "audit-record-deleted",
            Self::AuditViewed => "audit-audit-viewed",
            Self::AuditExported => "audit-audit-exported",
            Self::ToTellViewed => "audit-to-tell-viewed",
            Self::ToldAnotherWay => "audit-told-another-way",
            Self::MailSentAgain => "audit-mail-sent-again",
            Self::ReviewsViewed => "audit-reviews-viewed",
            Self::IdentityAccepted => "audit-identity-accepted",
            Self::IdentityRefused => "audit-identity-refused",
        }
    }

    /// Its stable code, as rows and files have it.
    pub(crate) fn code(self) -> &'static str {
        let key = self.key();
        key.strip_prefix("audit-").unwrap_or(key)
    }

    fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// The HR office, which has no log-in of its own.
pub(crate) const HR: &str = "hr";
/// The feed of people and records.
pub(crate) const FEED: &str = "feed";
/// The desk, which revokes behind the pages; the migrations write its rows.
pub(crate) const DESK: &str = "desk";
/// Somebody who is not logged in.
pub(crate) const ANYBODY: &str = "anybody";

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Counts upwards.
    pub(crate) id: i64,
    pub(crate) at: Timestamp,
    pub(crate) kind: Kind,
    /// An employee's id, [`HR`], [`FEED`], [`DESK`] or [`ANYBODY`].
    pub(crate) actor: String,
    /// An employee's id; nothing where it is about everybody.
    pub(crate) about: Option<String>,
    pub(crate) record: Option<String>,
    /// A code: how somebody logged in, why a credential is revoked.
    pub(crate) detail: Option<String>,
}

/// A row to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Act<'a> {
    pub(crate) kind: Kind,
    pub(crate) actor: &'a str,
    pub(crate) about: Option<&'a str>,
    pub(crate) record: Option<&'a str>,
    pub(crate) detail: Option<&'a str>,
}

impl<'a> Act<'a> {
    /// Of this person about themselves.
    pub(crate) fn own(kind: Kind, employee: &'a str) -> Self {
        Self {
            about: Some(employee),
            ..Self::by(employee, kind)
        }
    }

    /// Of this actor, about nobody yet.
    pub(crate) fn by(actor: &'a str, kind: Kind) -> Self {
        Self {
            kind,
            actor,
            about: None,
            record: None,
            detail: None,
        }
    }

    #[must_use]
    pub(crate) fn about(self, employee: &'a str) -> Self {
        let about = Some(employee);
        Self { about, ..self }
    }

    #[must_use]
    pub(crate) fn of(self, record: &'a str) -> Self {
        let record = Some(record);
        Self { record, ..self }
    }

    #[must_use]
    pub(crate) fn with(self, detail: &'a str) -> Self {
        let detail = Some(detail);
        Self { detail, ..self }
    }

    /// For the batch of the act itself.
    pub(crate) fn statement(self, now: Timestamp) -> Statement {
        Statement::new(
            "INSERT INTO portal_audit (at, kind, actor, about, record, detail) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(now)
        .bind(self.kind.code())
        .bind(self.actor)
        .bind(self.about)
        .bind(self.record)
        .bind(self.detail)
    }

    /// Where nothing else is written: before it is shown.
    pub(crate) async fn write(self, parts: &Parts) -> Result<(), StoreError> {
        let statement = self.statement(parts.now());
        parts.store.write([statement]).await.map(drop)
    }
}

/// Somebody looked at a page that shows these people: a row about each of them, once, and one about nobody where it showed none.
pub(crate) async fn seen<'a>(
    parts: &Parts,
    viewer: &str,
    kind: Kind,
    people: impl Iterator<Item = &'a str>,
) -> Result<(), StoreError> {
    let now = parts.now();
    let seen = Act::by(viewer, kind);
    let people: BTreeSet<&str> = people.collect();
    let mut batch: Vec<Statement> = people
        .iter()
        .map(|person| seen.about(person).statement(now))
        .collect();
    if batch.is_empty() {
        batch.push(seen.statement(now));
    }
    parts.store.write(batch).await.map(drop)
}

/// A log-in under this user name was refused: a row about whoever has it, and none where nobody does. People type their
/// password where the name belongs.
pub(crate) fn refused(username: &str, why: &'static str, now: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO portal_audit (at, kind, actor, about, detail) \
         SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), id, CAST($4 AS TEXT) \
         FROM portal_employees WHERE username = $5 AND left_at IS NULL",
    )
    .bind(now)
    .bind(Kind::LogInRefused.code())
    .bind(ANYBODY)
    .bind(why)
    .bind(username)
}

impl Entry {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let text = |column| {
            row.optional_text(column)
                .map(|text| text.map(str::to_owned))
        };
        Ok(Self {
            id: row.integer("id")?,
            at: row.timestamp("at")?,
            kind: Kind::parse(row.text("kind")?).ok_or_else(|| StoreError::Column {
                column: "kind".to_owned(),
                wanted: "a kind of this version",
            })?,
            actor: row.text("actor")?.to_owned(),
            about: text("about")?,
            record: text("record")?,
            detail: text("detail")?,
        })
    }
}

impl Parts {
    /// The newest rows below this id, of or about this employee where one is named.
    pub(crate) async fn audit(
        &self,
        employee: Option<&str>,
        below: i64,
        most: i64,
    ) -> Result<Vec<Entry>, StoreError> {
        let whose = employee.map_or("", |_| "AND (about = $3 OR actor = $3)");
        let sql = format!(
            "SELECT id, at, kind, actor, about, record, detail FROM portal_audit \
             WHERE id < $1 {whose} ORDER BY id DESC LIMIT $2"
        );
        let select = Statement::new(sql).bind(below).bind(most);
        let select = match employee {
            Some(employee) => select.bind(employee),
            None => select,
        };
        let rows = self.store.read(select).await?;
        rows.iter().map(Entry::read).collect()
    }
}

/// Deletes what need not be kept any longer.
pub(crate) async fn tidy(parts: &Parts) -> Result<(), StoreError> {
    let kept = SignedDuration::from_hours(i64::from(parts.audit_days) * 24);
    let delete = Statement::new("DELETE FROM portal_audit WHERE at <= $1");
    let delete = delete.bind(parts.ago(kept));
    parts.store.write([delete]).await.map(drop)
}

/// The first line of the file.
fn csv_head() -> String {
    crate::feed::csv::line(&["when", "what", "who", "about", "record", "detail"])
}

/// All of it, or all of and about one employee, as a file.
pub(crate) async fn whole_csv(parts: &Parts, employee: Option<&str>) -> Result<String, StoreError> {
    let (mut text, mut below) = (csv_head(), i64::MAX);
    loop {
        let entries = parts.audit(employee, below, AT_ONCE).await?;
        text.extend(entries.iter().map(csv_line));
        match entries.last() {
            Some(last) => below = last.id,
            None => return Ok(text),
        }
    }
}

/// Rows read at once for the file.
const AT_ONCE: i64 = 5000;

/// One row as a line of the file.
fn csv_line(entry: &Entry) -> String {
    let held = |text: &Option<String>| text.clone().unwrap_or_default();
    crate::feed::csv::line(&[
        &entry.at.to_string(),
        entry.kind.code(),
        &entry.actor,
        &held(&entry.about),
        &held(&entry.record),
        &held(&entry.detail),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_code_of_its_own_and_is_read_by_it() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.code()), Some(kind));
        }
        assert_eq!(Kind::parse("audit-log-in"), None);
    }
}
