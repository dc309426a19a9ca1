//! The crate `openidconnect` as a relying party: it knows OpenID Connect and nothing of ours.
//!
//! Discovery, the authorization address, the code, and everything it checks of an ID token are its own. It has no
//! pushed requests; `tests/interop` has clients that have.

use std::collections::HashMap;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType,
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthType, AuthorizationCode, Client as OidcClient, ClientId, ClientSecret,
    CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IdTokenFields, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, RevocationErrorResponseType, Scope, StandardErrorResponse,
    StandardTokenIntrospectionResponse, StandardTokenResponse, TokenResponse,
};
use serde_json::Value;

use crate::world::{Browser, Party, REDIRECT_URI, World, client};

/// What an ID token says of the employee.
#[derive(Debug, Clone, serde::Deserialize, serde::Serialize)]
struct Shared(HashMap<String, Value>);

impl AdditionalClaims for Shared {}

type Fields = IdTokenFields<
    Shared,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type Library = OidcClient<
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

/// The library brings its own requests; they travel like all others here.
async fn send(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let response = client().execute(request.try_into()?).await?;
    let mut answer = HttpResponse::new(Vec::new());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = response.bytes().await?.to_vec();
    Ok(answer)
}

async fn discovered(world: &World, party: &Party, how: AuthType) -> Library {
    let issuer = IssuerUrl::new(world.base.clone()).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, &send)
        .await
        .unwrap();
    OidcClient::from_provider_metadata(
        metadata,
        ClientId::new(party.client_id.clone()),
        Some(ClientSecret::new(party.secret.clone())),
    )
    .set_auth_type(how)
    .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.to_owned()).unwrap())
}

/// What the relying party keeps between the two halves.
struct Journey {
    code: String,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// The employee goes to the gateway and comes back with a code; the library's `state` came back, too.
async fn journey(world: &World, library: &Library) -> Journey {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (address, state, nonce) = library
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scope(Scope::new("Identity".to_owned()))
        .add_prompt(CoreAuthPrompt::Login)
        .set_max_age(std::time::Duration::from_mins(1))
        .set_pkce_challenge(challenge)
        .url();
    let browser = Browser::new();
    let page = browser.open(address.as_str()).await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let back = browser.open(&page.url).await;
    assert_eq!(
        back.parameter("state").as_deref(),
        Some(state.secret().as_str())
    );
    Journey {
        code: back.code(),
        nonce,
        verifier,
    }
}

/// DW-02, DW-37.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_crate_openidconnect_verifies_an_identity_by_either_way_of_authentication() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let mut subjects = Vec::new();
    for how in [AuthType::BasicAuth, AuthType::RequestBody] {
        let library = discovered(&world, &party, how).await;
        let journey = journey(&world, &library).await;
        let tokens = library
            .exchange_code(AuthorizationCode::new(journey.code))
            .unwrap()
            .set_pkce_verifier(journey.verifier)
            .request_async(&send)
            .await
            .unwrap();
        let claims = tokens
            .id_token()
            .unwrap()
            .claims(&library.id_token_verifier(), &journey.nonce)
            .unwrap();
        assert_eq!(
            claims.additional_claims().0["Identity.ID-LegalSurname"],
            "Taylor"
        );
        assert!(claims.auth_time().is_some(), "it asked for max_age");
        subjects.push(claims.subject().to_string());
    }
    assert_eq!(
        subjects[0], subjects[1],
        "the same employee, the same client"
    );
}

/// DW-65, SEC-01, SEC-06, SEC-08: what the library reports when something is not as it should be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_crate_openidconnect_hears_the_standards_own_errors() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let library = discovered(&world, &party, AuthType::BasicAuth).await;
    let wrong_secret = Party {
        secret: "another-secret-0123456789abcdef01234567".to_owned(),
        ..party.clone()
    };
    let stranger = discovered(&world, &wrong_secret, AuthType::BasicAuth).await;

    let redeem = async |library: &Library, code: &str, verifier: PkceCodeVerifier| {
        let outcome = library
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .unwrap()
            .set_pkce_verifier(verifier)
            .request_async(&send)
            .await;
        match outcome {
            Ok(tokens) => Ok(tokens),
            Err(RequestTokenError::ServerResponse(error)) => Err(error.error().clone()),
            Err(other) => panic!("not an OAuth error: {other}"),
        }
    };
    let good = journey(&world, &library).await;
    let again = || PkceCodeVerifier::new(good.verifier.secret().clone());
    let (_, other) = PkceCodeChallenge::new_random_sha256();

    let refused = redeem(&stranger, &good.code, again()).await.unwrap_err();
    assert_eq!(refused, CoreErrorResponseType::InvalidClient);
    let refused = redeem(&library, &good.code, other).await.unwrap_err();
    assert_eq!(refused, CoreErrorResponseType::InvalidGrant);
    let tokens = redeem(&library, &good.code, again()).await.unwrap();
    let refused = redeem(&library, &good.code, again()).await.unwrap_err();
    assert_eq!(
        refused,
        CoreErrorResponseType::InvalidGrant,
        "a code works once"
    );

    // A token of one request is none for another, nor for another client.
    let verifier = library.id_token_verifier();
    assert!(
        tokens
            .id_token()
            .unwrap()
            .claims(&verifier, &Nonce::new_random())
            .is_err()
    );
    let elsewhere = discovered(&world, &world.party("v2"), AuthType::RequestBody).await;
    assert!(
        tokens
            .id_token()
            .unwrap()
            .claims(&elsewhere.id_token_verifier(), &good.nonce)
            .is_err()
    );
}
