//! Step 7: exactly what was confirmed reaches the wallet of the one who was verified.

use connector::desk::{Credential, Issuing, OldCopy, Return, Session, Stage};
use jiff::SignedDuration;
use serde_json::Value;
use standards::jose::jws;
use standards::oauth::Form;

use super::door::Jam;
use super::world::{ANNAS, World, programme, unchanged};
use crate::database::{Database, on_both_engines};

on_both_engines!(
    dw_53_what_was_confirmed_goes_to_the_gateway_with_the_unique_identifier,
    dw_24_a_confirmation_is_of_one_record_and_of_what_it_said,
    dw_26_a_record_that_changed_after_confirming_is_not_issued,
    dw_50_a_confirmation_counts_for_an_hour,
    dw_20_a_record_that_was_issued_is_asked_about_before_it_is_issued_again,
    dw_21_nobody_is_asked_about_a_copy_that_never_was,
    dw_48_a_gateway_that_refuses_or_fails_leaves_nothing_on_its_way,
    dw_19_a_second_copy_replaces_the_first,
    dw_19_of_two_copies_that_arrive_at_once_one_stays,
    dw_62_the_serial_number_is_there_before_the_browser_leaves,
);

pub(super) const SESSION: Session<'static> = Session {
    id: "a-session",
    employee: "e-anna",
};

/// A world in which Anna is verified in her session.
pub(super) async fn verified(database: Database) -> (World, connector::desk::Person) {
    let world = World::start_on(database).await;
    let anna = world.with_anna().await;
    world.verify(SESSION, &anna, "anna").await;
    (world, anna)
}

pub(super) async fn only(world: &World) -> Credential {
    let mut credentials = world.desk.credentials("e-anna").await.unwrap();
    assert_eq!(credentials.len(), 1);
    credentials.remove(0)
}

/// What the last draft that was pushed says.
fn pushed(world: &World) -> Value {
    let body = world.door.calls("/par").pop().unwrap();
    let form = Form::parse(body.as_bytes()).unwrap();
    let hint = form.find("id_token_hint").unwrap();
    Value::Object(jws::parse(hint).unwrap().unverified_claims().clone())
}

/// DW-24, DW-45, DW-63.
async fn dw_53_what_was_confirmed_goes_to_the_gateway_with_the_unique_identifier(
    database: Database,
) {
    let (world, anna) = verified(database).await;
    let record = programme("r-1");
    let back = world.download(SESSION, &anna, "anna", &record).await;

    let credential = only(&world).await;
    let serial_number = credential.serial_number;
    assert_eq!(
        back,
        Return::Issue {
            record: "r-1".to_owned(),
            serial_number,
            return_to: None,
        }
    );
    assert_eq!(credential.stage, Stage::Issued);
    assert!(credential.issued_at.is_some() && !credential.revoking);
    assert_eq!(credential.digest, record.digest());

    let draft = pushed(&world);
    assert_eq!(draft["UniqueIdentifier"], ANNAS);
    assert_eq!(draft["SerialNumber"], serial_number.to_string());
    for (name, value) in &record.claims {
        assert_eq!(draft[name], value.as_str(), "{name}");
    }
    let about_the_message = ["UniqueIdentifier", "SerialNumber"];
    let about_it = ["iss", "aud", "iat", "nbf", "exp"];
    for (name, _) in draft.as_object().unwrap() {
        let known = record.claims.contains_key(name);
        let technical = about_the_message
            .iter()
            .chain(&about_it)
            .any(|other| other == name);
        assert!(known || technical, "{name} was not confirmed");
    }
}

async fn dw_24_a_confirmation_is_of_one_record_and_of_what_it_said(database: Database) {
    let (world, _) = verified(database).await;
    let (one, other) = (programme("r-1"), programme("r-2"));
    let mut longer = one.clone();
    longer.expires_at = Some("2030-01-01T00:00:00Z".parse().unwrap());
    world.desk.confirm("e-anna", &one).await.unwrap();
    let confirmed = async |record| world.desk.confirmed("e-anna", record).await.unwrap();
    assert!(confirmed(&one).await.is_some());
    assert!(confirmed(&other).await.is_none());
    assert!(
        confirmed(&longer).await.is_none(),
        "it ends at another time"
    );
    world.keep(&other).await;
    let issuing = world.issue(SESSION, &other).await;
    assert!(matches!(issuing, Issuing::Confirm), "{issuing:?}");
    let bens = world.desk.confirmed("e-ben", &one).await.unwrap();
    assert!(bens.is_none(), "Ben confirmed nothing");
}

async fn dw_26_a_record_that_changed_after_confirming_is_not_issued(database: Database) {
    let (world, _) = verified(database).await;
    let before = world.door.calls("/par").len();
    let record = programme("r-1");
    world.keep(&record).await;
    world.desk.confirm("e-anna", &record).await.unwrap();
    let mut corrected = record.clone();
    corrected
        .claims
        .insert("TPR-Name".to_owned(), "Oncology".to_owned());

    // The host reads the new record: it is not what was confirmed.
    world.keep(&corrected).await;
    let issuing = world.issue(SESSION, &corrected).await;
    assert!(matches!(issuing, Issuing::Changed(_)), "{issuing:?}");
    // The host read the old record, and it changed since: its own condition does not hold.
    let issuing = world.issue(SESSION, &record).await;
    assert!(matches!(issuing, Issuing::Changed(_)), "{issuing:?}");
    assert_eq!(world.door.calls("/par").len(), before, "nothing was pushed");
    assert!(world.desk.credentials("e-anna").await.unwrap().is_empty());

    world.go(SESSION, &corrected).await;
    assert_eq!(pushed(&world)["TPR-Name"], "Oncology");
}

async fn dw_50_a_confirmation_counts_for_an_hour(database: Database) {
    let (world, _) = verified(database).await;
    let record = programme("r-1");
    world.keep(&record).await;
    world.desk.confirm("e-anna", &record).await.unwrap();
    world.later(SignedDuration::from_mins(61));
    let issuing = world.issue(SESSION, &record).await;
    assert!(matches!(issuing, Issuing::Confirm), "{issuing:?}");
}

/// DW-22.
async fn dw_20_a_record_that_was_issued_is_asked_about_before_it_is_issued_again(
    database: Database,
) {
    let (world, anna) = verified(database).await;
    let record = programme("r-1");
    let asked = async || {
        let ask = world.desk.must_ask_about_old_copy("e-anna", "r-1").await;
        ask.unwrap()
    };
    assert!(!asked().await);
    world.download(SESSION, &anna, "anna", &record).await;
    assert!(asked().await);
    let pushes = world.door.calls("/par").len();
    world.desk.confirm("e-anna", &record).await.unwrap();
    let issuing = world.issue(SESSION, &record).await;
    assert!(matches!(issuing, Issuing::AskAboutOldCopy), "{issuing:?}");
    assert_eq!(world.door.calls("/par").len(), pushes, "nothing was pushed");

    let answer = OldCopy::Deleted;
    world
        .desk
        .answer_about_old_copy("e-anna", "r-1", answer)
        .await
        .unwrap();
    assert!(!asked().await);
    world.later(SignedDuration::from_mins(61));
    assert!(asked().await, "the answer is too old");
    world
        .desk
        .answer_about_old_copy("e-anna", "r-1", answer)
        .await
        .unwrap();
    world.download(SESSION, &anna, "anna", &record).await;
    assert!(asked().await, "the answer was about the copy before");
}

async fn dw_21_nobody_is_asked_about_a_copy_that_never_was(database: Database) {
    let (world, anna) = verified(database).await;
    let record = programme("r-1");
    for _ in 0..2 {
        let url = world.go(SESSION, &record).await;
        let query = world.decline(&url, "anna").await;
        let back = world.desk.come_back(SESSION, &anna, &query).await.unwrap();
        assert!(matches!(back, Return::Issue { .. }), "{back:?}");
    }
    for credential in world.desk.credentials("e-anna").await.unwrap() {
        assert_eq!(credential.stage, Stage::NotIssued);
        assert_eq!(credential.outcome.as_deref(), Some("declined"));
    }
}

async fn dw_48_a_gateway_that_refuses_or_fails_leaves_nothing_on_its_way(database: Database) {
    let (world, _) = verified(database).await;
    let mut record = programme("r-1");
    record.claims.remove("TPR-Name");
    world.keep(&record).await;
    world.desk.confirm("e-anna", &record).await.unwrap();
    let fault = world
        .desk
        .issue(SESSION, &record, unchanged(&record))
        .await
        .unwrap_err();
    assert_eq!(fault.code(), "request-unusable", "{fault}");
    let credential = only(&world).await;
    assert_eq!(credential.stage, Stage::NotIssued);
    assert_eq!(credential.outcome.as_deref(), Some("refused"));

    let record = programme("r-2");
    world.keep(&record).await;
    world.desk.confirm("e-anna", &record).await.unwrap();
    for jam in [Jam::Refuse(503), Jam::LoseAnswer] {
        world.door.jam("/par", jam);
        let fault = world
            .desk
            .issue(SESSION, &record, unchanged(&record))
            .await
            .unwrap_err();
        assert_eq!(fault.code(), "gateway-unavailable", "{fault}");
        world.door.free();
    }
    let credentials = world.desk.credentials("e-anna").await.unwrap();
    let failed = credentials.iter().filter(|credential| {
        credential.stage == Stage::NotIssued
            && credential.outcome.as_deref() == Some("gateway-failed")
    });
    assert_eq!(failed.count(), 2);

    // A gateway that cannot even be found leaves no row.
    let desk = world.second_desk().await;
    world.door.jam("", Jam::Refuse(503));
    let fault = desk.issue(SESSION, &record, unchanged(&record)).await;
    assert_eq!(fault.unwrap_err().code(), "gateway-unavailable");
    assert_eq!(world.desk.credentials("e-anna").await.unwrap().len(), 3);
}

async fn dw_19_a_second_copy_replaces_the_first(database: Database) {
    let (world, anna) = verified(database).await;
    let record = programme("r-1");
    // An other record's credential stays as it is.
    world
        .download(SESSION, &anna, "anna", &programme("r-2"))
        .await;
    let told = async || {
        let rows = world
            .rows("SELECT r.tell FROM connector_revocations r ORDER BY r.tell")
            .await;
        rows.iter()
            .map(|row| row.boolean("tell").unwrap())
            .collect::<Vec<_>>()
    };
    world.download(SESSION, &anna, "anna", &record).await;
    world
        .desk
        .answer_about_old_copy("e-anna", "r-1", OldCopy::NotThere)
        .await
        .unwrap();
    world.later(SignedDuration::from_secs(2));
    world.download(SESSION, &anna, "anna", &record).await;

    let credentials = world.desk.credentials("e-anna").await.unwrap();
    let of_record: Vec<_> = credentials
        .iter()
        .filter(|credential| credential.record == "r-1")
        .collect();
    assert_eq!(of_record.len(), 2);
    let (newer, older) = (of_record[0], of_record[1]);
    assert_eq!(newer.stage, Stage::Issued);
    assert!(!newer.revoking && newer.reason.is_none());
    assert!(older.revoking, "the older one is to be revoked");
    assert_eq!(older.reason, Some(connector::desk::Cause::Replaced));
    assert_eq!(told().await, [false], "they said that it is gone: no mail");
    let other = credentials.iter().find(|other| other.record == "r-2");
    assert!(!other.unwrap().revoking);
}

async fn dw_19_of_two_copies_that_arrive_at_once_one_stays(database: Database) {
    let (world, anna) = verified(database).await;
    let second_desk = world.second_desk().await;
    for number in 0..4 {
        let record = programme(&format!("r-{number}"));
        let one = world.go(SESSION, &record).await;
        let two = world.go(SESSION, &record).await;
        let one = world.visit(&one, "anna").await;
        let two = world.visit(&two, "anna").await;
        // Both answers of the gateway come in the same moment.
        let (arrived, go_on) = world.door.hold("/oidc/token");
        let (one, two, ()) = tokio::join!(
            world.desk.come_back(SESSION, &anna, &one),
            second_desk.come_back(SESSION, &anna, &two),
            async {
                arrived.notified().await;
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                world.door.free();
                go_on.notify_waiters();
            }
        );
        one.unwrap();
        two.unwrap();
        let credentials = world.desk.credentials("e-anna").await.unwrap();
        let of_record = credentials
            .iter()
            .filter(|credential| credential.record == record.id);
        let (replaced, staying): (Vec<_>, Vec<_>) =
            of_record.partition(|credential| credential.revoking);
        assert_eq!((replaced.len(), staying.len()), (1, 1));
        assert_eq!(staying[0].stage, Stage::Issued);
    }
}

async fn dw_62_the_serial_number_is_there_before_the_browser_leaves(database: Database) {
    let (world, anna) = verified(database).await;
    let (arrived, go_on) = world.door.hold("/par");
    let (desk, record) = (world.desk.clone(), programme("r-1"));
    world.keep(&record).await;
    desk.confirm("e-anna", &record).await.unwrap();
    let asking = tokio::spawn(async move {
        let statement = unchanged(&record);
        desk.issue(SESSION, &record, statement).await.unwrap()
    });
    arrived.notified().await;
    let credential = only(&world).await;
    assert_eq!(credential.stage, Stage::Asked);
    world.door.free();
    go_on.notify_one();
    let Issuing::Go(url) = asking.await.unwrap() else {
        panic!("the desk does not go on");
    };
    let query = world.visit(&url, "anna").await;
    world.desk.come_back(SESSION, &anna, &query).await.unwrap();
    let issued = only(&world).await;
    assert_eq!(issued.stage, Stage::Issued);
    assert_eq!(issued.serial_number, credential.serial_number);
}
