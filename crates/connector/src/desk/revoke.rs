//! Revoking because somebody asks for it: one credential, or everything of somebody who lost their wallet.

use store::{Outcome, Statement, StoreError};
use uuid::Uuid;

use super::{Cause, Desk, reference_of};

/// What comes of asking for a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoking {
    /// It is stored, and is carried out as soon as the gateway takes it; then the employee is told.
    Wanted,
    /// As far as is known it is in no wallet. Should it arrive after all, it is revoked at once.
    IfItArrives,
    /// It was asked for before, or is done; the first cause stays.
    Before,
    /// No credential of this serial number was ever asked for at this desk.
    Unknown,
}

impl Revoking {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::IfItArrives => "if-it-arrives",
            Self::Before => "before",
            Self::Unknown => "unknown",
        }
    }
}

/// How much is revoked of what an employee has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct RevokingAll {
    /// Credentials whose revocation is stored now.
    pub wanted: u64,
    /// Credentials that are in no wallet as far as is known, and are revoked if they arrive.
    pub if_they_arrive: u64,
}

impl Desk {
    /// Revoke one credential, for good. Safe to repeat.
    pub async fn revoke(&self, serial_number: Uuid, cause: Cause) -> Result<Revoking, StoreError> {
        let written = self.0.store.write(self.revoked(serial_number, cause));
        let changed = changed(&written.await?, 0);
        let number = serial_number.to_string();
        let revoking = match changed {
            RevokingAll { wanted: 1.., .. } => Revoking::Wanted,
            RevokingAll {
                if_they_arrive: 1..,
                ..
            } => Revoking::IfItArrives,
            _ => {
                let known = Statement::new(
                    "SELECT serial_number FROM connector_credentials WHERE serial_number = $1",
                );
                match self.0.store.read_one(known.bind(&number)).await? {
                    Some(_) => Revoking::Before,
                    None => Revoking::Unknown,
                }
            }
        };
        tracing::info!(
            reference = reference_of(&number),
            cause = cause.code(),
            revoking = revoking.code(),
            "a revocation was asked for"
        );
        self.wake();
        Ok(revoking)
    }

    /// Revoke everything that this employee has or is getting. Safe to repeat.
    ///
    /// With [`Cause::WalletLost`], the employee can add all of it again, without being asked what became of the copies:
    /// they are lost. Who they are has to be verified again first: what the lost wallet showed no longer counts.
    pub async fn revoke_all(
        &self,
        employee: &str,
        cause: Cause,
    ) -> Result<RevokingAll, StoreError> {
        let written = self.0.store.write(self.all_revoked(employee, cause));
        let all = changed(&written.await?, Self::held_up(employee, cause).len());
        let (wanted, if_they_arrive, cause) = (all.wanted, all.if_they_arrive, cause.code());
        tracing::info!(
            wanted,
            if_they_arrive,
            cause,
            "everything of an employee is to be revoked"
        );
        self.wake();
        Ok(all)
    }

    /// What [`Desk::revoke`] writes, for the host's own batch.
    pub fn revoked(&self, serial_number: Uuid, cause: Cause) -> Vec<Statement> {
        let number = serial_number.to_string();
        self.revocations("serial_number = $1", &number, cause)
            .into()
    }

    /// What [`Desk::revoke_all`] writes, for the host's own batch.
    pub fn all_revoked(&self, employee: &str, cause: Cause) -> Vec<Statement> {
        let mut batch = Self::held_up(employee, cause);
        batch.extend(self.revocations("employee = $1", employee, cause));
        if cause == Cause::WalletLost {
            let lost = Statement::new(
                "INSERT INTO connector_people (employee, first_name, wallet_lost_at) VALUES ($1, '', $2) \
                 ON CONFLICT (employee) DO UPDATE SET wallet_lost_at = excluded.wallet_lost_at",
            );
            batch.push(lost.bind(employee).bind(self.now()));
        }
        batch
    }

    /// Goes first: [`Desk::issue`] writes a credential in the batch that looks at this row. So a credential is there by
    /// then and is revoked, or it is asked for after this batch, when a lost wallet's identity counts no longer.
    fn held_up(employee: &str, cause: Cause) -> Vec<Statement> {
        if cause == Cause::WalletLost {
            return Self::identity_ended(employee).into();
        }
        let touch = Statement::new(
            "UPDATE connector_identities SET verified_at = verified_at WHERE employee = $1",
        );
        vec![touch.bind(employee)]
    }
}

/// `before` statements of the batch are about something else.
fn changed(written: &[Outcome], before: usize) -> RevokingAll {
    let nth = |n: usize| {
        let outcome = written.get(before + n);
        outcome.map_or(0, |outcome| outcome.changed)
    };
    RevokingAll {
        wanted: nth(1),
        if_they_arrive: nth(0),
    }
}
