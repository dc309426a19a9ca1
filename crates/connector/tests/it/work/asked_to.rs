//! Somebody asks for a revocation: of one credential, or of everything in a wallet that is lost.

use connector::desk::{Cause, Issuing, Return, Revoking, RevokingAll, Stage};
use jiff::SignedDuration;
use uuid::Uuid;

use super::world::{ANNA, RECORD, REVOKE, Working};
use crate::database::{Database, on_both_engines};
use crate::desk::door::Jam;
use crate::desk::world::{anna, programme, unchanged};

on_both_engines!(
    dw_62_dw_77_dw_78_one_credential_is_revoked_by_its_serial_number_once_and_its_employee_is_told,
    what_is_asked_for_is_stored_before_the_gateway_can_be_reached_and_outlives_the_process,
    what_is_on_its_way_is_revoked_when_it_arrives,
    dw_19_dw_20_a_lost_wallet_is_emptied_and_can_be_filled_again_without_a_question,
    dw_27_nothing_is_issued_on_the_identity_of_a_lost_wallet_also_by_whoever_was_about_to,
    what_is_asked_for_while_everything_is_revoked_is_revoked_or_comes_after_it,
    a_host_takes_the_revocation_into_its_own_batch_or_not_at_all,
);

async fn dw_62_dw_77_dw_78_one_credential_is_revoked_by_its_serial_number_once_and_its_employee_is_told(
    database: Database,
) {
    let it = Working::start(database).await;
    let number = it.issued().await.serial_number;
    let nobodys = it.desk.revoke(Uuid::from_u128(7), Cause::AddedInError);
    assert_eq!(nobodys.await.unwrap(), Revoking::Unknown);
    let first = it.desk.revoke(number, Cause::AddedInError).await.unwrap();
    let second = it.desk.revoke(number, Cause::Corrected).await.unwrap();
    assert_eq!((first, second), (Revoking::Wanted, Revoking::Before));
    it.work().await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Revoked);
    assert_eq!(
        credential.reason,
        Some(Cause::AddedInError),
        "the first stays"
    );
    let third = it.desk.revoke(number, Cause::Corrected).await.unwrap();
    assert_eq!(third, Revoking::Before);
    it.work().await;
    assert_eq!(it.revocations(), [number.to_string()]);
    assert_eq!(it.mails().len(), 1);
    assert!(it.mails()[0].text.contains("because it was added in error"));
}

async fn what_is_asked_for_is_stored_before_the_gateway_can_be_reached_and_outlives_the_process(
    database: Database,
) {
    let mut it = Working::start(database).await;
    let number = it.issued().await.serial_number;
    it.door.jam(REVOKE, Jam::Refuse(503));
    it.desk.revoke(number, Cause::EndedEarly).await.unwrap();
    it.work().await;
    assert!(it.credential().await.revoking);
    it.restart();
    it.door.free();
    it.work_after(SignedDuration::from_secs(10)).await;
    assert_eq!(it.credential().await.stage, Stage::Revoked);
}

async fn what_is_on_its_way_is_revoked_when_it_arrives(database: Database) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    let url = it.go(ANNA, &programme(RECORD)).await;
    let number = it.credential().await.serial_number;
    let asked = it.desk.revoke(number, Cause::AddedInError).await.unwrap();
    assert_eq!(asked, Revoking::IfItArrives);
    let query = it.visit(&url, "anna").await;
    it.desk.come_back(ANNA, &person, &query).await.unwrap();
    it.work().await;
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Revoked);
    assert_eq!(credential.reason, Some(Cause::AddedInError));
}

async fn dw_19_dw_20_a_lost_wallet_is_emptied_and_can_be_filled_again_without_a_question(
    database: Database,
) {
    let it = Working::start(database).await;
    let lost = it.issued().await;
    let person = anna();
    let second = programme("p2");
    it.download(ANNA, &person, "anna", &second).await;
    // A third is on its way when the phone is missed.
    let url = it.go(ANNA, &programme("p3")).await;
    let query = it.visit(&url, "anna").await;
    let all = it.desk.revoke_all(ANNA.employee, Cause::WalletLost).await;
    let expected = RevokingAll {
        wanted: 2,
        if_they_arrive: 1,
    };
    assert_eq!(all.unwrap(), expected);
    let again = it.desk.revoke_all(ANNA.employee, Cause::WalletLost).await;
    assert_eq!(again.unwrap(), RevokingAll::default());
    it.desk.come_back(ANNA, &person, &query).await.unwrap();
    it.work().await;
    let credentials = it.desk.credentials(ANNA.employee).await.unwrap();
    let revoked = credentials.iter().filter(|one| one.stage == Stage::Revoked);
    assert!(
        revoked
            .clone()
            .all(|one| one.reason == Some(Cause::WalletLost))
    );
    assert_eq!(revoked.count(), 3);
    let mails = it.mails();
    assert_eq!(mails.len(), 3);
    assert!(
        mails[0]
            .text
            .contains("because the wallet that held it was reported lost")
    );
    // Hours later, with a new phone and a new log-in.
    it.later(SignedDuration::from_hours(3));
    let asked = it.desk.must_ask_about_old_copy(ANNA.employee, RECORD);
    assert!(!asked.await.unwrap(), "it is known what became of it");
    let identify = it.issue(ANNA, &programme(RECORD)).await;
    assert!(matches!(identify, Issuing::Identify), "{identify:?}");
    it.verify(ANNA, &person, "anna").await;
    let url = it.go(ANNA, &programme(RECORD)).await;
    let query = it.visit(&url, "anna").await;
    it.desk.come_back(ANNA, &person, &query).await.unwrap();
    let fresh = it.credential().await;
    assert_eq!(fresh.stage, Stage::Issued);
    assert_ne!(fresh.serial_number, lost.serial_number);
    let asked = it.desk.must_ask_about_old_copy(ANNA.employee, RECORD);
    assert!(asked.await.unwrap(), "of the new copy nothing is known");
}

async fn dw_27_nothing_is_issued_on_the_identity_of_a_lost_wallet_also_by_whoever_was_about_to(
    database: Database,
) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    let record = programme(RECORD);
    it.keep(&record).await;
    it.desk.confirm(ANNA.employee, &record).await.unwrap();
    // Another process that has to find the gateway first, between looking at the identity and writing.
    let other = it.another_desk();
    let (arrived, go_on) = it.door.hold("/.well-known/openid-configuration");
    let about_to = tokio::spawn({
        let record = record.clone();
        async move { other.issue(ANNA, &record, unchanged(&record)).await }
    });
    arrived.notified().await;
    let all = it.desk.revoke_all(ANNA.employee, Cause::WalletLost).await;
    assert_eq!(all.unwrap(), RevokingAll::default());
    go_on.notify_one();
    it.door.free();
    let issuing = about_to.await.unwrap().unwrap();
    assert!(matches!(issuing, Issuing::Identify), "{issuing:?}");
    assert!(it.desk.credentials(ANNA.employee).await.unwrap().is_empty());
    // The identity that the lost wallet is showing just now does not count either.
    let url = it.desk.verify(ANNA, None).await.unwrap();
    let query = it.visit(&url, "anna").await;
    it.desk
        .revoke_all(ANNA.employee, Cause::WalletLost)
        .await
        .unwrap();
    let late = it.desk.come_back(ANNA, &person, &query).await.unwrap();
    assert_eq!(late, Return::NotOurs);
    it.verify(ANNA, &person, "anna").await;
    it.go(ANNA, &record).await;
}

async fn what_is_asked_for_while_everything_is_revoked_is_revoked_or_comes_after_it(
    database: Database,
) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    let (other, record) = (it.another_desk(), programme(RECORD));
    it.keep(&record).await;
    for round in 0..4 {
        it.desk.confirm(ANNA.employee, &record).await.unwrap();
        let (issuing, revoking) = tokio::join!(
            it.issue(ANNA, &record),
            other.revoke_all(ANNA.employee, Cause::WalletLost)
        );
        revoking.unwrap();
        let rows = it
            .rows("SELECT stage FROM connector_credentials WHERE changed_at IS NULL")
            .await;
        assert!(rows.is_empty(), "round {round}: {issuing:?}");
        it.verify(ANNA, &person, "anna").await;
    }
}

async fn a_host_takes_the_revocation_into_its_own_batch_or_not_at_all(database: Database) {
    let it = Working::start(database).await;
    let number = it.issued().await.serial_number;
    let impossible =
        store::Statement::new("DELETE FROM host_records WHERE id = 'nothing'").must_change(1);
    let mut batch = it.desk.revoked(number, Cause::AddedInError);
    batch.push(impossible.clone());
    assert!(it.store.write(batch).await.is_err());
    let mut batch = it.desk.all_revoked(ANNA.employee, Cause::WalletLost);
    batch.push(impossible);
    assert!(it.store.write(batch).await.is_err());
    it.work().await;
    assert_eq!(it.credential().await.stage, Stage::Issued);
    let batch = it.desk.revoked(number, Cause::AddedInError);
    it.store.write(batch).await.unwrap();
    it.work().await;
    assert_eq!(it.credential().await.stage, Stage::Revoked);
}
