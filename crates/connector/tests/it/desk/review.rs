//! Step 6.9, where a comparison neither matches nor refuses: somebody who knows the employee looks, and decides.

use connector::Reason;
use connector::desk::{Decision, Issuing, Person, Return, Session, VerifyOutcome};
use jiff::SignedDuration;

use super::world::{ANNAS, BENS, World, anna, programme};
use crate::database::{Database, on_both_engines};

on_both_engines!(
    dw_27_nothing_is_issued_on_an_identity_that_somebody_has_to_look_at,
    sec_36_the_same_identity_in_doubt_costs_no_try_and_each_other_one_does,
    dw_28_dw_29_what_was_found_verifies_nobody_and_counts_whenever_the_identity_is_shown,
    dw_44_an_identity_that_is_another_persons_is_a_mismatch_from_then_on,
    dw_30_what_was_found_is_about_one_employee_one_identity_and_one_record,
    a_corrected_record_leaves_nothing_to_look_at,
    an_identity_in_doubt_is_exported_and_erased_with_its_person,
    dw_42_a_known_as_name_on_the_record_counts_as_a_first_name,
);

const MORNING: Session<'static> = Session {
    id: "session-of-the-morning",
    employee: "e-anna",
};
const EVENING: Session<'static> = Session {
    id: "session-of-the-evening",
    employee: "e-anna",
};

/// Anna, as somebody else has written her.
fn tailor() -> Person {
    Person {
        surname: "Tailor".to_owned(),
        ..anna()
    }
}

/// Anna's wallet holds an identity that is written otherwise than her record.
async fn with_tailor(world: &World) {
    world.give_identity("anna", &tailor(), ANNAS).await;
}

async fn outcome(
    world: &World,
    session: Session<'_>,
    person: &Person,
    holder: &str,
) -> VerifyOutcome {
    match world.verify(session, person, holder).await {
        Return::Verify { outcome, .. } => outcome,
        other => panic!("no check of an identity: {other:?}"),
    }
}

async fn is_verified(world: &World, session: Session<'_>) -> bool {
    let record = programme("r-any");
    world.keep(&record).await;
    let issuing = world.issue(session, &record).await;
    !matches!(issuing, Issuing::Identify)
}

async fn decide(world: &World, decision: Decision) {
    let review = world.desk.reviews().await.unwrap().remove(0);
    let decided = world.desk.decide(review.id, decision, "e-hr").await;
    assert!(decided.unwrap());
}

async fn tries_left(world: &World, session: Session<'_>) -> u32 {
    world.desk.standing(session).await.unwrap().tries_left
}

async fn dw_27_nothing_is_issued_on_an_identity_that_somebody_has_to_look_at(database: Database) {
    let world = World::start_on(database).await;
    // Whoever was verified before is not any more.
    world.give_identity("ben", &anna(), BENS).await;
    outcome(&world, MORNING, &anna(), "ben").await;
    assert!(is_verified(&world, MORNING).await);
    with_tailor(&world).await;
    let pushed = world.door.calls("/par").len();
    assert_eq!(
        outcome(&world, MORNING, &anna(), "anna").await,
        VerifyOutcome::Review
    );
    let standing = world.desk.standing(MORNING).await.unwrap();
    assert_eq!(standing.last.unwrap().0, VerifyOutcome::Review);
    assert_eq!((standing.verified_at, standing.tries_left), (None, 3));
    let review = standing.review.unwrap();
    let why = vec![Reason::SurnameDiffers, Reason::NamesSimilar];
    assert_eq!(review.why, why);
    assert_eq!((review.ends_with.as_str(), review.decision), ("8d10", None));
    assert_eq!(world.desk.reviews().await.unwrap(), [review]);

    let record = programme("r-1");
    world.keep(&record).await;
    world.desk.confirm("e-anna", &record).await.unwrap();
    let issuing = world.issue(MORNING, &record).await;
    assert!(matches!(issuing, Issuing::Identify), "{issuing:?}");
    assert_eq!(
        world.door.calls("/par").len(),
        pushed + 1,
        "the check alone"
    );
    let kept = "SELECT compared, ends_with, why, employee FROM connector_reviews";
    for row in world.rows(kept).await {
        for column in ["compared", "ends_with", "why"] {
            let text = row.text(column).unwrap();
            for value in ["Tailor", "Taylor", "Anna", "1990", ANNAS] {
                assert!(!text.contains(value), "{column} says {value}");
            }
        }
    }
}

async fn sec_36_the_same_identity_in_doubt_costs_no_try_and_each_other_one_does(
    database: Database,
) {
    let world = World::start_on(database).await;
    with_tailor(&world).await;
    world.give_identity("ben", &tailor(), BENS).await;
    let mut left = Vec::new();
    for holder in ["anna", "anna", "ben", "ben", "anna", "ben"] {
        let found = outcome(&world, MORNING, &anna(), holder).await;
        assert_eq!(found, VerifyOutcome::Review);
        left.push(tries_left(&world, MORNING).await);
    }
    assert_eq!(left, [3, 3, 2, 2, 1, 0]);
    assert!(world.desk.verify(MORNING, None).await.is_err());
    assert_eq!(world.desk.reviews().await.unwrap().len(), 2);
}

async fn dw_28_dw_29_what_was_found_verifies_nobody_and_counts_whenever_the_identity_is_shown(
    database: Database,
) {
    let world = World::start_on(database).await;
    with_tailor(&world).await;
    outcome(&world, MORNING, &anna(), "anna").await;
    decide(&world, Decision::Same).await;
    let standing = world.desk.standing(MORNING).await.unwrap();
    let (decision, _) = standing.review.unwrap().decision.unwrap();
    assert_eq!((decision, standing.verified_at), (Decision::Same, None));
    for session in [MORNING, EVENING] {
        assert!(!is_verified(&world, session).await, "nothing is carried");
        let found = outcome(&world, session, &anna(), "anna").await;
        assert_eq!(found, VerifyOutcome::Verified);
        assert!(is_verified(&world, session).await);
        assert_eq!(tries_left(&world, session).await, 3);
    }
    let identifier = world.desk.unique_identifier(EVENING).await.unwrap();
    assert_eq!(identifier.as_deref(), Some(ANNAS));
    world.later(SignedDuration::from_hours(30 * 24));
    let found = outcome(&world, EVENING, &anna(), "anna").await;
    assert_eq!(found, VerifyOutcome::Review, "the time is over");
    let review = world.desk.reviews().await.unwrap().remove(0);
    assert_eq!(review.decision, None, "it is to be looked at anew");
}

async fn dw_44_an_identity_that_is_another_persons_is_a_mismatch_from_then_on(database: Database) {
    let world = World::start_on(database).await;
    with_tailor(&world).await;
    outcome(&world, MORNING, &anna(), "anna").await;
    decide(&world, Decision::Same).await;
    outcome(&world, MORNING, &anna(), "anna").await;
    let on_its_way = world.desk.verify(MORNING, None).await.unwrap();
    let query = world.visit(&on_its_way, "anna").await;
    assert!(is_verified(&world, MORNING).await);
    // Somebody has looked again.
    decide(&world, Decision::NotSame).await;
    assert!(!is_verified(&world, MORNING).await);
    let back = world
        .desk
        .come_back(MORNING, &anna(), &query)
        .await
        .unwrap();
    assert_eq!(back, Return::NotOurs);
    assert!(!is_verified(&world, MORNING).await);
    let found = outcome(&world, MORNING, &anna(), "anna").await;
    assert_eq!(found, VerifyOutcome::Mismatch);
    assert_eq!(tries_left(&world, MORNING).await, 2);
}

async fn dw_30_what_was_found_is_about_one_employee_one_identity_and_one_record(
    database: Database,
) {
    let world = World::start_on(database).await;
    with_tailor(&world).await;
    outcome(&world, MORNING, &anna(), "anna").await;
    decide(&world, Decision::Same).await;
    // Another identity that is written alike.
    world.give_identity("ben", &tailor(), BENS).await;
    let found = outcome(&world, MORNING, &anna(), "ben").await;
    assert_eq!(found, VerifyOutcome::Review);
    // Another employee of that name.
    let twin = Person {
        employee: "e-twin".to_owned(),
        ..anna()
    };
    let twins = Session {
        id: "session-of-the-twin",
        employee: "e-twin",
    };
    let found = outcome(&world, twins, &twin, "anna").await;
    assert_eq!(found, VerifyOutcome::Review);
    // The record as it is written now.
    let renamed = Person {
        first_names: "Anna May".to_owned(),
        ..anna()
    };
    let found = outcome(&world, EVENING, &renamed, "anna").await;
    assert_eq!(found, VerifyOutcome::Review);
    let found = outcome(&world, EVENING, &anna(), "anna").await;
    assert_eq!(found, VerifyOutcome::Verified);
}

async fn a_corrected_record_leaves_nothing_to_look_at(database: Database) {
    let world = World::start_on(database).await;
    with_tailor(&world).await;
    outcome(&world, MORNING, &anna(), "anna").await;
    let review = world.desk.reviews().await.unwrap().remove(0);
    let changed = world.desk.identity_changed("e-anna");
    world.store.write(changed).await.unwrap();
    assert!(world.desk.reviews().await.unwrap().is_empty());
    let standing = world.desk.standing(MORNING).await.unwrap();
    assert_eq!(standing.review, None);
    let decided = world.desk.decide(review.id, Decision::Same, "e-hr").await;
    assert!(!decided.unwrap());
    let found = outcome(&world, MORNING, &tailor(), "anna").await;
    assert_eq!(found, VerifyOutcome::Verified);
}

async fn an_identity_in_doubt_is_exported_and_erased_with_its_person(database: Database) {
    let world = World::start_on(database).await;
    with_tailor(&world).await;
    outcome(&world, MORNING, &anna(), "anna").await;
    let review = world.desk.export("e-anna").await.unwrap().reviews.remove(0);
    assert_eq!(review.why, ["surname-differs", "names-similar"]);
    world.desk.erase("e-anna").await.unwrap();
    let kept = "SELECT id FROM connector_reviews";
    assert!(world.rows(kept).await.is_empty());
}

async fn dw_42_a_known_as_name_on_the_record_counts_as_a_first_name(database: Database) {
    let world = World::start_on(database).await;
    let called = |first_names: &str, known_as: Option<&str>| Person {
        first_names: first_names.to_owned(),
        known_as: known_as.map(str::to_owned),
        ..anna()
    };
    world
        .give_identity("anna", &called("Bill", None), ANNAS)
        .await;
    for (known_as, expected) in [
        (None, VerifyOutcome::Review),
        (Some("Bill"), VerifyOutcome::Verified),
    ] {
        let person = called("William", known_as);
        let found = outcome(&world, MORNING, &person, "anna").await;
        assert_eq!(found, expected, "{known_as:?}");
    }
}
