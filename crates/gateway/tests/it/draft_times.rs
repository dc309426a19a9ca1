//! The times that a draft names: how they are written, and what they do to the credential.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::world::{World, identity, programme};

/// When the credential with this serial number ends, as the gateway remembers it.
async fn end_of(world: &World, serial_number: &str) -> i64 {
    let select = "SELECT expires_at FROM credentials WHERE serial_number = $1";
    let select = store::Statement::new(select).bind(serial_number);
    let row = world.gateway.app().store.read_one(select).await.unwrap();
    row.unwrap().integer("expires_at").unwrap()
}

/// Gateway contract 3.1: the client may ask for an earlier end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_ends_when_its_draft_asks_for_it() {
    let world = World::start().await;
    let asked = world.now() + jiff::SignedDuration::from_hours(24 * 90);
    let mut claims = programme();
    claims.insert("ExpiresAt".into(), asked.to_string().into());
    let serial = world.issue("anna", "TrainingProgramme", claims).await;
    assert_eq!(end_of(&world, &serial).await, asked.as_second());
}

/// Gateway contract 3.1 and U8: whoever means 'no end' writes the last day that there is, and the type's own limit holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_the_year_9999_is_an_end_like_any_other() {
    let world = World::start().await;
    let year = world.now() + jiff::SignedDuration::from_hours(24 * 366);
    for (name, end) in [
        ("ExpiresAt", json!("9999-12-31T23:59:59Z")),
        ("exp", json!(253_402_300_799_i64)),
        ("exp", json!("253402300799")),
    ] {
        let mut claims = programme();
        claims.insert(name.into(), end);
        let serial = world.issue("anna", "TrainingProgramme", claims).await;
        assert!(end_of(&world, &serial).await > year.as_second(), "{name}");
    }
    // Milliseconds are no seconds.
    let party = world.party("v2");
    let hint = world.hint(&party, |draft| {
        drop(draft.insert("exp".into(), (world.now().as_millisecond()).into()))
    });
    let refused = world
        .push(&party, |form| form.issue("TrainingProgramme", &hint))
        .await;
    assert!(
        refused
            .description()
            .starts_with("id_token_hint: exp must be"),
        "{}",
        refused.body
    );
}

/// Gateway contract 3.1: a type that leaves the client no say refuses the demand, and does not pass over it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_draft_says_when_a_credential_ends_whose_type_decides_alone() {
    let folder = new_folder();
    let types = concat!(env!("CARGO_MANIFEST_DIR"), "/credential-types");
    for file in std::fs::read_dir(types).unwrap() {
        let file = file.unwrap();
        let mut text = std::fs::read_to_string(file.path()).unwrap();
        if file.file_name() == "Identity.toml" {
            text = text.replacen(
                "\n[[attributes]]",
                "expiry_from = \"none\"\n\n[[attributes]]",
                1,
            );
        }
        std::fs::write(folder.join(file.file_name()), text).unwrap();
    }
    let world = World::start_changed(|config| config.credential_types = Some(folder.clone())).await;
    let party = world.party("v2");
    let push = async |expires_at: Option<Value>| {
        let hint = world.hint(&party, |draft| {
            draft.retain(|name, _| ["iss", "aud", "iat", "nbf", "exp"].contains(&name.as_str()));
            draft.extend(identity());
            draft.extend(expires_at.map(|at| ("ExpiresAt".to_owned(), at)));
        });
        world
            .push(&party, |form| form.issue("Identity", &hint))
            .await
    };
    let asked = world.now() + jiff::SignedDuration::from_hours(24);
    let refused = push(Some(asked.to_string().into())).await;
    assert_eq!(
        (refused.status, refused.error()),
        (StatusCode::BAD_REQUEST, "invalid_request")
    );
    assert!(
        refused.description().contains("ExpiresAt"),
        "{}",
        refused.body
    );
    for unasked in [None, Some(json!("")), Some(Value::Null)] {
        let taken = push(unasked).await;
        assert_eq!(taken.status, StatusCode::CREATED, "{}", taken.body);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

fn new_folder() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("lanyard-types-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    folder
}

/// Gateway contract 3.1: some libraries write a time as text, or with a fraction. It is the same time, and is checked as
/// every other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_written_as_text_is_checked_as_one_written_as_a_number() {
    let world = World::start().await;
    let party = world.party("v2");
    let now = world.now().as_second();
    let push = async |name: &str, time: Value| {
        let hint = world.hint(&party, |draft| drop(draft.insert(name.to_owned(), time)));
        world
            .push(&party, |form| form.issue("TrainingProgramme", &hint))
            .await
    };
    for (name, good, bad) in [
        ("exp", now + 300, now - 120),
        ("nbf", now, now + 600),
        ("iat", now, now + 600),
    ] {
        for written in [
            |at: i64| json!(at.to_string()),
            |at: i64| json!(format!("{at}.5")),
        ] {
            assert_eq!(
                push(name, written(good)).await.status,
                StatusCode::CREATED,
                "{name} {good}"
            );
            assert_eq!(
                push(name, written(bad)).await.status,
                StatusCode::BAD_REQUEST,
                "{name} {bad}"
            );
        }
        for unread in [json!("soon"), json!(""), json!([now]), json!(null)] {
            let refused = push(name, unread.clone()).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{name} {unread}");
            assert_eq!(
                refused.description(),
                format!(
                    "id_token_hint: {name} must be a number of seconds since 1970, before the year 10000"
                )
            );
        }
    }
}
