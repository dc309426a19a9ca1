//! What the operator does to one credential: revoke, suspend, reinstate. The doors to it (command line, admin API,
//! console) know who acts; each hands over its own statements, such as a line of the audit, which are kept with the change
//! or not at all.
//!
//! After a change by this process, [`Lists::changed`](crate::status::Lists::changed) makes it count at once; where nobody
//! says so, and in every other process, it counts within a second.

use jiff::Timestamp;
use uuid::Uuid;

use crate::status::{self, Cause, Reason};
use store::{Statement, Store, StoreError};

/// One credential, as whoever acts names it.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The organisation that issued it.
    pub organisation: &'a str,
    /// Its serial number.
    pub serial_number: Uuid,
    /// Its type, where whoever acts may do so for one type only.
    pub credential_type: Option<&'a str>,
}

/// What is to become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// Revoke for good, with a note for the operator.
    Revoke(Reason, &'a str),
    /// Suspend for the time being.
    Suspend(Reason),
    /// Put in force again what is suspended.
    Reinstate,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It is so now.
    Changed,
    /// It was so before; nothing was changed, and nothing that was handed over was kept.
    AlreadySo,
}

/// Why a credential was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// One answer for an unknown number, another organisation's and a wrong type: it tells nobody which (SEC-27).
    #[error("there is no such credential of this organisation")]
    NotFound,
    /// It is revoked, and that is for good.
    #[error("the credential is revoked: it can be neither suspended nor reinstated")]
    Revoked,
    /// The database.
    #[error("the change could not be stored; try again")]
    Store(#[from] StoreError),
}

impl ChangeError {
    /// A stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "credential-unknown",
            Self::Revoked => "credential-revoked",
            Self::Store(_) => "not-stored",
        }
    }
}

/// How a credential stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Issued and in force.
    InForce,
    /// Suspended.
    Suspended,
    /// Revoked.
    Revoked,
}

/// How a credential stands; `None` for an unknown number, another organisation's and a wrong type alike.
pub async fn find(store: &Store, target: Target<'_>) -> Result<Option<Standing>, StoreError> {
    let select = Statement::new(
        "SELECT credential_type, revoked_at, suspended_at FROM credentials \
         WHERE serial_number = $1 AND organisation = $2",
    );
    let select = select
        .bind(target.serial_number.to_string())
        .bind(target.organisation);
    let Some(row) = store.read_one(select).await? else {
        return Ok(None);
    };
    let its_type = row.text("credential_type")?;
    if target
        .credential_type
        .is_some_and(|wanted| wanted != its_type)
    {
        return Ok(None);
    }
    Ok(Some(if row.optional_integer("revoked_at")?.is_some() {
        Standing::Revoked
    } else if row.optional_integer("suspended_at")?.is_some() {
        Standing::Suspended
    } else {
        Standing::InForce
    }))
}

/// Makes one change, and keeps `also` with it; once more changes nothing and keeps nothing.
pub async fn change(
    store: &Store,
    target: Target<'_>,
    change: Change<'_>,
    also: Vec<Statement>,
    now: Timestamp,
) -> Result<Done, ChangeError> {
    let (organisation, serial_number) = (target.organisation, target.serial_number);
    let standing = find(store, target).await?.ok_or(ChangeError::NotFound)?;
    let mut batch = match (change, standing) {
        (Change::Revoke(..), Standing::Revoked)
        | (Change::Suspend(_), Standing::Suspended)
        | (Change::Reinstate, Standing::InForce) => return Ok(Done::AlreadySo),
        (_, Standing::Revoked) => return Err(ChangeError::Revoked),
        (Change::Revoke(reason, note), _) => {
            let cause = Cause::Operator(reason, note);
            status::revoke_statements(organisation, serial_number, cause, now)
        }
        (Change::Suspend(reason), _) => {
            status::suspend_statements(organisation, serial_number, reason, now)
        }
        (Change::Reinstate, _) => status::reinstate_statements(organisation, serial_number),
    };
    batch = status::only_first(batch);
    batch.extend(also);
    match store.write(batch).await {
        Ok(_) => Ok(Done::Changed),
        // Somebody else was first in between: how it stands now says what that means.
        Err(StoreError::Unmet { .. }) => match (change, find(store, target).await?) {
            (_, None) => Err(ChangeError::NotFound),
            (Change::Suspend(_) | Change::Reinstate, Some(Standing::Revoked)) => {
                Err(ChangeError::Revoked)
            }
            (..) => Ok(Done::AlreadySo),
        },
        Err(error) => Err(error.into()),
    }
}
