//! What became of a journey, asked of the real gateway: when the browser stayed away, and when the answer was lost.

use connector::{About, Callback, Draft, Ended, FinishError, Revocation};
use jiff::SignedDuration;

use crate::database::{Database, on_both_engines};
use crate::desk::door::Jam;
use crate::desk::world::{ANNAS, World};

on_both_engines!(
    a_lost_answer_of_the_token_endpoint_leaves_a_question_that_has_an_answer,
    a_browser_that_stays_away_leaves_a_credential_until_its_time_is_up,
    a_journey_is_told_from_its_beginning_to_its_refusal,
);

fn identity() -> Draft {
    Draft::new("Identity")
        .claim("ID-LegalFirstName", "Anna")
        .claim("ID-LegalSurname", "Taylor")
        .claim("ID-BirthDate", "1985-04-12")
        .claim("UniqueIdentifier", ANNAS)
}

async fn a_lost_answer_of_the_token_endpoint_leaves_a_question_that_has_an_answer(
    database: Database,
) {
    let world = World::start_on(database).await;
    let connector = world.connector().await;
    let started = connector.issue(identity()).await.unwrap();
    let state = started.pending.state().to_owned();
    let serial_number = started.pending.serial_number().unwrap();
    let query = world.visit(&started.url, "anna").await;
    world.door.jam("/token", Jam::LoseAnswer);
    let callback = Callback::parse(&query).unwrap();
    let error = connector
        .finish(started.pending, callback)
        .await
        .unwrap_err();
    assert!(
        matches!(error, FinishError::OutcomeUnknown { .. }),
        "{error}"
    );

    let outcome = connector.look_up(About::State(&state)).await.unwrap();
    let outcome = outcome.unwrap();
    assert_eq!(outcome.ended, Some(Ended::Issued));
    assert!(outcome.collected && outcome.is_in_force());
    assert_eq!(outcome.serial_number, Some(serial_number));

    let revocation = Revocation::new("Identity", serial_number, "of the test");
    connector.revoke(&revocation).await.unwrap();
    let by_reference = connector.look_up(About::Reference(&outcome.reference));
    let outcome = by_reference.await.unwrap().unwrap();
    assert!(!outcome.is_in_force());
    assert_eq!(outcome.revoked.unwrap().cause, "relying-party");
}

async fn a_browser_that_stays_away_leaves_a_credential_until_its_time_is_up(database: Database) {
    let world = World::start_on(database).await;
    let connector = world.connector().await;
    let started = connector.issue(identity()).await.unwrap();
    let _ = world.visit(&started.url, "anna").await;
    let look = async || {
        let about = About::State(started.pending.state());
        connector.look_up(about).await.unwrap().unwrap()
    };
    let outcome = look().await;
    assert_eq!(outcome.ended, Some(Ended::Issued));
    assert!(!outcome.collected && outcome.is_in_force());

    world.later(SignedDuration::from_mins(36));
    world.tidy_gateway().await;
    let outcome = look().await;
    assert_eq!(outcome.revoked.unwrap().cause, "not-collected");
}

async fn a_journey_is_told_from_its_beginning_to_its_refusal(database: Database) {
    let world = World::start_on(database).await;
    world.with_anna().await;
    let connector = world.connector().await;
    let nothing = connector.look_up(About::State("never-begun")).await;
    assert_eq!(nothing.unwrap(), None);

    let started = connector.verify(&["Identity"]).await.unwrap();
    let state = started.pending.state().to_owned();
    let look = async || {
        let found = connector.look_up(About::State(&state)).await;
        found.unwrap().unwrap()
    };
    let outcome = look().await;
    assert_eq!((outcome.ended, outcome.serial_number), (None, None));
    let _ = world.decline(&started.url, "anna").await;
    let outcome = look().await;
    let Some(Ended::Refused { code, description }) = outcome.ended else {
        panic!("{outcome:?}");
    };
    assert_eq!(code, "declined");
    assert!(description.starts_with("user cancelled"), "{description}");
    assert!(outcome.expires_at > outcome.began_at);

    let about = About::State(&state);
    world.door.jam("/outcomes", Jam::Refuse(503));
    let fault = connector.look_up(about).await.unwrap_err();
    assert!(fault.is_temporary(), "{fault}");
}
