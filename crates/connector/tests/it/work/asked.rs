//! Nobody learnt whether a credential reached the wallet: the gateway is asked, and believed.

use connector::desk::{Cause, Desk, Return, Stage};
use jiff::SignedDuration;

use super::world::{ANNA, LOOK_UP, RECORD, REVOKE, TOKEN, Working, corrected};
use crate::database::{Database, on_both_engines};
use crate::desk::door::Jam;
use crate::desk::world::programme;

on_both_engines!(
    dw_62_dw_64_an_answer_that_was_lost_is_asked_for_and_the_credential_is_added,
    dw_64_what_is_found_to_be_added_takes_the_place_of_the_older_copy,
    dw_80_what_is_found_to_be_added_and_has_changed_since_is_revoked_at_once,
    dw_62_dw_64_what_the_wallet_has_and_nobody_collected_is_not_left_for_the_gateway_to_revoke,
    dw_64_dw_77_what_the_gateway_has_revoked_itself_is_revoked_here_and_told,
    dw_64_a_no_of_which_the_browser_never_told_is_learnt_without_revoking,
    dw_64_a_gateway_that_cannot_answer_now_is_asked_again,
    dw_72_what_has_changed_does_not_wait_for_an_answer,
    dw_64_a_look_up_that_fails_for_hours_holds_nobody_up_for_ever,
    dw_64_whoever_dies_with_the_answer_asks_again_and_two_who_ask_at_once_settle_it_once,
    dw_64_the_state_stays_until_the_gateway_could_be_asked_and_goes_then,
);

/// Longer than any of the first pauses: a second may have begun between two tries.
const A_MOMENT: SignedDuration = SignedDuration::from_secs(10);

/// Anna agreed, the gateway gave its answer, and the answer was lost.
async fn lost(it: &Working) -> String {
    let person = it.log_in().await;
    lost_again(it, &person).await
}

async fn lost_again(it: &Working, person: &connector::desk::Person) -> String {
    let url = it.go(ANNA, &programme(RECORD)).await;
    let query = it.visit(&url, "anna").await;
    it.door.jam(TOKEN, Jam::LoseAnswer);
    let back = it.desk.come_back(ANNA, person, &query).await.unwrap();
    assert!(matches!(back, Return::Issue { .. }), "{back:?}");
    assert_eq!(it.credential().await.stage, Stage::Checking);
    query
}

async fn questions(it: &Working) -> usize {
    let rows = it.rows("SELECT serial_number FROM connector_questions");
    rows.await.len()
}

async fn dw_62_dw_64_an_answer_that_was_lost_is_asked_for_and_the_credential_is_added(
    database: Database,
) {
    let it = Working::start(database).await;
    let query = lost(&it).await;
    it.work().await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Issued);
    let issued_at = credential.issued_at.unwrap();
    assert!(issued_at >= credential.started_at);
    let took = issued_at.duration_since(credential.started_at);
    assert!(took <= SignedDuration::from_mins(1), "{took}");
    assert!(it.revocations().is_empty() && it.mails().is_empty());
    assert_eq!(questions(&it).await, 0);
    assert_eq!(it.door.calls(LOOK_UP).len(), 1);
    let asked = it.desk.must_ask_about_old_copy(ANNA.employee, RECORD);
    assert!(asked.await.unwrap(), "there is a copy to ask about");
    let person = crate::desk::world::anna();
    let late = it.desk.come_back(ANNA, &person, &query).await.unwrap();
    assert_eq!(late, Return::NotOurs, "the journey is over");
    it.work_after(it.options.journey_lasts * 3).await;
    assert_eq!(it.credential().await.stage, Stage::Issued, "and it stays");
}

async fn dw_64_what_is_found_to_be_added_takes_the_place_of_the_older_copy(database: Database) {
    let it = Working::start(database).await;
    let older = it.issued().await;
    let person = crate::desk::world::anna();
    let answer = connector::desk::OldCopy::Deleted;
    let answered = it.desk.answer_about_old_copy(ANNA.employee, RECORD, answer);
    answered.await.unwrap();
    lost_again(&it, &person).await;
    it.work().await;
    let credentials = it.desk.credentials(ANNA.employee).await.unwrap();
    assert_eq!(credentials[0].stage, Stage::Issued);
    assert_eq!(credentials[1].serial_number, older.serial_number);
    assert_eq!(credentials[1].stage, Stage::Revoked);
    assert_eq!(credentials[1].reason, Some(Cause::Replaced));
    assert_eq!(it.revocations(), [older.serial_number.to_string()]);
    assert!(it.mails().is_empty(), "who deleted it needs no mail");
}

async fn dw_80_what_is_found_to_be_added_and_has_changed_since_is_revoked_at_once(
    database: Database,
) {
    let it = Working::start(database).await;
    lost(&it).await;
    it.change(Some(&corrected()), Cause::Corrected).await;
    it.work().await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Revoked);
    assert_eq!(credential.reason, Some(Cause::Corrected));
    assert!(credential.issued_at.is_some(), "it was in the wallet");
    assert_eq!(it.mails().len(), 1);
    assert!(it.mails()[0].text.contains("added on"));
}

async fn dw_62_dw_64_what_the_wallet_has_and_nobody_collected_is_not_left_for_the_gateway_to_revoke(
    database: Database,
) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    let url = it.go(ANNA, &programme(RECORD)).await;
    let query = it.visit(&url, "anna").await;
    it.door.jam(TOKEN, Jam::Refuse(503));
    it.desk.come_back(ANNA, &person, &query).await.unwrap();
    it.work().await;
    let credential = it.credential().await;
    assert_eq!(
        credential.stage,
        Stage::Revoked,
        "at once, so that it can be added again"
    );
    assert_eq!(credential.reason, Some(Cause::NotConfirmed));
    assert_eq!(it.revocations(), [credential.serial_number.to_string()]);
    assert_eq!(it.mails().len(), 1);
}

async fn dw_64_dw_77_what_the_gateway_has_revoked_itself_is_revoked_here_and_told(
    database: Database,
) {
    let it = Working::start(database).await;
    it.log_in().await;
    let url = it.go(ANNA, &programme(RECORD)).await;
    it.visit(&url, "anna").await;
    it.later(SignedDuration::from_mins(40));
    it.tidy_gateway().await;
    it.work_after(it.options.journey_lasts - SignedDuration::from_mins(40))
        .await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Revoked);
    assert_eq!(it.mails().len(), 1);
}

async fn dw_64_a_no_of_which_the_browser_never_told_is_learnt_without_revoking(database: Database) {
    let it = Working::start(database).await;
    it.log_in().await;
    let url = it.go(ANNA, &programme(RECORD)).await;
    it.decline(&url, "anna").await;
    it.work_after(it.options.journey_lasts).await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::NotIssued);
    assert_eq!(credential.outcome.as_deref(), Some("declined"));
    assert!(it.revocations().is_empty() && it.mails().is_empty());
    assert_eq!(questions(&it).await, 0);
}

async fn dw_64_a_gateway_that_cannot_answer_now_is_asked_again(database: Database) {
    let it = Working::start(database).await;
    lost(&it).await;
    it.door.jam(LOOK_UP, Jam::Refuse(503));
    it.work().await;
    it.work_after(A_MOMENT).await;
    assert_eq!(it.credential().await.stage, Stage::Checking);
    assert!(it.revocations().is_empty());
    it.door.free();
    it.work_after(A_MOMENT).await;
    assert_eq!(it.credential().await.stage, Stage::Issued);
    assert!(it.door.calls(LOOK_UP).len() > 2);
}

async fn dw_72_what_has_changed_does_not_wait_for_an_answer(database: Database) {
    let it = Working::start(database).await;
    lost(&it).await;
    it.door.jam(LOOK_UP, Jam::Refuse(503));
    it.change(None, Cause::EndedEarly).await;
    it.work().await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Revoked);
    assert_eq!(credential.reason, Some(Cause::EndedEarly));
    assert_eq!(it.mails().len(), 1);
}

async fn dw_64_a_look_up_that_fails_for_hours_holds_nobody_up_for_ever(database: Database) {
    let it = Working::start(database).await;
    lost(&it).await;
    it.door.jam(LOOK_UP, Jam::Refuse(500));
    it.work().await;
    it.work_after(SignedDuration::from_hours(5)).await;
    assert_eq!(it.credential().await.stage, Stage::Checking);
    it.work_after(SignedDuration::from_hours(1)).await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Revoked);
    assert_eq!(credential.reason, Some(Cause::NotConfirmed));
}

/// Works once, and dies when the gateway has been asked and nothing is written down yet.
async fn die_while_asking(it: &Working, desk: Desk) {
    let (arrived, _) = it.door.hold(LOOK_UP);
    let working = tokio::spawn(async move { desk.work_once().await });
    arrived.notified().await;
    working.abort();
    assert!(working.await.unwrap_err().is_cancelled());
    it.door.free();
}

async fn dw_64_whoever_dies_with_the_answer_asks_again_and_two_who_ask_at_once_settle_it_once(
    database: Database,
) {
    let mut it = Working::start(database).await;
    lost(&it).await;
    die_while_asking(&it, it.desk.clone()).await;
    it.restart();
    it.work().await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Checking, "somebody may be asking");
    it.later(it.options.answer_lasts);
    let (one, other) = (it.another_desk(), it.another_desk());
    let (one, other) = tokio::join!(one.work_once(), other.work_once());
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    it.work().await;
    assert_eq!(it.credential().await.stage, Stage::Issued);
    assert!(it.revocations().is_empty());
    assert_eq!(it.door.calls(REVOKE).len(), 0);
    assert_eq!(
        it.door.calls(LOOK_UP).len(),
        2,
        "one asked, once, after the dead one"
    );
}

/// The desk works as it does in a host, which begins by tidying.
async fn tidy(it: &Working) {
    let desk = it.another_desk();
    let working = async move { desk.keep_working().await };
    let _ = tokio::time::timeout(std::time::Duration::from_millis(500), working).await;
}

async fn dw_64_the_state_stays_until_the_gateway_could_be_asked_and_goes_then(database: Database) {
    let it = Working::start(database).await;
    lost(&it).await;
    it.door.jam(LOOK_UP, Jam::Refuse(503));
    let states = async || {
        let rows = it
            .rows("SELECT pending, state FROM connector_journeys WHERE serial_number IS NOT NULL");
        rows.await
    };
    it.later(it.options.journey_lasts * 3);
    tidy(&it).await;
    let kept = states().await;
    assert_eq!(kept.len(), 1);
    assert!(kept[0].optional_text("state").unwrap().is_some());
    assert!(
        kept[0].optional_text("pending").unwrap().is_none(),
        "its secrets are gone"
    );
    it.door.free();
    it.work_after(SignedDuration::from_mins(6)).await;
    assert_eq!(it.credential().await.stage, Stage::Issued);
    tidy(&it).await;
    assert!(states().await.is_empty());
}
