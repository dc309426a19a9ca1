//! Who may do what: one table of roles and rights. `docs/reference/roles.md` is made from it.

use serde::{Deserialize, Serialize};

/// What an operator is there for (assurance and operations 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Looks, and changes nothing.
    Viewer,
    /// Answers employees and relying parties who ask why something failed.
    Desk,
    /// Runs organisations and relying parties, and revokes.
    Operator,
    /// Looks after the signing keys.
    KeyCustodian,
    /// Says who the operators are, and everything that an operator may.
    Administrator,
    /// Reads everything, the audit as well, and changes nothing.
    Auditor,
}

use Role::{Administrator, Auditor, Desk, KeyCustodian, Operator, Viewer};

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [Viewer, Desk, Operator, KeyCustodian, Administrator, Auditor];

    /// Its name, as the API, the command line and the audit write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Viewer => "viewer",
            Desk => "desk",
            Operator => "operator",
            KeyCustodian => "key-custodian",
            Administrator => "administrator",
            Auditor => "auditor",
        }
    }

    /// The role with that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether it has that right.
    #[must_use]
    pub fn may(self, right: Right) -> bool {
        let mut rows = MATRIX.iter();
        rows.any(|(known, roles)| *known == right && roles.contains(&self))
    }
}

/// What a route or a proposed act asks for. A new one gets its row in [`Right::row`] and in [`MATRIX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the sentences of `row` say it
pub enum Right {
    Own,
    GatewayRead,
    OperatorsRead,
    OperatorsChange,
    ProposalsRead,
    ProposalsMake,
    ProposalsDecide,
    AuditRead,
    AuditExport,
    RegistryRead,
    RegistryChange,
    KeysRead,
    KeysChange,
    CredentialsRead,
    CredentialsRevoke,
    HoldsRead,
    HoldsChange,
    InteractionsRead,
    FiguresRead,
}

/// Everybody.
const ANYBODY: &[Role] = &Role::ALL;

/// Which roles have which right.
const MATRIX: &[(Right, &[Role])] = &[
    (Right::Own, ANYBODY),
    (Right::GatewayRead, ANYBODY),
    (Right::OperatorsRead, &[Administrator, Auditor]),
    (Right::OperatorsChange, &[Administrator]),
    (
        Right::ProposalsRead,
        &[Operator, KeyCustodian, Administrator, Auditor],
    ),
    (
        Right::ProposalsMake,
        &[Operator, KeyCustodian, Administrator],
    ),
    (
        Right::ProposalsDecide,
        &[Operator, KeyCustodian, Administrator],
    ),
    (Right::AuditRead, &[Administrator, Auditor]),
    (Right::AuditExport, &[Administrator, Auditor]),
    (Right::RegistryRead, ANYBODY),
    (Right::RegistryChange, &[Operator, Administrator]),
    (
        Right::KeysRead,
        &[Viewer, Operator, KeyCustodian, Administrator, Auditor],
    ),
    // Not the administrator: who may change keys and who says who that is are two.
    (Right::KeysChange, &[KeyCustodian]),
    (
        Right::CredentialsRead,
        &[Viewer, Desk, Operator, Administrator, Auditor],
    ),
    (Right::CredentialsRevoke, &[Operator, Administrator]),
    (Right::HoldsRead, &[Operator, Administrator, Auditor]),
    (Right::HoldsChange, &[Administrator]),
    (
        Right::InteractionsRead,
        &[Viewer, Desk, Operator, Administrator, Auditor],
    ),
    (Right::FiguresRead, ANYBODY),
];

impl Right {
    /// Every right.
    pub const ALL: [Self; 19] = [
        Self::Own,
        Self::GatewayRead,
        Self::OperatorsRead,
        Self::OperatorsChange,
        Self::ProposalsRead,
        Self::ProposalsMake,
        Self::ProposalsDecide,
        Self::AuditRead,
        Self::AuditExport,
        Self::RegistryRead,
        Self::RegistryChange,
        Self::KeysRead,
        Self::KeysChange,
        Self::CredentialsRead,
        Self::CredentialsRevoke,
        Self::HoldsRead,
        Self::HoldsChange,
        Self::InteractionsRead,
        Self::FiguresRead,
    ];

    /// The stable code, and what it lets one do.
    #[rustfmt::skip]
    const fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::Own => ("own", "See who one is; sign in and set that up; make and revoke one's own tokens"),
            Self::GatewayRead => ("gateway-read", "See whether the gateway can do its work, and what its set-up lacks"),
            Self::OperatorsRead => ("operators-read", "See who the operators are"),
            Self::OperatorsChange => ("operators-change", "Remove operators and revoke their tokens; propose and approve new operators and roles; propose tokens, which their holders approve"),
            Self::ProposalsRead => ("proposals-read", "See what is proposed and what became of it"),
            Self::ProposalsMake => ("proposals-make", "Propose an act, where one has the right that the act asks for"),
            Self::ProposalsDecide => ("proposals-decide", "Approve or decline another person's proposal, where one has the right that the act asks for"),
            Self::AuditRead => ("audit-read", "Read the audit and check its chain"),
            Self::AuditExport => ("audit-export", "Export the audit"),
            Self::RegistryRead => ("registry-read", "See organisations, relying parties, credential types and checklists; plan a change"),
            Self::RegistryChange => ("registry-change", "Declare, change and remove organisations, relying parties and credential types; make and end client secrets; settle items of a checklist; propose and approve what a live one proves itself by, where its browsers go and whom its organisation trusts"),
            Self::KeysRead => ("keys-read", "See the signing keys, what each may do and what still needs it"),
            Self::KeysChange => ("keys-change", "Make, activate and retire signing keys; take a compromised one out at once; propose and approve the removal of one"),
            Self::CredentialsRead => ("credentials-read", "Find a credential by its serial number, and revocations of many"),
            Self::CredentialsRevoke => ("credentials-revoke", "Revoke, suspend and reinstate a credential; propose, approve, pause and stop a revocation of many"),
            Self::HoldsRead => ("holds-read", "See what is held, and what retention would remove"),
            Self::HoldsChange => ("holds-change", "Place and lift legal holds"),
            Self::InteractionsRead => ("interactions-read", "Find an interaction, and why something failed"),
            Self::FiguresRead => ("figures-read", "See figures"),
        }
    }

    /// The stable code: it stands in the OpenAPI document as `x-lanyard-right`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().0
    }

    /// What it lets one do.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        self.row().1
    }

    /// The right with that code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.code() == code)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn every_right_has_one_row_and_somebody() {
        for right in Right::ALL {
            let rows: Vec<_> = MATRIX.iter().filter(|(known, _)| *known == right).collect();
            assert_eq!(rows.len(), 1, "{right:?}");
            assert!(!rows[0].1.is_empty(), "{right:?}");
            assert_eq!(Right::of_code(right.code()), Some(right));
        }
        assert_eq!(MATRIX.len(), Right::ALL.len());
    }

    #[test]
    fn who_only_looks_changes_nothing() {
        for right in Right::ALL {
            let changes = ["change", "make", "decide", "revoke"]
                .iter()
                .any(|word| right.code().ends_with(word));
            assert!(
                !changes || !Viewer.may(right) && !Auditor.may(right) && !Desk.may(right),
                "{right:?}"
            );
        }
    }

    #[test]
    fn the_table_of_roles_is_what_the_code_says() {
        let mut page = String::from(
            "# Roles, and what each may do\n\n\
             Generated by `cargo xtask generate` from the gateway's own table; do not edit. What the roles are for stands in\n\
             [operators.md](../operate/operators.md). An operator of one organisation may do the same to what is that\n\
             organisation's, and finds nothing else. Each address of the admin API names the right that it asks for\n\
             (`x-lanyard-right` in [admin.openapi.json](admin.openapi.json)).\n\n| Right |",
        );
        for role in Role::ALL {
            write!(page, " {} |", role.name()).unwrap();
        }
        page.push_str(" What it lets one do |\n|---|");
        page.push_str(&"---|".repeat(Role::ALL.len() + 1));
        page.push('\n');
        for right in Right::ALL {
            write!(page, "| `{}` |", right.code()).unwrap();
            for role in Role::ALL {
                write!(page, " {} |", if role.may(right) { "yes" } else { "" }).unwrap();
            }
            writeln!(page, " {} |", right.sentence()).unwrap();
        }
        let committed =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/roles.md");
        if std::env::var_os("LANYARD_WRITE_REFERENCE").is_some() {
            std::fs::write(&committed, &page).unwrap();
        }
        let text = std::fs::read_to_string(&committed).unwrap_or_default();
        assert_eq!(text, page, "run `cargo xtask generate`");
    }
}
