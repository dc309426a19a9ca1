//! Mails that wait until a person lets them go. The revocation itself never does.

use std::fmt;

use jiff::Timestamp;
use store::{Row, Statement, StoreError};
use uuid::Uuid;

use crate::desk::Desk;

/// Whose mails, or which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldScope {
    /// Every mail to this employee, by the host's id.
    Employee(String),
    /// The mail about this credential.
    Credential(Uuid),
}

/// Why a mail is held back. A closed list, so that nobody writes down here what is nobody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldReason {
    /// Somebody wants to phone first.
    PhoneFirst,
    /// Somebody wants to tell the employee in person.
    TellInPerson,
    /// The employee asked for it.
    AskedByEmployee,
    /// It is not certain that the address is the employee's.
    AddressInDoubt,
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hold {
    /// Whose mails, or which.
    pub scope: HoldScope,
    /// Why.
    pub reason: HoldReason,
    /// Since when.
    pub held_at: Timestamp,
}

impl HoldReason {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::PhoneFirst,
        Self::TellInPerson,
        Self::AskedByEmployee,
        Self::AddressInDoubt,
    ];

    /// Its code, as it is stored and written on a wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::PhoneFirst => "phone-first",
            Self::TellInPerson => "tell-in-person",
            Self::AskedByEmployee => "asked-by-employee",
            Self::AddressInDoubt => "address-in-doubt",
        }
    }

    /// Reads a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl HoldScope {
    fn columns(&self) -> (&'static str, String) {
        match self {
            Self::Employee(employee) => ("employee", employee.clone()),
            Self::Credential(serial_number) => ("credential", serial_number.to_string()),
        }
    }
}

impl Desk {
    /// Holds back what is not accepted yet, and what is going to be written. A hold that is there already keeps its time
    /// and takes the new reason.
    pub async fn hold_mail(&self, scope: &HoldScope, reason: HoldReason) -> Result<(), StoreError> {
        let (kind, name) = scope.columns();
        let hold = Statement::new(
            "INSERT INTO connector_mail_holds (scope, name, reason, held_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (scope, name) DO UPDATE SET reason = excluded.reason",
        )
        .bind(kind)
        .bind(name)
        .bind(reason.code())
        .bind(self.now());
        self.0.store.write([hold]).await?;
        tracing::info!(scope = kind, %reason, "mail is held back");
        Ok(())
    }

    /// Lets it go again. True if it was held.
    pub async fn release_mail(&self, scope: &HoldScope) -> Result<bool, StoreError> {
        let (kind, name) = scope.columns();
        let release =
            Statement::new("DELETE FROM connector_mail_holds WHERE scope = $1 AND name = $2")
                .bind(kind)
                .bind(name);
        // A mail has its days from now on: it could not go out meanwhile.
        let from_now_on = Statement::new(match scope {
            HoldScope::Credential(_) => {
                "UPDATE connector_mails SET first_tried_at = NULL \
                 WHERE sent_at IS NULL AND failed_at IS NULL AND serial_number = $1"
            }
            HoldScope::Employee(_) => {
                "UPDATE connector_mails SET first_tried_at = NULL \
                 WHERE sent_at IS NULL AND failed_at IS NULL AND serial_number IN \
                 (SELECT serial_number FROM connector_credentials WHERE employee = $1)"
            }
        });
        let (_, name) = scope.columns();
        let batch = [release, from_now_on.bind(name)];
        let outcomes = self.0.store.write(batch).await?;
        self.wake();
        Ok(outcomes.iter().take(1).any(|outcome| outcome.changed > 0))
    }

    /// What is held back, the longest first.
    pub async fn mail_holds(&self) -> Result<Vec<Hold>, StoreError> {
        let select = Statement::new(
            "SELECT scope, name, reason, held_at FROM connector_mail_holds ORDER BY held_at, scope, name LIMIT 1000",
        );
        let rows = self.0.store.read(select).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<Hold, StoreError> {
    let unlike = |column: &str, wanted| StoreError::Column {
        column: column.to_owned(),
        wanted,
    };
    let name = row.text("name")?;
    let scope = match row.text("scope")? {
        "employee" => HoldScope::Employee(name.to_owned()),
        _ => HoldScope::Credential(
            Uuid::try_parse(name).map_err(|_| unlike("name", "a serial number"))?,
        ),
    };
    Ok(Hold {
        scope,
        reason: HoldReason::parse(row.text("reason")?)
            .ok_or_else(|| unlike("reason", "a reason for holding back"))?,
        held_at: row.timestamp("held_at")?,
    })
}
