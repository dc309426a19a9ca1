//! Status lists: a random index for each credential, and the published list that says which are revoked
//! [Token Status List].
//!
//! The database holds one row for each credential; a list is made from the revoked ones when somebody asks
//! for it and kept in memory until the next revocation. Indices are drawn at random, so that a list does not
//! tell who was issued what when; a list counts as full when eight draws in a row hit taken places, which
//! happens at about a quarter.

mod publish;

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

pub use publish::router;

use crate::app::App;
use crate::event;
use crate::organisation::Organisation;
use crate::random::Random;
use store::{Statement, Store, StoreError};

/// Entries of one list; rulings 22 allow up to 2^20.
pub const LIST_SIZE: i64 = 1 << 17;
/// How many draws may hit a taken place before the next list is opened.
pub const DRAWS: usize = 8;

/// The status lists of all organisations.
#[derive(Clone)]
pub struct Lists {
    base: String,
    store: Store,
    random: Random,
    cache: Arc<publish::Cache>,
}

/// What a list of this gateway says about one index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Issued and in force.
    Valid,
    /// Revoked.
    Revoked,
    /// No credential has this place: nobody should be presenting it.
    Unknown,
}

impl Lists {
    /// The lists in that store; `base` begins their addresses.
    pub fn new(base: String, store: Store, random: Random) -> Self {
        Self {
            base,
            store,
            random,
            cache: Arc::default(),
        }
    }

    /// The address of a list, as credentials and the list itself name it.
    pub fn uri(&self, organisation: &Organisation, list: i64) -> String {
        format!("{}/issuers/{}/status/{list}", self.base, organisation.id)
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

    /// The newest list of an organisation. The first is number 1.
    pub async fn current(&self, organisation: &Organisation) -> Result<i64, StoreError> {
        let select =
            Statement::new("SELECT MAX(list) AS list FROM status_lists WHERE organisation = $1");
        let row = self
            .store
            .read_one(select.bind(organisation.id.as_str()))
            .await?;
        if let Some(list) = row
            .map(|row| row.optional_integer("list"))
            .transpose()?
            .flatten()
        {
            return Ok(list);
        }
        self.open(organisation, 1).await?;
        Ok(1)
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

    /// Draws a place. Whether it is free shows when the credential's row is inserted; `draw` counts the draws
    /// for one credential, and after [`DRAWS`] of them the next list is opened.
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
        Ok((list, self.random.below(LIST_SIZE)))
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
            "SELECT revoked_at FROM credentials WHERE organisation = $1 AND list = $2 AND list_index = $3",
        );
        let row = self
            .store
            .read_one(select.bind(organisation).bind(list).bind(index))
            .await?;
        Ok(match row {
            None => Listed::Unknown,
            Some(row) if row.optional_integer("revoked_at")?.is_some() => Listed::Revoked,
            Some(_) => Listed::Valid,
        })
    }
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

/// Why a credential is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause<'a> {
    /// A relying party of its organisation asked for it, in these words.
    RelyingParty(&'a str),
    /// No relying party collected its token: nobody but the gateway knew its serial number.
    NotCollected,
    /// The authorization code was used a second time.
    CodeReplayed,
    /// The wallet gave it back, with this event.
    NotKept(&'a str),
}

impl Cause<'_> {
    /// The stable word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RelyingParty(_) => "relying-party",
            Self::NotCollected => "not-collected",
            Self::CodeReplayed => "code-replayed",
            Self::NotKept(_) => "not-kept",
        }
    }

    /// The sentence that is kept beside it: for the operator, since a relying party's may say anything.
    fn reason(self) -> String {
        match self {
            Self::RelyingParty(words) => words.to_owned(),
            Self::NotCollected => "not collected".to_owned(),
            Self::CodeReplayed => "code replayed".to_owned(),
            Self::NotKept(event) => format!("the wallet notified {event}"),
        }
    }
}

/// Revokes one credential of an organisation, once: the second time changes nothing. Belongs in one batch.
pub fn revoke_statements(
    organisation: &str,
    serial_number: Uuid,
    cause: Cause<'_>,
    now: Timestamp,
) -> Vec<Statement> {
    let serial = serial_number.to_string();
    // What follows asks whether the credential is in force. This holds its row until the batch is kept, so that of two
    // batches at once one finds it revoked.
    let hold = Statement::new(
        "UPDATE credentials SET list = list WHERE serial_number = $1 AND organisation = $2",
    );
    let [number, event] = event::revoked(organisation, serial_number, cause.code(), now);
    // The revision rises only if this batch is the one that revokes; hence it comes first.
    let revision = Statement::new(
        "UPDATE status_lists SET revision = revision + 1 WHERE organisation = $1 AND list = \
         (SELECT list FROM credentials WHERE serial_number = $2 AND organisation = $3 AND revoked_at IS NULL)",
    );
    let revoke = Statement::new(
        "UPDATE credentials SET revoked_at = $1, revocation_cause = $2, revocation_reason = $3 \
         WHERE serial_number = $4 AND organisation = $5 AND revoked_at IS NULL",
    );
    vec![
        hold.bind(serial.as_str()).bind(organisation),
        number,
        event,
        revision
            .bind(organisation)
            .bind(serial.as_str())
            .bind(organisation),
        revoke
            .bind(now.as_second())
            .bind(cause.code())
            .bind(cause.reason())
            .bind(serial.as_str())
            .bind(organisation),
    ]
}
