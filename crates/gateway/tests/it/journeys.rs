//! The standard's sequences against the real parts, on both engines.

use jiff::SignedDuration;
use reqwest::StatusCode;
use wallet::Outcome;

use crate::database::{Database, on_both_engines};
use crate::world::{Browser, UNIQUE_IDENTIFIER, World, identity, programme};

on_both_engines!(
    an_identity_that_is_shared_reaches_the_relying_party_as_claims,
    a_credential_that_is_issued_can_be_presented_until_it_is_revoked,
    a_wallet_that_deletes_the_credential_at_once_leaves_none_in_force,
    a_credential_that_nobody_collects_is_revoked_and_personal_values_are_wiped,
    a_step_writes_the_private_values_only_where_it_changes_them,
    two_processes_give_one_token_for_one_code,
    two_drafts_with_one_serial_number_become_one_credential,
);

/// DW-35, DW-37, DW-39.
async fn an_identity_that_is_shared_reaches_the_relying_party_as_claims(database: Database) {
    let world = World::start_on(database).await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let address = world.pushed(&party, |_| ()).await;
    let browser = Browser::new();
    let page = browser.open(&address).await;
    assert_eq!(browser.status(&page).await.json["state"], "waiting");

    let scanned = world.scan("anna", &page.link("open-wallet"), true).await;
    assert_eq!(scanned.outcome, Outcome::Presented, "{:?}", scanned.reason);
    assert_eq!(browser.status(&page).await.json["state"], "done");

    let back = browser.open(&page.url).await;
    assert_eq!(
        back.parameter("state").unwrap(),
        "9f0f2f64-8d55-4a3e-9a57-0ed2b2a8f6d5"
    );
    assert_eq!(back.parameter("iss").unwrap(), world.base);
    let token = world.token(&party, |form| form.code(&back.code())).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);
    let claims = token.id_token();
    for (name, value) in identity() {
        assert_eq!(claims[format!("Identity.{name}")], value);
    }
    assert_eq!(claims["iss"], world.base.as_str());
    assert_eq!(claims["aud"], "plain");
    assert_eq!(claims["nonce"], "7d5e7ad0-51a0-4b56-b5f7-bdb5b07e1d31");
    assert!(
        claims["sub"]
            .as_str()
            .is_some_and(|sub| sub.len() == 43 && sub != UNIQUE_IDENTIFIER)
    );
}

/// DW-03, DW-58.
async fn a_credential_that_is_issued_can_be_presented_until_it_is_revoked(database: Database) {
    let world = World::start_on(database).await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let party = world.party("v2");
    let present = async || {
        let address = world
            .pushed(&party, |form| form.set("scope", "openid TrainingProgramme"))
            .await;
        let browser = Browser::new();
        let page = browser.open(&address).await;
        let scanned = world.scan("anna", &page.link("open-wallet"), true).await;
        (scanned, browser.open(&page.url).await)
    };
    let (scanned, back) = present().await;
    assert_eq!(scanned.outcome, Outcome::Presented, "{:?}", scanned.reason);
    let token = world.token(&party, |form| form.code(&back.code())).await;
    assert_eq!(token.id_token()["TrainingProgramme.TPR-Name"], "Cardiology");

    for _ in 0..2 {
        let revoked = world.revoke(&party, &serial, |_| ()).await;
        assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.body);
    }
    let (scanned, page) = present().await;
    assert_eq!(scanned.outcome, Outcome::Failed);
    assert!(scanned.reason.unwrap().contains("credential-revoked"));
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.link("go-back").contains("error=access_denied"),
        "{}",
        page.html
    );
}

/// DW-59, VCI-19.
async fn a_wallet_that_deletes_the_credential_at_once_leaves_none_in_force(database: Database) {
    let world = World::start_on(database).await;
    let party = world.party("v2");
    let serial = uuid::Uuid::new_v4().to_string();
    let hint = world.hint(&party, |draft| {
        drop(draft.insert("SerialNumber".into(), serial.clone().into()))
    });
    let address = world
        .pushed(&party, |form| form.issue("TrainingProgramme", &hint))
        .await;
    let browser = Browser::new();
    let page = browser.open(&address).await;
    let scanned = world.scan("anna", &page.link("open-wallet"), false).await;
    assert_eq!(scanned.outcome, Outcome::Declined, "{:?}", scanned.reason);
    let page = browser.open(&page.url).await;
    let back = page.link("go-back");
    assert!(
        back.contains("error=access_denied") && back.contains("user+cancelled"),
        "{back}"
    );
    assert!(back.contains("state=9f0f2f64"), "{back}");
    let revoked = world
        .gateway
        .app()
        .store
        .read_one(
            store::Statement::new("SELECT revoked_at FROM credentials WHERE serial_number = $1")
                .bind(serial.as_str()),
        )
        .await
        .unwrap()
        .unwrap();
    assert!(revoked.optional_integer("revoked_at").unwrap().is_some());
}

/// SEC-40.
async fn a_credential_that_nobody_collects_is_revoked_and_personal_values_are_wiped(
    database: Database,
) {
    let world = World::start_on(database).await;
    let party = world.party("v2");
    let hint = world.hint(&party, |_| ());
    let address = world
        .pushed(&party, |form| form.issue("TrainingProgramme", &hint))
        .await;
    let page = Browser::new().open(&address).await;
    let scanned = world.scan("anna", &page.link("open-wallet"), true).await;
    assert_eq!(scanned.outcome, Outcome::Received, "{:?}", scanned.reason);

    world.later(SignedDuration::from_mins(36));
    world.gateway.tidy_once().await.unwrap();
    let app = world.gateway.app();
    let read = |sql: &'static str| app.store.read_one(store::Statement::new(sql));
    let credential = read("SELECT revoked_at FROM credentials")
        .await
        .unwrap()
        .unwrap();
    assert!(credential.optional_integer("revoked_at").unwrap().is_some());
    let interaction = read("SELECT sealed FROM interactions")
        .await
        .unwrap()
        .unwrap();
    assert!(interaction.optional_blob("sealed").unwrap().is_none());
}

/// They are most of a row, and sealing them anew would make the database write them anew.
async fn a_step_writes_the_private_values_only_where_it_changes_them(database: Database) {
    let world = World::start_on(database).await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let sealed = async || {
        let select = "SELECT sealed FROM interactions WHERE purpose = 'verify'";
        let store = &world.gateway.app().store;
        let row = store.read_one(store::Statement::new(select)).await;
        let row = row.unwrap().unwrap();
        row.optional_blob("sealed").unwrap().map(<[u8]>::to_vec)
    };
    let address = world.pushed(&party, |_| ()).await;
    let pushed = sealed().await.unwrap();
    let browser = Browser::new();
    let page = browser.open(&address).await;
    assert!(sealed().await.unwrap() == pushed, "a browser came");
    world.scan("anna", &page.link("open-wallet"), true).await;
    let presented = sealed().await.unwrap();
    assert!(presented != pushed, "the wallet's claims are in it");
    let code = browser.open(&page.url).await.code();
    assert!(sealed().await.unwrap() == presented, "a code was given");
    let token = world.token(&party, |form| form.code(&code)).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);
    assert!(sealed().await.is_none(), "the token was collected");
}

/// SEC-01, DW-65.
async fn two_processes_give_one_token_for_one_code(database: Database) {
    let world = World::start_on(database).await;
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let code = world.code(&party, "anna").await;

    let second = world.second_process().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let other = format!("http://{}/token", listener.local_addr().unwrap());
    let server = crate::world::serve(listener, &second);
    let verifier = crate::world::verifier();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "plain"),
        ("client_secret", party.secret.as_str()),
        ("redirect_uri", crate::world::REDIRECT_URI),
        ("code_verifier", &verifier),
        ("code", &code),
    ];
    let post = |address: String| {
        let request = crate::world::client().post(address).form(&form);
        async move { request.send().await.unwrap().status() }
    };
    let tries = tokio::join!(
        post(world.url("/token")),
        post(other.clone()),
        post(world.url("/token")),
        post(other.clone()),
        post(world.url("/token")),
    );
    let statuses: [StatusCode; 5] = tries.into();
    server.abort();
    assert_eq!(
        statuses.iter().filter(|status| status.is_success()).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses
            .iter()
            .filter(|status| **status == StatusCode::BAD_REQUEST)
            .count(),
        4,
        "{statuses:?}"
    );
}

async fn two_drafts_with_one_serial_number_become_one_credential(database: Database) {
    let world = World::start_on(database).await;
    let party = world.party("v2");
    let serial = uuid::Uuid::new_v4().to_string();
    let mut pages = Vec::new();
    for _ in 0..2 {
        let hint = world.hint(&party, |draft| {
            drop(draft.insert("SerialNumber".into(), serial.clone().into()));
        });
        let pushed = world.pushed(&party, |form| form.issue("TrainingProgramme", &hint));
        let browser = Browser::new();
        let page = browser.open(&pushed.await).await;
        pages.push((browser, page));
    }
    let mut outcomes = Vec::new();
    for (_, page) in &pages {
        let scanned = world.scan("anna", &page.link("open-wallet"), true).await;
        outcomes.push(scanned.outcome);
    }
    assert_eq!(outcomes, [Outcome::Received, Outcome::Failed]);
    let (browser, page) = &pages[1];
    let ended = browser.open(&page.url).await;
    assert!(
        ended.link("go-back").contains("error=server_error"),
        "{}",
        ended.html
    );
    assert_eq!(browser.status(page).await.json["state"], "service-problem");
}
