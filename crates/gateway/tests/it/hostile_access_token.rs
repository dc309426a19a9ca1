//! What an attacker tries with access tokens: at the userinfo endpoint, and to revoke.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::{Map, Value, json};

use crate::raw_wallet::{self, Waiting};
use crate::world::{Answer, Party, World, client, programme};

const REVOKE: &str = "/api/Revocation/revoke";

/// A client's token to revoke with.
async fn revocation_token(world: &World, party: &Party) -> String {
    let answer = world
        .token(party, |form| {
            form.set("grant_type", "client_credentials");
            form.set("scope", "revocation");
        })
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.json["token_type"], "Bearer");
    assert_eq!(answer.json["expires_in"], 300);
    assert_eq!(answer.json["scope"], "revocation");
    assert_eq!(answer.headers["cache-control"], "no-store");
    answer.json["access_token"].as_str().unwrap().to_owned()
}

/// Redeems a code of the identity of `holder`; gives the code and the token answer.
async fn collected(world: &World, party: &Party, holder: &str) -> (String, Answer) {
    let code = world.code(party, holder).await;
    let answer = world.token(party, |form| form.code(&code)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    (code, answer)
}

async fn revoke(
    world: &World,
    authorization: Option<&str>,
    change: impl FnOnce(&mut Map<String, Value>),
) -> Answer {
    let body = json!({
        "organisationId": "anytown", "credentialTemplateName": "TrainingProgramme",
        "serialNumber": uuid::Uuid::new_v4(), "revocationReason": "left",
    });
    let mut body = body.as_object().unwrap().clone();
    change(&mut body);
    let mut request = client().post(world.url(REVOKE)).json(&body);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    Answer::read(request.send().await.unwrap()).await
}

async fn userinfo(world: &World, authorization: Option<&str>) -> Answer {
    let mut request = client().get(world.url("/userinfo"));
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    Answer::read(request.send().await.unwrap()).await
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn challenge(answer: &Answer) -> (u16, &str) {
    let challenge = &answer.headers["www-authenticate"];
    (answer.status.as_u16(), challenge.to_str().unwrap())
}

const INVALID: (u16, &str) = (401, "Bearer realm=\"gateway\", error=\"invalid_token\"");

/// [OIDC Core 5.3] The answer is the ID token's subject and nothing else: the rest is wiped (rulings 10).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn userinfo_tells_the_subject_of_the_id_token_and_nothing_else() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    for name in ["plain", "v2"] {
        let (_, answer) = collected(&world, &world.party(name), "anna").await;
        let token = answer.json["access_token"].as_str().unwrap();
        let expected = json!({ "sub": answer.id_token()["sub"] });
        let got = userinfo(&world, Some(&bearer(token))).await;
        assert_eq!(
            (got.status, &got.json),
            (StatusCode::OK, &expected),
            "{}",
            got.body
        );
        assert_eq!(got.headers["cache-control"], "no-store");
        let address = world.url("/userinfo");
        let posted = client()
            .post(&address)
            .form(&[("access_token", token)])
            .send()
            .await;
        assert_eq!(Answer::read(posted.unwrap()).await.json, expected);
        let posted = client()
            .post(&address)
            .header("authorization", format!("bearer {token}"));
        assert_eq!(
            Answer::read(posted.send().await.unwrap()).await.json,
            expected
        );
        let twice = client()
            .post(&address)
            .form(&[("access_token", token)])
            .bearer_auth(token);
        let twice = Answer::read(twice.send().await.unwrap()).await;
        assert_eq!(
            (twice.status.as_u16(), twice.error()),
            (400, "invalid_request")
        );
        // Never in an address [RFC 9700 4.3.2].
        let asked = client()
            .get(format!("{address}?access_token={token}"))
            .send()
            .await;
        assert_eq!(
            challenge(&Answer::read(asked.unwrap()).await),
            (401, "Bearer realm=\"gateway\"")
        );

        let (lived, ended) = (
            SignedDuration::from_secs(280),
            SignedDuration::from_secs(300),
        );
        world.later(lived);
        assert_eq!(
            userinfo(&world, Some(&bearer(token))).await.status,
            StatusCode::OK
        );
        world.later(ended);
        assert_eq!(
            challenge(&userinfo(&world, Some(&bearer(token))).await),
            INVALID
        );
        world.later(SignedDuration::ZERO);
    }
}

/// SEC-01: a code that comes twice ends the access token that was given for it, in every process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_01_a_replayed_code_ends_its_access_token() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let (code, answer) = collected(&world, &party, "anna").await;
    let token = bearer(answer.json["access_token"].as_str().unwrap());
    // Another client's try with the code is no replay of its own.
    let other = world
        .token(&world.party("v2"), |form| form.code(&code))
        .await;
    assert_eq!(other.error(), "invalid_grant");
    assert_eq!(userinfo(&world, Some(&token)).await.status, StatusCode::OK);

    for _ in 0..2 {
        let again = world.token(&party, |form| form.code(&code)).await;
        assert_eq!(again.error(), "invalid_grant");
        assert_eq!(challenge(&userinfo(&world, Some(&token)).await), INVALID);
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let other = format!(
        "http://localhost:{}/userinfo",
        listener.local_addr().unwrap().port()
    );
    let server = crate::world::serve(listener, &world.second_process().await);
    let elsewhere = client()
        .get(other)
        .header("authorization", &token)
        .send()
        .await;
    assert_eq!(challenge(&Answer::read(elsewhere.unwrap()).await), INVALID);
    server.abort();
}

/// SEC-14: nothing that is not an access token for this place opens it, and an access token opens nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_14_a_token_of_another_purpose_is_no_access_token() {
    let world = World::start().await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let (_, answer) = collected(&world, &party, "anna").await;
    let access_token = answer.json["access_token"].as_str().unwrap().to_owned();
    let to_revoke = revocation_token(&world, &party).await;
    let waiting = Waiting::to_issue(&world, "v2").await;
    let offered = raw_wallet::offer(&waiting.link()).await;
    let wallets = raw_wallet::token(&offered.issuer, &offered.code).await;
    let wallets = wallets.json["access_token"].as_str().unwrap().to_owned();
    let nonce = raw_wallet::nonce(&offered.issuer).await;

    let strangers = [
        wallets,
        nonce,
        answer.json["id_token"].as_str().unwrap().to_owned(),
        world.hint(&world.party("v2"), |_| ()),
        party.secret.clone(),
        changed(&access_token),
        changed(&to_revoke),
        access_token.to_ascii_uppercase(),
        String::new(),
        "A".repeat(5000),
    ];
    for (index, stranger) in strangers.iter().enumerate() {
        let stranger = bearer(stranger);
        assert_eq!(
            challenge(&userinfo(&world, Some(&stranger)).await),
            INVALID,
            "{index}"
        );
        assert_eq!(
            challenge(&revoke(&world, Some(&stranger), |_| ()).await),
            INVALID,
            "{index}"
        );
    }
    assert_eq!(
        challenge(&userinfo(&world, Some(&bearer(&to_revoke))).await),
        INVALID
    );
    let crossed = revoke(&world, Some(&bearer(&access_token)), |_| ()).await;
    assert_eq!(challenge(&crossed), INVALID);
    // Neither gets a credential out of the wallet's side.
    for token in [&access_token, &to_revoke] {
        let request = client()
            .post(world.url("/issuers/anytown/credential"))
            .bearer_auth(token);
        let answer = request.json(&json!({ "credential_configuration_id": "TrainingProgramme" }));
        assert_eq!(
            answer.send().await.unwrap().status(),
            StatusCode::UNAUTHORIZED
        );
    }
}

/// The same token with one bit changed in its middle.
fn changed(token: &str) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Gateway contract U13.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_gets_a_token_of_its_own_for_revoking_only() {
    let world = World::start().await;
    for name in ["plain", "v2", "v1-a", "v1-b"] {
        revocation_token(&world, &world.party(name)).await;
    }
    let party = world.party("plain");
    for scope in [
        "",
        "openid",
        "revocation openid",
        "revocation revocation",
        "Revocation",
        "issue.Identity",
    ] {
        let answer = world
            .token(&party, |form| {
                form.set("grant_type", "client_credentials");
                form.set("scope", scope);
            })
            .await;
        let heard = (answer.status.as_u16(), answer.error());
        assert_eq!(heard, (400, "invalid_scope"), "{scope}: {}", answer.body);
    }
    let unknown = world
        .token(&party, |form| {
            form.set("grant_type", "client_credentials");
            form.set("scope", "revocation");
            form.set("client_secret", "wrong");
        })
        .await;
    assert_eq!(unknown.error(), "invalid_client");
}

/// SEC-27, gateway contract 2.8: by one's own organisation only, once and again, and nobody is told which part of a
/// request was wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_27_a_token_revokes_what_its_clients_organisation_issued() {
    let world = World::start().await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let own = bearer(&revocation_token(&world, &world.party("plain")).await);
    let strangers = bearer(&revocation_token(&world, &world.party("stranger")).await);
    let set = |name: &str, value: &str| {
        let (name, value, serial) = (name.to_owned(), value.to_owned(), serial.clone());
        move |body: &mut Map<String, Value>| {
            body.insert("serialNumber".into(), serial.into());
            body.insert(name, value.into());
        }
    };
    let refused = [
        revoke(&world, Some(&strangers), set("organisationId", "anytown")).await,
        revoke(&world, Some(&strangers), set("organisationId", "elsewhere")).await,
        revoke(&world, Some(&own), set("organisationId", "elsewhere")).await,
        revoke(
            &world,
            Some(&own),
            set("credentialTemplateName", "Identity"),
        )
        .await,
        revoke(&world, Some(&own), set("credentialTemplateName", "\0")).await,
        revoke(&world, Some(&own), set("serialNumber", "1 OR 1=1")).await,
        revoke(&world, Some(&own), |_| ()).await,
    ];
    for answer in &refused {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.body, refused[0].body);
    }
    for _ in 0..2 {
        let ours = revoke(&world, Some(&own), set("organisationId", "anytown")).await;
        assert_eq!(
            (ours.status, ours.body.as_str()),
            (StatusCode::NO_CONTENT, "")
        );
    }
    let read =
        store::Statement::new("SELECT revocation_reason FROM credentials WHERE serial_number = $1");
    let row = world
        .gateway
        .app()
        .store
        .read_one(read.bind(serial.as_str()))
        .await;
    let row = row.unwrap().unwrap();
    assert_eq!(
        row.optional_text("revocation_reason").unwrap(),
        Some("left")
    );
}

/// [RFC 6750 3]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_no_good_token_is_challenged_before_anything_is_read() {
    let world = World::start().await;
    let party = world.party("plain");
    let token = bearer(&revocation_token(&world, &party).await);
    let missing = (401, "Bearer realm=\"gateway\"");
    let spoil = |body: &mut Map<String, Value>| body.clear();
    assert_eq!(challenge(&revoke(&world, None, spoil).await), missing);
    let basic = format!(
        "Basic {}",
        STANDARD.encode(format!("plain:{}", party.secret))
    );
    assert_eq!(
        challenge(&revoke(&world, Some(&basic), spoil).await),
        missing
    );
    assert_eq!(challenge(&userinfo(&world, Some(&basic)).await), missing);
    world.later(SignedDuration::from_secs(280));
    let alive = revoke(&world, Some(&token), spoil).await;
    assert_eq!(
        (alive.status.as_u16(), alive.error()),
        (400, "invalid_request")
    );
    world.later(SignedDuration::from_secs(300));
    assert_eq!(
        challenge(&revoke(&world, Some(&token), spoil).await),
        INVALID
    );
    let request = client()
        .post(world.url(REVOKE))
        .header("authorization", "Bearer a")
        .header("authorization", "Bearer b");
    let two = Answer::read(request.send().await.unwrap()).await;
    assert_eq!((two.status.as_u16(), two.error()), (400, "invalid_request"));
}

/// Gateway contract 2.1, 2.7, 2.8: neither the case of the path nor that of a member's name matters.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_and_members_of_both_revocations_are_read_without_regard_to_case() {
    let world = World::start().await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let party = world.party("v2");
    let token = revocation_token(&world, &party).await;
    for path in [
        "/api/Revocation/revoke",
        "/api/revocation/revoke",
        "/API/REVOCATION/REVOKE",
    ] {
        let body = json!({ "OrganisationID": "anytown", "CREDENTIALTEMPLATENAME": "TrainingProgramme", "serialnumber": serial });
        let request = client()
            .post(world.url(path))
            .bearer_auth(&token)
            .json(&body);
        assert_eq!(
            request.send().await.unwrap().status(),
            StatusCode::NO_CONTENT,
            "{path}"
        );
    }
    for path in [
        "/Revocation/revokecredential",
        "/revocation/RevokeCredential",
    ] {
        let body = json!({
            "Client_Id": "v2", "CLIENT_SECRET": party.secret, "organisationId": "anytown",
            "credentialTemplateName": "TrainingProgramme", "serialNumber": serial, "revocationReason": "",
        });
        let answer = client()
            .post(world.url(path))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{path}");
    }
    let twice = json!({ "organisationId": "elsewhere", "OrganisationId": "anytown", "credentialTemplateName": "TrainingProgramme", "serialNumber": serial });
    let request = client()
        .post(world.url(REVOKE))
        .bearer_auth(&token)
        .json(&twice);
    assert_eq!(
        request.send().await.unwrap().status(),
        StatusCode::BAD_REQUEST
    );
}
