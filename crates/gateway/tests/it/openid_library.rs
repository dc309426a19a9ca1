//! The crate `openidconnect` as a relying party: it knows OpenID Connect and nothing of ours. Discovery, the authorization
//! address, the code, and everything it checks of an ID token are its own. It has no pushed requests.
//!
//! Over http in the gateway's suite, over https in the program's.

use std::collections::HashMap;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType,
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthType, AuthorizationCode, Client as OidcClient, ClientId, ClientSecret,
    CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IdTokenClaims, IdTokenFields, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, RevocationErrorResponseType, Scope,
    StandardErrorResponse, StandardTokenIntrospectionResponse, StandardTokenResponse,
    TokenResponse,
};
use reqwest::Client;
use serde_json::Value;

/// What an ID token says of the employee.
#[derive(Debug, Clone, serde::Deserialize, serde::Serialize)]
pub(crate) struct Shared(pub(crate) HashMap<String, Value>);

impl AdditionalClaims for Shared {}

type Fields = IdTokenFields<
    Shared,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
pub(crate) type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type Configured = OidcClient<
    Shared,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    StandardTokenIntrospectionResponse<EmptyExtraTokenFields, CoreTokenType>,
    openidconnect::core::CoreRevocableToken,
    StandardErrorResponse<RevocationErrorResponseType>,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A relying party that is this library.
pub(crate) struct Library {
    configured: Configured,
    http: Client,
}

/// What the relying party keeps while the employee is at the gateway.
pub(crate) struct Asked {
    /// Where the employee is sent.
    pub(crate) address: String,
    pub(crate) state: String,
    pub(crate) nonce: Nonce,
    pub(crate) verifier: PkceCodeVerifier,
}

/// The library brings its own requests; they travel as those of this client.
async fn send(http: Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let response = http.execute(request.try_into()?).await?;
    let mut answer = HttpResponse::new(Vec::new());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = response.bytes().await?.to_vec();
    Ok(answer)
}

impl Library {
    /// Reads the discovery document; the client's id and secret are all that it is told besides.
    pub(crate) async fn discover(
        base: &str,
        (client_id, secret): (&str, &str),
        redirect_uri: &str,
        how: AuthType,
        http: Client,
    ) -> Self {
        let issuer = IssuerUrl::new(base.to_owned()).unwrap();
        let sender = |request| send(http.clone(), request);
        let metadata = CoreProviderMetadata::discover_async(issuer, &sender)
            .await
            .unwrap();
        let configured = OidcClient::from_provider_metadata(
            metadata,
            ClientId::new(client_id.to_owned()),
            Some(ClientSecret::new(secret.to_owned())),
        )
        .set_auth_type(how)
        .set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned()).unwrap());
        Self { configured, http }
    }

    /// Asks for a credential of that type.
    pub(crate) fn ask(&self, credential_type: &str) -> Asked {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (address, state, nonce) = self
            .configured
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new(credential_type.to_owned()))
            .add_prompt(CoreAuthPrompt::Login)
            .set_max_age(std::time::Duration::from_mins(1))
            .set_pkce_challenge(challenge)
            .url();
        Asked {
            address: address.into(),
            state: state.secret().clone(),
            nonce,
            verifier,
        }
    }

    /// Turns a code into tokens; the standards' own error, where that is what it hears.
    pub(crate) async fn redeem(
        &self,
        code: &str,
        verifier: &PkceCodeVerifier,
    ) -> Result<Tokens, CoreErrorResponseType> {
        let sender = |request| send(self.http.clone(), request);
        let verifier = PkceCodeVerifier::new(verifier.secret().clone());
        let outcome = self
            .configured
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .unwrap()
            .set_pkce_verifier(verifier)
            .request_async(&sender)
            .await;
        match outcome {
            Ok(tokens) => Ok(tokens),
            Err(RequestTokenError::ServerResponse(error)) => Err(error.error().clone()),
            Err(other) => panic!("not an OAuth error: {other}"),
        }
    }

    /// What the ID token says, if the library believes it.
    pub(crate) fn believe<'a>(
        &self,
        tokens: &'a Tokens,
        nonce: &Nonce,
    ) -> Option<&'a IdTokenClaims<Shared, CoreGenderClaim>> {
        let token = tokens.id_token().unwrap();
        let verifier = self.configured.id_token_verifier();
        token.claims(&verifier, nonce).ok()
    }
}

/// A verifier of another request.
pub(crate) fn another_verifier() -> PkceCodeVerifier {
    PkceCodeChallenge::new_random_sha256().1
}
