//! Status lists: a random place for each credential, and the published lists that say which are revoked or suspended
//! [Token Status List, Bitstring Status List].
//!
//! The database holds one row for each credential, for good; a list is made from the rows that do not count when somebody
//! asks for it, and kept in memory until the next change. Places are drawn at random, so that a list does not tell who was
//! issued what when; a list counts as full when eight draws in a row hit taken places, which happens at about a quarter.
//! One list is published in both forms: its places are the same.

mod change;
mod decoys;
mod entries;
mod figures;
mod publish;
mod revisions;

use std::sync::Arc;

use jiff::Timestamp;
use standards::status_list::{Entry, Purpose, StatusReference};

pub use change::{
    Cause, Reason, hold, only_first, reinstate_statements, revoke_by_itself, revoke_statements,
    suspend_statements,
};
pub use figures::{Figures, figures};
pub use publish::router;

use crate::app::App;
use crate::organisation::Organisation;
use crate::random::Random;
use crate::seal::Seal;
use store::{Statement, Store, StoreError};

/// Entries of one list; rulings 22 allow up to 2^20, the W3C's standard requires no fewer than these.
pub const LIST_SIZE: i64 = 1 << 17;
/// How many draws may hit a taken place before the next list is opened.
pub const DRAWS: usize = 8;

/// The status lists of all organisations.
#[derive(Clone)]
pub struct Lists {
    base: String,
    store: Store,
    random: Random,
    seal: Seal,
    ground: Arc<entries::Ground>,
    revisions: Arc<revisions::Revisions>,
    cache: Arc<publish::Cache>,
}

/// What a list of this gateway says about one index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Issued and in force.
    Valid,
    /// Revoked, for good.
    Revoked,
    /// Suspended, for the time being.
    Suspended,
    /// No credential has this place: nobody should be presenting it.
    Unknown,
}

impl Lists {
    /// The lists in that store; `base` begins their addresses.
    pub fn new(base: String, store: Store, random: Random, seal: Seal) -> Self {
        Self {
            base,
            store,
            random,
            seal,
            ground: Arc::default(),
            revisions: Arc::default(),
            cache: Arc::default(),
        }
    }

    /// The address of a list, as credentials and the list itself name it.
    pub fn uri(&self, organisation: &Organisation, list: i64) -> String {
        format!("{}/issuers/{}/status/{list}", self.base, organisation.id)
    }

    /// The address of a list in the W3C's form, which has one bit for each entry and hence a list for each purpose.
    pub fn bitstring_uri(
        &self,
        organisation: &Organisation,
        list: i64,
        purpose: Purpose,
    ) -> String {
        format!("{}/{}", self.uri(organisation, list), purpose.name())
    }

    /// A place as credentials name it.
    pub fn reference(
        &self,
        organisation: &Organisation,
        (list, index): (i64, i64),
    ) -> StatusReference {
        StatusReference {
            index: u64::try_from(index).unwrap_or_default(),
            uri: self.uri(organisation, list),
        }
    }

    /// The same place as credentials name it in the W3C's form.
    pub fn entries(&self, organisation: &Organisation, (list, index): (i64, i64)) -> Vec<Entry> {
        let entry = |purpose| Entry {
            purpose,
            index: u64::try_from(index).unwrap_or_default(),
            credential: self.bitstring_uri(organisation, list, purpose),
        };
        [Purpose::Revocation, Purpose::Suspension].map(entry).into()
    }

    /// Whether an address is one of this gateway's lists: its organisation's id and number.
    pub fn parse_uri<'a>(&self, uri: &'a str) -> Option<(&'a str, i64)> {
        let (organisation, list) = uri
            .strip_prefix(&self.base)?
            .strip_prefix("/issuers/")?
            .split_once("/status/")?;
        let plain = !list.is_empty() && list.len() <= 9 && list.bytes().all(|b| b.is_ascii_digit());
        Some((organisation, list.parse().ok().filter(|_| plain)?))
    }

    /// Something was revoked, suspended or reinstated by this process: the next who asks for a list is told so. Without
    /// this it takes a second, as it does after a change by another process.
    pub fn changed(&self) {
        self.revisions.forget();
    }

    /// The newest list of an organisation that places may be drawn from. The first is number 1, and after a restore one
    /// that no list of before can be ([`restored`]).
    pub async fn current(&self, organisation: &Organisation) -> Result<i64, StoreError> {
        let select = Statement::new(
            "SELECT MAX(CASE WHEN organisation = '' THEN 0 ELSE list END) AS newest, \
             MAX(CASE WHEN organisation = '' THEN list ELSE 1 END) AS first \
             FROM status_lists WHERE organisation IN ($1, '')",
        );
        let select = select.bind(organisation.id.as_str());
        let (mut newest, mut first) = (0, 1);
        if let Some(row) = self.store.read_one(select).await? {
            newest = row.optional_integer("newest")?.unwrap_or(newest);
            first = row.optional_integer("first")?.unwrap_or(first);
        }
        if newest >= first {
            return Ok(newest);
        }
        self.open(organisation, first).await?;
        Ok(first)
    }

    /// Opens a list, unless another process has.
    pub async fn open(&self, organisation: &Organisation, list: i64) -> Result<(), StoreError> {
        let insert = Statement::new(
            "INSERT INTO status_lists (organisation, list, revision) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING",
        );
        self.store
            .write([insert.bind(organisation.id.as_str()).bind(list)])
            .await
            .map(drop)
    }

    /// Draws a place that is no decoy. Whether it is free shows when the credential's row is inserted; `draw` counts the
    /// draws for one credential, and after [`DRAWS`] of them the next list is opened.
    pub async fn allot(
        &self,
        organisation: &Organisation,
        draw: usize,
    ) -> Result<(i64, i64), StoreError> {
        let mut list = self.current(organisation).await?;
        if draw > 0 && draw.is_multiple_of(DRAWS) {
            list += 1;
            self.open(organisation, list).await?;
        }
        loop {
            let index = self.random.below(LIST_SIZE);
            // At least seven of eight places are none.
            if !self
                .ground
                .is_decoy(&self.seal, &organisation.id, list, index)
            {
                return Ok((list, index));
            }
        }
    }

    /// What one of this gateway's lists says now, read from the credentials themselves: a revocation counts
    /// at once for presentations to this gateway.
    pub async fn find(
        &self,
        organisation: &str,
        list: i64,
        index: i64,
    ) -> Result<Listed, StoreError> {
        let select = Statement::new(
            "SELECT revoked_at, suspended_at FROM credentials WHERE organisation = $1 AND list = $2 AND list_index = $3",
        );
        let row = self
            .store
            .read_one(select.bind(organisation).bind(list).bind(index))
            .await?;
        let Some(row) = row else {
            return Ok(Listed::Unknown);
        };
        Ok(if row.optional_integer("revoked_at")?.is_some() {
            Listed::Revoked
        } else if row.optional_integer("suspended_at")?.is_some() {
            Listed::Suspended
        } else {
            Listed::Valid
        })
    }
}

/// After a restore nobody gets a place on a list of before: credentials whose rows are gone may have it. Nor on one that was
/// opened after the backup, of which nothing is known any more; hence the first list from now on has the time for its number,
/// in steps of ten seconds, which no list can have reached that was counted up from the last. Written for no organisation, since
/// one that had no list then may have begun one since.
pub(crate) fn restored(now: Timestamp) -> [Statement; 2] {
    let first = now.as_second() / 10;
    let floor = "INSERT INTO status_lists (organisation, list, revision) \
                 SELECT '', CASE WHEN COALESCE(MAX(list), 0) >= $1 THEN MAX(list) + 1 ELSE $1 END, 0 FROM status_lists";
    // For programs before this one, which know of no such row.
    let each = "INSERT INTO status_lists (organisation, list, revision) \
                SELECT organisation, (SELECT MAX(list) FROM status_lists WHERE organisation = ''), 0 \
                FROM status_lists WHERE organisation <> '' GROUP BY organisation";
    [Statement::new(floor).bind(first), Statement::new(each)]
}

/// Whether the newest list of an organisation can be published now: makes it as a request for it would. The error is a
/// sentence for the operator.
pub async fn is_published(app: &App, organisation: &str) -> Result<(), String> {
    let select =
        Statement::new("SELECT MAX(list) AS list FROM status_lists WHERE organisation = $1");
    let row = app.store.read_one(select.bind(organisation)).await;
    let row = row.map_err(|error| error.to_string())?;
    let newest = row.map(|row| row.optional_integer("list")).transpose();
    match newest.map_err(|error| error.to_string())?.flatten() {
        // Nothing was issued yet.
        None => Ok(()),
        Some(list) => publish::make(app, organisation, list).await,
    }
}
