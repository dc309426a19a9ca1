//! By GOV.UK Notify, against a stand-in that checks what Notify checks.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use connector::ClientSecret;
use connector::desk::{
    Cause, Channel, Desk, MailState, NotTold, Notify, NotifyCallbackError, NotifyKey, Stage,
};
use jiff::SignedDuration;
use mail_catcher::notify::{
    CallbackOptions, KeyKind, NotifyFault, NotifyOptions, NotifyService, Status, Template,
};
use store::{Row, Statement};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::world::{ANNA, RECORD, Working, corrected};
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
    a_failing_notify_loses_nothing,
    a_clock_that_is_wrong_holds_up_mails_and_refuses_none,
    a_limit_is_waited_for_and_not_run_against,
    an_address_that_notify_refuses_is_for_a_person,
    a_template_without_a_placeholder_is_named_and_no_mail_is_lost_by_it,
    whoever_reads_welsh_is_written_to_in_welsh_where_there_is_a_template,
);

const SERVICE: Uuid = Uuid::from_u128(0x2678_5a09_ab16_4eb0_8407_a374_97a5_7506);
const SECRET: Uuid = Uuid::from_u128(0x3d84_4edf_8d35_48ac_975b_e847_b4f1_22b0);
const TEMPLATE: Uuid = Uuid::from_u128(0x9d75_1e0e_f929_4891_82a1_a3e1_c3c1_8ee3);
const WELSH: Uuid = Uuid::from_u128(0x9d75_1e0e_f929_4891_82a1_a3e1_c3c1_8ee4);
const TOKEN: &str = "the-callbacks-token-0123456789";

/// The text to paste at Notify, as the handbook has it.
const HANDBOOK: &str = include_str!("../../../../../docs/operate/notify-template.txt");

struct ByNotify {
    it: Working,
    service: NotifyService,
    servers: [JoinHandle<()>; 2],
}

impl Deref for ByNotify {
    type Target = Working;

    fn deref(&self) -> &Working {
        &self.it
    }
}

impl Drop for ByNotify {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

fn template(id: Uuid, text: &str) -> Template {
    let (subject, body) = text.split_once("\n\n").unwrap();
    Template {
        id,
        name: "Delete a credential".to_owned(),
        subject: subject.to_owned(),
        body: body.to_owned(),
        version: 3,
    }
}

impl ByNotify {
    async fn start(database: Database) -> Self {
        Self::start_with(database, |_| (), |_| ()).await
    }

    async fn start_with(
        database: Database,
        change: impl FnOnce(&mut Notify),
        change_service: impl FnOnce(&mut NotifyOptions),
    ) -> Self {
        let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://localhost:{}/", api.local_addr().unwrap().port());
        let mut options = NotifyOptions::new(SERVICE);
        options.keys = vec![(KeyKind::Live, SECRET)];
        options.templates = vec![template(TEMPLATE, HANDBOOK)];
        let mut notify = Notify {
            base: base.parse().unwrap(),
            key: NotifyKey::parse(&options.key("our-live-key", SECRET)).unwrap(),
            template: TEMPLATE,
            welsh_template: None,
            callback_token: None,
        };
        change(&mut notify);
        let it = Working::start_with(database, |options| {
            options.mail.as_mut().unwrap().channel = Channel::Notify(notify);
        })
        .await;
        let callbacks = TcpListener::bind("127.0.0.1:0").await.unwrap();
        options.callback = Some(CallbackOptions {
            url: format!("http://{}/notify/callback", callbacks.local_addr().unwrap()),
            bearer: TOKEN.to_owned(),
            again_after: Duration::from_millis(50),
        });
        change_service(&mut options);
        let (_, _, clock) = it.process();
        let service =
            NotifyService::new(it.catcher.clone(), options, Arc::new(move || clock.now()));
        let router = service.router();
        let host = axum::Router::new()
            .route("/notify/callback", axum::routing::post(callback))
            .with_state(it.desk.clone());
        let servers = [
            tokio::spawn(async move { axum::serve(api, router).await.unwrap() }),
            tokio::spawn(async move { axum::serve(callbacks, host).await.unwrap() }),
        ];
        Self {
            it,
            service,
            servers,
        }
    }

    async fn with_callbacks(database: Database) -> Self {
        let with = |notify: &mut Notify| notify.callback_token = Some(ClientSecret::new(TOKEN));
        Self::start_with(database, with, |_| ()).await
    }

    /// Anna's credential is revoked, and the mail is on its way.
    async fn revoked(&self) {
        self.issued().await;
        self.change(Some(&corrected()), Cause::Corrected).await;
        self.work().await;
        assert_eq!(self.credential().await.stage, Stage::Revoked);
    }

    /// State, id at Notify, and whether it is given up.
    async fn row(&self) -> (String, Option<String>, bool) {
        let select =
            Statement::new("SELECT state, notification_id, failed_at FROM connector_mails");
        let rows: Vec<Row> = self.store.read(select).await.unwrap();
        assert_eq!(rows.len(), 1);
        (
            rows[0].text("state").unwrap().to_owned(),
            rows[0]
                .optional_text("notification_id")
                .unwrap()
                .map(str::to_owned),
            rows[0].optional_integer("failed_at").unwrap().is_some(),
        )
    }

    async fn state(&self) -> String {
        self.row().await.0
    }

    async fn waiting(&self) -> connector::desk::WaitingMail {
        self.desk.backlog().await.unwrap().mails.remove(0)
    }

    async fn why(&self) -> Vec<NotTold> {
        let list = self.desk.may_still_hold().await.unwrap();
        list.into_iter().map(|one| one.why).collect()
    }
}

async fn callback(
    State(desk): State<Desk>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> StatusCode {
    let authorization = headers["authorization"].to_str().unwrap();
    let bearer = authorization.strip_prefix("Bearer ").unwrap_or_default();
    match desk.notify_callback(bearer, &body).await {
        Ok(()) => StatusCode::OK,
        Err(NotifyCallbackError::WrongToken) => StatusCode::UNAUTHORIZED,
        Err(_) => StatusCode::NOT_FOUND,
    }
}

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
    while it.state().await != "delivered" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
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
        let just_before = SignedDuration::from_mins(minutes) - SignedDuration::from_secs(2);
        it.work_after(just_before).await;
        assert_eq!(it.service.taken(), tries);
        it.work_after(SignedDuration::from_secs(3)).await;
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
