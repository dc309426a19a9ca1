//! A record changes, and what was issued from it is revoked: the steps of the standard's part on revoking, for an
//! external system.

use connector::desk::{Cause, Stage};
use jiff::SignedDuration;

use super::world::{ANNA, RECORD, REVOKE, Working, corrected};
use crate::database::{Database, on_both_engines};
use crate::desk::door::Jam;
use crate::desk::world::programme;

on_both_engines!(
    dw_62_dw_72_a_changed_record_revokes_the_serial_number_that_was_kept_also_after_a_restart,
    dw_72_a_deleted_record_revokes_every_credential_that_is_out,
    dw_73_a_change_that_the_credential_does_not_show_revokes_nothing,
    dw_78_a_gateway_that_is_down_leaves_everything_as_it_was_until_it_is_back,
    dw_72_a_refused_revocation_is_seen_and_tried_rarely,
    a_serial_number_that_the_gateway_does_not_know_stays_in_sight,
    dw_72_dw_78_an_answer_that_is_lost_repeats_the_call_and_writes_one_mail,
    dw_72_dw_78_a_process_that_dies_between_the_gateways_answer_and_its_row_repeats_the_call_and_writes_one_mail,
    dw_72_dw_78_two_processes_do_a_revocation_once,
    dw_78_the_first_reason_counts,
);

async fn dw_62_dw_72_a_changed_record_revokes_the_serial_number_that_was_kept_also_after_a_restart(
    database: Database,
) {
    let mut it = Working::start(database).await;
    let issued = it.issued().await;
    assert_eq!(issued.stage, Stage::Issued);
    it.change(Some(&corrected()), Cause::Corrected).await;
    let waiting = it.credential().await;
    assert_eq!((waiting.stage, waiting.revoking), (Stage::Issued, true));
    it.restart();
    it.work().await;
    assert_eq!(it.revocations(), [issued.serial_number.to_string()]);
    let revoked = it.credential().await;
    assert_eq!((revoked.stage, revoked.revoking), (Stage::Revoked, false));
    assert_eq!(revoked.reason, Some(Cause::Corrected));
    assert!(revoked.revoked_at.is_some());
    assert!(it.desk.backlog().await.unwrap().revocations.is_empty());
}

async fn dw_72_a_deleted_record_revokes_every_credential_that_is_out(database: Database) {
    let it = Working::start_with(database, |options| options.supersede = false).await;
    let person = it.log_in().await;
    it.download(ANNA, &person, "anna", &programme(RECORD)).await;
    let answer = connector::desk::OldCopy::NotThere;
    let answered = it.desk.answer_about_old_copy(ANNA.employee, RECORD, answer);
    answered.await.unwrap();
    it.download(ANNA, &person, "anna", &programme(RECORD)).await;
    it.download(ANNA, &person, "anna", &programme("another"))
        .await;
    it.change(None, Cause::AddedInError).await;
    it.work().await;
    let credentials = it.desk.credentials(ANNA.employee).await.unwrap();
    let mut revoked: Vec<String> = credentials
        .iter()
        .filter(|credential| credential.stage == Stage::Revoked)
        .map(|credential| credential.serial_number.to_string())
        .collect();
    assert_eq!(revoked.len(), 2);
    assert!(
        credentials
            .iter()
            .any(|kept| kept.record == "another" && kept.stage == Stage::Issued)
    );
    let mut told = it.revocations();
    told.sort();
    revoked.sort();
    assert_eq!(told, revoked);
}

async fn dw_73_a_change_that_the_credential_does_not_show_revokes_nothing(database: Database) {
    let it = Working::start(database).await;
    it.issued().await;
    let mut other_label = programme(RECORD);
    "Training".clone_into(&mut other_label.label);
    it.change(Some(&other_label), Cause::Corrected).await;
    it.work().await;
    assert!(it.revocations().is_empty());
    let credential = it.credential().await;
    assert_eq!(
        (credential.stage, credential.revoking),
        (Stage::Issued, false)
    );
    assert!(it.mails().is_empty());
}

async fn dw_78_a_gateway_that_is_down_leaves_everything_as_it_was_until_it_is_back(
    database: Database,
) {
    let it = Working::start(database).await;
    it.issued().await;
    it.door.jam(REVOKE, Jam::Refuse(503));
    it.change(Some(&corrected()), Cause::Corrected).await;
    it.work().await;
    for pause in [1, 2, 5, 15, 60, 300, 300] {
        let tries = it.revocations().len();
        it.work_after(SignedDuration::from_secs(pause)).await;
        assert_eq!(it.revocations().len(), tries + 1, "after {pause} s");
        it.work().await;
        assert_eq!(it.revocations().len(), tries + 1, "at once after {pause} s");
    }
    let credential = it.credential().await;
    assert_eq!(
        (credential.stage, credential.revoking),
        (Stage::Issued, true)
    );
    assert!(it.mails().is_empty());
    let backlog = it.desk.backlog().await.unwrap();
    let waiting = backlog.revocations.first().unwrap();
    assert_eq!(waiting.attempts, 8);
    let fault = waiting.fault.as_deref().unwrap();
    assert!(fault.starts_with("gateway-failing: "), "{fault}");
    it.door.free();
    it.work_after(SignedDuration::from_mins(5)).await;
    assert_eq!(it.credential().await.stage, Stage::Revoked);
    assert_eq!(it.mails().len(), 1);
}

async fn dw_72_a_refused_revocation_is_seen_and_tried_rarely(database: Database) {
    let it = Working::start(database).await;
    it.issued().await;
    it.door.jam(REVOKE, Jam::Refuse(401));
    it.change(Some(&corrected()), Cause::Corrected).await;
    it.work().await;
    it.work_after(SignedDuration::from_mins(14)).await;
    assert_eq!(it.revocations().len(), 1);
    let backlog = it.desk.backlog().await.unwrap();
    let fault = backlog.revocations[0].fault.clone().unwrap();
    assert!(fault.starts_with("gateway-refused: "), "{fault}");
    it.door.free();
    it.work_after(SignedDuration::from_mins(2)).await;
    assert_eq!(it.credential().await.stage, Stage::Revoked);
}

async fn a_serial_number_that_the_gateway_does_not_know_stays_in_sight(database: Database) {
    let it = Working::start(database).await;
    it.issued().await;
    it.door.jam(REVOKE, Jam::Refuse(404));
    it.change(Some(&corrected()), Cause::Corrected).await;
    it.work().await;
    let backlog = it.desk.backlog().await.unwrap();
    let fault = backlog.revocations[0].fault.clone().unwrap();
    assert!(fault.starts_with("no-such-credential: "), "{fault}");
    assert_eq!(it.credential().await.stage, Stage::Issued);
    assert!(it.mails().is_empty());
}

async fn dw_72_dw_78_an_answer_that_is_lost_repeats_the_call_and_writes_one_mail(
    database: Database,
) {
    let it = Working::start(database).await;
    it.issued().await;
    it.door.jam(REVOKE, Jam::LoseAnswer);
    it.change(Some(&corrected()), Cause::Corrected).await;
    it.work().await;
    assert_eq!(it.credential().await.stage, Stage::Issued);
    it.door.free();
    // Longer than any of the first pauses: a second may have begun between two tries.
    it.work_after(SignedDuration::from_secs(10)).await;
    assert_eq!(it.credential().await.stage, Stage::Revoked);
    assert!(it.revocations().len() >= 2);
    assert_eq!(it.mails().len(), 1);
}

async fn dw_72_dw_78_a_process_that_dies_between_the_gateways_answer_and_its_row_repeats_the_call_and_writes_one_mail(
    database: Database,
) {
    let mut it = Working::start(database).await;
    it.issued().await;
    it.change(Some(&corrected()), Cause::Corrected).await;
    let (arrived, go_on) = it.door.hold(REVOKE);
    let desk = it.desk.clone();
    let working = tokio::spawn(async move { desk.work_once().await });
    arrived.notified().await;
    working.abort();
    assert!(working.await.is_err());
    go_on.notify_one();
    it.door.free();
    it.restart();
    // It may still be alive, for all that the next process knows.
    it.work().await;
    assert_eq!(it.revocations().len(), 1);
    it.work_after(it.options.answer_lasts).await;
    assert_eq!(it.revocations().len(), 2);
    assert_eq!(it.credential().await.stage, Stage::Revoked);
    assert_eq!(it.mails().len(), 1);
}

async fn dw_72_dw_78_two_processes_do_a_revocation_once(database: Database) {
    let it = Working::start(database).await;
    it.issued().await;
    it.change(Some(&corrected()), Cause::Corrected).await;
    let other = it.another_desk();
    for _ in 0..3 {
        let (one, two) = tokio::join!(it.desk.work_once(), other.work_once());
        one.unwrap();
        two.unwrap();
    }
    assert_eq!(it.revocations().len(), 1);
    assert_eq!(it.mails().len(), 1);
}

async fn dw_78_the_first_reason_counts(database: Database) {
    let it = Working::start(database).await;
    it.issued().await;
    it.change(Some(&corrected()), Cause::EndedEarly).await;
    it.change(None, Cause::AddedInError).await;
    it.work().await;
    assert_eq!(it.credential().await.reason, Some(Cause::EndedEarly));
    assert_eq!(it.revocations().len(), 1);
    assert_eq!(it.mails().len(), 1);
}
