//! Which limits hold at which address: one line for each route. A route that is not here is a small document.

use axum::http::StatusCode;

/// What is asked for, as far as limits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A relying party pushes a request.
    Push,
    /// A relying party wants a token, or what belongs to one.
    Token,
    /// A relying party revokes.
    Revoke,
    /// A relying party looks up what became of something.
    LookUp,
    /// A relying party signs in with an assertion, which must be remembered: no route of its own.
    Assertion,
    /// A browser begins.
    Authorize,
    /// A browser waits: the page, its status, its forms.
    Page,
    /// A wallet retrieves, or asks for what an access token opens.
    Wallet,
    /// A wallet redeems a code.
    WalletToken,
    /// A wallet presents.
    Presentation,
    /// The service of another wallet world tells what its wallet did.
    Callback,
    /// A wallet follows a short code: of so few characters that a wrong one counts as a guess.
    ShortCode,
    /// What is the same for everybody.
    Document,
}

/// What the requests from one address are counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Budget {
    BackChannel,
    Authorize,
    Pages,
    Wallets,
    Documents,
    /// Wrong secrets, codes and tokens of relying parties.
    ClientFailures,
    /// Wrong codes and tokens of wallets.
    WalletFailures,
    /// Wrong tokens of operators.
    OperatorFailures,
}

/// One route, as the router has it, and what it is.
const ROUTES: &[(&str, Kind)] = &[
    ("/par", Kind::Push),
    ("/oidc/par", Kind::Push),
    ("/v2.0/oidc/par", Kind::Push),
    ("/v2/oidc/par", Kind::Push),
    ("/token", Kind::Token),
    ("/oidc/token", Kind::Token),
    ("/v2.0/oidc/token", Kind::Token),
    ("/v2/oidc/token", Kind::Token),
    ("/userinfo", Kind::Token),
    ("/revocation/revokecredential", Kind::Revoke),
    ("/api/revocation/revoke", Kind::Revoke),
    ("/outcomes", Kind::LookUp),
    ("/events", Kind::LookUp),
    ("/events/redeliver", Kind::LookUp),
    ("/authorize", Kind::Authorize),
    ("/oidc/authorize", Kind::Authorize),
    ("/v2.0/oidc/authorize", Kind::Authorize),
    ("/v2/oidc/authorize", Kind::Authorize),
    ("/oidc/authorizev1", Kind::Authorize),
    ("/interaction/{id}", Kind::Page),
    ("/interaction/{id}/status", Kind::Page),
    ("/interaction/{id}/code", Kind::Page),
    ("/interaction/{id}/restart", Kind::Page),
    ("/interaction/{id}/cancel", Kind::Page),
    ("/interaction/{id}/short-code", Kind::Page),
    ("/return", Kind::Page),
    ("/c/{code}", Kind::ShortCode),
    ("/w/{link}", Kind::Wallet),
    ("/r/{link}", Kind::Wallet),
    ("/r/{link}/response", Kind::Presentation),
    ("/o/{link}", Kind::Wallet),
    ("/entra/callback", Kind::Callback),
    ("/issuers/{organisation}/token", Kind::WalletToken),
    ("/issuers/{organisation}/nonce", Kind::Wallet),
    ("/issuers/{organisation}/credential", Kind::Wallet),
    ("/issuers/{organisation}/notification", Kind::Wallet),
];

const KIB: usize = 1024;

impl Kind {
    /// What is asked for at this route of the router's; `None` where no route matched.
    #[must_use]
    pub fn of(route: Option<&str>) -> Self {
        let found = ROUTES.iter().find(|(known, _)| Some(*known) == route);
        found.map_or(Self::Document, |(_, kind)| *kind)
    }

    /// The largest body, in bytes. Pushed drafts and key proofs stay far below theirs.
    #[must_use]
    pub fn largest_body(self) -> usize {
        match self {
            Self::Presentation | Self::Callback => 256 * KIB,
            Self::Push | Self::Wallet => 64 * KIB,
            Self::Token | Self::WalletToken | Self::Authorize => 16 * KIB,
            Self::Assertion
            | Self::Revoke
            | Self::LookUp
            | Self::Page
            | Self::ShortCode
            | Self::Document => 8 * KIB,
        }
    }

    /// Who asks for it, as a word for figures.
    #[must_use]
    pub fn asker(self) -> &'static str {
        match self.budget() {
            Budget::BackChannel | Budget::ClientFailures => "client",
            Budget::Wallets | Budget::WalletFailures => "wallet",
            Budget::Authorize | Budget::Pages => "person",
            Budget::OperatorFailures => "operator",
            Budget::Documents => "anybody",
        }
    }

    /// Whether a person reads the answer.
    #[must_use]
    pub fn is_for_people(self) -> bool {
        matches!(self, Self::Authorize | Self::Page)
    }

    /// Whether a wallet follows it, or a person who was sent or told it.
    #[must_use]
    pub fn is_a_link(self) -> bool {
        matches!(self, Self::ShortCode | Self::Wallet)
    }

    /// Whether servers or wallets ask, and no page of a browser's.
    #[must_use]
    pub fn is_for_programs(self) -> bool {
        self.failures().is_some()
    }

    pub(super) fn budget(self) -> Budget {
        match self {
            Self::Push | Self::Token | Self::Revoke | Self::LookUp | Self::Assertion => {
                Budget::BackChannel
            }
            Self::Authorize => Budget::Authorize,
            Self::Page => Budget::Pages,
            Self::Wallet
            | Self::WalletToken
            | Self::Presentation
            | Self::Callback
            | Self::ShortCode => Budget::Wallets,
            Self::Document => Budget::Documents,
        }
    }

    /// Where wrong secrets, codes and tokens are counted.
    pub(super) fn failures(self) -> Option<Budget> {
        match self.budget() {
            Budget::BackChannel => Some(Budget::ClientFailures),
            Budget::Wallets => Some(Budget::WalletFailures),
            _ => None,
        }
    }

    /// Whether that answer says that a secret, a code or a token was wrong.
    pub(super) fn is_failure(self, status: StatusCode) -> bool {
        status == StatusCode::UNAUTHORIZED
            || self == Self::WalletToken && status == StatusCode::BAD_REQUEST
            || self == Self::ShortCode && matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE)
    }
}
