//! Rulings 16 for the crate `openidconnect`: the program over https, under an authority that the library's client trusts and
//! nobody else does. The gateway's own suite has the same over http.

use std::sync::Arc;

use openidconnect::core::CoreErrorResponseType;
use openidconnect::{AuthType, Nonce};

use crate::by_hand::{Journey, Step, send};
use crate::database::Database;
use crate::holder::Holder;
use crate::in_a_token::issued;
use crate::openid_library::{Asked, Library, another_verifier};
use crate::operated::Operated;

async fn discovered(gateway: &Operated, secret: &str, how: AuthType) -> Library {
    let (told, http) = (
        (gateway.client_id.as_str(), secret),
        gateway.client(&Arc::default()),
    );
    Library::discover(&gateway.base, told, &gateway.redirect_uri, how, http).await
}

/// The employee goes to the gateway with the library's own address and comes back with a code.
async fn journey(gateway: &Operated, library: &Library, holder: &mut Holder) -> (Asked, String) {
    let asked = library.ask("TrainingProgramme");
    let mut journey = Journey::to_verify();
    let browser = gateway.client(&journey.cookies);
    let open = async || send(&browser, browser.get(&asked.address).build().unwrap()).await;
    // A new browser is given its cookie, and comes once more with it.
    open().await;
    let answer = open().await;
    journey.hear(Step::Authorize, gateway, holder, &answer);
    for step in [Step::Page, Step::Retrieve, Step::Present] {
        journey.take(step, gateway, holder).await;
    }
    let request = journey.request(Step::Back, gateway, holder).await;
    let answer = send(&browser, request).await;
    let state = format!("state={}", asked.state);
    assert!(answer.location.contains(&state), "its state came back, too");
    journey.hear(Step::Back, gateway, holder, &answer);
    (asked, journey.code)
}

/// DW-02, DW-37, DW-65, SEC-01, SEC-06, SEC-08.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_https_the_crate_openidconnect_verifies_and_hears_the_standards_own_errors() {
    let gateway = Operated::started(Database::sqlite());
    let mut holder = issued(&gateway).await;
    for how in [AuthType::BasicAuth, AuthType::RequestBody] {
        let library = discovered(&gateway, &gateway.client_secret, how.clone()).await;
        let (asked, code) = journey(&gateway, &library, &mut holder).await;
        let stranger = discovered(&gateway, "another-secret-0123456789abcdef", how).await;
        let refused = stranger.redeem(&code, &asked.verifier).await.unwrap_err();
        assert_eq!(refused, CoreErrorResponseType::InvalidClient);
        let refused = library.redeem(&code, &another_verifier()).await;
        assert_eq!(refused.unwrap_err(), CoreErrorResponseType::InvalidGrant);

        let tokens = library.redeem(&code, &asked.verifier).await.unwrap();
        let claims = library.believe(&tokens, &asked.nonce).unwrap();
        let name = &claims.additional_claims().0["TrainingProgramme.TPR-Name"];
        assert_eq!(name, "Cardiology");
        assert!(library.believe(&tokens, &Nonce::new_random()).is_none());
        let refused = library.redeem(&code, &asked.verifier).await.unwrap_err();
        assert_eq!(refused, CoreErrorResponseType::InvalidGrant);
    }
}
