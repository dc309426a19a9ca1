//! What an attacker does with an offer that is not theirs, its code, and what follows the credential. Each refusal
//! has its code.

use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::json;
use standards::openid4vci::PRE_AUTHORIZED_CODE;

use crate::raw_wallet::{
    RawWallet, Waiting, credential, notify, offer, offer_address, read, refusal, token, token_with,
};
use crate::scenes::{CONFIGURATION, Walk};
use crate::world::{World, client};

/// SEC-30, VCI-05, VCI-08.
#[tokio::test]
async fn the_first_wallet_that_retrieves_the_offer_has_it() {
    let world = World::start().await;
    let waiting = Waiting::to_issue(&world, "v2").await;
    let address = offer_address(&waiting.link()).await;
    // A link preview asks for the headers only.
    assert_eq!(
        client().head(&address).send().await.unwrap().status(),
        StatusCode::OK
    );
    assert_eq!(
        waiting.browser.status(&waiting.page).await.json["state"],
        "waiting"
    );

    let first = read(client().get(&address)).await;
    assert!(!first.body.contains("Cardiology"), "{}", first.body);
    world.later(SignedDuration::from_secs(50));
    assert_eq!(read(client().get(&address)).await.json, first.json);
    world.later(SignedDuration::from_secs(60));
    assert_eq!(
        refusal(&read(client().get(&address)).await),
        (410, "invalid_request", "link-used")
    );
    let here = offer_address(&waiting.page.link("open-wallet-here")).await;
    assert_eq!(
        refusal(&read(client().get(here)).await),
        (410, "invalid_request", "link-used")
    );

    let unopened = Waiting::to_issue(&world, "v2").await;
    let address = offer_address(&unopened.link()).await;
    world.later(SignedDuration::from_mins(32));
    assert_eq!(
        refusal(&read(client().get(&address)).await),
        (410, "invalid_request", "link-expired")
    );
    let verifying = Waiting::to_verify(&world, "Identity").await;
    let request = crate::raw_wallet::request_address(&verifying.link()).await;
    let wrong_door = request.replace("/r/", "/o/");
    for address in [wrong_door, world.url("/o/x"), format!("{address}.x")] {
        assert_eq!(
            refusal(&read(client().get(address)).await),
            (404, "invalid_request", "link-unknown")
        );
    }
}

/// SEC-23, VCI-07.
#[tokio::test]
async fn a_preauthorized_code_works_once_and_for_five_minutes() {
    let walk = Walk::start().await;
    let again = token(&walk.offered.issuer, &walk.offered.code).await;
    assert_eq!(refusal(&again), (400, "invalid_grant", "code-invalid"));
    // The token of the first use is untouched by the second.
    walk.issued().await;

    let late = offer(&Waiting::to_issue(&walk.world, "v2").await.link()).await;
    walk.world.later(SignedDuration::from_mins(5));
    assert_eq!(
        refusal(&token(&late.issuer, &late.code).await),
        (400, "invalid_grant", "code-invalid")
    );
}

/// SEC-23, VCI-07, VCI-09.
#[tokio::test]
async fn a_code_that_is_guessed_or_taken_to_another_issuer_gives_no_token() {
    let world = World::start().await;
    let offered = offer(&Waiting::to_issue(&world, "v2").await.link()).await;
    let (link, secret) = offered.code.split_once('.').unwrap();
    for guess in [
        link.to_owned(),
        format!("{link}."),
        format!("{link}.{}", "A".repeat(secret.len())),
        "x".into(),
        ".".into(),
    ] {
        assert_eq!(
            refusal(&token(&offered.issuer, &guess).await),
            (400, "invalid_grant", "code-invalid"),
            "{guess}"
        );
    }
    let elsewhere = world.url("/issuers/elsewhere");
    assert_eq!(
        refusal(&token(&elsewhere, &offered.code).await),
        (400, "invalid_grant", "code-invalid")
    );
    assert_eq!(
        refusal(&token(&world.url("/issuers/nobody"), &offered.code).await),
        (404, "invalid_request", "issuer-unknown")
    );
    assert_eq!(
        token(&offered.issuer, &offered.code).await.status,
        StatusCode::OK
    );
}

/// VCI-09, VCI-10.
#[tokio::test]
async fn a_token_request_off_the_standard_is_refused_with_the_standards_error() {
    let world = World::start().await;
    let offered = offer(&Waiting::to_issue(&world, "v2").await.link()).await;
    let (grant, code) = (
        ("grant_type", PRE_AUTHORIZED_CODE),
        ("pre-authorized_code", offered.code.as_str()),
    );
    let details = |id: &str| {
        json!([{"type": "openid_credential", "credential_configuration_id": id}]).to_string()
    };
    let unknown = details("Identity-jwt-vc");
    for (pairs, error, refused) in [
        (
            vec![grant, code, ("tx_code", "1234")],
            "invalid_request",
            "transaction-code-unexpected",
        ),
        (vec![grant], "invalid_request", "token-request-invalid"),
        (vec![code], "invalid_request", "token-request-invalid"),
        (
            vec![("grant_type", "authorization_code"), code],
            "unsupported_grant_type",
            "token-request-invalid",
        ),
        (vec![grant, code, code], "invalid_request", "form-invalid"),
        (
            vec![grant, code, ("authorization_details", "{")],
            "invalid_authorization_details",
            "token-request-invalid",
        ),
        (
            vec![grant, code, ("authorization_details", &unknown)],
            "invalid_authorization_details",
            "configuration-not-offered",
        ),
    ] {
        assert_eq!(
            refusal(&token_with(&offered.issuer, &pairs).await),
            (400, error, refused),
            "{pairs:?}"
        );
    }
    // None of these used the code up. A wallet that names what it wants must then ask by identifier.
    let good = details(CONFIGURATION);
    let answer = token_with(
        &offered.issuer,
        &[grant, code, ("authorization_details", &good)],
    )
    .await;
    assert_eq!(
        answer.json["authorization_details"][0]["credential_identifiers"],
        json!([CONFIGURATION]),
        "{}",
        answer.body
    );
    let token = answer.json["access_token"].as_str().unwrap();
    let wallet = RawWallet::new();
    let mut body = wallet
        .request(&offered.issuer, CONFIGURATION, world.now())
        .await;
    let refused = credential(&offered.issuer, token, &body).await;
    assert_eq!(
        refusal(&refused),
        (
            400,
            "invalid_credential_request",
            "credential-identifier-required"
        )
    );
    let id = body
        .as_object_mut()
        .unwrap()
        .remove("credential_configuration_id")
        .unwrap();
    // What the offer has, but the token was not given for, is no identifier of this token.
    body["credential_identifier"] = json!("TrainingProgramme-sd-jwt");
    assert!(
        offered
            .configurations
            .contains(&"TrainingProgramme-sd-jwt".to_owned())
    );
    assert_eq!(
        refusal(&credential(&offered.issuer, token, &body).await),
        (
            400,
            "unknown_credential_identifier",
            "credential-identifier-unknown"
        )
    );
    body["credential_identifier"] = id;
    assert_eq!(
        credential(&offered.issuer, token, &body).await.status,
        StatusCode::OK
    );
}

/// VCI-19.
#[tokio::test]
async fn a_notification_needs_the_id_and_the_token_that_came_with_the_credential() {
    let walk = Walk::start().await;
    let answer = walk.issued().await;
    let (issuer, id) = (
        &walk.offered.issuer,
        answer.json["notification_id"].as_str().unwrap(),
    );
    let deleted = |id: &str| json!({"notification_id": id, "event": "credential_deleted"});
    for wrong in [
        "x".to_owned(),
        id[..id.len() - 1].to_owned(),
        "A".repeat(5000),
        walk.token.clone(),
    ] {
        let answer = notify(issuer, &walk.token, &deleted(&wrong)).await;
        assert_eq!(
            refusal(&answer),
            (400, "invalid_notification_id", "notification-id-unknown")
        );
    }
    for body in [
        json!({"notification_id": id}),
        json!({"event": "credential_deleted"}),
        json!({"notification_id": id, "event": "stolen"}),
        json!([]),
    ] {
        assert_eq!(
            refusal(&notify(issuer, &walk.token, &body).await),
            (400, "invalid_notification_request", "notification-invalid")
        );
    }
    let elsewhere = notify(
        &walk.world.url("/issuers/elsewhere"),
        &walk.token,
        &deleted(id),
    )
    .await;
    assert_eq!(
        refusal(&elsewhere),
        (400, "invalid_notification_id", "notification-id-unknown")
    );
    let other = offer(&Waiting::to_issue(&walk.world, "v2").await.link()).await;
    let other_token = token(issuer, &other.code).await.json["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    for wrong in ["x", &other_token] {
        assert_eq!(
            refusal(&notify(issuer, wrong, &deleted(id)).await),
            (401, "invalid_token", "token-invalid")
        );
    }
    let without = read(
        client()
            .post(format!("{issuer}/notification"))
            .json(&deleted(id)),
    )
    .await;
    assert_eq!(refusal(&without), (401, "invalid_token", "token-missing"));
    assert!(!walk.is_revoked().await);

    for _ in 0..2 {
        assert_eq!(
            notify(issuer, &walk.token, &deleted(id)).await.status,
            StatusCode::NO_CONTENT
        );
        assert!(walk.is_revoked().await);
    }
    let back = walk.waiting.again().await.link("go-back");
    assert!(
        back.contains("error=access_denied") && back.contains("user+cancelled"),
        "{back}"
    );
}

/// VCI-19.
#[tokio::test]
async fn a_credential_thrown_away_after_the_relying_party_has_its_token_is_revoked_all_the_same() {
    let walk = Walk::start().await;
    let answer = walk.issued().await;
    let (issuer, id) = (
        &walk.offered.issuer,
        answer.json["notification_id"].as_str().unwrap(),
    );
    let accepted = json!({"notification_id": id, "event": "credential_accepted"});
    for _ in 0..2 {
        assert_eq!(
            notify(issuer, &walk.token, &accepted).await.status,
            StatusCode::NO_CONTENT
        );
    }
    let code = walk.waiting.again().await.code();
    let collected = walk
        .world
        .token(&walk.world.party("v2"), |form| form.code(&code))
        .await;
    assert_eq!(collected.status, StatusCode::OK, "{}", collected.body);

    // The token of the wallet's went with the personal values.
    assert_eq!(
        refusal(&walk.ask(&walk.good().await).await),
        (401, "invalid_token", "token-invalid")
    );
    let failed = json!({"notification_id": id, "event": "credential_failure", "event_description": "no room"});
    assert_eq!(
        notify(issuer, &walk.token, &failed).await.status,
        StatusCode::NO_CONTENT
    );
    assert!(walk.is_revoked().await);
}

#[tokio::test]
async fn an_interaction_that_is_cancelled_or_over_issues_nothing() {
    let walk = Walk::start().await;
    let page = walk.waiting.again().await;
    walk.waiting.browser.submit(&page, "cancel").await;
    assert_eq!(
        refusal(&walk.ask(&walk.good().await).await),
        (401, "invalid_token", "token-invalid")
    );
    assert!(walk.rows().await.is_empty());

    // A token has five minutes, and never more than what its interaction has left.
    let waiting = Waiting::to_issue(&walk.world, "v2").await;
    walk.world.later(SignedDuration::from_mins(28));
    let offered = offer(&waiting.link()).await;
    let answer = token(&offered.issuer, &offered.code).await;
    let token = answer.json["access_token"].as_str().unwrap();
    walk.world.later(SignedDuration::from_mins(30));
    let body = walk
        .wallet
        .request(&offered.issuer, CONFIGURATION, walk.world.now())
        .await;
    assert_eq!(
        refusal(&credential(&offered.issuer, token, &body).await),
        (400, "credential_request_denied", "interaction-over")
    );
    assert!(walk.rows().await.is_empty());
}
