//! Receiving credentials, as a broken or hostile wallet does.

use wallet::{Fault, Outcome};

use crate::party::World;

#[tokio::test]
async fn each_fault_at_issuing_meets_the_refusal_that_belongs_to_it() {
    for (fault, code) in [
        (Fault::WrongNonce, "invalid_nonce"),
        (Fault::WrongAudience, "invalid_proof"),
        (Fault::BadSignature, "invalid_proof"),
        (Fault::OtherPerson, "invalid_proof"),
        (Fault::Expired, "invalid_proof"),
        (Fault::MissingHolderBinding, "invalid_proof"),
        (Fault::WrongType, "credential_request_denied"),
        (Fault::Replay, "invalid_nonce"),
    ] {
        let world = World::start().await;
        let scanned = world
            .scan_with(fault, world.party.offer(&["Identity"]))
            .await;
        assert_eq!(scanned.outcome, Outcome::Failed, "{fault:?}");
        let reason = scanned.reason.unwrap();
        assert!(reason.contains(code), "{fault:?}: {reason}");
        assert!(
            world.wallet.credentials("amira").await.unwrap().is_empty(),
            "{fault:?}"
        );
        // The fault is used up.
        world.receive("amira", "Identity").await;
    }
}

#[tokio::test]
async fn a_fault_without_meaning_at_issuing_sends_nothing() {
    let world = World::start().await;
    for fault in [Fault::Revoked, Fault::ExtraDisclosure] {
        let link = world.party.offer(&["Identity"]);
        assert_eq!(
            world.scan_with(fault, link.clone()).await.outcome,
            Outcome::Failed
        );
        // The code was not spent.
        assert_eq!(
            world.scan("amira", link, true).await.outcome,
            Outcome::Received
        );
    }
}

#[tokio::test]
async fn declining_by_fault_is_declining() {
    let world = World::start().await;
    assert_eq!(
        world
            .scan_with(Fault::Decline, world.party.offer(&["Identity"]))
            .await
            .outcome,
        Outcome::Declined
    );
    assert_eq!(world.events(), ["credential_deleted"]);
}

#[tokio::test]
async fn a_silent_wallet_reads_the_offer_and_leaves_the_code_alone() {
    let world = World::start().await;
    let link = world.party.offer(&["Identity"]);
    assert_eq!(
        world.scan_with(Fault::Silence, link.clone()).await.outcome,
        Outcome::Pending
    );
    assert_eq!(
        world.scan("amira", link, true).await.outcome,
        Outcome::Received
    );
}

#[tokio::test]
async fn a_lost_reply_leaves_an_issued_credential_that_nobody_holds() {
    let world = World::start().await;
    let scanned = world
        .scan_with(
            Fault::LostNetworkAfterSubmit,
            world.party.offer(&["Identity"]),
        )
        .await;
    assert_eq!(scanned.outcome, Outcome::Pending);
    assert_eq!(world.party.remember(|memory| memory.issued), 1);
    assert!(world.events().is_empty());
    assert!(world.wallet.credentials("amira").await.unwrap().is_empty());
}
