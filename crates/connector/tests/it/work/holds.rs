//! Mails that are held back, and people who may still hold what was cancelled.

use connector::desk::{Cause, HoldReason, HoldScope, NotTold, Stage};
use jiff::SignedDuration;

use super::world::{ANNA, Working, corrected};
use crate::database::{Database, on_both_engines};
use crate::desk::world::anna;

on_both_engines!(
    a_mail_that_is_held_back_delays_no_revocation_and_goes_out_when_it_is_let_go,
    a_mail_about_one_credential_is_held_back_by_its_serial_number,
    whoever_has_no_address_stands_on_the_list_until_somebody_told_them,
    a_mail_that_never_arrives_puts_its_employee_on_the_list_after_three_days,
    a_credential_that_has_expired_is_nobodys_worry,
);

async fn a_mail_that_is_held_back_delays_no_revocation_and_goes_out_when_it_is_let_go(
    database: Database,
) {
    let it = Working::start(database).await;
    it.issued().await;
    let scope = HoldScope::Employee(ANNA.employee.to_owned());
    it.desk
        .hold_mail(&scope, HoldReason::PhoneFirst)
        .await
        .unwrap();
    it.change(Some(&corrected()), Cause::Corrected).await;
    it.work().await;
    assert_eq!(it.credential().await.stage, Stage::Revoked);
    assert_eq!(it.revocations().len(), 1);
    it.work_after(SignedDuration::from_hours(80)).await;
    assert!(it.mails().is_empty());
    let holds = it.desk.mail_holds().await.unwrap();
    assert_eq!(holds.len(), 1);
    assert_eq!(
        (&holds[0].scope, holds[0].reason),
        (&scope, HoldReason::PhoneFirst)
    );
    let list = it.desk.may_still_hold().await.unwrap();
    assert_eq!(list[0].why, NotTold::Held(HoldReason::PhoneFirst));
    assert!(it.desk.release_mail(&scope).await.unwrap());
    assert!(!it.desk.release_mail(&scope).await.unwrap());
    // Held for longer than a mail is tried: its days begin now.
    it.catcher
        .misbehave(Some(mail_catcher::Fault::RefuseTemporarily));
    it.work().await;
    assert!(!it.desk.backlog().await.unwrap().mails[0].given_up);
    it.catcher.misbehave(None);
    it.work_after(SignedDuration::from_secs(15)).await;
    assert_eq!(it.mails().len(), 1);
    assert!(it.desk.may_still_hold().await.unwrap().is_empty());
}

async fn a_mail_about_one_credential_is_held_back_by_its_serial_number(database: Database) {
    let it = Working::start(database).await;
    let issued = it.issued().await;
    let scope = HoldScope::Credential(issued.serial_number);
    let other = HoldScope::Credential(uuid::Uuid::new_v4());
    for scope in [&scope, &other] {
        let held = it.desk.hold_mail(scope, HoldReason::TellInPerson);
        held.await.unwrap();
    }
    it.change(Some(&corrected()), Cause::Corrected).await;
    it.work().await;
    assert_eq!(it.credential().await.stage, Stage::Revoked);
    assert!(it.mails().is_empty());
    it.desk.release_mail(&scope).await.unwrap();
    it.work().await;
    assert_eq!(it.mails().len(), 1);
}

async fn whoever_has_no_address_stands_on_the_list_until_somebody_told_them(database: Database) {
    let it = Working::start(database).await;
    it.issued().await;
    it.change(Some(&corrected()), Cause::Corrected).await;
    let mut person = anna();
    person.email = None;
    it.keep_person(&person).await;
    it.work().await;
    let list = it.desk.may_still_hold().await.unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].why, NotTold::NoMail);
    assert_eq!(list[0].label, "Training programme");
    let serial_number = list[0].serial_number;
    assert!(it.desk.told_another_way(serial_number).await.unwrap());
    assert!(!it.desk.told_another_way(serial_number).await.unwrap());
    assert!(it.desk.may_still_hold().await.unwrap().is_empty());
}

async fn a_mail_that_never_arrives_puts_its_employee_on_the_list_after_three_days(
    database: Database,
) {
    let mut it = Working::start(database).await;
    it.stop_mail().await;
    it.issued().await;
    it.change(Some(&corrected()), Cause::Corrected).await;
    it.work().await;
    it.later(SignedDuration::from_hours(71));
    assert!(it.desk.may_still_hold().await.unwrap().is_empty());
    it.later(SignedDuration::from_hours(1));
    let list = it.desk.may_still_hold().await.unwrap();
    assert_eq!(list[0].why, NotTold::NotDelivered);
    // By SMTP no more is learnt than that a server took it.
    it.start_mail();
    it.work().await;
    assert!(it.desk.may_still_hold().await.unwrap().is_empty());
}

async fn a_credential_that_has_expired_is_nobodys_worry(database: Database) {
    let it = Working::start(database).await;
    it.issued().await;
    it.change(Some(&corrected()), Cause::Corrected).await;
    let mut person = anna();
    person.email = None;
    it.keep_person(&person).await;
    it.work().await;
    assert_eq!(it.desk.may_still_hold().await.unwrap().len(), 1);
    let ends = it.credential().await.expires_at;
    let expire = store::Statement::new("UPDATE connector_credentials SET expires_at = 1000");
    it.store.write([expire]).await.unwrap();
    assert!(ends.is_none_or(|at| at.as_second() > 1000));
    assert!(it.desk.may_still_hold().await.unwrap().is_empty());
}
