//! Presenting credentials, as an honest wallet does.

use std::collections::BTreeSet;

use serde_json::json;
use standards::openid4vp::{RequestUriMethod, ResponseMode};
use wallet::{Outcome, Scan};

use crate::party::{Quirk, World};
use crate::verifier::{surname, surname_either, surname_sd};

#[tokio::test]
async fn a_credential_is_presented_in_either_format_mode_and_way_of_fetching() {
    let world = World::start().await;
    world.receive("amira", "Identity").await;
    world.receive("amira", "IdentitySd").await;
    for query in [surname(), surname_sd()] {
        for mode in [ResponseMode::DirectPost, ResponseMode::DirectPostJwt] {
            for method in [RequestUriMethod::Get, RequestUriMethod::Post] {
                let scanned = world
                    .scan("amira", world.party.ask(&query, mode, method), true)
                    .await;
                assert_eq!(scanned.outcome, Outcome::Presented, "{scanned}");
                assert_eq!(scanned.credentials.len(), 1);
                assert_eq!(
                    scanned.redirect_uri.unwrap().query(),
                    Some("response_code=x")
                );
            }
        }
    }
    let link = world.party.short_link(world.party.ask_usual(&surname()));
    assert_eq!(
        world.scan("amira", link, true).await.outcome,
        Outcome::Presented
    );
}

#[tokio::test]
async fn of_an_sd_jwt_only_what_was_asked_for_is_disclosed() {
    let world = World::start().await;
    world.receive("amira", "IdentitySd").await;
    world
        .scan("amira", world.party.ask_usual(&surname_sd()), true)
        .await;
    let seen = world.verdicts().remove(0).unwrap();
    assert!(seen.contains("surname"));
    assert!(seen.is_disjoint(&BTreeSet::from([
        "email".to_owned(),
        "birth_date".to_owned()
    ])));
}

#[tokio::test]
async fn without_consent_the_verifier_hears_access_denied() {
    let world = World::start().await;
    world.receive("amira", "Identity").await;
    for mode in [ResponseMode::DirectPost, ResponseMode::DirectPostJwt] {
        let link = world.party.ask(&surname(), mode, RequestUriMethod::Get);
        assert_eq!(
            world.scan("amira", link, false).await.outcome,
            Outcome::Declined
        );
    }
    assert_eq!(
        world.verdicts(),
        [
            Err("access_denied".to_owned()),
            Err("access_denied".to_owned())
        ]
    );
}

#[tokio::test]
async fn with_nothing_that_fits_the_scan_fails_and_the_verifier_hears_access_denied() {
    let world = World::start().await;
    world.receive("amira", "IdentitySd").await;
    let scanned = world
        .scan("amira", world.party.ask_usual(&surname()), true)
        .await;
    assert_eq!(scanned.outcome, Outcome::Failed);
    assert!(
        scanned
            .reason
            .unwrap()
            .starts_with("no credential in this wallet fits what is asked for: ")
    );
    assert_eq!(world.verdicts(), [Err("access_denied".to_owned())]);
}

#[tokio::test]
async fn a_refusal_of_the_verifier_shows_its_code() {
    let world = World::start().await;
    world.receive("amira", "Identity").await;
    world.party.revoke_all();
    let scanned = world
        .scan("amira", world.party.ask_usual(&surname()), true)
        .await;
    assert_eq!(scanned.outcome, Outcome::Failed);
    assert!(scanned.reason.unwrap().contains("invalid_request: revoked"));
}

#[tokio::test]
async fn the_newest_usable_credential_is_taken_unless_the_holder_chooses() {
    let world = World::start().await;
    let older = world
        .receive("amira", "Identity")
        .await
        .credentials
        .remove(0);
    world.advance(60);
    let newer = world
        .receive("amira", "Identity")
        .await
        .credentials
        .remove(0);
    let presented = |choose: Vec<String>| {
        let scan = Scan {
            link: world.party.ask_usual(&surname()),
            consent: true,
            choose,
            transaction_code: None,
        };
        async { world.wallet.scan("amira", scan).await.unwrap() }
    };
    assert_eq!(presented(vec![]).await.credentials[0].id, newer.id);
    assert_eq!(
        presented(vec![older.id.clone()]).await.credentials[0].id,
        older.id
    );
    assert_eq!(
        presented(vec!["other".into()]).await.outcome,
        Outcome::Failed
    );
}

#[tokio::test]
async fn where_either_format_would_do_the_holder_may_choose_the_less_preferred() {
    let world = World::start().await;
    let w3c = world
        .receive("amira", "Identity")
        .await
        .credentials
        .remove(0);
    let sd_jwt = world
        .receive("amira", "IdentitySd")
        .await
        .credentials
        .remove(0);
    for (choose, expected) in [
        (vec![], &w3c),
        (vec![sd_jwt.id.clone()], &sd_jwt),
        (vec![w3c.id.clone()], &w3c),
    ] {
        let scan = Scan {
            link: world.party.ask_usual(&surname_either()),
            consent: true,
            choose,
            transaction_code: None,
        };
        let scanned = world.wallet.scan("amira", scan).await.unwrap();
        assert_eq!(scanned.outcome, Outcome::Presented, "{scanned}");
        assert_eq!(scanned.credentials[0].id, expected.id);
    }
}

#[tokio::test]
async fn two_credentials_are_presented_where_two_are_asked_for() {
    let world = World::start().await;
    world.receive("amira", "Identity").await;
    world.receive("amira", "Training").await;
    let mut query = surname();
    let training =
        json!({"id": "training", "format": "jwt_vc_json", "meta": {"type_values": [["Training"]]}});
    query["credentials"].as_array_mut().unwrap().push(training);
    let scanned = world
        .scan("amira", world.party.ask_usual(&query), true)
        .await;
    assert_eq!(
        (scanned.outcome, scanned.credentials.len()),
        (Outcome::Presented, 2),
        "{scanned}"
    );
}

#[tokio::test]
async fn a_request_that_its_verifier_did_not_make_is_not_answered() {
    for (quirk, reason) in [
        (Quirk::SignsWithAnotherKey, "signature does not verify"),
        (Quirk::NamesAnotherVerifier, "another client_id"),
        (Quirk::ForgetsWalletNonce, "wallet_nonce"),
        (Quirk::AsksInThePast, "expired"),
    ] {
        let world = World::with(quirk).await;
        let scanned = world
            .scan("amira", world.party.ask_usual(&surname()), true)
            .await;
        assert_eq!(scanned.outcome, Outcome::Failed);
        let said = scanned.reason.unwrap();
        assert!(said.contains(reason), "{said}");
        assert!(world.verdicts().is_empty());
    }
}

#[tokio::test]
async fn a_verifier_that_does_not_answer_leaves_the_scan_pending_in_time() {
    let world = World::with(Quirk::NeverAnswers).await;
    let began = std::time::Instant::now();
    let scanned = world
        .scan("amira", world.party.ask_usual(&surname()), true)
        .await;
    assert_eq!(scanned.outcome, Outcome::Pending);
    assert!(began.elapsed() < std::time::Duration::from_secs(5));
}

#[tokio::test]
async fn scans_of_one_holder_take_turns() {
    let world = World::start().await;
    let scans = (0..8).map(|_| {
        let (wallet, link) = (world.wallet.clone(), world.party.offer(&["Identity"]));
        tokio::spawn(async move {
            wallet
                .scan(
                    "amira",
                    Scan {
                        link,
                        consent: true,
                        choose: vec![],
                        transaction_code: None,
                    },
                )
                .await
        })
    });
    for scan in scans.collect::<Vec<_>>() {
        assert_eq!(scan.await.unwrap().unwrap().outcome, Outcome::Received);
    }
    assert_eq!(world.wallet.credentials("amira").await.unwrap().len(), 8);
}
