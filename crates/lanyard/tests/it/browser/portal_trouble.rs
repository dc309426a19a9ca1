//! A gateway that cannot be asked, or whose answer does not come: nothing is claimed that is not known.

use jiff::SignedDuration;
use url::Url;

use super::driver::JavaScript;
use super::look::quiet;
use super::portal_person::{CHECKING, NOTHING_LOST, PROBLEM, Person, VERIFIED};
use super::stage::Stage;
use crate::door::{Door, Jam};
use crate::wire::Wire;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_48_dw_64_while_the_gateway_is_down_the_portal_says_so_and_later_goes_on_from_there() {
    let Some((stage, door)) = Stage::set_behind_a_door().await else {
        return;
    };
    let person = Person::of(&stage, "match", JavaScript::On).await;
    person.log_in().await;
    person.confirms().await;
    door.jam("", Jam::Refuse(503));
    person.press("Verify your identity").await;
    person.stands_on(PROBLEM, NOTHING_LOST).await;
    person.stands_on(PROBLEM, "Your reference is").await;
    door.free();
    person.has_nothing().await;

    person.open("/identity").await;
    door.jam("", Jam::Refuse(503));
    person.press("Verify your identity").await;
    door.free();
    person.press("Try again").await;
    person.verifies().await;

    door.jam("", Jam::Refuse(503));
    person.press("Add to wallet").await;
    person.stands_on(PROBLEM, NOTHING_LOST).await;
    door.free();
    person.has_nothing().await;
    person.open("/identity/done").await;
    person.goes_to_add().await;
    person.receives().await;
    person.comes_back().await;
    person
        .stands_on("Credential added to your wallet", "Training programme")
        .await;
    assert_eq!(person.in_the_list().await.0, "added");
    assert_eq!(quiet(&stage, &person.browser).await, [""; 0]);
    person.browser.close().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_48_dw_64_an_identity_whose_answer_is_an_error_or_none_is_not_verified_and_can_be_shown_again()
 {
    let Some((stage, door, wire)) = Stage::set_with_a_wire().await else {
        return;
    };
    let person = Person::of(&stage, "match", JavaScript::On).await;
    person.log_in().await;
    person.confirms().await;
    for error in ERRORS {
        person.open("/identity").await;
        person.goes_to_verify().await;
        is_sent_back_with(&person, &door, &wire, error).await;
        person.press("Try again").await;
        person
            .stands_on("Verify your identity", "You need to share")
            .await;
        person.has_nothing().await;
    }
    for jam in [Jam::Refuse(500), Jam::LoseAnswer] {
        person.open("/identity").await;
        door.jam("/token", jam);
        person.goes_to_verify().await;
        person.scans(true).await;
        person.comes_back().await;
        person.stands_on(PROBLEM, NOTHING_LOST).await;
        door.free();
        // A page of the portal's own, which can be loaded again and asks nobody anything.
        let asked = door.calls("/token").len();
        person.browser.reload().await;
        person.stands_on(PROBLEM, NOTHING_LOST).await;
        assert_eq!(door.calls("/token").len(), asked);
        person.has_nothing().await;
    }

    // An answer that does not come: the person is told to wait, and after a while that there is nothing to wait for.
    person.open("/identity").await;
    let (_, go_on) = door.hold("/token");
    person.goes_to_verify().await;
    person.scans(true).await;
    person.browser.go_on_to(&person.portal("/")).await;
    person
        .stands_on("We are finishing up", "This takes a few seconds.")
        .await;
    stage.sandbox.shift.set(SignedDuration::from_mins(1));
    person.is_back().await;
    person
        .stands_on("Verify your identity", "You need to share")
        .await;
    door.free();
    person.verifies().await;
    go_on.notify_one();

    person.open("/identity/done").await;
    person.stands_on(VERIFIED, "Training programme").await;

    // On the way to the credential, too, which the person then adds.
    for error in ERRORS {
        person.goes_to_add().await;
        is_sent_back_with(&person, &door, &wire, error).await;
        person.press("Try again").await;
        person.stands_on("Training programme", "Not added").await;
        person.has_nothing().await;
        person.confirms().await;
        person
            .stands_on(VERIFIED, "You shared your identity earlier.")
            .await;
    }
    person.goes_to_add().await;
    person.receives().await;
    person.comes_back().await;
    assert_eq!(person.in_the_list().await.0, "added");
    assert_eq!(quiet(&stage, &person.browser).await, [""; 0]);
    person.browser.close().await;
    stage.strike().await;
}

/// What a gateway may answer in place of a code when the fault is its own [RFC 6749 4.1.2.1].
const ERRORS: [&str; 2] = ["server_error", "temporarily_unavailable"];

/// From its page, the gateway sends the browser back with an error to what was begun last: the person reads that it is the
/// service's problem, and nothing of what programs say to each other.
async fn is_sent_back_with(person: &Person<'_>, door: &Door, wire: &Wire, error: &str) {
    let mut back: Url = person.portal("/callback").parse().unwrap();
    let begun = wire.pushed().pop().unwrap().form();
    back.query_pairs_mut()
        .append_pair("error", error)
        .append_pair("error_description", "out-of-order")
        .append_pair("state", &begun["state"])
        .append_pair("iss", &door.base);
    let leave = format!("location.assign({:?})", back.as_str());
    person.browser.script(&leave).await;
    person.is_back().await;
    person.stands_on(PROBLEM, NOTHING_LOST).await;
    let read = person.browser.text("body").await;
    for inner in [error, "out-of-order", "invalid_", "error:"] {
        assert!(!read.contains(inner), "{inner}: {read}");
    }
}

/// DW-17, DW-48, DW-63, DW-64.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_of_which_nobody_knows_is_checked_and_nothing_in_force_is_left_behind() {
    let Some((stage, door)) = Stage::set_behind_a_door().await else {
        return;
    };
    for (case, jam) in [("match", Jam::Refuse(500)), ("apostrophe", Jam::LoseAnswer)] {
        // Without JavaScript the browser waits at the gateway until the person says so: the wallet, too, has to ask at
        // an address that ends so.
        let person = Person::of(&stage, case, JavaScript::Off).await;
        person.gets_ready_to_add().await;
        person.goes_to_add().await;
        let serial_number = person.receives().await;
        door.jam("/token", jam);
        // Nor can it be asked what became of it.
        door.jam("/outcomes", Jam::Refuse(503));
        door.jam("/revokecredential", Jam::Refuse(503));
        person.comes_back().await;
        person
            .stands_on(
                CHECKING,
                "We could not find out if the credential reached your wallet.",
            )
            .await;
        let (state, line) = person.in_the_list().await;
        assert_eq!(state, "checking");
        assert!(!line.contains("Added to your wallet"), "{line}");

        door.free();
        if case == "apostrophe" {
            // The gateway had given its answer: when it can be asked, it says so.
            person.waits_until_the_list_says("added").await;
            assert_eq!(person.mails().await.len(), 0);
            assert_eq!(quiet(&stage, &person.browser).await, [""; 0]);
            person.browser.close().await;
            continue;
        }
        person.waits_until_it_is_cancelled(&serial_number).await;
        person.waits_until_the_list_says("cancelled").await;
        let mail = person.waits_for_a_mail().await;
        assert!(mail.text.contains("Training programme"), "{}", mail.text);

        // And so to a credential after all.
        person.adds_again().await;
        person.stands_on(VERIFIED, "Training programme").await;
        person.goes_to_add().await;
        person.receives().await;
        person.comes_back().await;
        assert_eq!(person.in_the_list().await.0, "added");
        assert_eq!(person.mails().await.len(), 1);
        assert_eq!(quiet(&stage, &person.browser).await, [""; 0]);
        person.browser.close().await;
    }
    stage.strike().await;
}
