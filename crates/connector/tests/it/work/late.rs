//! What only the browser said, or what the gateway said too early, is not the last word on a credential.

use connector::desk::{Cause, OldCopy, Return, Stage};
use jiff::SignedDuration;

use super::world::{ANNA, RECORD, Working, corrected};
use crate::database::{Database, on_both_engines};
use crate::desk::world::programme;

on_both_engines!(
    dw_41_a_refusal_that_the_browser_made_up_leaves_nothing_in_force,
    dw_64_whoever_goes_back_to_the_gateway_after_a_no_is_believed_when_the_code_comes,
    dw_80_a_record_that_changes_after_a_no_is_not_issued_as_it_was,
    dw_62_what_is_not_there_before_the_journey_is_over_is_looked_at_once_more,
    a_no_that_was_meant_is_asked_about_once_and_then_forgotten,
);

/// Longer than any journey.
const OVER: SignedDuration = SignedDuration::from_mins(49);

/// What an employee could type who has the credential in the wallet, and not in the portal's books.
fn made_up(query: &str) -> String {
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.starts_with("code="))
        .collect();
    format!(
        "error=access_denied&error_description=user+cancelled&{}",
        kept.join("&")
    )
}

/// Anna's browser is away, her wallet has the credential, and the code is on its way.
async fn away(it: &Working) -> String {
    let url = it.go(ANNA, &programme(RECORD)).await;
    it.visit(&url, "anna").await
}

async fn dw_41_a_refusal_that_the_browser_made_up_leaves_nothing_in_force(database: Database) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    let query = away(&it).await;
    let back = it.desk.come_back(ANNA, &person, &made_up(&query)).await;
    assert!(matches!(back.unwrap(), Return::Issue { .. }));
    assert_eq!(it.credential().await.stage, Stage::NotIssued);
    let backlog = it.desk.backlog().await.unwrap();
    assert!(backlog.revocations.is_empty(), "nothing is known to wait");

    it.later(OVER);
    it.work().await;
    let credential = it.credential().await;
    assert_eq!(it.revocations(), [credential.serial_number.to_string()]);
    assert_eq!(credential.stage, Stage::NotIssued);
    let late = it.desk.come_back(ANNA, &person, &query).await.unwrap();
    assert_eq!(late, Return::NotOurs, "and the code is worth nothing now");
    assert!(it.mails().is_empty(), "who made it up knows");
}

async fn dw_64_whoever_goes_back_to_the_gateway_after_a_no_is_believed_when_the_code_comes(
    database: Database,
) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    let query = away(&it).await;
    let no = it.desk.come_back(ANNA, &person, &made_up(&query)).await;
    assert!(matches!(no.unwrap(), Return::Issue { .. }));
    let yes = it.desk.come_back(ANNA, &person, &query).await.unwrap();
    assert!(matches!(yes, Return::Issue { .. }), "{yes:?}");
    assert_eq!(it.credential().await.stage, Stage::Issued);

    it.later(OVER);
    it.work().await;
    assert_eq!(it.credential().await.stage, Stage::Issued, "and it stays");
    assert!(it.revocations().is_empty());
    let again = it.desk.come_back(ANNA, &person, &query).await.unwrap();
    assert_eq!(again, Return::NotOurs, "a code counts once");
}

async fn dw_80_a_record_that_changes_after_a_no_is_not_issued_as_it_was(database: Database) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    let query = away(&it).await;
    let no = it.desk.come_back(ANNA, &person, &made_up(&query)).await;
    assert!(matches!(no.unwrap(), Return::Issue { .. }));
    let change = it
        .desk
        .record_changed(RECORD, Some(&corrected()), Cause::Corrected);
    it.store.write(change).await.unwrap();
    it.desk.come_back(ANNA, &person, &query).await.unwrap();
    it.work().await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Revoked);
    assert_eq!(credential.reason, Some(Cause::Corrected));
}

async fn dw_62_what_is_not_there_before_the_journey_is_over_is_looked_at_once_more(
    database: Database,
) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    let url = it.go(ANNA, &programme(RECORD)).await;
    // The browser knows its state, a code is not there yet: somebody makes one up.
    let rows = it.rows("SELECT pending FROM connector_journeys WHERE pending IS NOT NULL");
    let pending = rows.await[0].text("pending").unwrap().to_owned();
    let pending: serde_json::Value = serde_json::from_str(&pending).unwrap();
    let state = pending["state"].as_str().unwrap();
    let issuer = it.door.base.trim_end_matches('/');
    let forged = format!("code=made-up&state={state}&iss={issuer}");
    it.desk.come_back(ANNA, &person, &forged).await.unwrap();
    it.work().await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::NotIssued);
    assert_eq!(credential.outcome.as_deref(), Some("not-in-force"));
    // Then the wallet has it after all, and the browser never brings its code.
    it.visit(&url, "anna").await;

    it.later(OVER);
    it.work().await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Revoked);
    assert_eq!(credential.reason, Some(Cause::NotConfirmed));
    assert_eq!(it.mails().len(), 1, "there is a copy to delete");
}

async fn a_no_that_was_meant_is_asked_about_once_and_then_forgotten(database: Database) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    let answer = OldCopy::NotThere;
    let answered = it.desk.answer_about_old_copy("e-anna", RECORD, answer);
    answered.await.unwrap();
    let url = it.go(ANNA, &programme(RECORD)).await;
    let query = it.decline(&url, "anna").await;
    for _ in 0..2 {
        // Coming again with it changes nothing.
        it.desk.come_back(ANNA, &person, &query).await.unwrap();
        assert_eq!(it.credential().await.outcome.as_deref(), Some("declined"));
    }
    it.later(OVER);
    it.work().await;
    assert_eq!(it.revocations().len(), 1, "the gateway was asked");
    it.later(OVER);
    it.work().await;
    assert_eq!(it.revocations().len(), 1);
    assert_eq!(it.credential().await.stage, Stage::NotIssued);
    assert!(it.mails().is_empty());
}
