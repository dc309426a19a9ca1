//! Callbacks that are forged, replayed, cut off or come twice.

use std::sync::Arc;

use connector::HttpOptions;
use connector::desk::{
    self, Cause, Desk, DeskOptions, Issuing, OldCopy, Return, Session, Stage, VerifyOutcome,
};
use jiff::SignedDuration;
use store::{Statement, Store};

use super::door::Jam;
use super::issuing::{SESSION, only, verified};
use super::world::{World, ben, programme};
use crate::database::{Database, on_both_engines};

on_both_engines!(
    dw_41_a_callback_counts_once_and_for_its_own_session,
    dw_41_a_callback_in_another_gateways_name_is_not_believed,
    dw_41_two_callbacks_at_once_exchange_one_code,
    dw_64_a_token_answer_that_does_not_come_is_called_unknown,
    dw_64_a_process_that_dies_in_the_exchange_leaves_what_is_true,
    dw_64_a_browser_that_hangs_up_does_not_cut_the_exchange_off,
    dw_48_an_identity_check_that_was_cut_off_can_be_begun_again,
    dw_26_a_record_that_changes_during_the_scan_makes_the_credential_stale,
    dw_59_every_way_in_which_no_credential_comes_is_told_apart,
    dw_64_an_answer_that_comes_after_it_was_revoked_changes_nothing,
    dw_62_an_answer_that_comes_after_it_was_not_found_is_the_newer_one,
    sec_37_no_secret_of_a_journey_outlives_it,
);

async fn come_back(world: &World, query: &str) -> Return {
    let anna = super::world::anna();
    world.desk.come_back(SESSION, &anna, query).await.unwrap()
}

async fn dw_41_a_callback_counts_once_and_for_its_own_session(database: Database) {
    let (world, anna) = verified(database).await;
    let url = world.go(SESSION, &programme("r-1")).await;
    let query = world.visit(&url, "anna").await;
    let exchanges = world.door.calls("/oidc/token").len();

    let other_login = Session {
        id: "another-session",
        employee: "e-anna",
    };
    let other_employee = Session {
        id: SESSION.id,
        employee: "e-ben",
    };
    let back = world.desk.come_back(other_login, &anna, &query).await;
    assert_eq!(back.unwrap(), Return::NotOurs);
    let back = world.desk.come_back(other_employee, &ben(), &query).await;
    assert_eq!(back.unwrap(), Return::NotOurs);
    for forged in [
        "code=a&state=of-somebody-else".to_owned(),
        "state=of-somebody-else&error=access_denied".to_owned(),
        format!("{query}&error=server_error"),
        format!("{query}&code=second"),
        String::new(),
    ] {
        assert_eq!(come_back(&world, &forged).await, Return::NotOurs);
    }
    assert_eq!(only(&world).await.stage, Stage::Asked, "nothing changed");
    assert_eq!(world.door.calls("/oidc/token").len(), exchanges);

    let back = come_back(&world, &query).await;
    assert!(matches!(back, Return::Issue { .. }), "{back:?}");
    assert_eq!(only(&world).await.stage, Stage::Issued);
    for _ in 0..2 {
        assert_eq!(come_back(&world, &query).await, Return::NotOurs);
    }
    assert_eq!(world.door.calls("/oidc/token").len(), exchanges + 1);
    assert_eq!(only(&world).await.stage, Stage::Issued);
}

async fn dw_41_a_callback_in_another_gateways_name_is_not_believed(database: Database) {
    let (world, _) = verified(database).await;
    let exchanges = world.door.calls("/oidc/token").len();
    for callback in ["code=stolen", "error=access_denied"] {
        let record = programme(callback);
        let url = world.go(SESSION, &record).await;
        let query = world.visit(&url, "anna").await;
        let state = query.split('&').find(|pair| pair.starts_with("state="));
        let forged = format!(
            "{callback}&{}&iss=https%3A%2F%2Fother.example",
            state.unwrap()
        );
        come_back(&world, &forged).await;
    }
    // The code went nowhere, and neither was the refusal believed: both are settled by revoking.
    assert_eq!(world.door.calls("/oidc/token").len(), exchanges);
    for credential in world.desk.credentials("e-anna").await.unwrap() {
        assert_eq!(credential.stage, Stage::Checking);
    }
}

async fn dw_41_two_callbacks_at_once_exchange_one_code(database: Database) {
    let (world, _) = verified(database).await;
    let url = world.go(SESSION, &programme("r-1")).await;
    let query = world.visit(&url, "anna").await;
    let exchanges = world.door.calls("/oidc/token").len();
    let (second_desk, anna) = (world.second_desk().await, super::world::anna());
    let (one, two) = tokio::join!(
        world.desk.come_back(SESSION, &anna, &query),
        second_desk.come_back(SESSION, &anna, &query),
    );
    let both = [one.unwrap(), two.unwrap()];
    let ended = both
        .iter()
        .filter(|back| matches!(back, Return::Issue { .. }));
    assert_eq!(ended.count(), 1, "{both:?}");
    assert_eq!(world.door.calls("/oidc/token").len(), exchanges + 1);
    assert_eq!(only(&world).await.stage, Stage::Issued);
}

async fn dw_64_a_token_answer_that_does_not_come_is_called_unknown(database: Database) {
    let (world, _) = verified(database).await;
    for (record, jam) in [
        ("r-1", Jam::Refuse(500)),
        ("r-2", Jam::LoseAnswer),
        ("r-3", Jam::Refuse(400)),
    ] {
        let answer = OldCopy::NotThere;
        let answered = world.desk.answer_about_old_copy("e-anna", record, answer);
        answered.await.unwrap();
        let url = world.go(SESSION, &programme(record)).await;
        let query = world.visit(&url, "anna").await;
        world.door.jam("/oidc/token", jam);
        let back = come_back(&world, &query).await;
        world.door.free();
        assert!(matches!(back, Return::Issue { .. }), "{back:?}");
        let credentials = world.desk.credentials("e-anna").await.unwrap();
        let credential = credentials.iter().find(|other| other.record == record);
        let credential = credential.unwrap();
        assert_eq!(credential.stage, Stage::Checking);
        assert_eq!(credential.issued_at, None);
        // There may be a copy now, and nothing was said of that one.
        let ask = world.desk.must_ask_about_old_copy("e-anna", record).await;
        assert!(ask.unwrap());
        assert_eq!(come_back(&world, &query).await, Return::NotOurs);
    }
    let ended = "SELECT ended_at FROM connector_journeys WHERE serial_number IS NOT NULL";
    for row in world.rows(ended).await {
        assert!(row.optional_integer("ended_at").unwrap().is_some());
    }
}

/// The whole process dies, its runtime with all tasks, while the gateway has the code.
async fn dw_64_a_process_that_dies_in_the_exchange_leaves_what_is_true(database: Database) {
    let (world, _) = verified(database).await;
    let url = world.go(SESSION, &programme("r-1")).await;
    let query = world.visit(&url, "anna").await;
    let (arrived, _go_on) = world.door.hold("/oidc/token");
    let (address, settings, clock) = world.process();
    let callback = query.clone();
    let (dead, died) = tokio::sync::oneshot::channel::<()>();
    let process = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let store = Store::open(&address, &[desk::MIGRATIONS]).await.unwrap();
            let clock = Arc::new(move || clock.now());
            let (http, options) = (HttpOptions::default(), DeskOptions::default());
            let desk = Desk::new(store, settings, http, options, clock).unwrap();
            let anna = super::world::anna();
            tokio::select! {
                _ = desk.come_back(SESSION, &anna, &callback) => panic!("it was held"),
                _ = died => {}
            }
        });
        runtime.shutdown_background();
    });
    arrived.notified().await;
    dead.send(()).unwrap();
    process.join().unwrap();
    world.door.free();

    assert_eq!(only(&world).await.stage, Stage::Checking);
    let unfinished = Return::Unfinished {
        record: Some("r-1".to_owned()),
    };
    assert_eq!(come_back(&world, &query).await, unfinished);
    world.later(SignedDuration::from_mins(1));
    assert_eq!(come_back(&world, &query).await, unfinished);
    assert_eq!(only(&world).await.stage, Stage::Checking);
}

async fn dw_64_a_browser_that_hangs_up_does_not_cut_the_exchange_off(database: Database) {
    let (world, _) = verified(database).await;
    let url = world.go(SESSION, &programme("r-1")).await;
    let query = world.visit(&url, "anna").await;
    let (arrived, go_on) = world.door.hold("/oidc/token");
    let anna = super::world::anna();
    tokio::select! {
        _ = world.desk.come_back(SESSION, &anna, &query) => panic!("it was held"),
        () = arrived.notified() => {}
    }
    world.door.free();
    go_on.notify_one();
    for _ in 0..200 {
        if only(&world).await.stage == Stage::Issued {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the exchange was given up");
}

async fn dw_48_an_identity_check_that_was_cut_off_can_be_begun_again(database: Database) {
    let (world, anna) = verified(database).await;
    let url = world.desk.verify(SESSION, Some("r-1")).await.unwrap();
    let query = world.visit(&url, "anna").await;
    // As a process leaves it that died after it took the callback up.
    let used = "UPDATE connector_journeys SET used_at = started_at WHERE ended_at IS NULL";
    world.store.write([Statement::new(used)]).await.unwrap();
    let back = come_back(&world, &query).await;
    assert_eq!(back, Return::Unfinished { record: None });
    world.later(SignedDuration::from_mins(1));
    let back = come_back(&world, &query).await;
    let ended = Return::Verify {
        outcome: VerifyOutcome::GatewayFailed,
        return_to: Some("r-1".to_owned()),
    };
    assert_eq!(back, ended);
    assert_eq!(come_back(&world, &query).await, Return::NotOurs);
    let back = world.verify(SESSION, &anna, "anna").await;
    assert!(matches!(
        back,
        Return::Verify {
            outcome: VerifyOutcome::Verified,
            ..
        }
    ));
}

/// DW-80.
async fn dw_26_a_record_that_changes_during_the_scan_makes_the_credential_stale(
    database: Database,
) {
    let (world, _) = verified(database).await;
    let record = programme("r-1");
    let url = world.go(SESSION, &record).await;
    let query = world.visit(&url, "anna").await;
    let mut corrected = record.clone();
    corrected
        .claims
        .insert("TPR-Name".to_owned(), "Oncology".to_owned());
    world.keep(&corrected).await;
    let change = world
        .desk
        .record_changed("r-1", Some(&corrected), Cause::Corrected);
    world.store.write(change).await.unwrap();

    come_back(&world, &query).await;
    let credential = only(&world).await;
    assert_eq!(credential.stage, Stage::Issued, "it is in the wallet");
    assert!(credential.changed_at.is_some() && credential.revoking);
    assert_eq!(credential.reason, Some(Cause::Corrected));
    let tell = world.rows("SELECT tell FROM connector_revocations").await;
    assert!(tell[0].boolean("tell").unwrap(), "the employee is told");
    world.desk.confirm("e-anna", &corrected).await.unwrap();
    let issuing = world.issue(SESSION, &corrected).await;
    assert!(matches!(issuing, Issuing::AskAboutOldCopy), "{issuing:?}");
}

async fn dw_59_every_way_in_which_no_credential_comes_is_told_apart(database: Database) {
    let (world, _) = verified(database).await;
    let go = async |record| world.go(SESSION, &programme(record)).await;

    let query = world.decline(&go("declined").await, "anna").await;
    come_back(&world, &query).await;

    let url = go("timed-out").await;
    let browser = super::browser::Browser::new();
    let page = browser.open(url.as_str()).await;
    world.later(SignedDuration::from_mins(31));
    come_back(&world, &browser.back_from(&page).await).await;

    // What no wallet brings about, but another gateway may say.
    for (outcome, error) in [
        ("not-accepted", "access_denied"),
        ("gateway-failed", "server_error"),
        ("refused", "invalid_scope"),
    ] {
        let query = world.decline(&go(outcome).await, "anna").await;
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let kept = pairs.filter(|(name, _)| name == "state" || name == "iss");
        let mut told = url::form_urlencoded::Serializer::new(String::new());
        told.extend_pairs(kept).append_pair("error", error);
        told.append_pair("error_description", "the wallet's answer does not do");
        come_back(&world, &told.finish()).await;
    }
    let credentials = world.desk.credentials("e-anna").await.unwrap();
    assert_eq!(credentials.len(), 5);
    for credential in credentials {
        assert_eq!(credential.stage, Stage::NotIssued);
        assert_eq!(
            credential.outcome.as_deref(),
            Some(credential.record.as_str())
        );
    }
}

/// A journey whose exchange is overtaken by whoever settles what nobody learnt.
async fn overtaken(world: &World, settled: &'static str) {
    let url = world.go(SESSION, &programme("r-1")).await;
    let query = world.visit(&url, "anna").await;
    let (arrived, go_on) = world.door.hold("/oidc/token");
    let (desk, callback) = (world.desk.clone(), query.clone());
    let coming = tokio::spawn(async move {
        let anna = super::world::anna();
        desk.come_back(SESSION, &anna, &callback).await.unwrap()
    });
    arrived.notified().await;
    world.store.write([Statement::new(settled)]).await.unwrap();
    world.door.free();
    go_on.notify_one();
    let back = coming.await.unwrap();
    assert!(matches!(back, Return::Issue { .. }), "{back:?}");
    assert_eq!(come_back(world, &query).await, Return::NotOurs);
}

async fn dw_64_an_answer_that_comes_after_it_was_revoked_changes_nothing(database: Database) {
    let (world, _) = verified(database).await;
    let revoked = "UPDATE connector_credentials SET stage = 'revoked', revoked_at = 1, reason = 'not-confirmed'";
    overtaken(&world, revoked).await;
    let credential = only(&world).await;
    assert_eq!(credential.stage, Stage::Revoked);
    assert_eq!(credential.issued_at, None);
}

async fn dw_62_an_answer_that_comes_after_it_was_not_found_is_the_newer_one(database: Database) {
    let (world, _) = verified(database).await;
    let not_found =
        "UPDATE connector_credentials SET stage = 'not-issued', outcome = 'not-in-force'";
    overtaken(&world, not_found).await;
    let credential = only(&world).await;
    assert_eq!(
        (credential.stage, credential.outcome),
        (Stage::Issued, None)
    );
}

async fn sec_37_no_secret_of_a_journey_outlives_it(database: Database) {
    let (world, anna) = verified(database).await;
    world
        .download(SESSION, &anna, "anna", &programme("r-1"))
        .await;
    let left = world.desk.verify(SESSION, None).await.unwrap();
    let waiting = "SELECT pending, state_digest FROM connector_journeys WHERE pending IS NOT NULL";
    let rows = world.rows(waiting).await;
    assert_eq!(rows.len(), 1, "only of the one that is away");
    assert!(
        !left
            .as_str()
            .contains(rows[0].text("state_digest").unwrap())
    );
    world.desk.forget_session(SESSION.id).await.unwrap();
    assert!(world.rows(waiting).await.is_empty());
}
