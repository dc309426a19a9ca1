//! Nobody learnt whether a credential reached the wallet, and the gateway cannot tell or will not keep it: it is settled by
//! revoking, and said as it is.

use connector::desk::{Cause, Issuing, Return, Stage};
use jiff::SignedDuration;
use url::Url;

use super::world::{ANNA, LOOK_UP, RECORD, REVOKE, TOKEN, Working, corrected};
use crate::database::{Database, on_both_engines};
use crate::desk::door::Jam;
use crate::desk::world::programme;

on_both_engines!(
    dw_64_an_answer_that_a_gateway_without_look_up_cannot_repeat_is_settled_at_once_by_revoking,
    dw_64_a_process_that_died_while_it_waited_is_settled_when_it_is_certainly_dead,
    dw_64_a_browser_that_never_comes_back_is_settled_when_the_journey_is_over,
    dw_64_a_credential_that_reached_the_wallet_of_a_browser_that_never_came_back_is_revoked_and_told,
    dw_64_what_is_not_known_waits_for_the_gateway,
    dw_80_a_change_while_the_browser_is_away_is_noted_once_and_only_if_the_credential_shows_it,
    dw_80_what_changed_while_the_browser_was_away_is_revoked_for_the_reason_of_the_change,
);

/// The browser is away, and the code that it brings back when Anna agreed.
async fn away(it: &Working) -> (Url, String) {
    let url = it.go(ANNA, &programme(RECORD)).await;
    let query = it.visit(&url, "anna").await;
    (url, query)
}

async fn dw_64_an_answer_that_a_gateway_without_look_up_cannot_repeat_is_settled_at_once_by_revoking(
    database: Database,
) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    let (_, query) = away(&it).await;
    it.door.jam(TOKEN, Jam::LoseAnswer);
    it.door.jam(LOOK_UP, Jam::Refuse(404));
    let back = it.desk.come_back(ANNA, &person, &query).await.unwrap();
    assert!(matches!(back, Return::Issue { .. }), "{back:?}");
    assert_eq!(it.credential().await.stage, Stage::Checking);
    it.work().await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Revoked);
    assert_eq!(credential.reason, Some(Cause::NotConfirmed));
    assert_eq!(it.revocations(), [credential.serial_number.to_string()]);
    let mails = it.mails();
    assert_eq!(mails.len(), 1);
    assert!(
        mails[0]
            .text
            .contains("because we could not confirm that it reached your wallet")
    );
    assert!(!mails[0].text.contains("added on"));
}

async fn dw_64_a_process_that_died_while_it_waited_is_settled_when_it_is_certainly_dead(
    database: Database,
) {
    let mut it = Working::start(database).await;
    let person = it.log_in().await;
    let (_, query) = away(&it).await;
    let (arrived, _) = it.door.hold(TOKEN);
    // The process that takes the callback up, on a runtime of its own, so that nothing of it is left.
    let (url, settings, clock) = it.process();
    let died = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            let store = store::Store::open(&url, &[connector::desk::MIGRATIONS])
                .await
                .unwrap();
            let options = connector::desk::DeskOptions::default();
            let desk = crate::desk::world::open_desk(&store, &settings, &clock, options);
            tokio::select! {
                _ = desk.come_back(ANNA, &person, &query) => panic!("it came to an end"),
                () = arrived.notified() => {}
            }
        });
        runtime.shutdown_background();
    });
    tokio::task::spawn_blocking(move || died.join().unwrap())
        .await
        .unwrap();
    // What it sent goes no further: with the connection, the door drops the request.
    it.door.free();
    it.restart();
    it.work().await;
    assert_eq!(it.credential().await.stage, Stage::Checking);
    assert!(it.revocations().is_empty());
    it.work_after(it.options.answer_lasts).await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Revoked);
    assert_eq!(credential.reason, Some(Cause::NotConfirmed));
    assert_eq!(it.mails().len(), 1);
}

async fn dw_64_a_browser_that_never_comes_back_is_settled_when_the_journey_is_over(
    database: Database,
) {
    let it = Working::start(database).await;
    it.log_in().await;
    it.go(ANNA, &programme(RECORD)).await;
    it.work_after(it.options.journey_lasts - SignedDuration::from_mins(1))
        .await;
    assert_eq!(it.credential().await.stage, Stage::Asked);
    it.work_after(SignedDuration::from_mins(1)).await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::NotIssued);
    assert_eq!(credential.outcome.as_deref(), Some("never-came-back"));
    assert!(!credential.revoking);
    assert!(
        it.revocations().is_empty(),
        "the gateway said that nothing left it"
    );
    assert!(it.mails().is_empty());
    assert!(it.desk.backlog().await.unwrap().revocations.is_empty());
}

async fn dw_64_a_credential_that_reached_the_wallet_of_a_browser_that_never_came_back_is_revoked_and_told(
    database: Database,
) {
    let it = Working::start(database).await;
    it.log_in().await;
    away(&it).await;
    it.work_after(it.options.journey_lasts).await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Revoked);
    assert_eq!(credential.reason, Some(Cause::NotConfirmed));
    assert_eq!(it.mails().len(), 1);
}

async fn dw_64_what_is_not_known_waits_for_the_gateway(database: Database) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    let (_, query) = away(&it).await;
    it.door.jam(TOKEN, Jam::LoseAnswer);
    it.door.jam(LOOK_UP, Jam::Refuse(404));
    it.door.jam(REVOKE, Jam::Refuse(503));
    it.desk.come_back(ANNA, &person, &query).await.unwrap();
    it.work().await;
    assert_eq!(it.credential().await.stage, Stage::Checking);
    assert!(it.mails().is_empty());
    it.door.free();
    // Longer than any of the first pauses: a second may have begun between two tries.
    it.work_after(SignedDuration::from_secs(10)).await;
    assert_eq!(it.credential().await.stage, Stage::Revoked);
}

async fn dw_80_a_change_while_the_browser_is_away_is_noted_once_and_only_if_the_credential_shows_it(
    database: Database,
) {
    let it = Working::start(database).await;
    it.log_in().await;
    let record = programme(RECORD);
    it.keep(&record).await;
    it.desk.confirm(ANNA.employee, &record).await.unwrap();
    assert!(matches!(it.issue(ANNA, &record).await, Issuing::Go(_)));
    it.change(Some(&record), Cause::Corrected).await;
    assert_eq!(it.credential().await.changed_at, None);
    it.change(Some(&corrected()), Cause::Corrected).await;
    let changed_at = it.credential().await.changed_at;
    assert!(changed_at.is_some());
    it.later(SignedDuration::from_mins(1));
    it.change(None, Cause::AddedInError).await;
    assert_eq!(it.credential().await.changed_at, changed_at);
}

async fn dw_80_what_changed_while_the_browser_was_away_is_revoked_for_the_reason_of_the_change(
    database: Database,
) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    let (_, query) = away(&it).await;
    it.change(None, Cause::EndedEarly).await;
    it.desk.come_back(ANNA, &person, &query).await.unwrap();
    it.work().await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Revoked);
    assert_eq!(credential.reason, Some(Cause::EndedEarly));
    assert!(it.mails()[0].text.contains("because it ended early"));
}
