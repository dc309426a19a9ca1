//! One mail for each revocation, by real SMTP.

use connector::desk::{Cause, Stage};
use jiff::SignedDuration;
use mail_catcher::Fault;
use store::Statement;

use super::world::{ANNA, RECORD, Working, corrected};
use crate::database::{Database, on_both_engines};
use crate::desk::world::{ANNAS, anna, programme};

on_both_engines!(
    dw_77_dw_78_sec_31_one_mail_says_which_credential_and_what_to_do_and_nothing_that_is_in_it,
    dw_78_a_mail_that_is_refused_for_now_is_seen_and_sent_again_as_the_same_mail,
    dw_78_a_mail_that_is_refused_for_good_is_given_up_in_sight_and_holds_up_no_other,
    dw_78_a_mail_that_may_have_arrived_is_sent_again_as_the_same_mail,
    a_mail_server_that_is_down_loses_nothing,
    a_mail_is_given_up_after_three_days,
    a_process_that_dies_while_it_sends_leaves_the_mail_to_the_next,
    sec_35_an_address_or_a_name_adds_no_header_and_no_recipient,
    whoever_has_no_address_is_revoked_all_the_same,
    no_more_than_ten_mails_go_out_in_a_row,
    a_server_without_tls_is_told_nothing_where_tls_is_required,
    a_server_that_says_nothing_is_left_before_another_process_may_take_the_mail,
    whoever_deleted_the_old_copy_is_not_asked_to_delete_it,
    what_is_woken_works_by_itself_and_survives_its_mail_server,
);

/// Anna's credential is revoked, and the mail is written and not sent.
async fn written(it: &Working) {
    it.issued().await;
    it.change(Some(&corrected()), Cause::Corrected).await;
}

async fn dw_77_dw_78_sec_31_one_mail_says_which_credential_and_what_to_do_and_nothing_that_is_in_it(
    database: Database,
) {
    let it = Working::start(database).await;
    written(&it).await;
    it.work().await;
    // Again and again: no second one.
    it.change(None, Cause::AddedInError).await;
    it.work_after(SignedDuration::from_hours(100)).await;
    let mails = it.mails();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!(mail.to, "e-anna@anytown.example");
    assert_eq!(mail.from, "staff-services@anytown.example");
    assert_eq!(mail.subject, "Delete a credential from your digital wallet");
    assert!(mail.text.starts_with("Dear Anna,\n"), "{}", mail.text);
    assert!(
        mail.text
            .contains("your Training programme credential because your record was corrected.")
    );
    assert!(
        mail.text
            .contains("Find the Training programme credential added on ")
    );
    assert!(mail.text.contains("\n3. Delete it."));
    assert_eq!(mail.text.matches("://").count(), 1);
    assert!(mail.text.contains(" https://staff.anytown.example/ "));
    for value in programme(RECORD).claims.values() {
        assert!(!mail.text.contains(value), "the mail says {value}");
    }
    let credential = it.credential().await;
    for secret in [
        ANNAS,
        "Taylor",
        "1990",
        &credential.serial_number.to_string(),
    ] {
        assert!(!mail.text.contains(secret) && !mail.subject.contains(secret));
    }
    let raw = it.raw_mails().remove(0);
    assert!(
        raw.contains("\r\nAuto-Submitted: auto-generated\r\n"),
        "{raw}"
    );
    assert!(
        raw.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"),
        "{raw}"
    );
    let id = mail.message_id.as_deref().unwrap();
    assert!(id.ends_with("@anytown.example"), "{id}");
}

async fn dw_78_a_mail_that_is_refused_for_now_is_seen_and_sent_again_as_the_same_mail(
    database: Database,
) {
    let it = Working::start(database).await;
    it.catcher.misbehave(Some(Fault::RefuseTemporarily));
    written(&it).await;
    it.work().await;
    for pause in [15, 60, 900, 3_600, 21_600] {
        it.work_after(SignedDuration::from_secs(pause)).await;
    }
    assert!(it.mails().is_empty());
    assert_eq!(it.credential().await.stage, Stage::Revoked);
    let waiting = it.desk.backlog().await.unwrap().mails.remove(0);
    assert_eq!((waiting.attempts, waiting.given_up), (6, false));
    let fault = waiting.fault.unwrap();
    assert_eq!(
        fault,
        "mail-refused-for-now: the mail server does not take this mail now (reply 451)"
    );
    it.catcher.misbehave(None);
    it.work_after(SignedDuration::from_hours(24)).await;
    let mails = it.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(
        mails[0].message_id.as_deref(),
        Some(waiting.message_id.as_str())
    );
    assert!(it.desk.backlog().await.unwrap().mails.is_empty());
}

async fn dw_78_a_mail_that_is_refused_for_good_is_given_up_in_sight_and_holds_up_no_other(
    database: Database,
) {
    let it = Working::start(database).await;
    it.catcher.misbehave(Some(Fault::RefuseForGood));
    written(&it).await;
    it.work().await;
    it.catcher.misbehave(None);
    it.work_after(SignedDuration::from_hours(100)).await;
    assert!(it.mails().is_empty());
    let given_up = it.desk.backlog().await.unwrap().mails.remove(0);
    assert_eq!((given_up.attempts, given_up.given_up), (1, true));
    let fault = given_up.fault.unwrap();
    assert!(
        fault.starts_with("mail-refused: ") && fault.contains("reply 550"),
        "{fault}"
    );
    it.copy_mail(1).await;
    it.work().await;
    assert_eq!(it.mails().len(), 1);
}

async fn dw_78_a_mail_that_may_have_arrived_is_sent_again_as_the_same_mail(database: Database) {
    let it = Working::start(database).await;
    it.catcher.misbehave(Some(Fault::DropBeforeAnswer));
    written(&it).await;
    it.work().await;
    assert_eq!(it.mails().len(), 1);
    assert_eq!(it.desk.backlog().await.unwrap().mails.len(), 1);
    it.catcher.misbehave(None);
    it.work_after(SignedDuration::from_secs(15)).await;
    let raw = it.raw_mails();
    assert_eq!(raw.len(), 2);
    assert_eq!(raw[0], raw[1]);
    assert!(raw[0].contains("\r\nMessage-ID: <"));
    assert!(it.desk.backlog().await.unwrap().mails.is_empty());
}

async fn a_mail_server_that_is_down_loses_nothing(database: Database) {
    let mut it = Working::start(database).await;
    it.stop_mail().await;
    written(&it).await;
    it.work().await;
    let waiting = it.desk.backlog().await.unwrap().mails.remove(0);
    let fault = waiting.fault.unwrap();
    assert!(fault.starts_with("mail-server-unreachable: "), "{fault}");
    it.start_mail();
    it.restart();
    it.work_after(SignedDuration::from_secs(15)).await;
    assert_eq!(it.mails().len(), 1);
}

async fn a_mail_is_given_up_after_three_days(database: Database) {
    let mut it = Working::start(database).await;
    it.stop_mail().await;
    written(&it).await;
    it.work().await;
    for _ in 0..3 {
        assert!(!it.desk.backlog().await.unwrap().mails[0].given_up);
        it.work_after(SignedDuration::from_hours(24)).await;
    }
    assert!(it.desk.backlog().await.unwrap().mails[0].given_up);
}

async fn a_process_that_dies_while_it_sends_leaves_the_mail_to_the_next(database: Database) {
    let mut it = Working::start(database).await;
    it.catcher.misbehave(Some(Fault::Silent));
    written(&it).await;
    let desk = it.desk.clone();
    let working = tokio::spawn(async move { while desk.work_once().await.unwrap() {} });
    while it
        .desk
        .backlog()
        .await
        .unwrap()
        .mails
        .first()
        .is_none_or(|mail| mail.attempts == 0)
    {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    working.abort();
    assert!(working.await.is_err());
    it.catcher.misbehave(None);
    it.restart();
    it.work().await;
    assert!(it.mails().is_empty());
    it.work_after(it.options.answer_lasts).await;
    assert_eq!(it.mails().len(), 1);
}

async fn sec_35_an_address_or_a_name_adds_no_header_and_no_recipient(database: Database) {
    let it = Working::start(database).await;
    written(&it).await;
    let mut person = anna();
    person.email = Some("anna@anytown.example\r\nBcc: all@anytown.example".to_owned());
    it.keep_person(&person).await;
    it.work().await;
    assert!(it.mails().is_empty());
    let given_up = it.desk.backlog().await.unwrap().mails.remove(0);
    assert!(given_up.given_up);
    assert!(given_up.fault.unwrap().starts_with("mail-address: "));

    let mut hostile = programme("hostile");
    "Fire\r\nX-Evil: yes\r\n\r\nsafety".clone_into(&mut hostile.label);
    person.email = Some("anna@anytown.example".to_owned());
    it.keep_person(&person).await;
    it.download(ANNA, &person, "anna", &hostile).await;
    let gone = it.desk.record_changed("hostile", None, Cause::AddedInError);
    it.store.write(gone).await.unwrap();
    it.work().await;
    let raw = it.raw_mails().remove(0);
    assert!(!raw.contains("\nX-Evil"), "{raw}");
    assert!(
        it.mails()[0]
            .text
            .contains("your Fire X-Evil: yes safety credential")
    );
}

async fn whoever_has_no_address_is_revoked_all_the_same(database: Database) {
    let it = Working::start(database).await;
    written(&it).await;
    let mut person = anna();
    person.email = None;
    it.keep_person(&person).await;
    it.work().await;
    assert_eq!(it.credential().await.stage, Stage::Revoked);
    assert!(it.desk.backlog().await.unwrap().mails.is_empty());
}

async fn no_more_than_ten_mails_go_out_in_a_row(database: Database) {
    let it = Working::start(database).await;
    written(&it).await;
    it.work().await;
    it.catcher.empty().unwrap();
    it.copy_mail(12).await;
    assert!(it.desk.work_once().await.unwrap());
    assert_eq!(it.mails().len(), 10);
    it.work().await;
    assert_eq!(it.mails().len(), 12);
}

async fn a_server_without_tls_is_told_nothing_where_tls_is_required(database: Database) {
    let it = Working::start_with(database, |options| {
        let mail = options.mail.as_mut().unwrap();
        if let connector::desk::Channel::Smtp(smtp) = &mut mail.channel {
            smtp.security = connector::desk::SmtpSecurity::Required;
        }
    })
    .await;
    written(&it).await;
    it.work().await;
    let waiting = it.desk.backlog().await.unwrap().mails.remove(0);
    assert!(!waiting.given_up);
    let fault = waiting.fault.unwrap();
    assert!(fault.starts_with("mail-server-without-tls: "), "{fault}");
    assert!(it.mails().is_empty());
}

async fn a_server_that_says_nothing_is_left_before_another_process_may_take_the_mail(
    database: Database,
) {
    let it = Working::start_with(database, |options| {
        options.answer_lasts = SignedDuration::from_secs(2);
    })
    .await;
    it.catcher.misbehave(Some(Fault::Silent));
    written(&it).await;
    it.desk.work_once().await.unwrap();
    let began = std::time::Instant::now();
    it.desk.work_once().await.unwrap();
    assert!(began.elapsed() < std::time::Duration::from_secs(2));
    let waiting = it.desk.backlog().await.unwrap().mails.remove(0);
    let fault = waiting.fault.unwrap();
    assert!(fault.starts_with("mail-server-silent: "), "{fault}");
}

async fn whoever_deleted_the_old_copy_is_not_asked_to_delete_it(database: Database) {
    let it = Working::start(database).await;
    let old = it.issued().await;
    let answer = connector::desk::OldCopy::Deleted;
    let answered = it.desk.answer_about_old_copy(ANNA.employee, RECORD, answer);
    answered.await.unwrap();
    it.download(ANNA, &anna(), "anna", &corrected()).await;
    it.work().await;
    assert_eq!(it.revocations(), [old.serial_number.to_string()]);
    assert_eq!(it.credential().await.stage, Stage::Issued);
    assert!(it.mails().is_empty());
    assert!(it.desk.backlog().await.unwrap().mails.is_empty());
}

async fn what_is_woken_works_by_itself_and_survives_its_mail_server(database: Database) {
    let mut it = Working::start(database).await;
    let desk = it.desk.clone();
    let working = tokio::spawn(async move { desk.keep_working().await });
    it.stop_mail().await;
    written(&it).await;
    it.desk.wake();
    let waits = async |it: &Working| it.desk.backlog().await.unwrap().mails.pop();
    while waits(&it).await.is_none_or(|mail| mail.fault.is_none()) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    it.start_mail();
    it.later(SignedDuration::from_secs(15));
    while waits(&it).await.is_some() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(it.mails().len(), 1);
    working.abort();
}

impl Working {
    /// Writes the first mail this many times more, each about a credential of its own.
    async fn copy_mail(&self, times: usize) {
        for copy in 0..times {
            let serial_number = uuid::Uuid::new_v4().to_string();
            let credential = Statement::new(
                "INSERT INTO connector_credentials (serial_number, employee, record, credential_type, label, digest, \
                 stage, started_at, stage_at, nth) SELECT $1, employee, record, credential_type, label, digest, 'revoked', \
                 started_at, stage_at, nth FROM connector_credentials ORDER BY started_at LIMIT 1",
            )
            .bind(&serial_number);
            let mail = Statement::new(
                "INSERT INTO connector_mails (message_id, serial_number, template, recipient, subject, body, written_at, \
                 attempts, next_at) SELECT $1, $2, template, recipient, subject, body, written_at, 0, written_at \
                 FROM connector_mails ORDER BY written_at LIMIT 1",
            )
            .bind(format!("copy-{copy}@anytown.example"))
            .bind(&serial_number);
            self.store.write([credential, mail]).await.unwrap();
        }
    }
}
