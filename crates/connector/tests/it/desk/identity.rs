//! Step 6: who is at the desk.

use connector::desk::{DeskOptions, Issuing, Person, Return, Session, StartFault, VerifyOutcome};
use jiff::SignedDuration;
use wallet::Fault;

use super::door::Jam;
use super::world::{BENS, World, anna, ben, programme};
use crate::database::{Database, on_both_engines};

on_both_engines!(
    dw_28_an_identity_that_was_verified_counts_for_the_whole_session,
    dw_29_a_new_session_knows_nothing_of_the_one_before,
    dw_30_another_employee_in_the_same_browser_is_not_verified,
    dw_27_an_identity_of_somebody_else_stops_the_journey,
    dw_27_so_many_tries_and_no_more,
    dw_27_the_newest_identity_that_was_shown_counts,
    dw_48_every_way_in_which_no_identity_comes_is_told_apart,
    dw_48_a_gateway_that_is_down_is_a_fault_of_the_start_and_nothing_is_kept,
    dw_64_an_answer_that_is_lost_is_no_verification,
    dw_49_an_identity_counts_no_longer_than_its_time,
    a_log_out_forgets_also_what_is_still_on_its_way,
);

const MORNING: Session<'static> = Session {
    id: "session-of-the-morning",
    employee: "e-anna",
};
const EVENING: Session<'static> = Session {
    id: "session-of-the-evening",
    employee: "e-anna",
};

fn ended(outcome: VerifyOutcome) -> Return {
    Return::Verify {
        outcome,
        return_to: None,
    }
}

async fn is_verified(world: &World, session: Session<'_>) -> bool {
    let standing = world.desk.standing(session).await.unwrap();
    // Both ways to see it agree.
    let record = programme("r-any");
    world.keep(&record).await;
    let issuing = world.issue(session, &record).await;
    let sent_to_verify = matches!(issuing, Issuing::Identify);
    assert_eq!(standing.verified_at.is_none(), sent_to_verify);
    !sent_to_verify
}

async fn dw_28_an_identity_that_was_verified_counts_for_the_whole_session(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.with_anna().await;
    assert!(!is_verified(&world, MORNING).await);
    let url = world.desk.verify(MORNING, Some("r-1")).await.unwrap();
    let query = world.visit(&url, "anna").await;
    let back = world.desk.come_back(MORNING, &anna, &query).await.unwrap();
    let outcome = VerifyOutcome::Verified;
    let return_to = Some("r-1".to_owned());
    assert_eq!(back, Return::Verify { outcome, return_to });
    let asked = world.door.calls("/par").len();

    for record in ["r-1", "r-2"] {
        world
            .download(MORNING, &anna, "anna", &programme(record))
            .await;
    }
    assert!(is_verified(&world, MORNING).await);
    let scopes = world.door.calls("/par").split_off(asked);
    assert_eq!(scopes.len(), 2, "one request for each credential");
    assert!(scopes.iter().all(|body| body.contains("issue.")));
}

async fn dw_29_a_new_session_knows_nothing_of_the_one_before(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.with_anna().await;
    world.verify(MORNING, &anna, "anna").await;
    assert!(is_verified(&world, MORNING).await);
    assert!(!is_verified(&world, EVENING).await);
    world.desk.forget_session(MORNING.id).await.unwrap();
    assert!(!is_verified(&world, MORNING).await, "logged out");
}

async fn dw_30_another_employee_in_the_same_browser_is_not_verified(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.with_anna().await;
    world.verify(MORNING, &anna, "anna").await;
    // Even if the host went on with the same key.
    let bens = Session {
        id: MORNING.id,
        employee: "e-ben",
    };
    assert!(!is_verified(&world, bens).await);
    // And a journey that Anna began is not Ben's to end.
    let url = world.desk.verify(MORNING, None).await.unwrap();
    let query = world.visit(&url, "anna").await;
    let back = world.desk.come_back(bens, &ben(), &query).await.unwrap();
    assert_eq!(back, Return::NotOurs);
    assert!(!is_verified(&world, bens).await);

    world.give_identity("ben", &ben(), BENS).await;
    let back = world.verify(bens, &ben(), "ben").await;
    assert_eq!(back, ended(VerifyOutcome::Verified));
    assert!(is_verified(&world, bens).await);
    assert!(
        !is_verified(&world, MORNING).await,
        "one employee at a time"
    );
}

/// DW-44.
async fn dw_27_an_identity_of_somebody_else_stops_the_journey(database: Database) {
    let world = World::start_on(database).await;
    world.give_identity("ben", &ben(), BENS).await;
    let before = world.door.calls("/par").len();
    let back = world.verify(MORNING, &anna(), "ben").await;
    assert_eq!(back, ended(VerifyOutcome::Mismatch));
    let standing = world.desk.standing(MORNING).await.unwrap();
    assert_eq!(standing.last.unwrap().0, VerifyOutcome::Mismatch);
    assert_eq!((standing.verified_at, standing.tries_left), (None, 2));

    let record = programme("r-1");
    world.keep(&record).await;
    world.desk.confirm("e-anna", &record).await.unwrap();
    let issuing = world.issue(MORNING, &record).await;
    assert!(matches!(issuing, Issuing::Identify), "{issuing:?}");
    assert_eq!(world.door.calls("/par").len(), before + 1, "nothing pushed");
    assert!(world.desk.credentials("e-anna").await.unwrap().is_empty());
}

async fn dw_27_so_many_tries_and_no_more(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.with_anna().await;
    world.give_identity("ben", &ben(), BENS).await;
    // Begun before the tries were used up, and brought back after.
    let kept = world.desk.verify(MORNING, None).await.unwrap();
    for tries_left in [2, 1, 0] {
        let back = world.verify(MORNING, &anna, "ben").await;
        assert_eq!(back, ended(VerifyOutcome::Mismatch));
        let standing = world.desk.standing(MORNING).await.unwrap();
        assert_eq!(standing.tries_left, tries_left);
    }
    let before = world.door.calls("/par").len();
    let refused = world.desk.verify(MORNING, None).await.unwrap_err();
    assert!(matches!(refused, StartFault::NoMoreTries));
    assert_eq!(refused.code(), "no-more-tries");
    assert_eq!(world.door.calls("/par").len(), before);

    let query = world.visit(&kept, "anna").await;
    let back = world.desk.come_back(MORNING, &anna, &query).await.unwrap();
    assert_eq!(back, ended(VerifyOutcome::Mismatch));
    assert!(!is_verified(&world, MORNING).await);
    // A new log-in has its own tries.
    let back = world.verify(EVENING, &anna, "anna").await;
    assert_eq!(back, ended(VerifyOutcome::Verified));
}

async fn dw_27_the_newest_identity_that_was_shown_counts(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.with_anna().await;
    world.give_identity("ben", &ben(), BENS).await;
    world.verify(MORNING, &anna, "anna").await;
    // Whoever shows nothing is who they were.
    let url = world.desk.verify(MORNING, None).await.unwrap();
    let query = world.decline(&url, "anna").await;
    world.desk.come_back(MORNING, &anna, &query).await.unwrap();
    assert!(is_verified(&world, MORNING).await);
    // Whoever shows somebody else's identity is not.
    world.verify(MORNING, &anna, "ben").await;
    assert!(!is_verified(&world, MORNING).await);
    world.verify(MORNING, &anna, "anna").await;
    assert!(is_verified(&world, MORNING).await);
}

async fn dw_48_every_way_in_which_no_identity_comes_is_told_apart(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.with_anna().await;
    let verify = async || world.desk.verify(MORNING, None).await.unwrap();
    let back = async |query: &str| world.desk.come_back(MORNING, &anna, query).await.unwrap();

    let query = world.decline(&verify().await, "anna").await;
    assert_eq!(back(&query).await, ended(VerifyOutcome::Declined));

    let url = verify().await;
    let query = world.misbehave(&url, "anna", Fault::BadSignature).await;
    assert_eq!(back(&query).await, ended(VerifyOutcome::NotAccepted));

    let url = verify().await;
    let browser = super::browser::Browser::new();
    let page = browser.open(url.as_str()).await;
    world.later(SignedDuration::from_mins(31));
    let query = browser.back_from(&page).await;
    assert_eq!(back(&query).await, ended(VerifyOutcome::TimedOut));

    let query = world.visit(&verify().await, "anna").await;
    world.door.jam("/oidc/token", Jam::Refuse(500));
    assert_eq!(back(&query).await, ended(VerifyOutcome::GatewayFailed));
    world.door.free();

    let query = world.visit(&verify().await, "anna").await;
    let elsewhere = query.replace("code=", "iss=https%3A%2F%2Fother.example&code=");
    assert_eq!(back(&elsewhere).await, ended(VerifyOutcome::GatewayFailed));

    let standing = world.desk.standing(MORNING).await.unwrap();
    assert_eq!(standing.tries_left, 3, "none of these costs a try");
    assert_eq!(standing.verified_at, None);
}

async fn dw_48_a_gateway_that_is_down_is_a_fault_of_the_start_and_nothing_is_kept(
    database: Database,
) {
    let world = World::start_on(database).await;
    let anna = world.with_anna().await;
    let desk = world.second_desk().await;
    for (path, what) in [("", "no discovery document"), ("/par", "no request")] {
        world.door.jam(path, Jam::Refuse(503));
        let fault = desk.verify(MORNING, None).await.unwrap_err();
        assert!(fault.is_temporary(), "{what}: {fault}");
        assert_eq!(fault.code(), "gateway-unavailable");
        world.door.free();
    }
    let journeys = "SELECT state_digest FROM connector_journeys";
    assert!(world.rows(journeys).await.is_empty());
    // As soon as it is there again, it is used.
    let url = desk.verify(MORNING, None).await.unwrap();
    let query = world.visit(&url, "anna").await;
    let back = desk.come_back(MORNING, &anna, &query).await.unwrap();
    assert_eq!(back, ended(VerifyOutcome::Verified));
}

async fn dw_64_an_answer_that_is_lost_is_no_verification(database: Database) {
    let world = World::start_on(database).await;
    let anna = world.with_anna().await;
    let url = world.desk.verify(MORNING, None).await.unwrap();
    let query = world.visit(&url, "anna").await;
    world.door.jam("/oidc/token", Jam::LoseAnswer);
    let back = world.desk.come_back(MORNING, &anna, &query).await.unwrap();
    assert_eq!(back, ended(VerifyOutcome::GatewayFailed));
    world.door.free();
    assert!(!is_verified(&world, MORNING).await);
    let again = world.desk.come_back(MORNING, &anna, &query).await.unwrap();
    assert_eq!(again, Return::NotOurs, "its callback is used up");
}

async fn dw_49_an_identity_counts_no_longer_than_its_time(database: Database) {
    let identity_lasts = SignedDuration::from_mins(10);
    let options = DeskOptions {
        identity_lasts,
        ..DeskOptions::default()
    };
    let world = World::start_with(database, options).await;
    let anna = world.with_anna().await;
    world.verify(MORNING, &anna, "anna").await;
    world.later(SignedDuration::from_mins(9));
    assert!(is_verified(&world, MORNING).await);
    world.later(SignedDuration::from_mins(2));
    assert!(!is_verified(&world, MORNING).await);
}

async fn a_log_out_forgets_also_what_is_still_on_its_way(database: Database) {
    let world = World::start_on(database).await;
    let anna: Person = world.with_anna().await;
    let url = world.desk.verify(MORNING, None).await.unwrap();
    let query = world.visit(&url, "anna").await;
    let (arrived, go_on) = world.door.hold("/oidc/token");
    let desk = world.desk.clone();
    let (person, callback) = (anna.clone(), query.clone());
    let coming =
        tokio::spawn(async move { desk.come_back(MORNING, &person, &callback).await.unwrap() });
    arrived.notified().await;
    world.desk.forget_session(MORNING.id).await.unwrap();
    world.door.free();
    go_on.notify_one();
    assert_eq!(coming.await.unwrap(), Return::NotOurs);
    assert!(!is_verified(&world, MORNING).await);
    let held = "SELECT session FROM connector_identities";
    assert!(world.rows(held).await.is_empty());
}
