//! Why an interaction ended without what was asked for: a closed list, one code each.
//!
//! The same code stands in the database, the log, the wallet's answer and the operator's
//! figures; the relying party hears the OAuth error with a plain sentence, which an employee may read.

/// One reason. Its [`code`](Refusal::code) is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The person said no in the wallet.
    Declined,
    /// The person pressed Cancel on the waiting page.
    Cancelled,
    /// The half hour ended.
    Expired,
    /// The wallet deleted or could not keep the credential.
    NotKept,
    /// The wallet holds no credential that was asked for.
    CredentialMissing,
    /// The wallet sent a credential of another type.
    CredentialTypeWrong,
    /// The credential lacks a claim that was asked for, or has something there that is none.
    ClaimMissing,
    /// The credential's own time is over.
    CredentialExpired,
    /// The credential's time has not begun.
    CredentialNotYetValid,
    /// The issuer has cancelled the credential.
    CredentialRevoked,
    /// The issuer has suspended the credential.
    CredentialSuspended,
    /// No trust list of the organisation names the issuer for this type.
    IssuerNotTrusted,
    /// The credential's signature, or its issuer's key, does not hold.
    SignatureInvalid,
    /// The presentation is not signed by the person the credential was issued to.
    HolderBindingInvalid,
    /// The presentation answers another request.
    PresentationReplayed,
    /// The presentation is not in a form that the gateway reads.
    PresentationMalformed,
    /// Whether the credential is cancelled could not be found out: closed, not open.
    StatusUnknown,
    /// The issuer's keys could not be fetched.
    IssuerUnreachable,
    /// The wallet answered with an error of its own.
    WalletFailed,
    /// The request or offer was acted on after its five minutes.
    RequestExpired,
    /// The wallet sent a wrong transaction code too often.
    TransactionCodeWrong,
    /// The credentials shown together were not issued to one person.
    DifferentPeople,
    /// Between the push and the wallet, another credential took the serial number.
    SerialNumberTaken,
    /// The service through which the wallet is asked did not take the request.
    WalletServiceUnreachable,
}

/// What the waiting page can offer after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The person chose this.
    Declined,
    /// Another credential in the same wallet may do.
    WalletProblem,
    /// The credential itself is no good; only its issuer can help.
    CredentialUnusable,
    /// Nothing the person did.
    ServiceProblem,
    /// Time is over.
    Expired,
}

impl Refusal {
    /// Every refusal, for generated tables and for reading codes back.
    pub const ALL: [Self; 24] = [
        Self::Declined,
        Self::Cancelled,
        Self::Expired,
        Self::NotKept,
        Self::CredentialMissing,
        Self::CredentialTypeWrong,
        Self::ClaimMissing,
        Self::CredentialExpired,
        Self::CredentialNotYetValid,
        Self::CredentialRevoked,
        Self::CredentialSuspended,
        Self::IssuerNotTrusted,
        Self::SignatureInvalid,
        Self::HolderBindingInvalid,
        Self::PresentationReplayed,
        Self::PresentationMalformed,
        Self::StatusUnknown,
        Self::IssuerUnreachable,
        Self::WalletFailed,
        Self::RequestExpired,
        Self::TransactionCodeWrong,
        Self::DifferentPeople,
        Self::SerialNumberTaken,
        Self::WalletServiceUnreachable,
    ];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        self.row().0
    }

    /// What the page can offer.
    pub const fn kind(self) -> Kind {
        self.row().1
    }

    /// The sentence that relying parties get as `error_description` and wallets beside the code. Plain
    /// words, nothing personal: integrators are known to print it.
    pub const fn description(self) -> &'static str {
        self.row().2
    }

    /// The OAuth error code that the relying party gets.
    pub const fn oauth_error(self) -> &'static str {
        match (self, self.kind()) {
            // Trying again with the same draft cannot help.
            (Self::SerialNumberTaken, _) => "server_error",
            (_, Kind::ServiceProblem) => "temporarily_unavailable",
            _ => "access_denied",
        }
    }

    /// Whether the employee may try again in the same interaction.
    pub const fn may_try_again(self) -> bool {
        let kind = matches!(
            self.kind(),
            Kind::Declined | Kind::WalletProblem | Kind::ServiceProblem
        );
        kind && !matches!(self, Self::SerialNumberTaken)
    }

    /// Reads a code back.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.code() == code)
    }

    /// Code, kind, sentence: one line for each, so that the table reads as a table.
    #[rustfmt::skip]
    const fn row(self) -> (&'static str, Kind, &'static str) {
        use Kind::{CredentialUnusable, Declined, Expired, ServiceProblem, WalletProblem};
        match self {
            Self::Declined => ("declined", Declined, "user cancelled in the wallet"),
            Self::Cancelled => ("cancelled", Declined, "user cancelled on the page"),
            Self::Expired => ("expired", Expired, "request expired"),
            Self::NotKept => ("not-kept", Declined, "user cancelled: the wallet did not keep the credential"),
            Self::CredentialMissing => ("credential-missing", WalletProblem, "the wallet has no credential of this type"),
            Self::CredentialTypeWrong => ("credential-type-wrong", WalletProblem, "the wallet sent a credential of another type"),
            Self::ClaimMissing => ("claim-missing", WalletProblem, "the credential lacks information that was asked for"),
            Self::CredentialExpired => ("credential-expired", CredentialUnusable, "the credential has expired"),
            Self::CredentialNotYetValid => ("credential-not-yet-valid", CredentialUnusable, "the credential is not valid yet"),
            Self::CredentialRevoked => ("credential-revoked", CredentialUnusable, "the credential has been cancelled by its issuer"),
            Self::CredentialSuspended => ("credential-suspended", CredentialUnusable, "the credential has been suspended by its issuer"),
            Self::IssuerNotTrusted => ("issuer-not-trusted", CredentialUnusable, "the credential comes from an issuer that is not trusted for it"),
            Self::SignatureInvalid => ("signature-invalid", WalletProblem, "the credential's signature does not hold"),
            Self::HolderBindingInvalid => ("holder-binding-invalid", WalletProblem, "the credential was not presented by the person it was issued to"),
            Self::PresentationReplayed => ("presentation-replayed", WalletProblem, "the presentation answers another request"),
            Self::PresentationMalformed => ("presentation-malformed", WalletProblem, "the wallet's answer could not be read"),
            Self::StatusUnknown => ("status-unknown", ServiceProblem, "whether the credential is still valid cannot be checked now"),
            Self::IssuerUnreachable => ("issuer-unreachable", ServiceProblem, "the issuer's keys cannot be checked now"),
            Self::WalletFailed => ("wallet-failed", WalletProblem, "the wallet reported a problem"),
            Self::RequestExpired => ("request-expired", WalletProblem, "the wallet answered too late"),
            Self::TransactionCodeWrong => ("transaction-code-wrong", WalletProblem, "the wrong PIN was entered too often"),
            Self::DifferentPeople => ("different-people", WalletProblem, "the credentials were not issued to the same person"),
            Self::SerialNumberTaken => ("serial-number-taken", ServiceProblem, "a credential with this serial number was issued before"),
            Self::WalletServiceUnreachable => ("wallet-service-unreachable", ServiceProblem, "the service that the wallet works with cannot be reached now"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn every_refusal_is_read_back_from_its_code() {
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::parse(refusal.code()), Some(refusal));
        }
    }

    #[test]
    fn a_cancel_says_so_in_the_words_that_deployed_clients_look_for() {
        for refusal in Refusal::ALL
            .into_iter()
            .filter(|r| r.kind() == Kind::Declined)
        {
            assert!(
                refusal.description().starts_with("user cancelled"),
                "{}",
                refusal.code()
            );
            assert_eq!(refusal.oauth_error(), "access_denied");
        }
    }

    /// The page for integrators and operators; `cargo xtask generate` has this test write it.
    #[test]
    fn the_table_of_refusals_is_the_list() {
        let mut page = String::from(
            "# Why an interaction ends without what was asked for\n\n\
             Generated by `cargo xtask generate` from the gateway's own list; do not edit.\n\n\
             The code is stable: it stands in the database, the log and the wallet's answer. The relying party gets\n\
             the OAuth error as `error` and the sentence as `error_description`. The kind decides what the waiting page\n\
             offers. Declined: the person chose this. Wallet problem: another try, or another credential in the wallet, may\n\
             do. Credential unusable: only its issuer can help. Service problem: nothing the person did. Expired: time is\n\
             over.\n\n\
             | Code | Kind | OAuth error | Sentence |\n|---|---|---|---|\n",
        );
        for refusal in Refusal::ALL {
            let kind = match refusal.kind() {
                Kind::Declined => "declined",
                Kind::WalletProblem => "wallet problem",
                Kind::CredentialUnusable => "credential unusable",
                Kind::ServiceProblem => "service problem",
                Kind::Expired => "expired",
            };
            let (code, error) = (refusal.code(), refusal.oauth_error());
            let sentence = refusal.description();
            writeln!(page, "| `{code}` | {kind} | `{error}` | {sentence} |").unwrap();
        }
        let committed = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../docs/reference/refusals.md");
        if std::env::var_os("LANYARD_WRITE_REFERENCE").is_some() {
            std::fs::write(&committed, &page).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(&committed).unwrap_or_default(),
            page,
            "run `cargo xtask generate`"
        );
    }
}
