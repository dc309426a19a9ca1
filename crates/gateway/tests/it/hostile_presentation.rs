//! What an attacker presents to the verifier. Each refusal has its code, is final for its request, and never yields
//! a code for the relying party.

use gateway::keys::KeyPurpose;
use reqwest::StatusCode;
use serde_json::{Value, json};
use standards::jose::{Algorithm, SoftwareKey};
use standards::vc::{Validity, jwt_vc_json};

use crate::raw_wallet::{RawWallet, Waiting, refusal, request};
use crate::scenes::{Stage, TYPE};

fn claims(credential: &str) -> serde_json::Map<String, Value> {
    let parsed = standards::jose::jws::parse(credential).unwrap();
    parsed.unverified_claims().clone()
}

fn says(status: u16, error: &str, code: &str) -> (u16, String, String) {
    (status, error.to_owned(), code.to_owned())
}

/// SEC-18, VP-07, VP-13, DW-69.
#[tokio::test]
async fn a_good_presentation_is_accepted_in_either_format_and_only_once() {
    let stage = Stage::set().await;
    assert_eq!(
        claims(&stage.w3c)["vc"]["credentialSubject"]["UniqueIdentifier"],
        crate::world::UNIQUE_IDENTIFIER
    );
    for format in ["w3c", "sd-jwt"] {
        let (waiting, requested) = stage.asked().await;
        let token = match format {
            "w3c" => {
                stage
                    .wallet
                    .present_w3c(&stage.w3c, &requested, stage.world.now())
                    .await
            }
            _ => {
                stage
                    .wallet
                    .present_sd_jwt(&stage.sd_jwt, &requested, stage.world.now())
                    .await
            }
        };
        let form = requested.answer(token);
        let answer = requested.post(form.clone()).await;
        assert_eq!(
            (answer.status, &answer.json),
            (StatusCode::OK, &json!({})),
            "{format}: {}",
            answer.body
        );
        assert_eq!(
            refusal(&requested.post(form).await),
            (400, "invalid_request", "already-used")
        );
        let code = waiting.again().await.code();
        let party = stage.world.party("plain");
        let token = stage.world.token(&party, |form| form.code(&code)).await;
        assert_eq!(
            token.id_token()["TrainingProgramme.TPR-Name"],
            "Cardiology",
            "{format}"
        );
    }
}

/// SEC-14, SEC-16, DW-36, DW-71, VP-13.
#[tokio::test]
async fn a_credential_that_nobody_here_trusts_is_refused_whoever_signed_it() {
    let stage = Stage::set().await;
    let attacker = SoftwareKey::generate(Algorithm::ES256).unwrap();
    let did = "did:web:attacker.example";
    let credential = jwt_vc_json::Credential {
        issuer: did.into(),
        subject: Some(stage.wallet.did()),
        id: None,
        types: vec![TYPE.into()],
        credential_subject: crate::world::programme(),
        validity: Validity::default(),
        status: None,
        status_entries: Vec::new(),
        schema: None,
        confirmation: None,
    };
    let strangers = credential
        .sign(&attacker, &format!("{did}#k"))
        .await
        .unwrap();
    assert_eq!(
        stage.refused(&strangers).await,
        says(400, "access_denied", "issuer-not-trusted")
    );

    // The second organisation of the same gateway: its signature holds, and nobody trusts it.
    let elsewhere = Waiting::to_issue(&stage.world, "stranger").await;
    let theirs = stage
        .wallet
        .receive(&stage.world, &elsewhere.link(), "jwt-vc")
        .await;
    for (organisation, credential) in [("anytown", &stage.w3c), ("elsewhere", &theirs)] {
        let organisations = &stage.world.gateway.app().organisations;
        let did = &organisations.find(organisation).unwrap().did;
        assert_eq!(claims(credential)["iss"], did.as_str());
    }
    assert_eq!(
        stage.refused(&theirs).await,
        says(400, "access_denied", "issuer-not-trusted")
    );

    let ours = stage
        .world
        .gateway
        .app()
        .organisations
        .find("anytown")
        .unwrap()
        .clone();
    let credentials = stage.world.key(KeyPurpose::Credentials);
    let forged = stage
        .forged(&attacker, &ours.key_id(&credentials), |_| ())
        .await;
    assert_eq!(
        stage.refused(&forged).await,
        says(400, "invalid_request", "signature-invalid")
    );
    let misnamed = stage
        .forged(&attacker, &format!("{}#x", ours.did), |_| ())
        .await;
    assert_eq!(
        stage.refused(&misnamed).await,
        says(400, "invalid_request", "signature-invalid")
    );
    // Our own key for another purpose is not our key for credentials.
    for purpose in [KeyPurpose::Status, KeyPurpose::Requests] {
        let key = stage.world.key(purpose);
        let misused = stage.forged(key.as_ref(), &ours.key_id(&key), |_| ()).await;
        assert_eq!(
            stage.refused(&misused).await,
            says(400, "invalid_request", "signature-invalid")
        );
    }
}

/// SEC-25, VP-13.
#[tokio::test]
async fn a_status_that_is_missing_or_points_elsewhere_is_not_a_yes() {
    let stage = Stage::set().await;
    let ours = stage
        .world
        .gateway
        .app()
        .organisations
        .find("anytown")
        .unwrap()
        .clone();
    let credentials = stage.world.key(KeyPurpose::Credentials);
    let (key, kid) = (credentials.as_ref(), ours.key_id(&credentials));
    let unknown = says(503, "temporarily_unavailable", "status-unknown");

    let without = stage
        .forged(key, &kid, |claims| {
            drop(claims.as_object_mut().unwrap().remove("status"))
        })
        .await;
    assert_eq!(stage.refused(&without).await, unknown);
    let list = |claims: &mut Value, name: &str, value: Value| {
        claims["status"]["status_list"][name] = value
    };
    for (name, value) in [
        ("idx", json!(i64::MAX)),
        ("idx", json!(-1)),
        ("uri", json!(stage.world.url("/issuers/elsewhere/status/1"))),
        ("uri", json!(stage.world.url("/issuers/anytown/status/999"))),
        ("uri", json!("https://lists.attacker.example/1")),
        ("uri", json!("file:///etc/passwd")),
    ] {
        let forged = stage
            .forged(key, &kid, |claims| list(claims, name, value.clone()))
            .await;
        assert_eq!(stage.refused(&forged).await, unknown, "{name} {value}");
    }
}

/// SEC-22, DW-36, DW-61, VP-13.
#[tokio::test]
async fn a_revoked_credential_is_refused_at_once_and_an_expired_one_at_its_end() {
    let stage = Stage::set().await;
    let serial = standards::jose::jws::parse(&stage.w3c)
        .unwrap()
        .unverified_claims()["jti"]
        .as_str()
        .unwrap()["urn:uuid:".len()..]
        .to_owned();
    let ours = stage
        .world
        .gateway
        .app()
        .organisations
        .find("anytown")
        .unwrap()
        .clone();
    let credentials = stage.world.key(KeyPurpose::Credentials);
    let kid = ours.key_id(&credentials);
    let ended = stage.forged(credentials.as_ref(), &kid, |claims| {
        claims["exp"] = json!(stage.world.now().as_second() - 1);
        claims["vc"]
            .as_object_mut()
            .unwrap()
            .remove("expirationDate");
    });
    let ended = ended.await;
    assert_eq!(
        stage.refused(&ended).await,
        says(400, "access_denied", "credential-expired")
    );
    let (_, requested) = stage.asked().await;
    let early = stage.good(&requested).await;
    let revoked = stage
        .world
        .revoke(&stage.world.party("v2"), &serial, |_| ())
        .await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.body);
    assert_eq!(
        refusal(&requested.post(early).await),
        (400, "access_denied", "credential-revoked")
    );
}

/// SEC-17, DW-36, VP-13.
#[tokio::test]
async fn a_presentation_made_for_another_request_or_by_another_holder_is_refused() {
    let stage = Stage::set().await;
    let now = stage.world.now();
    let (_, first) = stage.asked().await;
    let (_, second) = stage.asked().await;
    let replayed = stage.wallet.present_w3c(&stage.w3c, &first, now).await;
    assert_eq!(
        refusal(&second.post(second.answer(replayed)).await),
        (400, "invalid_request", "presentation-replayed")
    );
    let thief = RawWallet::new();
    let (_, third) = stage.asked().await;
    let stolen = thief.present_w3c(&stage.w3c, &third, now).await;
    assert_eq!(
        refusal(&third.post(third.answer(stolen)).await),
        (400, "invalid_request", "holder-binding-invalid")
    );
    let (_, fourth) = stage.asked().await;
    let stolen = thief.present_sd_jwt(&stage.sd_jwt, &fourth, now).await;
    assert_eq!(
        refusal(&fourth.post(fourth.answer(stolen)).await),
        (400, "invalid_request", "holder-binding-invalid")
    );
}

/// DW-36, VP-12.
#[tokio::test]
async fn a_credential_of_another_type_does_not_answer() {
    let stage = Stage::set().await;
    let waiting = Waiting::to_verify(&stage.world, "Identity").await;
    let requested = request(&waiting.link()).await;
    let token = stage
        .wallet
        .present_w3c(&stage.w3c, &requested, stage.world.now())
        .await;
    assert_eq!(
        refusal(&requested.post(requested.answer(token)).await),
        (400, "invalid_request", "credential-type-wrong")
    );
}
