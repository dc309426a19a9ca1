//! What can be done that is written down: a closed list with stable codes. A code once given is never given another meaning.

/// An act. A new one gets its row in [`Act::row`] and its place in [`Act::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the sentences of `row` say it
pub enum Act {
    OperatorAdded,
    OperatorRemoved,
    OperatorRoleChanged,
    OperatorTokenMade,
    OperatorTokenRevoked,
    OperatorSignInSetUp,
    OperatorSignInReset,
    OperatorPasswordChanged,
    OperatorSignedIn,
    OperatorSignedOut,
    OperatorSignInRefused,
    BreakGlassUsed,
    ProposalMade,
    ProposalApproved,
    ProposalDeclined,
    AuditExported,
    AuditPruned,
    RegistryChanged,
    ClientSecretMade,
    ClientSecretBesideAnother,
    ClientSecretEnded,
    OnboardingNoted,
    SigningKeyChanged,
    CredentialRevoked,
    CredentialSuspended,
    CredentialReinstated,
    CredentialViewed,
    InteractionViewed,
    ManyRevokedByOne,
    BulkRevocationBegun,
    BulkRevocationCounted,
    BulkRevocationChanged,
    HoldPlaced,
    HoldLifted,
    StorageSecretChanged,
    KeyPassphraseChanged,
    Restored,
    RestoreAccepted,
    BackupMade,
    RestoreDrilled,
    RetentionRun,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 41] = [
        Self::OperatorAdded,
        Self::OperatorRemoved,
        Self::OperatorRoleChanged,
        Self::OperatorTokenMade,
        Self::OperatorTokenRevoked,
        Self::OperatorSignInSetUp,
        Self::OperatorSignInReset,
        Self::OperatorPasswordChanged,
        Self::OperatorSignedIn,
        Self::OperatorSignedOut,
        Self::OperatorSignInRefused,
        Self::BreakGlassUsed,
        Self::ProposalMade,
        Self::ProposalApproved,
        Self::ProposalDeclined,
        Self::AuditExported,
        Self::AuditPruned,
        Self::RegistryChanged,
        Self::ClientSecretMade,
        Self::ClientSecretBesideAnother,
        Self::ClientSecretEnded,
        Self::OnboardingNoted,
        Self::SigningKeyChanged,
        Self::CredentialRevoked,
        Self::CredentialSuspended,
        Self::CredentialReinstated,
        Self::CredentialViewed,
        Self::InteractionViewed,
        Self::ManyRevokedByOne,
        Self::BulkRevocationBegun,
        Self::BulkRevocationCounted,
        Self::BulkRevocationChanged,
        Self::HoldPlaced,
        Self::HoldLifted,
        Self::StorageSecretChanged,
        Self::KeyPassphraseChanged,
        Self::Restored,
        Self::RestoreAccepted,
        Self::BackupMade,
        Self::RestoreDrilled,
        Self::RetentionRun,
    ];

    /// The stable code, what it means, and how grave it is for a log collector: 0 to 10 as CEF counts.
    #[rustfmt::skip]
    const fn row(self) -> (&'static str, &'static str, u8) {
        match self {
            Self::OperatorAdded => ("operator-added", "An operator was added", 5),
            Self::OperatorRemoved => ("operator-removed", "An operator was removed", 5),
            Self::OperatorRoleChanged => ("operator-role-changed", "An operator was given another role", 6),
            Self::OperatorTokenMade => ("operator-token-made", "An operator's token was made", 5),
            Self::OperatorTokenRevoked => ("operator-token-revoked", "An operator's token was revoked", 4),
            Self::OperatorSignInSetUp => ("operator-sign-in-set-up", "An operator set up a password and an authenticator", 5),
            Self::OperatorSignInReset => ("operator-sign-in-reset", "An operator's password and authenticator were forgotten", 6),
            Self::OperatorPasswordChanged => ("operator-password-changed", "An operator changed their password", 4),
            Self::OperatorSignedIn => ("operator-signed-in", "An operator signed in", 3),
            Self::OperatorSignedOut => ("operator-signed-out", "An operator signed out", 2),
            Self::OperatorSignInRefused => ("operator-sign-in-refused", "Somebody could not sign in as an operator", 6),
            Self::BreakGlassUsed => ("break-glass-used", "The account for emergencies was used", 9),
            Self::ProposalMade => ("proposal-made", "Something was proposed that a second person must approve", 4),
            Self::ProposalApproved => ("proposal-approved", "A second person approved a proposal, and it was done", 6),
            Self::ProposalDeclined => ("proposal-declined", "A proposal was declined", 4),
            Self::AuditExported => ("audit-exported", "The audit was exported", 3),
            Self::AuditPruned => ("audit-pruned", "Entries older than the retention period were removed", 4),
            Self::RegistryChanged => ("registry-changed", "An organisation, a relying party or a credential type was declared, changed or removed", 6),
            Self::ClientSecretMade => ("client-secret-made", "A secret of a relying party was made", 5),
            Self::ClientSecretBesideAnother => ("client-secret-beside-another", "A live relying party has one more secret: its contact should know of it", 7),
            Self::ClientSecretEnded => ("client-secret-ended", "A secret of a relying party was ended", 5),
            Self::OnboardingNoted => ("onboarding-noted", "An item of a relying party's checklist was settled", 3),
            Self::SigningKeyChanged => ("signing-key-changed", "A signing key has another state", 7),
            Self::CredentialRevoked => ("credential-revoked", "A credential was revoked", 5),
            Self::CredentialSuspended => ("credential-suspended", "A credential was suspended", 5),
            Self::CredentialReinstated => ("credential-reinstated", "A suspended credential was reinstated", 5),
            Self::CredentialViewed => ("credential-viewed", "Somebody looked at how a credential stands", 2),
            Self::InteractionViewed => ("interaction-viewed", "Somebody looked at what became of an interaction", 2),
            Self::ManyRevokedByOne => ("many-revoked-by-one", "One person revokes many credentials, one by one", 9),
            Self::BulkRevocationBegun => ("bulk-revocation-begun", "A revocation of many credentials was begun", 8),
            Self::BulkRevocationCounted => ("bulk-revocation-counted", "Serial numbers were uploaded to be revoked, and counted", 4),
            Self::BulkRevocationChanged => ("bulk-revocation-changed", "A revocation of many credentials was paused, resumed, stopped or given another pace", 6),
            Self::HoldPlaced => ("hold-placed", "A legal hold was placed", 5),
            Self::HoldLifted => ("hold-lifted", "A legal hold was lifted", 6),
            Self::StorageSecretChanged => ("storage-secret-changed", "What an earlier storage secret sealed was sealed with the one in use", 7),
            Self::KeyPassphraseChanged => ("key-passphrase-changed", "Key files that an earlier passphrase closed were closed with the one in use", 7),
            Self::Restored => ("restored", "The database was restored from a backup: what came after the backup is not in it", 9),
            Self::RestoreAccepted => ("restore-accepted", "What a restore brought back into force was looked through and accepted", 7),
            Self::BackupMade => ("backup-made", "A backup was made", 3),
            Self::RestoreDrilled => ("restore-drilled", "What came of restoring a backup for a rehearsal was taken in", 4),
            Self::RetentionRun => ("retention-run", "What must not stay was removed at once, since somebody asked for it", 4),
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().0
    }

    /// What it means.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().1
    }

    /// How grave it is: 0 to 10.
    #[must_use]
    pub const fn severity(self) -> u8 {
        self.row().2
    }

    /// The act with that code, if this version has one.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_its_own_and_leads_back() {
        for act in Act::ALL {
            assert_eq!(Act::of_code(act.code()), Some(act));
            assert!(act.severity() <= 10);
        }
    }
}
