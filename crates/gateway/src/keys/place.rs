//! What a key is for, and what it may do at the moment.

use standards::jose::Algorithm;

/// Whose keys the gateway's own are: no organisation has an empty id.
pub const GATEWAY: &str = "";

/// What a key signs. Nothing signed for one purpose can pass for another (SEC-14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// The gateway's: ID tokens of dialect clients, and of whoever asks for RS256.
    IdTokenRs256,
    /// The gateway's: ID tokens of plain clients that ask for nothing else.
    IdTokenEs256,
    /// The gateway's: ID tokens of clients that ask for `EdDSA`.
    IdTokenEdDsa,
    /// The gateway's: checkpoints of the audit, and nothing else.
    Audit,
    /// An organisation's: credentials, and what links its DID to a domain.
    Credentials,
    /// An organisation's: status lists.
    Status,
    /// An organisation's: request objects.
    Requests,
}

impl KeyPurpose {
    /// Those of the gateway itself.
    pub const OF_GATEWAY: [Self; 4] = [
        Self::IdTokenRs256,
        Self::IdTokenEs256,
        Self::IdTokenEdDsa,
        Self::Audit,
    ];
    /// Those that sign ID tokens, which relying parties look for.
    pub const OF_ID_TOKENS: [Self; 3] =
        [Self::IdTokenRs256, Self::IdTokenEs256, Self::IdTokenEdDsa];
    /// Those of an organisation.
    pub const OF_ORGANISATION: [Self; 3] = [Self::Credentials, Self::Status, Self::Requests];

    /// Its name in the table and in names of keys.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IdTokenRs256 => "id-token-rs256",
            Self::IdTokenEs256 => "id-token-es256",
            Self::IdTokenEdDsa => "id-token-eddsa",
            Self::Audit => "audit",
            Self::Credentials => "credentials",
            Self::Status => "status",
            Self::Requests => "requests",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let all = Self::OF_GATEWAY.into_iter().chain(Self::OF_ORGANISATION);
        all.into_iter().find(|purpose| purpose.name() == name)
    }

    /// What a new key of this purpose signs with. An operator's own tools may have made another for an organisation.
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::IdTokenRs256 => Algorithm::RS256,
            Self::IdTokenEdDsa => Algorithm::EdDSA,
            Self::IdTokenEs256
            | Self::Audit
            | Self::Credentials
            | Self::Status
            | Self::Requests => Algorithm::ES256,
        }
    }

    /// Whether a key of that algorithm is one for this purpose. [SEC-10: one algorithm for each key of ID tokens]
    pub fn fits(self, algorithm: Algorithm) -> bool {
        match self {
            Self::IdTokenRs256 | Self::IdTokenEs256 | Self::IdTokenEdDsa | Self::Audit => {
                algorithm == self.algorithm()
            }
            Self::Credentials | Self::Status | Self::Requests => matches!(
                algorithm,
                Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA
            ),
        }
    }
}

/// Where one key signs and others come before and after it: one purpose of one owner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// An organisation's id, or [`GATEWAY`].
    pub owner: String,
    /// What its keys sign.
    pub purpose: KeyPurpose,
}

impl Place {
    /// The gateway's own places.
    pub fn of_gateway() -> [Self; 4] {
        KeyPurpose::OF_GATEWAY.map(|purpose| Self {
            owner: GATEWAY.to_owned(),
            purpose,
        })
    }

    /// The places of an organisation.
    pub fn of_organisation(id: &str) -> [Self; 3] {
        KeyPurpose::OF_ORGANISATION.map(|purpose| Self {
            owner: id.to_owned(),
            purpose,
        })
    }

    /// Reads `id-token-rs256` or `ORGANISATION.credentials`.
    pub fn parse(name: &str) -> Option<Self> {
        let (owner, purpose) = name.rsplit_once('.').unwrap_or((GATEWAY, name));
        Self::from_columns(owner, purpose)
    }

    /// The place that a row says, if this program knows it.
    pub(super) fn from_columns(owner: &str, purpose: &str) -> Option<Self> {
        let purpose = KeyPurpose::parse(purpose)?;
        let of_gateway = KeyPurpose::OF_GATEWAY.contains(&purpose);
        (of_gateway == (owner == GATEWAY)).then(|| Self {
            owner: owner.to_owned(),
            purpose,
        })
    }
}

/// Its name is also that of the first key that it had.
impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.owner != GATEWAY {
            write!(f, "{}.", self.owner)?;
        }
        f.write_str(self.purpose.name())
    }
}

/// What a key may do. It goes from one to the next and never back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Published, so that whoever keeps copies has it before it signs.
    Next,
    /// Signs.
    Active,
    /// Signs no more; what it signed holds.
    VerifyOnly,
    /// Gone: nothing that it signed is believed here any more.
    Removed,
    /// Gone, since somebody else may have it.
    Compromised,
}

impl State {
    const ALL: [Self; 5] = [
        Self::Next,
        Self::Active,
        Self::VerifyOnly,
        Self::Removed,
        Self::Compromised,
    ];

    /// Its name in the table and for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::VerifyOnly => "verify-only",
            Self::Removed => "removed",
            Self::Compromised => "compromised",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the public half stands in published documents, and what it signed counts.
    pub const fn is_published(self) -> bool {
        matches!(self, Self::Next | Self::Active | Self::VerifyOnly)
    }
}
