//! Which revision each list has. The database says so and is asked twice a second at most, for all lists together, however
//! many want to know; a change that this process has made counts at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};

use store::{Statement, Store, StoreError};

/// For so long what was read is taken for true: a revocation by another process counts sooner than in a second.
const KEPT: SignedDuration = SignedDuration::from_millis(500);

type ByList = HashMap<String, HashMap<i64, i64>>;

#[derive(Default)]
pub(super) struct Revisions {
    known: RwLock<Arc<Known>>,
    /// Rises with every change of this process's own.
    changes: AtomicU64,
    looking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    revisions: ByList,
    /// When it was read, and how many own changes had been made by then.
    read: Option<(Timestamp, u64)>,
}

impl Revisions {
    /// The next who asks is told what the database says now.
    pub(super) fn forget(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// The revision of a list; `None` where there is no such list.
    pub(super) async fn find(
        &self,
        store: &Store,
        (organisation, list): (&str, i64),
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let mut known = self.known();
        if !self.is_fresh(&known, now) {
            // One looks, the others wait for what it finds. [SEC-26]
            let _turn = self.looking.lock().await;
            known = self.known();
            if !self.is_fresh(&known, now) {
                known = self.look(store, now).await?;
            }
        }
        let found = known
            .revisions
            .get(organisation)
            .and_then(|lists| lists.get(&list));
        if found.is_some() {
            return Ok(found.copied());
        }
        // Another process may have opened it within this second.
        let select = Statement::new(
            "SELECT revision FROM status_lists WHERE organisation = $1 AND list = $2",
        );
        let row = store.read_one(select.bind(organisation).bind(list)).await?;
        row.map(|row| row.integer("revision")).transpose()
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_fresh(&self, known: &Known, now: Timestamp) -> bool {
        known.read.is_some_and(|(at, changes)| {
            // A clock that was put back proves nothing.
            at <= now && now < at + KEPT && changes == self.changes.load(Ordering::SeqCst)
        })
    }

    async fn look(&self, store: &Store, now: Timestamp) -> Result<Arc<Known>, StoreError> {
        // Before the database is read: a change that is made meanwhile is looked for again.
        let changes = self.changes.load(Ordering::SeqCst);
        let select = Statement::new("SELECT organisation, list, revision FROM status_lists");
        let mut revisions = ByList::new();
        for row in store.read(select).await? {
            let (list, revision) = (row.integer("list")?, row.integer("revision")?);
            let name = row.text("organisation")?;
            match revisions.get_mut(name) {
                Some(lists) => drop(lists.insert(list, revision)),
                None => drop(revisions.insert(name.to_owned(), HashMap::from([(list, revision)]))),
            }
        }
        let known = Arc::new(Known {
            revisions,
            read: Some((now, changes)),
        });
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&known);
        Ok(known)
    }
}
