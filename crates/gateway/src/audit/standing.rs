//! How the chain stands at its end. It reads a few rows, so that it can be asked whenever somebody looks; [`verify`](super::verify)
//! reads all of them.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use standards::jose::Jwk;
use store::{Statement, Store, StoreError};

use super::compromised::Reported;
use super::{chain, checkpoint};

/// An entry gets its place within a second or so, where a gateway runs.
const LATE_PLACE: SignedDuration = SignedDuration::from_mins(5);
/// The head is signed once a day: two days are none missed, whatever the hour.
const LATE_CHECKPOINT: i32 = 2;
/// A gateway that runs signs the first within ten minutes.
const LATE_FIRST: SignedDuration = SignedDuration::from_hours(1);

/// The end of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The position of the last entry that has a place.
    pub position: i64,
    /// Since when the oldest entry without one waits.
    pub waits_since: Option<Timestamp>,
    /// The day of the last checkpoint, and whether it is one of this gateway's and says what stands there.
    pub checkpoint: Option<(String, bool)>,
    /// Whether the key that signed that one was reported compromised since.
    pub key_reported: bool,
    /// When the oldest entry happened; known only where there is no checkpoint.
    pub began: Option<Timestamp>,
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
    /// The checkpoint of that day, the last one, was signed with a key that was reported compromised since.
    KeyReported(String),
    /// None was signed yet, and the chain has only just begun.
    Unsigned,
    /// None was signed, although the chain began long ago.
    NeverSigned,
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
            Self::KeyReported(day) => write!(
                f,
                "the key that signed the checkpoint of {day} was reported compromised since: that checkpoint counts for nothing \
                 until another key signs the next day's"
            ),
            Self::Unsigned => f.write_str("no checkpoint was signed yet"),
            Self::NeverSigned => {
                f.write_str("no checkpoint was signed within an hour of the first entry")
            }
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
            Some((day, _)) if is_old(day) => Some(Trouble::Old(day.clone())),
            Some((day, _)) => self.key_reported.then(|| Trouble::KeyReported(day.clone())),
            None if self.position == 0 => None,
            None => {
                let is_new = |began: Timestamp| now.duration_since(began) <= LATE_FIRST;
                let unsigned = if self.began.is_some_and(is_new) {
                    Trouble::Unsigned
                } else {
                    Trouble::NeverSigned
                };
                Some(unsigned)
            }
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
    let (mut key_reported, mut began) = (false, None);
    let checkpoint = match checkpoint::last(store).await? {
        None => {
            let first = "SELECT happened_at FROM audit_entries WHERE position > 0 ORDER BY position LIMIT 1";
            let first = store.read_one(Statement::new(first)).await?;
            began = first.map(|row| row.timestamp("happened_at")).transpose()?;
            None
        }
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
            let is_signed = last.signed(issuer, keys).is_some();
            if !is_signed && let Some(kid) = last.kid() {
                // It is among the gateway's keys no more; its public half stands in the report.
                let report = Reported::find(store, &kid).await?;
                key_reported = report.is_some_and(|report| report.signed_before(&last, issuer));
            }
            Some((last.day, fits && (is_signed || key_reported)))
        }
    };
    Ok(Standing {
        position: chain::head(store).await?.position,
        waits_since: waiting.transpose()?.flatten(),
        checkpoint,
        key_reported,
        began,
    })
}
