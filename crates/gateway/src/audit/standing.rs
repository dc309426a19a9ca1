//! How the chain stands at its end. It reads a few rows, so that it can be asked whenever somebody looks; [`verify`](super::verify)
//! reads all of them.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use standards::jose::Jwk;
use store::{Statement, Store, StoreError};

use super::{chain, checkpoint};

/// An entry gets its place within a second or so, where a gateway runs.
const LATE_PLACE: SignedDuration = SignedDuration::from_mins(5);
/// The head is signed once a day: two days are none missed, whatever the hour.
const LATE_CHECKPOINT: i32 = 2;

/// The end of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The position of the last entry that has a place.
    pub position: i64,
    /// Since when the oldest entry without one waits.
    pub waits_since: Option<Timestamp>,
    /// The day of the last checkpoint, and whether it is one of this gateway's and says what stands there.
    pub checkpoint: Option<(String, bool)>,
}

/// What is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The checkpoint of that day was not signed by this gateway, or something else stands there now.
    Broken(String),
    /// Since then entries have had no place.
    Waits(Timestamp),
    /// The last checkpoint is of that day, which is too long ago.
    Old(String),
    /// None was signed yet.
    Unsigned,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(day) => write!(
                f,
                "the checkpoint of {day} is not what this gateway signed, or not what stands there"
            ),
            Self::Waits(since) => {
                write!(f, "entries have no place in the chain since {since:.0}")
            }
            Self::Old(day) => write!(f, "the last signed checkpoint is of {day}"),
            Self::Unsigned => f.write_str("no checkpoint was signed yet"),
        }
    }
}

impl Standing {
    /// The worst that is wrong with it now.
    pub fn trouble(&self, now: Timestamp) -> Option<Trouble> {
        let late = |since: &Timestamp| now.duration_since(*since) > LATE_PLACE;
        if let Some((day, false)) = &self.checkpoint {
            return Some(Trouble::Broken(day.clone()));
        }
        if let Some(since) = self.waits_since.filter(late) {
            return Some(Trouble::Waits(since));
        }
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let is_old = |day: &str| {
            let day = day.parse::<jiff::civil::Date>().ok();
            let age = day.and_then(|day| Some(day.until(today).ok()?.get_days()));
            age.is_none_or(|days| days > LATE_CHECKPOINT)
        };
        match &self.checkpoint {
            Some((day, _)) => is_old(day).then(|| Trouble::Old(day.clone())),
            None => (self.position > 0).then_some(Trouble::Unsigned),
        }
    }
}

/// Looks at it.
pub async fn standing(store: &Store, issuer: &str, keys: &[Jwk]) -> Result<Standing, StoreError> {
    let waiting = Statement::new(
        "SELECT MIN(happened_at) AS oldest FROM audit_entries WHERE position IS NULL",
    );
    let waiting = store.read_one(waiting).await?;
    let waiting = waiting.map(|row| row.optional_timestamp("oldest"));
    let checkpoint = match checkpoint::last(store).await? {
        None => None,
        Some(last) => {
            let there = Statement::new("SELECT digest FROM audit_entries WHERE position = $1");
            let there = store.read_one(there.bind(last.position)).await?;
            let there = there.map(|row| {
                row.optional_blob("digest")
                    .map(|digest| digest.map(hex::encode))
            });
            // What retention removed is no longer there to be compared.
            let fits = match there.transpose()? {
                Some(digest) => digest.as_deref() == Some(last.digest.as_str()),
                None => last.position <= chain::horizon(store).await?.position,
            };
            let is_so = fits && last.signed(issuer, keys).is_some();
            Some((last.day, is_so))
        }
    };
    Ok(Standing {
        position: chain::head(store).await?.position,
        waits_since: waiting.transpose()?.flatten(),
        checkpoint,
    })
}
