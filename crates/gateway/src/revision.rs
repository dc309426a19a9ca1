//! What may change while several processes run on one database, and how each of them hears of it.
//!
//! Whoever changes something raises its number in the batch that changes it. Every process looks at the numbers once a
//! second, one small read, and reads anew what has another number than the one that it read last.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use store::{Statement, Store, StoreError};

/// Something that processes keep in memory and the database says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Which signing keys there are, and what each of them may do.
    Keys,
    /// Who may use the gateway, and for what.
    Registry,
}

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 2] = [Self::Keys, Self::Registry];

    /// Its name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Registry => "registry",
        }
    }
}

/// Belongs in the batch that changes the subject.
pub fn raise(subject: Subject) -> Statement {
    Statement::new(
        "INSERT INTO revisions (name, revision) VALUES ($1, 1) \
         ON CONFLICT (name) DO UPDATE SET revision = revisions.revision + 1",
    )
    .bind(subject.name())
}

/// The same in the batch of whoever decided by what was read when the number was `seen`. Unmet where anything of the subject
/// changed since: two changes may each hold, and not both.
pub fn raise_from(subject: Subject, seen: i64) -> Statement {
    let sql = "INSERT INTO revisions (name, revision) VALUES ($1, $2) \
               ON CONFLICT (name) DO UPDATE SET revision = excluded.revision WHERE revisions.revision = $3";
    let raise = Statement::new(sql).bind(subject.name());
    raise.bind(seen + 1).bind(seen).must_change(1)
}

/// The numbers as they stand; what never changed has 0. To be read before the subject itself: what changes in between
/// is then read twice, and not missed.
pub async fn find(store: &Store) -> Result<HashMap<Subject, i64>, StoreError> {
    let rows = store
        .read(Statement::new("SELECT name, revision FROM revisions"))
        .await?;
    let mut found: HashMap<Subject, i64> = Subject::ALL.map(|subject| (subject, 0)).into();
    for row in rows {
        let name = row.text("name")?;
        // A newer program's subject is none of ours.
        if let Some(subject) = Subject::ALL.into_iter().find(|one| one.name() == name) {
            found.insert(subject, row.integer("revision")?);
        }
    }
    Ok(found)
}

/// The numbers of what a process read last.
#[derive(Debug)]
pub(crate) struct Followed(Mutex<HashMap<Subject, i64>>);

impl From<HashMap<Subject, i64>> for Followed {
    fn from(read: HashMap<Subject, i64>) -> Self {
        Self(Mutex::new(read))
    }
}

impl Followed {
    /// The subjects that have another number than the one known, with it, in the order of [`Subject::ALL`].
    pub(crate) fn changed(&self, found: &HashMap<Subject, i64>) -> Vec<(Subject, i64)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = Subject::ALL.into_iter();
        all.filter_map(|subject| Some((subject, *found.get(&subject)?)))
            .filter(|(subject, number)| known.get(subject) != Some(number))
            .collect()
    }

    /// The subject was read with that number.
    pub(crate) fn keep(&self, subject: Subject, number: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(subject, number);
    }
}
