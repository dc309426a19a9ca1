//! What two deployed clients and a demonstration client really send, request by request (gateway contract
//! 2.3 to 2.7, acceptance list 8.1).

use jiff::SignedDuration;
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use standards::jose::jwk_set::JwkSet;
use standards::jose::{Algorithm, jws};

use crate::world::{Answer, Browser, REDIRECT_URI, World, client, sign};

const FORM: &str = "application/x-www-form-urlencoded";

/// Acceptance 1: client A verifies without PAR and issues with it; its decision code accepts every answer.
/// DW-11.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_a_verifies_and_issues_with_what_it_sends_today() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("v1-a");
    let verifier = crate::world::verifier();
    let challenge = standards::oauth::pkce::CodeVerifier::parse(&verifier)
        .unwrap()
        .challenge()
        .to_text();
    let address = world.url(&format!(
        "/oidc/authorizev1?nonce=7d5e7ad0-51a0-4b56-b5f7-bdb5b07e1d31&state=9f0f2f64-8d55-4a3e-9a57-0ed2b2a8f6d5\
         &code_challenge_method=S256&code_challenge={challenge}&client_id=v1-a&response_type=code\
         &redirect_uri={REDIRECT_URI}&response_mode=query&scope=openid+Identity"
    ));
    let browser = Browser::new();
    let page = browser.open(&address).await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let back = browser.open(&page.url).await;
    assert_eq!(
        back.parameter("state").unwrap(),
        "9f0f2f64-8d55-4a3e-9a57-0ed2b2a8f6d5"
    );
    assert_eq!(back.parameter("scope"), None);
    let token = world
        .token(&party, |form| {
            form.code(&back.code());
            form.set("code_verifier", &verifier);
            form.set("state", "6a0e5b1e-7e17-4d0c-8a44-3dbb4f3bd0f5");
        })
        .await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);
    assert_eq!(token.json["scope"], "openid Identity");
    let claims = verified_with_root_keys(&world, &token).await;
    assert_eq!(claims["iss"], format!("{}/oidc", world.base));
    assert_eq!(claims["Identity.ID-BirthDate"], "1990-04-12");

    // Issuing: no `openid` in the scope, no challenge, and a bare `code_verifier` at the token endpoint.
    let hint = world.hint(&party, |_| ());
    let body = format!(
        "client_id=v1-a&client_secret={}&redirect_uri={REDIRECT_URI}&scope=issue.TrainingProgramme&id_token_hint={hint}\
         &response_type=code&response_mode=query&nonce=7d5e7ad0-51a0-4b56-b5f7-bdb5b07e1d31\
         &state=9f0f2f64-8d55-4a3e-9a57-0ed2b2a8f6d5",
        party.secret
    );
    let pushed = client()
        .post(world.url("/oidc/par"))
        .header(CONTENT_TYPE, FORM)
        .body(body)
        .send()
        .await
        .unwrap();
    let pushed = Answer::read(pushed).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.body);
    let request_uri = pushed.json["request_uri"].as_str().unwrap();
    assert!(!request_uri.contains(['%', '&', '#', ' ']));
    let page = browser
        .open(&world.url(&format!(
            "/oidc/authorize?client_id=v1-a&request_uri={request_uri}"
        )))
        .await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let code = browser.open(&page.url).await.code();
    let body = format!(
        "grant_type=authorization_code&client_id=v1-a&client_secret={}&redirect_uri={REDIRECT_URI}&code={code}\
         &code_verifier&state=6a0e5b1e-7e17-4d0c-8a44-3dbb4f3bd0f5",
        party.secret
    );
    let token = client()
        .post(world.url("/oidc/token"))
        .header(CONTENT_TYPE, FORM)
        .body(body)
        .send()
        .await
        .unwrap();
    let token = Answer::read(token).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);
    let claims = verified_with_root_keys(&world, &token).await;
    let serial = claims["SerialNumber"].as_str().unwrap();
    assert_eq!(serial.len(), 36);

    let revoked = world.revoke(&party, serial, |_| ()).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.body);
}

/// The key set that client A really reads holds the key that the token's header names.
async fn verified_with_root_keys(
    world: &World,
    token: &Answer,
) -> serde_json::Map<String, serde_json::Value> {
    let keys = client()
        .get(world.url("/.well-known/openid-configuration/jwks"))
        .send()
        .await
        .unwrap();
    let keys = JwkSet::parse(&Answer::read(keys).await.json).unwrap();
    let parsed = jws::parse(token.json["id_token"].as_str().unwrap()).unwrap();
    let key = keys.find(parsed.header().kid().unwrap()).unwrap();
    parsed
        .verify(key, &[Algorithm::RS256], jws::Typ::Is("JWT"))
        .unwrap()
        .into_claims()
}

/// Acceptance 2: client B's form is not encoded, its challenge is a padded constant, its verifier is missing.
/// DW-11.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_b_verifies_and_issues_with_what_it_sends_today() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("v1-b");
    let address = world.url(&format!(
        "/oidc/authorizev1?client_id=v1-b&response_type=code&redirect_uri={REDIRECT_URI}&response_mode=query\
         &scope=openid+Identity&state=verifyCreation&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=\
         &code_challenge_method=S256"
    ));
    let browser = Browser::new();
    let page = browser.open(&address).await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let back = browser.open(&page.url).await;
    assert_eq!(back.parameter("state").unwrap(), "verifyCreation");
    let token = world.token(&party, |form| form.code(&back.code())).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);
    assert_eq!(token.id_token()["Identity.ID-LegalSurname"], "Taylor");
    assert!(token.id_token().get("nonce").is_none());

    // The same address again, since its state is a constant: a new interaction, not the old one.
    let again = browser.open(&address).await;
    assert_ne!(again.url, page.url);

    let hint = world.hint(&party, |_| ());
    let body = format!(
        "client_id=v1-b&client_secret={}&redirect_uri={REDIRECT_URI}&scope=issue.TrainingProgramme&id_token_hint={hint}\
         &response_type=code&response_mode=query&nonce=3d5e7ad0-51a0-4b56-b5f7-bdb5b07e1d31&state=credentialCreation",
        party.secret
    );
    let pushed = client()
        .post(world.url("/oidc/par"))
        .header(CONTENT_TYPE, FORM)
        .body(body)
        .send()
        .await
        .unwrap();
    let pushed = Answer::read(pushed).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.body);
    let request_uri = pushed.json["request_uri"].as_str().unwrap();
    let page = browser
        .open(&world.url(&format!(
            "/oidc/authorize?client_id=v1-b&request_uri={request_uri}"
        )))
        .await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let code = browser.open(&page.url).await.code();
    let token = world.token(&party, |form| form.code(&code)).await;
    let serial = token.id_token()["SerialNumber"]
        .as_str()
        .unwrap()
        .to_owned();

    let body = json!({
        "client_id": "v1-b", "client_secret": party.secret, "organisationId": "anytown",
        "credentialTemplateName": "TrainingProgramme", "serialNumber": serial, "revocationReason": "Revoked by user",
    });
    let revoked = client()
        .post(world.url("/revocation/revokecredential"))
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(revoked.status(), StatusCode::NO_CONTENT);
}

/// Acceptance 3: the second contract issues without PAR, and an empty serial number means one of ours.
/// DW-61.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_the_second_contract_issues_without_par_and_gets_a_serial_number() {
    let world = World::start().await;
    let party = world.party("v2");
    let mut form = crate::world::Form::new(&party);
    let hint = world.hint(&party, |draft| {
        draft.insert("SerialNumber".into(), "".into());
        draft.insert("ExpiresAt".into(), "".into());
        draft.insert("exp".into(), (world.now().as_second() + 15_724_800).into());
    });
    form.issue("TrainingProgramme", &hint);
    let browser = Browser::new();
    let page = browser
        .open(&world.url(&format!("/v2/oidc/authorize?{}", form.query())))
        .await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let code = browser.open(&page.url).await.code();
    let token = world.token(&party, |form| form.code(&code)).await;
    let claims = token.id_token();
    assert!(uuid::Uuid::parse_str(claims["SerialNumber"].as_str().unwrap()).is_ok());
    assert_eq!(claims["TPR-Name"], "Cardiology");
}

/// Gateway contract 2.4: what the second contract asks may stand in the address, a check as well as an issue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_the_second_contract_verifies_without_par() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("v2");
    let form = crate::world::Form::new(&party);
    let browser = Browser::new();
    let page = browser
        .open(&world.url(&format!("/v2.0/oidc/authorize?{}", form.query())))
        .await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let code = browser.open(&page.url).await.code();
    let claims = world
        .token(&party, |form| form.code(&code))
        .await
        .id_token();
    assert_eq!(claims["iss"], world.base.as_str());
    assert_eq!(claims["Identity.ID-LegalSurname"], "Taylor");
}

/// Acceptance 8, and what an integrator that reads only `error_description` sees.
/// DW-35.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_in_the_wallet_or_on_the_page_comes_back_with_state_and_the_known_words() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("v1-a");
    let browser = Browser::new();
    let page = browser.open(&world.pushed(&party, |_| ()).await).await;
    let scanned = world.scan("anna", &page.link("open-wallet"), false).await;
    assert_eq!(
        scanned.outcome,
        wallet::Outcome::Declined,
        "{:?}",
        scanned.reason
    );
    let declined = browser.open(&page.url).await;
    let back = browser.open(&declined.link("go-back")).await;
    let check = |back: &crate::world::Page| {
        assert_eq!(back.parameter("error").unwrap(), "access_denied");
        assert!(
            back.parameter("error_description")
                .unwrap()
                .contains("user cancelled")
        );
        assert_eq!(
            back.parameter("state").unwrap(),
            "9f0f2f64-8d55-4a3e-9a57-0ed2b2a8f6d5"
        );
        assert_eq!(back.parameter("code"), None);
    };
    check(&back);

    let page = browser.open(&world.pushed(&party, |_| ()).await).await;
    check(&browser.submit(&page, "cancel").await);
}

/// Gateway contract U3: the machine code is not public; a client of the first contract may look for another one.
/// DW-35.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_the_first_contract_may_have_its_own_code_for_a_cancel_and_no_other_client() {
    let world = World::start().await;
    let with = async |client_id: &str| {
        let mut config = world.config.clone();
        let parties = config
            .organisations
            .iter_mut()
            .flat_map(|o| &mut o.relying_parties);
        for party in parties.filter(|party| party.client_id == client_id) {
            party.cancel_error = gateway::config::CancelError::UserCancelled;
        }
        let surroundings = gateway::Surroundings {
            clock: world.clock.clone(),
            sandbox: true,
            ..gateway::Surroundings::production()
        };
        gateway::Gateway::compose(&config, surroundings).await
    };
    for other in ["v2", "plain"] {
        let refused = with(other).await.err().unwrap().to_string();
        assert!(refused.contains("cancel_error"), "{refused}");
    }

    let gateway = with("v1-a").await.unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = crate::world::serve(listener, &gateway);
    for (party, error) in [("v1-a", "user_cancelled"), ("v1-b", "access_denied")] {
        let address = world.pushed(&world.party(party), |_| ()).await;
        let browser = Browser::new();
        let page = browser.open(&address.replace(&world.base, &base)).await;
        let back = browser.submit(&page, "cancel").await;
        assert_eq!(back.parameter("error").unwrap(), error);
        let sentence = back.parameter("error_description").unwrap();
        assert!(sentence.starts_with("user cancelled"), "{sentence}");
        assert!(back.parameter("state").is_some());
        assert_eq!(back.parameter("code"), None);
    }
    server.abort();
}

/// Acceptance 8: whoever lets the half hour pass comes back, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interaction_whose_time_is_over_comes_back_as_expired_with_its_state() {
    let world = World::start().await;
    let browser = Browser::new();
    let page = browser
        .open(&world.pushed(&world.party("v1-a"), |_| ()).await)
        .await;
    world.later(SignedDuration::from_mins(31));
    let ended = browser.open(&page.url).await;
    let back = browser.open(&ended.link("go-back")).await;
    assert_eq!(back.parameter("error").unwrap(), "access_denied");
    assert_eq!(
        back.parameter("error_description").unwrap(),
        "request expired"
    );
    assert!(back.parameter("state").is_some());
}

/// Acceptance 2 and U8: client B's drafts end within the hour, and write times as .NET does. DW-61.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_client_bs_message_is_not_the_end_of_its_credential() {
    let world = World::start().await;
    let party = world.party("v1-b");
    let hint = world.hint(&party, |claims| {
        claims.retain(|name, _| ["iss", "aud", "iat", "nbf"].contains(&name.as_str()));
        claims.extend(crate::world::fire_safety());
        claims.insert("exp".into(), (world.now().as_second() + 3_600).into());
    });
    let address = world.pushed(&party, |form| {
        form.issue("FireSafety", &hint);
        form.set("scope", "issue.FireSafety");
    });
    let browser = Browser::new();
    let page = browser.open(&address.await).await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let code = browser.open(&page.url).await.code();
    let token = world.token(&party, |form| form.code(&code)).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);
    assert_eq!(token.json["scope"], "issue.FireSafety");
    let select = store::Statement::new("SELECT expires_at FROM credentials");
    let row = world
        .gateway
        .app()
        .store
        .read_one(select)
        .await
        .unwrap()
        .unwrap();
    let end = row.timestamp("expires_at").unwrap();
    assert_eq!(end.to_string(), "2027-05-01T08:30:00Z");
}

/// A draft signed with HS384 or HS512, as one library chooses by key length, is read, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_may_be_signed_with_any_hmac_of_the_contract() {
    let world = World::start().await;
    let party = world.party("v1-a");
    let key = &party.signing_key;
    let mut claims = crate::world::programme();
    let now = world.now().as_second();
    let message =
        json!({ "iss": "v1-a", "aud": world.url("/oidc"), "iat": now, "exp": now + 86_400 * 300 });
    claims.extend(message.as_object().unwrap().clone());
    let hints = [Algorithm::HS256, key.strongest_algorithm()].map(|algorithm| {
        jws::sign_hmac(key, algorithm, jws::ProtectedHeader::untyped(), &claims).unwrap()
    });
    for hint in hints.into_iter().chain([sign(key, &claims)]) {
        let answer = world
            .push(&party, |form| form.issue("TrainingProgramme", &hint))
            .await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    }
}

/// Gateway contract 2.1: their clients do not agree on how the paths of the older contracts are spelled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_path_of_the_older_contracts_is_found_however_it_is_spelled() {
    let world = World::start().await;
    let described: serde_json::Value = client()
        .get(world.url("/openapi.json"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let families = [
        "/oidc/",
        "/v2.0/",
        "/v2/",
        "/revocation/",
        "/api/revocation/",
        "/.well-known/openid-configuration",
    ];
    let mut seen = [0; 6];
    for (path, methods) in described["paths"].as_object().unwrap() {
        let lower = path.to_ascii_lowercase();
        let Some(family) = families.iter().position(|start| lower.starts_with(start)) else {
            continue;
        };
        seen[family] += 1;
        let first_letters_up: String = lower
            .split_inclusive(['/', '-', '.'])
            .map(|part| part[..1].to_ascii_uppercase() + &part[1..])
            .collect();
        for method in methods.as_object().unwrap().keys() {
            let method: reqwest::Method = method.to_ascii_uppercase().parse().unwrap();
            let status = async |path: &str| {
                let request = client().request(method.clone(), world.url(path));
                request.send().await.unwrap().status()
            };
            let expected = status(&lower).await;
            assert_ne!(expected, StatusCode::NOT_FOUND, "{method} {lower}");
            assert_ne!(expected, StatusCode::METHOD_NOT_ALLOWED, "{method} {lower}");
            for spelled in [
                path.clone(),
                lower.to_ascii_uppercase(),
                first_letters_up.clone(),
            ] {
                assert_eq!(status(&spelled).await, expected, "{method} {spelled}");
            }
        }
    }
    assert!(
        seen.iter().all(|paths| *paths > 0),
        "{families:?}: {seen:?}"
    );
}
