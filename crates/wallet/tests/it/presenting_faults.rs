//! Presenting credentials, as a broken or hostile wallet does: the verifier finds each fault out by itself.

use std::time::Duration;

use wallet::{Fault, Outcome};

use crate::party::World;
use crate::verifier::{surname, surname_either, surname_sd};

async fn ready() -> World {
    let world = World::start().await;
    for configuration in ["Identity", "IdentitySd", "Training"] {
        world.receive("amira", configuration).await;
    }
    world
}

#[tokio::test]
async fn each_fault_is_found_out_for_what_it_is() {
    let world = ready().await;
    for (fault, w3c, sd_jwt) in [
        (
            Fault::BadSignature,
            "the signature does not verify",
            "the signature does not verify",
        ),
        (
            Fault::WrongNonce,
            "answers another request",
            "answers another request",
        ),
        (
            Fault::WrongAudience,
            "for another verifier",
            "for another verifier",
        ),
        (
            Fault::MissingHolderBinding,
            "not a presentation",
            "no key binding",
        ),
        (Fault::ExtraDisclosure, "not-asked-for", "not-asked-for"),
        (
            Fault::OtherPerson,
            "does not verify with the holder's key",
            "key binding JWT does not verify",
        ),
    ] {
        for (query, found) in [(surname(), w3c), (surname_sd(), sd_jwt)] {
            let scanned = world.scan_with(fault, world.party.ask_usual(&query)).await;
            assert_eq!(scanned.outcome, Outcome::Failed, "{fault:?}");
            let reason = scanned.reason.unwrap();
            assert!(reason.contains(found), "{fault:?}: {reason}");
        }
    }
    // Every fault was used up.
    assert_eq!(
        world
            .scan("amira", world.party.ask_usual(&surname()), true)
            .await
            .outcome,
        Outcome::Presented
    );
}

#[tokio::test]
async fn another_type_is_presented_in_the_place_of_the_one_asked_for() {
    let world = ready().await;
    // Where either format would do, one credential is sent, not one for each format.
    for query in [surname(), surname_either()] {
        let scanned = world
            .scan_with(Fault::WrongType, world.party.ask_usual(&query))
            .await;
        let reason = scanned.reason.unwrap();
        assert!(reason.contains("of another type"), "{reason}");
    }
}

#[tokio::test]
async fn another_holders_credential_does_not_verify_with_this_holders_key() {
    let world = World::start().await;
    world.receive("ben", "Identity").await;
    let scanned = world
        .scan_with(Fault::OtherPerson, world.party.ask_usual(&surname()))
        .await;
    assert!(
        scanned
            .reason
            .unwrap()
            .contains("does not verify with the holder's key")
    );
}

#[tokio::test]
async fn an_expired_or_revoked_credential_is_presented_if_there_is_one() {
    let world = ready().await;
    for fault in [Fault::Expired, Fault::Revoked] {
        let scanned = world
            .scan_with(fault, world.party.ask_usual(&surname()))
            .await;
        assert!(
            scanned
                .reason
                .unwrap()
                .contains("no holder of this wallet has a credential for it")
        );
    }
    assert!(world.verdicts().is_empty());

    world.party.revoke_all();
    world.receive("amira", "Identity").await;
    let scanned = world
        .scan_with(Fault::Revoked, world.party.ask_usual(&surname()))
        .await;
    assert!(scanned.reason.unwrap().contains("revoked"));
    world.advance(25 * 3600);
    world.receive("amira", "Identity").await;
    let scanned = world
        .scan_with(Fault::Expired, world.party.ask_usual(&surname()))
        .await;
    assert!(scanned.reason.unwrap().contains("expired"));
    assert_eq!(
        world
            .scan("amira", world.party.ask_usual(&surname()), true)
            .await
            .outcome,
        Outcome::Presented
    );
}

#[tokio::test]
async fn a_replay_sends_the_earlier_answer_or_else_the_same_twice() {
    let world = ready().await;
    let twice = world
        .scan_with(Fault::Replay, world.party.ask_usual(&surname()))
        .await;
    assert!(twice.reason.unwrap().contains("already-answered"));
    assert!(world.verdicts()[0].is_ok());
    let earlier = world
        .scan_with(Fault::Replay, world.party.ask_usual(&surname()))
        .await;
    assert!(earlier.reason.unwrap().contains("answers another request"));
}

#[tokio::test]
async fn a_late_answer_comes_when_the_request_has_expired() {
    let world = ready().await;
    let scanned = world
        .scan_with(Fault::LateAnswer, world.party.ask_usual(&surname()))
        .await;
    assert_eq!(scanned.outcome, Outcome::Pending);
    // Other scans of the holder go on meanwhile.
    assert_eq!(
        world
            .scan("amira", world.party.ask_usual(&surname()), true)
            .await
            .outcome,
        Outcome::Presented
    );
    assert_eq!(world.verdicts().len(), 1);
    world.advance(301);
    let late = loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if let Some(late) = world.wallet.late_answer("amira").unwrap() {
            break late;
        }
    };
    assert!(late.reason.unwrap().contains("too-late"));
    assert_eq!(world.verdicts()[1], Err("too-late".to_owned()));
}

#[tokio::test]
async fn silence_declining_and_a_lost_reply_are_what_they_say() {
    let world = ready().await;
    let usual = || world.party.ask_usual(&surname());
    assert_eq!(
        world.scan_with(Fault::Silence, usual()).await.outcome,
        Outcome::Pending
    );
    assert!(world.verdicts().is_empty());
    assert_eq!(
        world.scan_with(Fault::Decline, usual()).await.outcome,
        Outcome::Declined
    );
    assert_eq!(world.verdicts(), [Err("access_denied".to_owned())]);
    assert_eq!(
        world
            .scan_with(Fault::LostNetworkAfterSubmit, usual())
            .await
            .outcome,
        Outcome::Pending
    );
    assert!(world.verdicts()[1].is_ok());
}
