//! What a relying party's developer hears when a request is at fault: a closed list of stable sentences.

use standards::oauth::error::ErrorCode;

/// A refused request: an OAuth error code and a sentence for the client's developer.
#[derive(Debug)]
pub struct Fault {
    /// The code.
    pub code: ErrorCode,
    /// The sentence.
    pub description: String,
}

impl Fault {
    pub(super) fn new(code: ErrorCode, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
        }
    }
}

impl From<Rule> for Fault {
    fn from(rule: Rule) -> Self {
        Self::new(rule.code(), rule.sentence())
    }
}

/// Each rule with its code and its sentence on one line, so that the table reads as a table.
macro_rules! rules {
    ($($name:ident => $code:ident, $sentence:literal;)*) => {
        /// A rule that a request broke.
        #[allow(missing_docs)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Rule { $($name,)* }

        impl Rule {
            /// Every rule, for the generated table.
            #[allow(dead_code)]
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The OAuth error code.
            pub const fn code(self) -> ErrorCode {
                match self { $(Self::$name => ErrorCode::$code,)* }
            }

            /// The sentence: stable, plain ASCII, and never with a value in it that somebody sent.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

rules! {
    ScopeMissing => InvalidRequest, "scope is missing";
    ScopeCharacter => InvalidScope, "scope has a character that a scope cannot have";
    ScopeTooLong => InvalidScope, "scope has more than 32 parts";
    ScopeUntidy => InvalidScope, "scope must name nothing twice and have one space between its parts";
    ScopeExternal => InvalidScope, "the scope external is not offered";
    ScopeWithoutOpenid => InvalidScope, "scope must contain openid";
    ScopeWithoutType => InvalidScope, "scope must name a credential type beside openid";
    ScopeMixed => InvalidScope, "scope must not mix issue.<type> with types to verify";
    ScopeSeveralToIssue => InvalidScope, "scope must name one issue.<type> only: one request issues one credential";
    ScopeTooManyTypes => InvalidScope, "scope must name at most 8 credential types";
    ScopeUnknownType => InvalidScope, "scope names something that is no credential type of this gateway";
    TypeNotIssued => InvalidScope, "your organisation does not issue this credential type";
    HintWhenVerifying => InvalidRequest, "id_token_hint is for issuing; to issue, ask for scope issue.<type>";
    HintMissing => InvalidRequest, "id_token_hint is missing";
    HintStale => InvalidRequest, "id_token_hint: where it is not pushed, iat must be at most 10 minutes ago";
    SerialNumberStands => InvalidRequest, "id_token_hint: SerialNumber stands already; choose another or leave it out";
    RequestTooLong => InvalidRequest, "the request is too long for an address; push it";
    IssueUnpushed => InvalidRequest, "to issue, push the authorization request first";
}
