//! A record changes: what was issued from it must be revoked, and what is on its way must not be left in force.

use store::Statement;

use super::{Desk, Record};

/// Why a credential is revoked: the closed list that mails and pages have words for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The record says something else now.
    Corrected,
    /// What it was about ended earlier.
    EndedEarly,
    /// It should not have been there.
    AddedInError,
    /// A newer one takes its place.
    Replaced,
    /// Nobody learnt whether it reached the wallet.
    NotConfirmed,
    /// The wallet that held it is lost: with a phone, or with access to it.
    WalletLost,
    /// The gateway had revoked it before, and this side did not know.
    RevokedAtGateway,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 7] = [
        Self::Corrected,
        Self::EndedEarly,
        Self::AddedInError,
        Self::Replaced,
        Self::NotConfirmed,
        Self::WalletLost,
        Self::RevokedAtGateway,
    ];

    /// Its stable code, as rows and JSON have it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Corrected => "corrected",
            Self::EndedEarly => "ended-early",
            Self::AddedInError => "added-in-error",
            Self::Replaced => "replaced",
            Self::NotConfirmed => "not-confirmed",
            Self::WalletLost => "wallet-lost",
            Self::RevokedAtGateway => "revoked-at-gateway",
        }
    }

    /// Reads a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.code() == code)
    }

    /// What the gateway keeps beside the revocation.
    pub(super) const fn for_the_gateway(self) -> &'static str {
        match self {
            Self::Corrected => "The source record was corrected",
            Self::EndedEarly => "What it was about ended early",
            Self::AddedInError => "The source record was added in error",
            Self::Replaced => "A newer credential takes its place",
            Self::NotConfirmed => "Not confirmed to have reached the wallet",
            Self::WalletLost => "The wallet that held it was lost",
            Self::RevokedAtGateway => "Revoked at the gateway before",
        }
    }
}

/// The value of `tell` for a revocation: nobody is told that what has expired by itself does not work any more.
pub(super) fn tells(expires_at: &str, now: &str) -> String {
    format!("CASE WHEN {expires_at} <= CAST({now} AS BIGINT) THEN 0 ELSE 1 END")
}

/// The condition under which a credential no longer says what its record says. `$4` is the record's digest.
const SAYS_SOMETHING_ELSE: &str = " AND digest <> $4 AND digest <> ''";

impl Desk {
    /// What follows for the credentials when the host changes a record, as statements for the host's own batch: the
    /// record and the revocations are written together or not at all. `now_says` is what the record says after the
    /// change; `None` when it is gone. A change that the credential does not show revokes nothing.
    ///
    /// After the batch is written, [`Desk::wake`] saves a moment.
    pub fn record_changed(
        &self,
        record: &str,
        now_says: Option<&Record>,
        cause: Cause,
    ) -> Vec<Statement> {
        let digest = now_says.map(Record::digest);
        let condition = digest.as_ref().map_or("", |_| SAYS_SOMETHING_ELSE);
        let about = |statement: Statement| match &digest {
            Some(digest) => statement.bind(digest),
            None => statement,
        };
        let statements = self.revocations(&format!("record = $1{condition}"), record, cause);
        statements.map(about).into()
    }

    /// What is in a wallet is to be revoked, what is on its way is when it arrives. `which` is a condition on
    /// credentials, in which `$1` is `key`, and `$4` may be bound by the caller.
    ///
    /// Two statements, in this order: what is issued between them is found by the second.
    pub(super) fn revocations(&self, which: &str, key: &str, cause: Cause) -> [Statement; 2] {
        let about = |sql: String| {
            Statement::new(sql)
                .bind(key)
                .bind(self.now())
                .bind(cause.code())
        };
        // What did not reach a wallet as far as is known may yet: from the gateway's page, by going back to it.
        [
            about(format!(
                "UPDATE connector_credentials SET changed_at = $2, reason = $3 \
                 WHERE stage IN ('asked', 'checking', 'not-issued') AND changed_at IS NULL AND {which}"
            )),
            about(format!(
                "INSERT INTO connector_revocations (serial_number, reason, tell, wanted_at, attempts, next_at) \
                 SELECT serial_number, CAST($3 AS TEXT), {}, CAST($2 AS BIGINT), 0, CAST($2 AS BIGINT) \
                 FROM connector_credentials WHERE stage = 'issued' AND {which} \
                 ON CONFLICT (serial_number) DO NOTHING",
                tells("expires_at", "$2")
            )),
        ]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_has_one_code_in_rows_and_in_json() {
        for cause in Cause::ALL {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.code());
            assert_eq!(Cause::parse(cause.code()), Some(cause));
        }
        assert_eq!(Cause::parse("Corrected"), None);
    }
}
