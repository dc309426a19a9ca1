//! What a relying party's developer hears when a request is at fault: a closed list of stable sentences.

use standards::oauth::error::ErrorCode;
use standards::oauth::form::FormError;
use standards::oauth::pkce::PkceError;

use crate::issue::draft::InvalidDraft;

/// A refused request: an OAuth error code and a sentence for the client's developer.
#[derive(Debug)]
pub struct Fault {
    /// The code.
    pub code: ErrorCode,
    /// The sentence.
    pub description: String,
}

impl Fault {
    fn new(code: ErrorCode, description: String) -> Self {
        Self { code, description }
    }
}

impl From<Rule> for Fault {
    fn from(rule: Rule) -> Self {
        Self::new(rule.code(), rule.sentence().to_owned())
    }
}

impl From<FormError> for Fault {
    fn from(error: FormError) -> Self {
        Self::new(ErrorCode::InvalidRequest, error.to_string())
    }
}

impl From<PkceError> for Fault {
    fn from(error: PkceError) -> Self {
        Self::new(ErrorCode::InvalidRequest, error.to_string())
    }
}

impl From<InvalidDraft> for Fault {
    fn from(error: InvalidDraft) -> Self {
        Self::new(error.oauth_error(), error.to_string())
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
            #[cfg(test)]
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
    // Who asks, and where the answer goes.
    ClientUnknown => InvalidRequest, "client_id is missing or unknown";
    RedirectMissing => InvalidRequest, "redirect_uri is missing";
    RedirectUnknown => InvalidRequest, "redirect_uri is not registered for this client";
    PushesOnly => InvalidRequest, "this client must push its authorization requests";
    RequestTooLong => InvalidRequest, "the request is too long for an address; push it";
    // What is asked, parameter by parameter.
    ResponseTypeMissing => InvalidRequest, "response_type is missing";
    ResponseType => UnsupportedResponseType, "response_type must be code";
    ResponseModeMissing => InvalidRequest, "response_mode is missing; it must be query";
    ResponseMode => InvalidRequest, "response_mode must be query";
    RequestObject => RequestNotSupported, "request objects are not read here; push the request";
    ForeignRequestUri => RequestUriNotSupported, "only a request_uri of this gateway is read, and it stands alone with client_id";
    Registration => RegistrationNotSupported, "registration is not read: the operator registers clients";
    PromptNone => InteractionRequired, "prompt=none is impossible: the employee's wallet must act";
    PromptNoneBeside => InvalidRequest, "prompt: none stands with no other value";
    PromptUnknown => InvalidRequest, "prompt must be login, consent or select_account, or several of them";
    MaxAge => InvalidRequest, "max_age must be a whole number of seconds";
    ClaimsTooLong => InvalidRequest, "claims is longer than 8192 bytes";
    ClaimsObject => InvalidRequest, "claims must be a JSON object [OIDC Core 5.5]";
    ClaimsPlace => InvalidRequest, "claims: id_token and userinfo must be objects of claim names";
    ClaimsWish => InvalidRequest, "claims: each claim is null or an object [OIDC Core 5.5.1]";
    ClaimsAcr => UnmetAuthenticationRequirements, "claims: no acr is given here, so none can be essential";
    ClaimsByValue => InvalidRequest, "claims: a claim cannot be asked for by value; compare it in the ID token";
    UiLocales => InvalidRequest, "ui_locales is longer than 256 characters";
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
    NonceMissing => InvalidRequest, "nonce is missing";
    NonceTooLong => InvalidRequest, "nonce is longer than 1024 bytes";
    StateTooLong => InvalidRequest, "state is longer than 1024 bytes";
    ChallengeMissing => InvalidRequest, "code_challenge is missing; send one with code_challenge_method=S256";
    // The credential to issue.
    HintWhenVerifying => InvalidRequest, "id_token_hint is for issuing; to issue, ask for scope issue.<type>";
    IssueUnpushed => InvalidRequest, "to issue, push the authorization request first";
    HintMissing => InvalidRequest, "id_token_hint is missing";
    HintStale => InvalidRequest, "id_token_hint: where it is not pushed, iat must be at most 10 minutes ago";
    SerialNumberStands => InvalidRequest, "id_token_hint: SerialNumber stands already; choose another or leave it out";
    // The token endpoint.
    GrantMissing => InvalidRequest, "grant_type is missing";
    Grant => UnsupportedGrantType, "grant_type must be authorization_code or client_credentials";
    ScopeOfClient => InvalidScope, "scope must be revocation with client_credentials";
    CodeMissing => InvalidRequest, "code is missing";
    Code => InvalidGrant, "the code is unknown, used, expired, or not yours";
    RedirectOther => InvalidGrant, "redirect_uri is not the one of the authorization request";
    VerifierWrong => InvalidGrant, "code_verifier does not fit the code_challenge";
    VerifierMissing => InvalidGrant, "code_verifier is missing";
    // Nothing that the client did.
    Unavailable => TemporarilyUnavailable, "the gateway cannot answer now; try again";
    Uncertain => TemporarilyUnavailable, "whether the code is used up is not known: do not send it again, ask /outcomes what became of it";
    TooSlow => TemporarilyUnavailable, "this took too long and may have been done all the same: see what became of it before you send it again";
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;
