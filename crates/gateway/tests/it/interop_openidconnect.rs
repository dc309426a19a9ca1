//! The crate `openidconnect` as a relying party, over http; `tests/it/interop_openidconnect.rs` of the program has it over
//! https.

use openidconnect::core::CoreErrorResponseType;
use openidconnect::{AuthType, Nonce};

use crate::openid_library::{Asked, Library, another_verifier};
use crate::world::{Browser, Party, REDIRECT_URI, World, client};

async fn discovered(world: &World, party: &Party, how: AuthType) -> Library {
    let told = (party.client_id.as_str(), party.secret.as_str());
    Library::discover(&world.base, told, REDIRECT_URI, how, client()).await
}

/// The employee goes to the gateway and comes back with a code; the library's `state` came back, too.
async fn journey(world: &World, library: &Library) -> (Asked, String) {
    let asked = library.ask("Identity");
    let browser = Browser::new();
    let page = browser.open(&asked.address).await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let back = browser.open(&page.url).await;
    assert_eq!(back.parameter("state").as_ref(), Some(&asked.state));
    (asked, back.code())
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
        let (asked, code) = journey(&world, &library).await;
        let tokens = library.redeem(&code, &asked.verifier).await.unwrap();
        let claims = library.believe(&tokens, &asked.nonce).unwrap();
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
    let (asked, code) = journey(&world, &library).await;

    let refused = stranger.redeem(&code, &asked.verifier).await.unwrap_err();
    assert_eq!(refused, CoreErrorResponseType::InvalidClient);
    let refused = library.redeem(&code, &another_verifier()).await;
    assert_eq!(refused.unwrap_err(), CoreErrorResponseType::InvalidGrant);
    let tokens = library.redeem(&code, &asked.verifier).await.unwrap();
    let refused = library.redeem(&code, &asked.verifier).await.unwrap_err();
    assert_eq!(
        refused,
        CoreErrorResponseType::InvalidGrant,
        "a code works once"
    );

    // A token of one request is none for another, nor for another client.
    assert!(library.believe(&tokens, &Nonce::new_random()).is_none());
    let elsewhere = discovered(&world, &world.party("v2"), AuthType::RequestBody).await;
    assert!(elsewhere.believe(&tokens, &asked.nonce).is_none());
}
