//! The whole journey, in a sandbox made for each test; and that a journey fails when a rule does not hold.
#![allow(clippy::unwrap_used)]

use super::place::{Because, Place, Refused};
use super::*;

fn options(dialect: Dialect) -> Options {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }
    let line: Line = clap::Parser::parse_from(["journey"]);
    Options {
        dialect,
        ..line.options
    }
}

async fn place(dialect: Dialect) -> Place {
    Place::open(&options(dialect)).await.unwrap()
}

/// The names of the parts that did not hold.
async fn failed(place: Place) -> Vec<&'static str> {
    let steps = play(&place, &Part::ALL, &Script::new(None)).await;
    place.close().await;
    assert_eq!(steps.len(), Part::ALL.len());
    steps
        .into_iter()
        .filter(|step| !step.ok)
        .map(|step| step.name)
        .collect()
}

#[tokio::test]
async fn a_journey_holds_in_the_dialects_of_the_first_contract() {
    assert!(failed(place(Dialect::V1A).await).await.is_empty());
    assert!(failed(place(Dialect::V1B).await).await.is_empty());
}

#[tokio::test]
async fn a_journey_holds_in_the_second_contract_and_in_plain_openid_connect() {
    assert!(failed(place(Dialect::V2).await).await.is_empty());
    assert!(failed(place(Dialect::Plain).await).await.is_empty());
}

#[tokio::test]
async fn a_journey_with_a_revoked_identity_does_not_hold() {
    let mut place = place(Dialect::Plain).await;
    let revoked = place
        .cast
        .refused
        .iter()
        .find(|refused| refused.case == "revoked-identity")
        .unwrap();
    place.cast.holder.clone_from(&revoked.holder);
    assert_eq!(
        failed(place).await,
        ["verify", "issue", "present", "revoke", "refused"]
    );
}

#[tokio::test]
async fn a_journey_in_which_a_bad_identity_would_be_taken_does_not_hold() {
    let mut place = place(Dialect::Plain).await;
    place.cast.refused[0].holder.clone_from(&place.cast.holder);
    assert_eq!(failed(place).await, ["refused"]);
}

#[tokio::test]
async fn a_journey_in_which_an_identity_is_refused_for_another_reason_does_not_hold() {
    let mut place = place(Dialect::Plain).await;
    let expired = place
        .cast
        .refused
        .iter()
        .position(|refused| refused.case == "expired-identity")
        .unwrap();
    let Refused { because, .. } = &mut place.cast.refused[expired];
    *because = Because {
        reason: Some("credential-revoked"),
        ..*because
    };
    assert_eq!(failed(place).await, ["refused"]);
}

#[tokio::test]
async fn a_journey_whose_employee_is_another_person_does_not_hold() {
    let mut place = place(Dialect::Plain).await;
    place.cast.record.as_mut().unwrap().surname = "Somebody".to_owned();
    assert_eq!(
        failed(place).await,
        ["verify", "issue", "present", "revoke"]
    );
}

#[tokio::test]
async fn a_private_sandbox_is_gone_when_its_journey_is() {
    let place = place(Dialect::Plain).await;
    let folder = place.private_folder().unwrap().to_owned();
    assert!(folder.join("sandbox.json").exists());
    place.close().await;
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_journey_that_has_nowhere_to_play_says_so_once() {
    let options = Options {
        data: Some(std::env::temp_dir().join(format!("lanyard-{}", uuid::Uuid::new_v4()))),
        ..options(Dialect::Plain)
    };
    let said = format!("{:#}", run(&options).await.unwrap_err());
    assert!(
        said.starts_with("nowhere to play: no sandbox runs in"),
        "{said}"
    );
    assert!(said.ends_with("is not there"), "{said}");
}

#[tokio::test]
async fn a_gateway_that_does_not_answer_fails_the_first_part_and_no_other_is_played() {
    let mut place = place(Dialect::Plain).await;
    // Nothing of the sandbox's listens on the port of its staff portal.
    let port = place.settings.gateway.port().unwrap() + 1;
    place.settings.gateway.set_port(Some(port)).unwrap();
    let steps = play(&place, &Part::ALL, &Script::new(None)).await;
    place.close().await;
    let played: Vec<_> = steps.iter().map(|step| (step.played, step.ok)).collect();
    assert_eq!(
        played,
        [
            (true, false),
            (false, false),
            (false, false),
            (false, false),
            (false, false)
        ]
    );
}
