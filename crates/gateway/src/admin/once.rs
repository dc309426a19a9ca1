//! That something is done once, however often it is sent: whoever sends it says a mark of their own choice, which is spent in the
//! batch of the act. For what makes a secret: a page that is loaded again must not make another one.

use jiff::{SignedDuration, Timestamp};
use store::{Statement, Store, StoreError};

use super::caller::digest_of;
use super::{Code, Operator, Problem};

/// How long a mark is remembered: longer than any session lasts.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
/// The shortest and the longest mark.
const LENGTH: std::ops::RangeInclusive<usize> = 16..=64;

/// The mark that came with a request, if one did.
pub(crate) struct Once(Option<[u8; 32]>);

impl Once {
    /// The member `once` of somebody's request: two operators may choose the same mark, and never hear of each other.
    pub(crate) fn said(mark: Option<&str>, by: &Operator) -> Result<Self, Problem> {
        let Some(mark) = mark else {
            return Ok(Self(None));
        };
        let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if !LENGTH.contains(&mark.len()) || !mark.bytes().all(is_one) {
            let reason = "it is a mark of 16 to 64 letters, digits, hyphens and underscores";
            return Err(Problem::field("once", reason));
        }
        Ok(Self(Some(digest_of(&format!("once:{}:{mark}", by.id)))))
    }

    /// Whether it is spent: refused before anything else is looked at, so that no code is used up for nothing.
    pub(crate) async fn check(&self, store: &Store) -> Result<(), Problem> {
        let Some(digest) = self.0 else {
            return Ok(());
        };
        let sql = "SELECT expires_at FROM spent_marks WHERE digest = $1";
        let spent = store.read_one(Statement::new(sql).bind(digest)).await?;
        spent.map_or(Ok(()), |_| Err(Code::DoneBefore.into()))
    }

    /// Spends it: belongs into the batch of the act. Of two at once the second is [`StoreError::Duplicate`].
    pub(crate) fn spend(&self, now: Timestamp) -> Option<Statement> {
        let sql = "INSERT INTO spent_marks (digest, expires_at) VALUES ($1, $2)";
        let spend = |digest| Statement::new(sql).bind(digest).bind(now + REMEMBERED);
        self.0.map(spend)
    }

    /// What a batch with it came to.
    pub(crate) fn refused(&self, error: StoreError) -> Problem {
        match error {
            StoreError::Duplicate { .. } if self.0.is_some() => Code::DoneBefore.into(),
            error => error.into(),
        }
    }
}
