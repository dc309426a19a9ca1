//! By GOV.UK Notify, against a stand-in that checks what Notify checks.

use std::time::Duration;

use connector::desk::{Cause, MailState, NotTold, NotifyCallbackError};
use jiff::SignedDuration;
use mail_catcher::notify::{NotifyFault, Status};
use store::Statement;
use uuid::Uuid;

use super::by_notify::{ByNotify, HANDBOOK, SECRET, TEMPLATE, TOKEN, WELSH, template};
use super::world::{ANNA, RECORD, corrected};
use crate::database::{Database, on_both_engines};
use crate::desk::world::{ANNAS, programme};

on_both_engines!(
    dw_77_sec_31_sec_40_notify_is_sent_the_words_and_nothing_that_is_in_the_credential,
    dw_78_a_mail_that_notify_delivered_is_known_to_be_delivered_without_any_callback,
    dw_78_a_callback_says_what_became_of_a_mail_once_and_only_with_the_agreed_token,
    dw_78_a_callback_that_comes_too_early_is_told_again,
    dw_78_a_temporary_failure_is_sent_again_four_times_and_then_left_to_a_person,
    dw_78_a_permanent_failure_stops_and_stands_on_the_list,
    a_technical_failure_is_an_alert_and_can_be_sent_again_by_a_person,
    a_mail_that_notify_took_before_a_crash_is_found_by_its_reference_and_not_sent_twice,
    an_address_put_right_after_a_bounce_that_was_never_heard_of_is_written_to,
    an_address_put_right_is_written_to_also_where_the_mail_had_arrived_at_the_wrong_one,
    a_failing_notify_loses_nothing,
    a_clock_that_is_wrong_holds_up_mails_and_refuses_none,
    a_limit_is_waited_for_and_not_run_against,
    an_address_that_notify_refuses_is_for_a_person,
    a_template_without_a_placeholder_is_named_and_no_mail_is_lost_by_it,
    whoever_reads_welsh_is_written_to_in_welsh_where_there_is_a_template,
);

fn told(id: &str, status: &str) -> Vec<u8> {
    let body = serde_json::json!({
        "id": id, "reference": null, "to": "e-anna@anytown.example", "status": status,
        "created_at": "2026-11-28T12:00:00.000000Z", "completed_at": null, "sent_at": null,
        "notification_type": "email", "template_id": TEMPLATE, "template_version": 3,
    });
    body.to_string().into_bytes()
}

async fn dw_77_sec_31_sec_40_notify_is_sent_the_words_and_nothing_that_is_in_the_credential(
    database: Database,
) {
    let it = ByNotify::start(database).await;
    it.desk.check_mail().await.unwrap();
    it.revoked().await;
    let mails = it.mails();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!(mail.to, "e-anna@anytown.example");
    assert_eq!(mail.subject, "Delete a credential from your digital wallet");
    assert!(mail.text.starts_with("Dear Anna,\n"), "{}", mail.text);
    let because = "your Training programme credential because your record was corrected.";
    assert!(mail.text.contains(because), "{}", mail.text);
    assert_eq!(mail.text.matches("://").count(), 1);
    let serial_number = it.credential().await.serial_number.to_string();
    for secret in [ANNAS, "Taylor", "1990", &serial_number] {
        assert!(!mail.text.contains(secret) && !mail.subject.contains(secret));
    }
    for value in programme(RECORD).claims.values() {
        assert!(!mail.text.contains(value), "the mail says {value}");
    }
    // Again and again: no second one.
    it.change(None, Cause::AddedInError).await;
    it.work_after(SignedDuration::from_hours(100)).await;
    assert_eq!(it.service.taken(), 1);
}

async fn dw_78_a_mail_that_notify_delivered_is_known_to_be_delivered_without_any_callback(
    database: Database,
) {
    let it = ByNotify::start(database).await;
    it.revoked().await;
    assert_eq!(it.state().await, "accepted");
    it.work_after(SignedDuration::from_mins(1)).await;
    assert_eq!(it.state().await, "accepted");
    assert_eq!(it.service.deliver().await, 1);
    // Asked a minute ago: the next time is not now.
    it.work().await;
    assert_eq!(it.state().await, "accepted");
    it.work_after(SignedDuration::from_mins(1)).await;
    assert_eq!(it.state().await, "delivered");
    it.later(SignedDuration::from_hours(100));
    assert!(it.why().await.is_empty());
}

async fn dw_78_a_callback_says_what_became_of_a_mail_once_and_only_with_the_agreed_token(
    database: Database,
) {
    let it = ByNotify::with_callbacks(database).await;
    it.revoked().await;
    let id = it.row().await.1.unwrap();
    let failed = told(&id, "permanent-failure");
    for bearer in ["", "wrong", &TOKEN[1..], &format!("{TOKEN}x")] {
        let answer = it.desk.notify_callback(bearer, &failed).await;
        assert_eq!(answer, Err(NotifyCallbackError::WrongToken), "{bearer}");
    }
    for body in [
        b"".to_vec(),
        b"{}".to_vec(),
        told("no-id", "delivered"),
        told(&id, "sending"),
        told(&id, "else"),
        vec![b' '; 20_000],
    ] {
        let answer = it.desk.notify_callback(TOKEN, &body).await;
        assert_eq!(answer, Err(NotifyCallbackError::Malformed));
    }
    let unknown = told(&Uuid::new_v4().to_string(), "delivered");
    let answer = it.desk.notify_callback(TOKEN, &unknown).await;
    assert_eq!(answer, Err(NotifyCallbackError::Unknown));
    assert_eq!(it.state().await, "accepted");
    it.service.deliver().await;
    assert_eq!(it.state().await, "delivered");
    // Told again, or told otherwise later: it stays what it was first.
    for status in ["delivered", "temporary-failure", "permanent-failure"] {
        assert_eq!(
            it.desk.notify_callback(TOKEN, &told(&id, status)).await,
            Ok(())
        );
        assert_eq!(it.state().await, "delivered");
    }
    assert_eq!(it.service.taken(), 1);
}

async fn dw_78_a_callback_that_comes_too_early_is_told_again(database: Database) {
    let it = ByNotify::with_callbacks(database).await;
    it.revoked().await;
    let id = it.row().await.1.unwrap();
    let set = |id: Option<&str>| {
        Statement::new("UPDATE connector_mails SET notification_id = $1").bind(id)
    };
    it.store.write([set(None)]).await.unwrap();
    it.service.deliver().await;
    it.store.write([set(Some(&id))]).await.unwrap();
    for _ in 0..500 {
        if it.state().await == "delivered" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it was not told again");
}

async fn dw_78_a_temporary_failure_is_sent_again_four_times_and_then_left_to_a_person(
    database: Database,
) {
    let it = ByNotify::with_callbacks(database).await;
    it.service.end_as(Some(Status::TemporaryFailure));
    it.revoked().await;
    for (tries, minutes) in [(1, 15), (2, 60), (3, 6 * 60), (4, 24 * 60)] {
        it.service.deliver().await;
        assert_eq!(it.row().await.0, "temporary-failure");
        assert!(!it.row().await.2);
        let just_before = SignedDuration::from_mins(minutes - 1);
        it.work_after(just_before).await;
        assert_eq!(it.service.taken(), tries);
        it.work_after(SignedDuration::from_mins(1)).await;
        assert_eq!(it.service.taken(), tries + 1);
        assert_eq!(it.state().await, "accepted");
    }
    assert!(it.why().await.is_empty());
    it.service.deliver().await;
    let waiting = it.waiting().await;
    assert_eq!(waiting.state, MailState::TemporaryFailure);
    assert!(waiting.given_up);
    assert_eq!(it.why().await, [NotTold::GivenUp]);
    it.work_after(SignedDuration::from_hours(100)).await;
    assert_eq!(it.service.taken(), 5);
}

async fn dw_78_a_permanent_failure_stops_and_stands_on_the_list(database: Database) {
    let it = ByNotify::with_callbacks(database).await;
    it.service.end_as(Some(Status::PermanentFailure));
    it.revoked().await;
    assert!(it.why().await.is_empty());
    it.service.deliver().await;
    assert_eq!(it.state().await, "permanent-failure");
    let list = it.desk.may_still_hold().await.unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].employee, ANNA.employee);
    assert_eq!(list[0].serial_number, it.credential().await.serial_number);
    assert_eq!(list[0].why, NotTold::AddressFailed);
    it.work_after(SignedDuration::from_hours(100)).await;
    assert_eq!(it.service.taken(), 1);
    assert!(
        it.desk
            .told_another_way(list[0].serial_number)
            .await
            .unwrap()
    );
    assert!(it.why().await.is_empty());
}

async fn a_technical_failure_is_an_alert_and_can_be_sent_again_by_a_person(database: Database) {
    let it = ByNotify::with_callbacks(database).await;
    it.service.end_as(Some(Status::TechnicalFailure));
    it.revoked().await;
    it.service.deliver().await;
    assert_eq!(it.waiting().await.state, MailState::TechnicalFailure);
    assert_eq!(it.why().await, [NotTold::GivenUp]);
    it.work_after(SignedDuration::from_hours(1)).await;
    assert_eq!(it.service.taken(), 1);
    it.service.end_as(None);
    let serial_number = it.credential().await.serial_number;
    assert!(it.desk.send_mail_again(serial_number).await.unwrap());
    it.work().await;
    it.service.deliver().await;
    assert_eq!(it.state().await, "delivered");
    assert!(!it.desk.send_mail_again(serial_number).await.unwrap());
}

async fn a_mail_that_notify_took_before_a_crash_is_found_by_its_reference_and_not_sent_twice(
    database: Database,
) {
    let mut it = ByNotify::start(database).await;
    it.service.misbehave(Some(NotifyFault::TakeAndFail));
    it.revoked().await;
    assert_eq!(it.service.taken(), 1);
    let waiting = it.waiting().await;
    assert!(waiting.fault.unwrap().starts_with("notify-failing: "));
    it.service.misbehave(None);
    it.it.restart();
    it.work_after(SignedDuration::from_secs(15)).await;
    assert_eq!(it.service.taken(), 1);
    assert_eq!(it.mails().len(), 1);
    assert_eq!(it.state().await, "accepted");
    it.service.deliver().await;
    it.work_after(SignedDuration::from_mins(1)).await;
    assert_eq!(it.state().await, "delivered");
}

async fn an_address_put_right_after_a_bounce_that_was_never_heard_of_is_written_to(
    database: Database,
) {
    unheard_of(database, Status::PermanentFailure).await;
}

async fn an_address_put_right_is_written_to_also_where_the_mail_had_arrived_at_the_wrong_one(
    database: Database,
) {
    unheard_of(database, Status::Delivered).await;
}

/// The first mail was taken and ended so, which nobody here ever heard.
async fn unheard_of(database: Database, ends: Status) {
    let it = ByNotify::start(database).await;
    it.service.misbehave(Some(NotifyFault::TakeAndFail));
    it.revoked().await;
    it.service.misbehave(None);
    it.service
        .change(|options| options.keys[0].1 = Uuid::from_u128(9));
    for _ in 0..8 {
        it.work_after(SignedDuration::from_hours(12)).await;
    }
    assert!(it.waiting().await.given_up);
    assert_eq!(it.service.taken(), 1);
    it.service.end_as(Some(ends));
    it.service.deliver().await;

    let mut person = crate::desk::world::anna();
    person.email = Some("anna.taylor@anytown.example".to_owned());
    it.keep_person(&person).await;
    let serial_number = it.credential().await.serial_number;
    assert!(it.desk.send_mail_again(serial_number).await.unwrap());
    it.service.change(|options| options.keys[0].1 = SECRET);
    it.service.end_as(None);
    it.work().await;
    assert_eq!(it.service.taken(), 2);
    it.service.deliver().await;
    it.work_after(SignedDuration::from_mins(1)).await;
    assert_eq!(it.state().await, "delivered");
    let to: Vec<String> = it.mails().into_iter().map(|mail| mail.to).collect();
    assert!(
        to.contains(&"anna.taylor@anytown.example".to_owned()),
        "{to:?}"
    );
}

async fn a_failing_notify_loses_nothing(database: Database) {
    let it = ByNotify::start(database).await;
    it.service.misbehave(Some(NotifyFault::Fail));
    it.revoked().await;
    for pause in [15, 60, 900] {
        it.work_after(SignedDuration::from_secs(pause)).await;
    }
    let waiting = it.waiting().await;
    assert_eq!((waiting.attempts, waiting.given_up), (4, false));
    it.service.misbehave(None);
    it.work_after(SignedDuration::from_hours(1)).await;
    assert_eq!(it.mails().len(), 1);
}

async fn a_clock_that_is_wrong_holds_up_mails_and_refuses_none(database: Database) {
    let it = ByNotify::start_with(
        database,
        |_| (),
        // The same to whoever is refused: a key that was taken back.
        |options| options.keys[0].1 = Uuid::from_u128(9),
    )
    .await;
    it.revoked().await;
    let waiting = it.waiting().await;
    assert!(waiting.fault.unwrap().starts_with("notify-key: "));
    assert_eq!(
        (waiting.state, waiting.given_up),
        (MailState::Queued, false)
    );
    it.service.change(|options| options.keys[0].1 = SECRET);
    it.work_after(SignedDuration::from_secs(15)).await;
    assert_eq!(it.mails().len(), 1);
}

async fn a_limit_is_waited_for_and_not_run_against(database: Database) {
    let it = ByNotify::start_with(database, |_| (), |options| options.a_day = 0).await;
    // Well before midnight.
    let (_, _, clock) = it.process();
    if clock.now().as_second() % 86_400 > 86_400 - 600 {
        it.later(SignedDuration::from_mins(15));
    }
    it.revoked().await;
    let fault = it.waiting().await.fault.unwrap();
    assert!(fault.starts_with("notify-daily-limit: "), "{fault}");
    it.service.change(|options| options.a_day = 10);
    // Until midnight nothing is asked.
    it.work_after(SignedDuration::from_secs(16)).await;
    assert_eq!(it.service.taken(), 0);
    it.work_after(SignedDuration::from_hours(24)).await;
    assert_eq!(it.service.taken(), 1);
}

async fn an_address_that_notify_refuses_is_for_a_person(database: Database) {
    let it = ByNotify::start(database).await;
    it.issued().await;
    it.change(Some(&corrected()), Cause::Corrected).await;
    let mut person = crate::desk::world::anna();
    person.email = Some("anna at home".to_owned());
    it.keep_person(&person).await;
    it.work().await;
    let waiting = it.waiting().await;
    assert_eq!(
        (waiting.state, waiting.given_up),
        (MailState::PermanentFailure, true)
    );
    assert!(waiting.fault.unwrap().starts_with("notify-refused: "));
    assert_eq!(it.why().await, [NotTold::AddressFailed]);
    // The host learns the right one.
    person.email = Some("anna@anytown.example".to_owned());
    it.keep_person(&person).await;
    let serial_number = it.credential().await.serial_number;
    assert!(it.desk.send_mail_again(serial_number).await.unwrap());
    it.work().await;
    assert_eq!(it.mails()[0].to, "anna@anytown.example");
}

async fn a_template_without_a_placeholder_is_named_and_no_mail_is_lost_by_it(database: Database) {
    let lacking = HANDBOOK.replace("((find_it))", "Find it.");
    let one_more = HANDBOOK.replace("((contact))", "((contact)) or ((phone))");
    let it = ByNotify::start_with(
        database,
        |_| (),
        |options| {
            options.templates = vec![template(TEMPLATE, &lacking)];
        },
    )
    .await;
    let said = it.desk.check_mail().await.unwrap_err().to_string();
    assert!(said.ends_with("lacks ((find_it))"), "{said}");
    it.service
        .change(|options| options.templates = vec![template(TEMPLATE, &one_more)]);
    let said = it.desk.check_mail().await.unwrap_err().to_string();
    assert!(said.contains("has ((phone))"), "{said}");
    it.revoked().await;
    let waiting = it.waiting().await;
    assert!(waiting.fault.unwrap().starts_with("notify-template: "));
    assert_eq!((waiting.given_up, it.service.taken()), (false, 0));
    it.service.change(|options| options.templates.clear());
    let said = it.desk.check_mail().await.unwrap_err().to_string();
    assert!(said.starts_with("GOV.UK Notify has no template"), "{said}");
    it.service
        .change(|options| options.templates = vec![template(TEMPLATE, HANDBOOK)]);
    it.desk.check_mail().await.unwrap();
    it.work_after(SignedDuration::from_secs(15)).await;
    assert_eq!(it.mails().len(), 1);
}

async fn whoever_reads_welsh_is_written_to_in_welsh_where_there_is_a_template(database: Database) {
    let in_welsh = HANDBOOK.replace("Dear ((first_name))", "Annwyl ((first_name))");
    let it = ByNotify::start_with(
        database,
        |notify| notify.welsh_template = Some(WELSH),
        |options| options.templates.push(template(WELSH, &in_welsh)),
    )
    .await;
    it.issued().await;
    let language = it
        .desk
        .person_language(ANNA.employee, connector::desk::Language::Welsh);
    it.store.write([language]).await.unwrap();
    it.change(Some(&corrected()), Cause::Corrected).await;
    it.work().await;
    let mail = it.mails().remove(0);
    assert!(mail.text.starts_with("Annwyl Anna,"), "{}", mail.text);
    assert!(
        mail.text.contains("because i'ch cofnod gael ei gywiro."),
        "{}",
        mail.text
    );
}
