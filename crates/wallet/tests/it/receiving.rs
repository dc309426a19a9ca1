//! Receiving credentials, as an honest wallet does.

use wallet::{CredentialStatus, Outcome, Scan};

use crate::party::{Quirk, World};

#[tokio::test]
async fn a_credential_is_received_in_either_format_by_each_kind_of_link() {
    let world = World::start().await;
    let party = &world.party;
    for (link, format) in [
        (party.offer(&["Identity"]), "jwt_vc_json"),
        (party.offer_by_reference("IdentitySd"), "dc+sd-jwt"),
        (
            party.short_link(party.offer_by_reference("Identity")),
            "jwt_vc_json",
        ),
        (format!("  {}\n", party.offer(&["IdentitySd"])), "dc+sd-jwt"),
    ] {
        let scanned = world.scan("amira", link, true).await;
        assert_eq!(scanned.outcome, Outcome::Received, "{scanned}");
        assert_eq!(scanned.credentials[0].format, format);
        assert_eq!(scanned.credentials[0].claims["surname"], "Nasser");
        assert!(scanned.credentials[0].serial_number.is_some());
    }
    assert_eq!(world.events(), ["credential_accepted"; 4]);
    assert_eq!(world.wallet.credentials("amira").await.unwrap().len(), 4);
    assert!(world.wallet.credentials("ben").await.unwrap().is_empty());
}

#[tokio::test]
async fn where_both_formats_are_offered_the_w3c_form_is_taken_unless_the_holder_chooses() {
    let world = World::start().await;
    for (choose, format) in [
        (vec![], "jwt_vc_json"),
        (vec!["IdentitySd".to_owned()], "dc+sd-jwt"),
        (vec!["dc+sd-jwt".to_owned()], "dc+sd-jwt"),
    ] {
        let link = world.party.offer(&["IdentitySd", "Identity"]);
        let scanned = world
            .wallet
            .scan(
                "amira",
                Scan {
                    link,
                    consent: true,
                    choose,
                    transaction_code: None,
                },
            )
            .await
            .unwrap();
        assert_eq!(scanned.credentials[0].format, format);
    }
    let link = world.party.offer(&["Identity"]);
    let scan = Scan {
        link,
        consent: true,
        choose: vec!["Other".to_owned()],
        transaction_code: None,
    };
    let scanned = world.wallet.scan("amira", scan).await.unwrap();
    assert_eq!(
        (scanned.outcome, scanned.reason.as_deref()),
        (Outcome::Failed, Some("what was chosen is not on offer"))
    );
}

#[tokio::test]
async fn without_consent_the_credential_is_fetched_thrown_away_and_the_issuer_told() {
    let world = World::start().await;
    let scanned = world
        .scan("amira", world.party.offer(&["Identity"]), false)
        .await;
    assert_eq!(scanned.outcome, Outcome::Declined);
    assert_eq!(world.events(), ["credential_deleted"]);
    assert!(world.wallet.credentials("amira").await.unwrap().is_empty());
}

#[tokio::test]
async fn the_status_list_decides_whether_a_held_credential_is_valid() {
    let world = World::start().await;
    world.receive("amira", "Identity").await;
    world.receive("amira", "IdentitySd").await;
    let statuses = || async {
        let held = world.wallet.credentials("amira").await.unwrap();
        held.iter()
            .map(|credential| credential.status)
            .collect::<Vec<_>>()
    };
    assert_eq!(statuses().await, [CredentialStatus::Valid; 2]);
    world.party.revoke_all();
    assert_eq!(statuses().await, [CredentialStatus::Revoked; 2]);
    world.advance(25 * 3600);
    assert_eq!(statuses().await, [CredentialStatus::Expired; 2]);
}

#[tokio::test]
async fn deleting_tells_the_issuer_while_the_access_token_lives() {
    let world = World::start().await;
    let first = world.receive("amira", "Identity").await;
    let second = world.receive("amira", "Identity").await;
    world
        .wallet
        .delete("amira", &first.credentials[0].id)
        .await
        .unwrap();
    world.advance(601);
    world
        .wallet
        .delete("amira", &second.credentials[0].id)
        .await
        .unwrap();
    assert_eq!(
        world.events(),
        [
            "credential_accepted",
            "credential_accepted",
            "credential_deleted"
        ]
    );
    assert!(world.wallet.credentials("amira").await.unwrap().is_empty());
    assert!(
        world
            .wallet
            .delete("amira", &second.credentials[0].id)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn an_offer_works_once() {
    let world = World::start().await;
    let link = world.party.offer(&["Identity"]);
    assert_eq!(
        world.scan("amira", link.clone(), true).await.outcome,
        Outcome::Received
    );
    let again = world.scan("amira", link, true).await;
    assert_eq!(again.outcome, Outcome::Failed);
    assert!(
        again
            .reason
            .unwrap()
            .contains("invalid_grant: the test issuer says no")
    );
}

#[tokio::test]
async fn a_credential_bound_to_another_key_is_not_kept_and_the_issuer_told() {
    let world = World::with(Quirk::BindsToAnotherKey).await;
    for configuration in ["Identity", "IdentitySd"] {
        let scanned = world
            .scan("amira", world.party.offer(&[configuration]), true)
            .await;
        assert_eq!(scanned.outcome, Outcome::Failed);
        assert!(scanned.reason.unwrap().contains("not bound to the key"));
    }
    assert_eq!(world.events(), ["credential_failure"; 2]);
    assert!(world.wallet.credentials("amira").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_credential_that_its_issuer_did_not_sign_is_not_kept() {
    let world = World::with(Quirk::SignsWithAnotherKey).await;
    for configuration in ["Identity", "IdentitySd"] {
        let scanned = world
            .scan("amira", world.party.offer(&[configuration]), true)
            .await;
        assert!(
            scanned
                .reason
                .unwrap()
                .contains("signature does not verify")
        );
    }
    assert_eq!(world.events(), ["credential_failure"; 2]);
}
