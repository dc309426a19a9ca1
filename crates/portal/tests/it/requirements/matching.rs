//! Step 6.9: the identity that was shared is compared with the record, and a mismatch ends the journey.

use super::reading::RECORD;
use super::wire::Party;
use crate::database::{Database, on_both_engines};
use crate::staff::{ANNAS, BENS};
use crate::world::{CONTACT, World};

on_both_engines!(dw_44_a_mismatch_stops_the_journey_and_says_no_more_than_that,);

const BORN: &str = "1990-04-12";
const VERIFIED: &str = "Your identity has been verified";
const MISMATCH: &str = "We could not match your identity";
const REVIEW: &str = "Your HR team needs to check your identity";

/// What the person is told who shares such an identity.
async fn told(world: &World, shared: [&str; 4]) -> String {
    // A wallet of their own for each, that holds nothing else.
    let holder = format!("holder-{}", uuid::Uuid::new_v4());
    world.give_identity(&holder, shared).await;
    let anna = world.logged_in("anna").await;
    world.verify(&anna, &holder).await.heading()
}

/// Equal names pass and other names do not; how a name may be written otherwise is the policy `exact` (ruling 2).
#[tokio::test]
async fn dw_42_first_name_and_surname_are_compared() {
    let world = World::start().await;
    for (first, surname, outcome) in [
        ("Anna", "Taylor", VERIFIED),
        ("ANNA", "taylor", VERIFIED),
        ("Anna", "Osei", MISMATCH),
        ("Grace", "Taylor", MISMATCH),
        ("Anna", "Tailor", REVIEW),
        ("Anne", "Taylor", REVIEW),
        ("Taylor", "Anna", REVIEW),
    ] {
        let heading = told(&world, [first, surname, BORN, ANNAS]).await;
        assert_eq!(heading, outcome, "{first} {surname}");
    }
    let name = [("first-names", "Zoë Marie"), ("surname", "O'Neill-Smith")];
    world.change_employee("anna", &name).await;
    for (first, surname, outcome) in [
        ("Zoe Marie", "O’Neill Smith", VERIFIED),
        ("ZOË", "ONEILL-SMITH", VERIFIED),
        ("Zoë", "O'Neil-Smith", REVIEW),
        ("Zoë", "Smith", REVIEW),
        ("Zoë", "Jones", MISMATCH),
    ] {
        let heading = told(&world, [first, surname, BORN, ANNAS]).await;
        assert_eq!(heading, outcome, "{first} {surname}");
    }
}

#[tokio::test]
async fn dw_43_the_date_of_birth_is_compared_where_it_is_held() {
    let world = World::start().await;
    let transposed = ["Anna", "Taylor", "1990-12-04", ANNAS];
    assert_eq!(told(&world, transposed).await, REVIEW);
    let other = ["Anna", "Taylor", "1990-12-05", ANNAS];
    assert_eq!(told(&world, other).await, MISMATCH);
    assert_eq!(
        told(&world, ["Anna", "Taylor", BORN, ANNAS]).await,
        VERIFIED
    );
    world
        .change_employee("anna", &[("date-of-birth", "")])
        .await;
    assert_eq!(told(&world, other).await, VERIFIED, "nothing to compare");
}

async fn dw_44_a_mismatch_stops_the_journey_and_says_no_more_than_that(database: Database) {
    let world = World::start_on(database).await;
    let shared = ["Benedict", "Osei", "1985-11-02", BENS];
    world.give_identity("ben", shared).await;
    let anna = world.logged_in("anna").await;
    anna.confirm(RECORD).await;
    let page = world.verify(&anna, "ben").await;
    assert_eq!(page.heading(), MISMATCH);
    assert!(
        page.text()
            .contains("We have not added anything to your wallet.")
    );
    assert!(page.text().contains(CONTACT), "{}", page.text());
    for pages in world.wire.at(Party::Portal, "") {
        for value in shared.iter().chain(&["2 November 1985"]) {
            assert!(!pages.answer.contains(value), "{} shows it", pages.path);
        }
    }
    let csrf = page.field("csrf");
    let page = anna
        .post("/credentials/anna-programme/add", &[("csrf", &csrf)])
        .await;
    assert_eq!(page.location(), "/identity");
    let drafts = world.drafts();
    assert!(drafts.is_empty(), "nothing was pushed for a credential");
}

/// A name that the employee goes by counts as a first name, once HR has it on record.
#[tokio::test]
async fn dw_42_a_known_as_name_on_record_is_compared_too() {
    let world = World::start().await;
    let shared = ["Bill", "Taylor", BORN, ANNAS];
    let name = [("first-names", "William")];
    world.change_employee("anna", &name).await;
    assert_eq!(told(&world, shared).await, REVIEW);
    world.change_employee("anna", &[("known-as", "Bill")]).await;
    assert_eq!(told(&world, shared).await, VERIFIED);
    world.change_employee("anna", &[("known-as", "")]).await;
    assert_eq!(told(&world, shared).await, REVIEW);
}
