//! Registry, gateway and published status list are compared, and what can be is repaired.

use connector::desk::{Cause, DifferenceCode, ReconcileError, Reconciliation, Stage};
use connector::{GatewayFault, Revocation};
use store::Statement;
use uuid::Uuid;

use super::world::{ANNA, LOOK_UP, RECORD, REVOKE, TOKEN, Working};
use crate::database::{Database, on_both_engines};
use crate::desk::door::Jam;
use crate::desk::world::{anna, programme};

on_both_engines!(
    three_lists_that_agree_differ_in_nothing_and_what_is_on_its_way_waits,
    what_somebody_else_had_revoked_is_found_and_marked_without_a_mail,
    dw_77_what_the_gateway_revoked_by_itself_is_marked_and_told,
    dw_72_what_is_revoked_here_and_in_force_there_is_revoked_once_more,
    dw_64_what_is_in_force_although_it_reached_no_wallet_is_revoked,
    what_the_gateway_does_not_know_is_found_however_much_there_is,
    dw_62_what_is_in_force_there_and_was_never_heard_of_here_is_found_and_left_to_somebody_who_looks,
    a_published_list_that_says_something_else_than_the_gateway_is_named_and_left_to_its_operator,
    a_list_that_cannot_be_had_or_is_forged_is_said_and_decides_nothing,
    a_gateway_that_cannot_be_asked_is_an_error_and_no_difference,
);

const LIST: &str = "/issuers/anytown/status/1";

async fn reconcile(it: &Working) -> Reconciliation {
    it.desk.reconcile().await.unwrap()
}

fn codes(found: &Reconciliation) -> Vec<DifferenceCode> {
    found.differences.iter().map(|one| one.code).collect()
}

/// Of which credential each is, what it is, and which list it is about.
fn told(found: &Reconciliation) -> Vec<(Option<Uuid>, &'static str, Option<&str>)> {
    let differences = found.differences.iter();
    differences
        .map(|one| {
            (
                one.serial_number,
                one.code.code(),
                one.status_list.as_deref(),
            )
        })
        .collect()
}

/// Repairs, works, and looks again.
async fn repaired(it: &Working) -> Reconciliation {
    for difference in reconcile(it).await.differences {
        assert!(it.desk.repair(&difference).await.unwrap(), "{difference:?}");
    }
    it.work().await;
    reconcile(it).await
}

async fn write(it: &Working, sql: &'static str) {
    it.store
        .write([Statement::new(sql).must_change(1)])
        .await
        .unwrap();
}

async fn three_lists_that_agree_differ_in_nothing_and_what_is_on_its_way_waits(database: Database) {
    let it = Working::start(database).await;
    let first = it.issued().await;
    it.download(ANNA, &anna(), "anna", &programme("p2")).await;
    it.desk
        .revoke(first.serial_number, Cause::Corrected)
        .await
        .unwrap();
    it.work().await;
    let found = reconcile(&it).await;
    assert_eq!(codes(&found), []);
    assert_eq!((found.compared, found.waiting, found.lists), (2, 0, 1));

    it.go(ANNA, &programme("p3")).await;
    it.door.jam(REVOKE, Jam::Refuse(503));
    it.desk
        .revoke_all(ANNA.employee, Cause::EndedEarly)
        .await
        .unwrap();
    it.work().await;
    let found = reconcile(&it).await;
    assert_eq!(codes(&found), []);
    assert_eq!((found.compared, found.waiting), (1, 2));
}

async fn what_somebody_else_had_revoked_is_found_and_marked_without_a_mail(database: Database) {
    let it = Working::start(database).await;
    let number = it.issued().await.serial_number;
    let by_hand = Revocation::new("TrainingProgramme", number, "by hand");
    it.connector().await.revoke(&by_hand).await.unwrap();
    let found = reconcile(&it).await;
    assert_eq!(codes(&found), [DifferenceCode::RevokedThereNotHere]);
    let json = serde_json::to_value(&found.differences[0]).unwrap();
    let expected = serde_json::json!({
        "code": "revoked-there-not-here",
        "serial_number": number,
        "credential_type": "TrainingProgramme",
        "cause": "relying-party",
    });
    assert_eq!(json, expected);
    let lines = found.to_json_lines();
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let sums = serde_json::json!({"compared": 1, "waiting": 0, "lists": 1, "differences": 1});
    assert_eq!(lines, [expected, serde_json::json!({"summary": sums})]);
    assert!(!found.is_clean());
    assert_eq!(
        it.credential().await.stage,
        Stage::Issued,
        "comparing changes nothing"
    );

    assert_eq!(codes(&repaired(&it).await), []);
    let credential = it.credential().await;
    assert_eq!(credential.stage, Stage::Revoked);
    assert_eq!(credential.reason, Some(Cause::RevokedAtGateway));
    assert!(it.mails().is_empty(), "whoever did it tells");
}

async fn dw_77_what_the_gateway_revoked_by_itself_is_marked_and_told(database: Database) {
    let it = Working::start(database).await;
    let person = it.log_in().await;
    let url = it.go(ANNA, &programme(RECORD)).await;
    let query = it.visit(&url, "anna").await;
    it.desk.come_back(ANNA, &person, &query).await.unwrap();
    // A code that is used twice is nobody's: the gateway revokes.
    it.door.repeat(TOKEN).await;
    let found = reconcile(&it).await;
    assert_eq!(codes(&found), [DifferenceCode::RevokedThereNotHere]);
    assert_eq!(found.differences[0].cause.as_deref(), Some("code-replayed"));
    assert_eq!(codes(&repaired(&it).await), []);
    let mails = it.mails();
    assert_eq!(mails.len(), 1);
    let text: Vec<&str> = mails[0].text.split_whitespace().collect();
    let told = "credential because the service that issues it had already cancelled it.";
    assert!(text.join(" ").contains(told), "{}", mails[0].text);
    let reason = it.credential().await.reason;
    assert_eq!(reason, Some(Cause::RevokedAtGateway));
}

async fn dw_72_what_is_revoked_here_and_in_force_there_is_revoked_once_more(database: Database) {
    let it = Working::start(database).await;
    let number = it.issued().await.serial_number;
    // As if the gateway had been put back to yesterday: here the revocation is done.
    write(
        &it,
        "UPDATE connector_credentials SET stage = 'revoked', reason = 'corrected', revoked_at = 1",
    )
    .await;
    let done = Statement::new(
        "INSERT INTO connector_revocations (serial_number, reason, tell, wanted_at, attempts, next_at, done_at) \
         VALUES ($1, 'corrected', 1, 1, 1, 1, 1)",
    );
    it.store
        .write([done.bind(number.to_string())])
        .await
        .unwrap();
    assert_eq!(
        codes(&reconcile(&it).await),
        [DifferenceCode::RevokedHereNotThere]
    );
    assert_eq!(codes(&repaired(&it).await), []);
    assert_eq!(it.revocations().len(), 1);
    assert_eq!(it.credential().await.reason, Some(Cause::Corrected));
    assert!(
        it.mails().is_empty(),
        "the employee was told the first time"
    );
}

async fn dw_64_what_is_in_force_although_it_reached_no_wallet_is_revoked(database: Database) {
    let it = Working::start(database).await;
    it.issued().await;
    write(
        &it,
        "UPDATE connector_credentials SET stage = 'not-issued', outcome = 'declined'",
    )
    .await;
    assert_eq!(
        codes(&reconcile(&it).await),
        [DifferenceCode::NotIssuedHereInForceThere]
    );
    assert_eq!(codes(&repaired(&it).await), []);
    assert_eq!(it.credential().await.stage, Stage::NotIssued);
    assert_eq!(it.revocations().len(), 1);
    assert!(it.mails().is_empty());
}

async fn what_the_gateway_does_not_know_is_found_however_much_there_is(database: Database) {
    let it = Working::start(database).await;
    it.issued().await;
    let strangers = (0..250_u128).map(|n| {
        Statement::new(
            "INSERT INTO connector_credentials (serial_number, employee, nth, record, credential_type, label, digest, \
             stage, started_at, stage_at) VALUES ($1, 'e-x', 1, 'r', 'FireSafety', 'Fire safety', '', 'issued', 1, 1)",
        )
        .bind(uuid::Uuid::from_u128(n).to_string())
    });
    it.store.write(strangers).await.unwrap();
    let found = reconcile(&it).await;
    assert_eq!((found.compared, found.differences.len()), (251, 250));
    for difference in &found.differences {
        assert_eq!(difference.code, DifferenceCode::IssuedHereUnknownThere);
        assert!(!it.desk.repair(difference).await.unwrap(), "nobody can");
    }
}

async fn dw_62_what_is_in_force_there_and_was_never_heard_of_here_is_found_and_left_to_somebody_who_looks(
    database: Database,
) {
    let it = Working::start(database).await;
    let number = it.issued().await.serial_number;
    // As if an older copy of the database had been restored.
    write(&it, "DELETE FROM connector_credentials").await;
    let found = reconcile(&it).await;
    let [difference] = &found.differences[..] else {
        panic!("{found:?}");
    };
    assert_eq!(difference.code, DifferenceCode::InForceThereUnknownHere);
    assert_eq!(difference.serial_number, Some(number));
    assert!(!it.desk.repair(difference).await.unwrap());

    let answer = serde_json::json!({"outcomes": [], "credentials": [{
        "serial_number": uuid::Uuid::max(), "credential_type": "FireSafety", "issuer": "did:web:a.example",
        "issued_at": "2026-11-28T12:00:00Z", "status_list": {"uri": "https://a.example/1", "idx": 1},
    }]});
    it.door.jam(LOOK_UP, Jam::Answer(answer.to_string()));
    let error = it.desk.reconcile().await.unwrap_err();
    assert!(error.to_string().contains("in order"), "no end: {error}");
}

async fn a_published_list_that_says_something_else_than_the_gateway_is_named_and_left_to_its_operator(
    database: Database,
) {
    let it = Working::start(database).await;
    let first = it.issued().await.serial_number;
    it.download(ANNA, &anna(), "anna", &programme("p2")).await;
    let second = it.credential().await.serial_number;
    let by_hand = Revocation::new("TrainingProgramme", first, "by hand");
    it.connector().await.revoke(&by_hand).await.unwrap();
    // As the gateway signed it, and as whoever keeps copies for others still has it whatever comes afterwards.
    let list = format!("{}{LIST}", it.door.base);
    let token = reqwest::get(&list).await.unwrap().text().await.unwrap();
    it.door.jam(LIST, Jam::Answer(token));
    let found = reconcile(&it).await;
    assert_eq!(codes(&found), [DifferenceCode::RevokedThereNotHere]);

    let taken_back = "UPDATE credentials SET revoked_at = NULL WHERE serial_number = $1";
    let taken_back = Statement::new(taken_back).bind(first.to_string());
    it.tamper_at_gateway(taken_back).await;
    let found = reconcile(&it).await;
    assert_eq!((found.compared, found.lists), (2, 1));
    let not_there = (Some(first), "revoked-in-list-not-there", Some(&*list));
    assert_eq!(told(&found), [not_there]);
    assert!(!it.desk.repair(&found.differences[0]).await.unwrap());

    // The other one the gateway takes for revoked, since long before the list was signed.
    let unlisted = "UPDATE credentials SET revoked_at = 1, revocation_cause = 'relying-party' WHERE serial_number = $1";
    let unlisted = Statement::new(unlisted).bind(second.to_string());
    it.tamper_at_gateway(unlisted).await;
    for difference in reconcile(&it).await.differences {
        let is_ours = difference.code == DifferenceCode::RevokedThereNotHere;
        assert_eq!(it.desk.repair(&difference).await.unwrap(), is_ours);
    }
    it.work().await;
    let not_listed = (Some(second), "not-revoked-in-list", Some(&*list));
    let mut expected = [not_there, not_listed];
    expected.sort_unstable();
    assert_eq!(told(&reconcile(&it).await), expected);
}

async fn a_list_that_cannot_be_had_or_is_forged_is_said_and_decides_nothing(database: Database) {
    let it = Working::start(database).await;
    it.issued().await;
    let list = format!("{}{LIST}", it.door.base);
    let token = reqwest::get(&list).await.unwrap().text().await.unwrap();
    // Another signature, of the right length.
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let forged: String = signature.chars().rev().collect();
    for jam in [
        Jam::Refuse(503),
        Jam::Answer(format!("{signed}.{forged}")),
        Jam::Answer("nothing".to_owned()),
    ] {
        it.door.jam(LIST, jam);
        let found = reconcile(&it).await;
        assert_eq!(codes(&found), [DifferenceCode::ListUnusable]);
        assert_eq!(found.differences[0].status_list.as_deref(), Some(&*list));
        assert_eq!(found.lists, 0);
        assert!(!it.desk.repair(&found.differences[0]).await.unwrap());
        it.door.free();
    }
    it.door.jam(LIST, Jam::Answer(token));
    assert_eq!(codes(&reconcile(&it).await), [], "as it was signed");
}

async fn a_gateway_that_cannot_be_asked_is_an_error_and_no_difference(database: Database) {
    let it = Working::start(database).await;
    it.issued().await;
    it.door.jam(LOOK_UP, Jam::Refuse(404));
    let error = it.desk.reconcile().await.unwrap_err();
    let refused = matches!(error, ReconcileError::Gateway(GatewayFault::Refused { .. }));
    assert!(refused, "{error}");
    it.door.free();
    it.door
        .jam(LOOK_UP, Jam::Answer(r#"{"outcomes": []}"#.to_owned()));
    let error = it.desk.reconcile().await.unwrap_err();
    assert!(
        error.to_string().contains("does not tell of credentials"),
        "{error}"
    );
}
