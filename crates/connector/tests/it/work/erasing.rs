//! What the desk holds of a person, and how it forgets them.

use connector::desk::{Cause, EraseError, Stage};
use jiff::SignedDuration;

use super::world::{ANNA, RECORD, REVOKE, Working};
use crate::database::{Database, on_both_engines};
use crate::desk::door::Jam;
use crate::desk::world::{ANNAS, anna, programme};

on_both_engines!(
    a_person_reads_everything_that_is_held_of_them_and_no_secret,
    nobody_is_erased_while_something_of_theirs_is_in_force_or_waits,
    sec_40_of_an_erased_person_nothing_is_left_but_what_revokes,
    whoever_is_to_be_erased_is_revoked_told_and_forgotten_whatever_dies_meanwhile,
    an_erasure_that_waits_is_told_of_with_what_it_waits_for,
    what_is_added_while_an_erasure_waits_is_revoked_as_well,
    an_erased_credential_that_has_expired_can_still_be_revoked,
);

/// Every text in the desk's tables.
async fn all_texts(it: &Working) -> String {
    let mut all = String::new();
    for (sql, columns) in [
        (
            "SELECT employee, first_name, email FROM connector_people",
            "employee first_name email",
        ),
        (
            "SELECT employee, snapshot, digest FROM connector_confirmations",
            "employee snapshot digest",
        ),
        (
            "SELECT employee, unique_identifier FROM connector_identities",
            "employee unique_identifier",
        ),
        (
            "SELECT employee, session, pending, state FROM connector_journeys",
            "employee session pending state",
        ),
        (
            "SELECT employee, label, digest FROM connector_credentials",
            "employee label digest",
        ),
        (
            "SELECT recipient, subject, body FROM connector_mails",
            "recipient subject body",
        ),
        ("SELECT employee FROM connector_erasures", "employee"),
    ] {
        for row in it.rows(sql).await {
            for column in columns.split(' ') {
                all.push_str(row.optional_text(column).unwrap().unwrap_or_default());
                all.push('\n');
            }
        }
    }
    all
}

async fn a_person_reads_everything_that_is_held_of_them_and_no_secret(database: Database) {
    let it = Working::start(database).await;
    let number = it.issued().await.serial_number.to_string();
    it.desk
        .confirm(ANNA.employee, &programme("p2"))
        .await
        .unwrap();
    it.desk.verify(ANNA, None).await.unwrap();
    it.change(None, Cause::EndedEarly).await;
    it.work().await;

    let export = it.desk.export(ANNA.employee).await.unwrap();
    assert_eq!(format!("{export:?}"), "Export(…)");
    let held = serde_json::to_value(&export).unwrap();
    assert_eq!(held["person"]["first_name"], "Anna");
    assert_eq!(held["person"]["email"], "e-anna@anytown.example");
    assert_eq!(held["credentials"][0]["serial_number"], number.as_str());
    assert_eq!(held["credentials"][0]["stage"], "revoked");
    assert_eq!(held["revocations"][0]["cause"], "ended-early");
    assert_eq!(held["mails"][0]["recipient"], "e-anna@anytown.example");
    assert!(held["mails"][0]["sent_at"].is_string());
    assert_eq!(held["confirmations"][0]["record"], "p2");
    let confirmed = &held["confirmations"][0]["confirmed"]["claims"]["TPR-Name"];
    assert_eq!(confirmed, "Cardiology");
    assert_eq!(held["identities"][0]["unique_identifier"], ANNAS);
    assert_eq!(held["journeys"].as_array().unwrap().len(), 3);

    let text = held.to_string();
    for row in it
        .rows("SELECT session, state_digest, pending, state FROM connector_journeys")
        .await
    {
        for column in ["session", "state_digest", "pending", "state"] {
            let secret = row.optional_text(column).unwrap();
            assert!(
                secret.is_none_or(|secret| !text.contains(secret)),
                "{column}"
            );
        }
    }
    let nobody = it.desk.export("e-nobody").await.unwrap();
    assert!(nobody.person.is_none() && nobody.credentials.is_empty() && nobody.journeys.is_empty());
}

async fn code_of_refusal(it: &Working) -> &'static str {
    let before = all_texts(it).await;
    let error = it.desk.erase(ANNA.employee).await.unwrap_err();
    assert_eq!(all_texts(it).await, before, "nothing was erased");
    error.code()
}

async fn nobody_is_erased_while_something_of_theirs_is_in_force_or_waits(database: Database) {
    let mut it = Working::start(database).await;
    let person = it.log_in().await;
    let url = it.go(ANNA, &programme(RECORD)).await;
    assert_eq!(code_of_refusal(&it).await, "credential-on-its-way");
    let query = it.visit(&url, "anna").await;
    it.desk.come_back(ANNA, &person, &query).await.unwrap();
    assert_eq!(code_of_refusal(&it).await, "credential-in-force");
    it.door.jam(REVOKE, Jam::Refuse(503));
    it.stop_mail().await;
    it.change(None, Cause::EndedEarly).await;
    it.work().await;
    assert_eq!(code_of_refusal(&it).await, "revocation-waiting");
    it.door.free();
    it.work_after(SignedDuration::from_secs(10)).await;
    assert_eq!(it.credential().await.stage, Stage::Revoked);
    assert_eq!(code_of_refusal(&it).await, "mail-waiting");
    it.start_mail();
    it.work_after(SignedDuration::from_mins(2)).await;
    let erased = it.desk.erase(ANNA.employee).await.unwrap();
    assert_eq!(erased.credentials_kept, 1);
    let again = it.desk.erase(ANNA.employee).await.unwrap();
    assert_eq!(again.credentials_kept, 0, "there is nobody any more");

    // A no of the browser's is not the last word on a credential.
    it.keep_person(&person).await;
    it.verify(ANNA, &person, "anna").await;
    let url = it.go(ANNA, &programme(RECORD)).await;
    let query = it.decline(&url, "anna").await;
    it.desk.come_back(ANNA, &person, &query).await.unwrap();
    assert_eq!(it.credential().await.stage, Stage::NotIssued);
    assert_eq!(code_of_refusal(&it).await, "credential-on-its-way");
    it.work_after(it.options.journey_lasts).await;
    it.desk.erase(ANNA.employee).await.unwrap();
}

async fn sec_40_of_an_erased_person_nothing_is_left_but_what_revokes(database: Database) {
    let it = Working::start(database).await;
    let credential = it.issued().await;
    it.change(None, Cause::EndedEarly).await;
    it.work().await;
    it.desk
        .confirm(ANNA.employee, &programme("p2"))
        .await
        .unwrap();
    let away = it.desk.verify(ANNA, None).await.unwrap();
    it.desk.erase(ANNA.employee).await.unwrap();

    let left = all_texts(&it).await;
    let person = anna();
    for personal in [
        ANNA.employee,
        ANNAS,
        &person.first_names,
        "anytown.example",
        "Cardiology",
        &credential.digest,
        &credential.label,
    ] {
        assert!(!left.contains(personal), "{personal} is left: {left}");
    }
    assert!(it.desk.credentials(ANNA.employee).await.unwrap().is_empty());
    let rows =
        it.rows("SELECT serial_number, record, credential_type, stage FROM connector_credentials");
    let rows = rows.await;
    assert_eq!(
        rows[0].text("serial_number").unwrap(),
        credential.serial_number.to_string()
    );
    assert_eq!(rows[0].text("record").unwrap(), RECORD);
    assert_eq!(
        rows[0].text("credential_type").unwrap(),
        "TrainingProgramme"
    );
    // What was open has ended.
    let query = it.visit(&away, "anna").await;
    let late = it.desk.come_back(ANNA, &person, &query).await.unwrap();
    assert_eq!(late, connector::desk::Return::NotOurs);
}

async fn whoever_is_to_be_erased_is_revoked_told_and_forgotten_whatever_dies_meanwhile(
    database: Database,
) {
    let mut it = Working::start(database).await;
    it.issued().await;
    it.door.jam(REVOKE, Jam::Refuse(503));
    let wanted = it.desk.revoke_and_erase(ANNA.employee, Cause::EndedEarly);
    wanted.await.unwrap();
    it.work().await;
    let export = it.desk.export(ANNA.employee).await.unwrap();
    assert!(export.erasure_wanted_at.is_some() && export.person.is_some());
    it.restart();
    it.door.free();
    it.work_after(SignedDuration::from_mins(2)).await;
    it.work_after(SignedDuration::from_mins(2)).await;
    assert_eq!(it.mails().len(), 1, "told first");
    let export = it.desk.export(ANNA.employee).await.unwrap();
    assert!(export.erasure_wanted_at.is_none() && export.person.is_none());
    assert!(!all_texts(&it).await.contains(ANNA.employee));
}

async fn what_is_added_while_an_erasure_waits_is_revoked_as_well(database: Database) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    it.desk
        .confirm(ANNA.employee, &programme(RECORD))
        .await
        .unwrap();
    let url = it.go(ANNA, &programme(RECORD)).await;
    let wanted = it.desk.revoke_and_erase(ANNA.employee, Cause::EndedEarly);
    wanted.await.unwrap();
    it.work().await;
    let another = it.go(ANNA, &programme("p2")).await;
    for url in [url, another] {
        let query = it.visit(&url, "anna").await;
        it.desk.come_back(ANNA, &person, &query).await.unwrap();
    }
    for _ in 0..3 {
        it.work_after(SignedDuration::from_mins(2)).await;
    }
    assert_eq!(it.revocations().len(), 2);
    assert_eq!(it.mails().len(), 2);
    assert!(
        it.desk
            .export(ANNA.employee)
            .await
            .unwrap()
            .person
            .is_none()
    );
}

async fn an_erased_credential_that_has_expired_can_still_be_revoked(database: Database) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    let mut record = programme(RECORD);
    record.expires_at = Some(in_two_hours(&it).await);
    it.download(ANNA, &person, "anna", &record).await;
    let number = it.credential().await.serial_number;
    let refused = it.desk.erase(ANNA.employee).await;
    assert!(matches!(refused, Err(EraseError::InForce)), "{refused:?}");
    it.later(SignedDuration::from_hours(3));
    let erased = it.desk.erase(ANNA.employee).await.unwrap();
    assert_eq!(erased.credentials_kept, 1);
    it.desk.revoke(number, Cause::AddedInError).await.unwrap();
    it.work().await;
    assert_eq!(it.revocations(), [number.to_string()]);
    assert!(it.mails().is_empty(), "there is nobody to tell");
}

/// By the desk's clock.
async fn in_two_hours(it: &Working) -> jiff::Timestamp {
    let export = it.desk.export("e-nobody").await.unwrap();
    export.exported_at + SignedDuration::from_hours(2)
}

async fn an_erasure_that_waits_is_told_of_with_what_it_waits_for(database: Database) {
    let mut it = Working::start(database).await;
    let waiting = async |it: &Working| {
        let backlog = it.desk.backlog().await.unwrap();
        let erasures = backlog.erasures.into_iter();
        let told = erasures.map(|one| (one.employee, one.waits_for.unwrap_or_default()));
        told.collect::<Vec<_>>()
    };
    let anna = |code| vec![(ANNA.employee.to_owned(), code)];
    it.issued().await;
    it.door.jam(REVOKE, Jam::Refuse(503));
    it.stop_mail().await;
    it.desk
        .revoke_and_erase(ANNA.employee, Cause::EndedEarly)
        .await
        .unwrap();
    it.work().await;
    assert_eq!(waiting(&it).await, anna("revocation-waiting"));
    it.door.free();
    it.work_after(SignedDuration::from_secs(10)).await;
    assert_eq!(waiting(&it).await, anna("mail-waiting"));
    it.start_mail();
    it.work_after(SignedDuration::from_mins(2)).await;
    it.work_after(SignedDuration::from_mins(2)).await;
    assert_eq!(waiting(&it).await, []);
    // Whoever has nothing is erased the next time.
    it.desk
        .revoke_and_erase("e-ben", Cause::EndedEarly)
        .await
        .unwrap();
    assert_eq!(waiting(&it).await, [("e-ben".to_owned(), "")]);
    it.work().await;
    assert_eq!(waiting(&it).await, []);
}
