//! The forms of the door as its description shows them. They are read one parameter at a time, in the order of the
//! rules (`request`, `token`), so that the first fault is the one that is told; nothing here reads anything.

use utoipa::{IntoParams, ToSchema};

use crate::openapi::ClientForm;

/// An authorization request [OIDC Core 3.1.2.1; RFC 9126 2.1].
#[derive(ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub struct AuthorizationForm {
    /// The client.
    client_id: String,
    /// `code`.
    #[schema(required = false)]
    response_type: String,
    /// `query`. The older contracts require it.
    #[schema(required = false)]
    response_mode: String,
    /// A registered address, byte for byte.
    #[schema(required = false)]
    redirect_uri: String,
    /// `openid` and the credential types to verify, or `issue.` and the one to issue.
    #[schema(required = false, example = "openid Identity")]
    scope: String,
    /// Comes back verbatim.
    #[schema(required = false)]
    state: String,
    /// Copied into the ID token.
    #[schema(required = false)]
    nonce: String,
    /// PKCE [RFC 7636].
    #[schema(required = false)]
    code_challenge: String,
    /// `S256`.
    #[schema(required = false)]
    code_challenge_method: String,
    /// When issuing: the draft, a JWT signed by the client.
    #[schema(required = false)]
    id_token_hint: String,
    /// `login`, `consent`, `select_account`; `none` is refused.
    #[schema(required = false)]
    prompt: String,
    /// Whole seconds. Every authentication is fresh.
    #[schema(required = false)]
    max_age: String,
    /// Languages for the pages, best first, 256 characters at most. What is no language tag, and languages that there are
    /// not, are passed over.
    #[schema(required = false)]
    ui_locales: String,
    /// Neither read, kept, logged nor shown: the wallet decides who the employee is.
    #[schema(required = false)]
    login_hint: String,
    /// Passed over: no `acr` is claimed, since nobody but the wallet knows how it was unlocked. One that is essential is
    /// asked for by `claims`, and refused.
    #[schema(required = false)]
    acr_values: String,
    /// Passed over: the pages fit any window.
    #[schema(required = false)]
    display: String,
    /// A wish for claims [OIDC Core 5.5].
    #[schema(required = false)]
    claims: String,
    /// A pushed request: then `client_id` is all that is read beside it.
    #[schema(required = false)]
    request_uri: String,
}

/// An authorization request with the client's own proof, if it does not come in the header.
#[derive(ToSchema)]
#[allow(dead_code)]
pub struct PushedForm {
    #[serde(flatten)]
    request: AuthorizationForm,
    #[serde(flatten)]
    client: ClientForm,
}

/// A code to exchange, or a wish for a token to revoke with.
#[derive(ToSchema)]
#[allow(dead_code)]
pub struct TokenForm {
    /// `authorization_code`, or `client_credentials` with the scope `revocation`.
    grant_type: String,
    /// The client.
    #[schema(required = false)]
    client_id: String,
    /// The code [RFC 6749 4.1.3].
    #[schema(required = false)]
    code: String,
    /// The same as in the authorization request.
    #[schema(required = false)]
    redirect_uri: String,
    /// PKCE [RFC 7636 4.5].
    #[schema(required = false)]
    code_verifier: String,
    /// `revocation`, with `client_credentials`.
    #[schema(required = false)]
    scope: String,
    #[serde(flatten)]
    client: ClientForm,
}
