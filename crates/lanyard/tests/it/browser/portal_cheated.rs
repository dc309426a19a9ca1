//! A gateway that cheats: what it says is not believed, and nothing of it stays in force.

use wallet::CredentialStatus;

use super::driver::JavaScript;
use super::look::quiet;
use super::portal_person::{CHECKING, NO_MATCH, NOTHING_LOST, PROBLEM, Person, VERIFIED};
use super::stage::Stage;
use crate::cheat::{IDENTIFIERS, Wrong, id_token_key, with_identifier};
use crate::door::Jam;
use crate::wire::Wire;

/// From now on, the gateway's token endpoint answers otherwise.
fn cheat(stage: &Stage, wire: &Wire, wrong: Wrong) {
    let key = id_token_key(&stage.sandbox.data.join("keys"));
    wire.leave();
    wire.change("/token", move |answer| wrong.put_into(answer, &key));
}

/// DW-04, DW-27: a check that came to nothing is none. DW-48: and it can be made again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_40_dw_46_dw_64_whoever_is_told_something_by_a_gateway_that_cheats_is_told_the_truth_by_the_portal()
 {
    let Some((stage, door, wire)) = Stage::set_with_a_wire().await else {
        return;
    };
    let person = Person::of(&stage, "match", JavaScript::On).await;
    person.log_in().await;
    person.confirms().await;
    // All of the session's tries.
    for identifier in IDENTIFIERS {
        let key = id_token_key(&stage.sandbox.data.join("keys"));
        let change = move |answer: &str| with_identifier(answer, &key, identifier);
        person.open("/identity").await;
        wire.leave();
        wire.change("/token", change);
        shows_the_identity(&person).await;
        person
            .stands_on(NO_MATCH, "We have not added anything to your wallet.")
            .await;
        assert!(!person.browser.has("#add-to-wallet").await);
    }
    person.stands_on(NO_MATCH, "contact support").await;
    person.has_nothing().await;

    person.press("Log out").await;
    person.log_in().await;
    person.confirms().await;
    for wrong in Wrong::ALL {
        person.open("/identity").await;
        cheat(&stage, &wire, wrong);
        // Which begins where nobody is verified yet.
        shows_the_identity(&person).await;
        person.stands_on(PROBLEM, NOTHING_LOST).await;
    }
    person.open("/identity").await;
    // The instrument itself: what is signed again unchanged is believed.
    cheat(&stage, &wire, Wrong::Nothing);
    shows_the_identity(&person).await;
    person.stands_on(VERIFIED, "Training programme").await;
    person.has_nothing().await;
    person.open("/identity/done").await;

    // It tells nobody afterwards how a journey ended: what nobody can be sure of is taken back.
    door.jam("/outcomes", Jam::Refuse(404));
    let (_, go_on) = door.hold("/revokecredential");
    for wrong in Wrong::ALL {
        cheat(&stage, &wire, wrong);
        person.goes_to_add().await;
        let serial_number = person.receives().await;
        person.comes_back().await;
        person
            .stands_on(
                CHECKING,
                "We could not find out if the credential reached your wallet.",
            )
            .await;
        let (state, line) = person.in_the_list().await;
        assert_eq!(state, "checking", "{wrong:?}");
        assert!(!line.contains("Added to your wallet"), "{wrong:?}: {line}");
        go_on.notify_one();
        person.waits_until_the_list_says("cancelled").await;
        let own = person.held_as(&serial_number).await;
        assert_eq!(own.status, CredentialStatus::Revoked, "{wrong:?}");
        person.adds_again().await;
        person.stands_on(VERIFIED, "Training programme").await;
    }
    cheat(&stage, &wire, Wrong::Nothing);
    person.goes_to_add().await;
    let serial_number = person.receives().await;
    person.comes_back().await;
    person
        .stands_on("Credential added to your wallet", "Training programme")
        .await;
    assert_eq!(person.in_the_list().await.0, "added");
    let in_force = person.in_force().await;
    assert_eq!(in_force, [serial_number]);
    // Of each that was taken back the person was told.
    let taken_back = Wrong::ALL.len();
    assert_eq!(person.waits_for_mails(taken_back).await, taken_back);
    assert_eq!(quiet(&stage, &person.browser).await, [""; 0]);
    person.browser.close().await;
    stage.strike().await;
}

/// From the page that asks for it to whatever comes of it.
async fn shows_the_identity(person: &Person<'_>) {
    person.goes_to_verify().await;
    person.scans(true).await;
    person.comes_back().await;
}
