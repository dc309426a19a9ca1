//! Relying parties are told what happened: everything, once, in order, and again until they have taken it.

use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::database::{Database, on_both_engines};
use crate::raw_wallet::{Waiting, notify};
use crate::receiver::{Receiver, Reply};
use crate::scenes::Walk;
use crate::world::{Answer, Party, World, client, identity, programme};

/// A world in which these clients have these receivers.
pub(crate) async fn told(database: Database, receivers: &[(&str, &Receiver)]) -> World {
    let origins = receivers.iter().map(|(_, receiver)| receiver.url.clone());
    World::start_with(database, origins.collect(), |config| {
        for (client_id, receiver) in receivers {
            receiver.register(config, client_id);
        }
    })
    .await
}

/// Asks one of the two addresses for a client's events.
pub(crate) async fn ask(world: &World, party: &Party, path: &str, after: i64) -> Answer {
    let form = [
        ("client_id", party.client_id.clone()),
        ("client_secret", party.secret.clone()),
        ("after", after.to_string()),
    ];
    let request = client().post(world.url(path)).form(&form);
    Answer::read(request.send().await.unwrap()).await
}

fn names(story: &[(i64, &str)]) -> Vec<(i64, String)> {
    let named = story.iter().map(|(number, kind)| (*number, (*kind).into()));
    named.collect()
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

on_both_engines!(
    what_happens_is_told_signed_numbered_and_as_it_is_listed,
    a_receiver_that_was_down_gets_everything_in_order_when_it_is_back,
    an_event_that_nobody_takes_for_three_days_is_parked_and_offered_again_on_request,
    what_only_time_decides_is_told_without_a_visitor,
    a_gateway_that_died_between_step_and_delivery_tells_it_when_it_is_back,
    two_processes_deliver_an_event_once,
    a_process_that_knows_of_no_receiver_takes_none_from_another,
);

async fn what_happens_is_told_signed_numbered_and_as_it_is_listed(database: Database) {
    let (v2, plain) = (Receiver::up().await, Receiver::up().await);
    let world = told(database, &[("v2", &v2), ("plain", &plain)]).await;
    let party = world.party("v2");
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let revoked = world.revoke(&party, &serial, |_| ()).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.body);
    let waiting = Waiting::to_verify(&world, "Identity").await;
    world.scan("anna", &waiting.link(), false).await;
    world.gateway.deliver_once().await.unwrap();

    let story = names(&[(1, "credential.issued"), (2, "credential.revoked")]);
    assert_eq!(v2.story(), story);
    let received = v2.received();
    let listed = ask(&world, &party, "/events", 0).await.json;
    assert_eq!(listed["last_sequence"], 2);
    for (one, listed) in received.iter().zip(listed["events"].as_array().unwrap()) {
        assert_eq!(one.event, listed["event"]);
        assert_eq!(listed["delivery"], "delivered");
        assert_eq!(one.header("webhook-id"), one.event["id"].as_str().unwrap());
        assert_eq!(one.header("content-type"), "application/json");
        assert_eq!(one.event["data"]["serial_number"], serial.as_str());
        assert_eq!(
            one.event["data"]["credential_types"],
            json!(["TrainingProgramme"])
        );
        for personal in [
            "Cardiology",
            crate::world::UNIQUE_IDENTIFIER,
            "Source record",
        ] {
            assert!(!one.body.contains(personal), "{}", one.body);
        }
    }
    assert_eq!(received[1].event["data"]["cause"], "relying-party");
    let after = ask(&world, &party, "/events", 1).await.json;
    assert_eq!(after["events"].as_array().unwrap().len(), 1);

    // Another client's numbers are its own.
    assert_eq!(plain.story(), names(&[(1, "interaction.failed")]));
    let failed = &plain.received()[0].event["data"];
    let reason = json!({ "code": "declined", "description": "user cancelled in the wallet" });
    assert_eq!(
        (&failed["refusal"], &failed["purpose"]),
        (&reason, &json!("verify"))
    );
    assert!(
        waiting
            .page
            .html
            .contains(failed["reference"].as_str().unwrap())
    );

    world.later(seconds(60));
    world.gateway.deliver_once().await.unwrap();
    assert_eq!((v2.story().len(), plain.story().len()), (2, 1));
}

async fn a_receiver_that_was_down_gets_everything_in_order_when_it_is_back(database: Database) {
    let mut receiver = Receiver::down();
    let world = told(database, &[("v2", &receiver)]).await;
    world.issue("anna", "TrainingProgramme", programme()).await;
    world.gateway.deliver_once().await.unwrap();
    receiver.start().await;
    world.gateway.deliver_once().await.unwrap();
    assert!(receiver.story().is_empty(), "not before its time");
    world.issue("anna", "Identity", identity()).await;
    let listed = ask(&world, &world.party("v2"), "/events", 0).await.json;
    let stands = |at: usize| {
        (
            listed["events"][at]["delivery"].clone(),
            listed["events"][at]["attempts"].clone(),
        )
    };
    assert_eq!(stands(0), (json!("due"), json!(1)));
    assert_eq!(stands(1), (json!("due"), json!(0)));

    // The first one fails twice more, and the second waits behind it.
    receiver.will(Reply::Status(500));
    receiver.will(Reply::Status(410));
    for (later, numbers) in [(6, &[1][..]), (17, &[1, 1]), (38, &[1, 1, 1, 2])] {
        world.later(seconds(later));
        world.gateway.deliver_once().await.unwrap();
        let told: Vec<i64> = receiver.story().iter().map(|(number, _)| *number).collect();
        assert_eq!(told, numbers, "after {later} seconds");
    }
    // The repeats are known by their id; the time of each is its own.
    let received = receiver.received();
    assert!(received[..3].iter().all(|one| one.body == received[0].body));
    assert_eq!(
        received[0].header("webhook-id"),
        received[2].header("webhook-id")
    );
    assert_ne!(
        received[0].header("webhook-timestamp"),
        received[2].header("webhook-timestamp")
    );
}

async fn an_event_that_nobody_takes_for_three_days_is_parked_and_offered_again_on_request(
    database: Database,
) {
    let mut receiver = Receiver::down();
    let world = told(database, &[("v2", &receiver)]).await;
    let party = world.party("v2");
    for _ in 0..2 {
        world.issue("anna", "TrainingProgramme", programme()).await;
    }
    let listed = async || ask(&world, &party, "/events", 0).await.json["events"].clone();
    let stands = async || listed().await[0]["delivery"].clone();
    world.later(SignedDuration::from_hours(71));
    world.gateway.deliver_once().await.unwrap();
    assert_eq!(stands().await, "due");
    world.later(SignedDuration::from_hours(73));
    world.gateway.deliver_once().await.unwrap();
    assert_eq!(stands().await, "parked");
    // A receiver that is down is not asked again for each event that it did not take.
    assert_eq!(listed().await[1]["attempts"], 0);

    world.later(SignedDuration::from_hours(75));
    world.gateway.deliver_once().await.unwrap();
    assert_eq!(listed().await[1]["delivery"], "parked");
    receiver.start().await;
    world.later(SignedDuration::from_hours(90));
    world.gateway.deliver_once().await.unwrap();
    assert!(receiver.story().is_empty());
    let offered = ask(&world, &party, "/events/redeliver", 0).await;
    assert_eq!(offered.body, r#"{"offered_again":2}"#);
    world.gateway.deliver_once().await.unwrap();
    let story = names(&[(1, "credential.issued"), (2, "credential.issued")]);
    assert_eq!(receiver.story(), story);
    assert_eq!(stands().await, "delivered");

    // In the end it is forgotten, and its number is not given again.
    world.later(SignedDuration::from_hours(24 * 31));
    world.gateway.tidy_once().await.unwrap();
    let listed = ask(&world, &party, "/events", 0).await;
    assert_eq!(listed.body, r#"{"events":[],"last_sequence":2}"#);
}

async fn what_only_time_decides_is_told_without_a_visitor(database: Database) {
    let receiver = Receiver::up().await;
    let world = told(database, &[("v2", &receiver)]).await;
    let mut waiting = Waiting::to_issue(&world, "v2").await;
    world
        .wallet
        .misbehave("anna", wallet::Fault::parse("lost-network-after-submit"))
        .unwrap();
    world.scan("anna", &waiting.link(), true).await;
    world.gateway.deliver_once().await.unwrap();
    assert!(
        receiver.story().is_empty(),
        "the wallet may still give it back"
    );
    world.later(seconds(6));
    world.gateway.deliver_once().await.unwrap();
    assert_eq!(receiver.story(), names(&[(1, "credential.issued")]));

    // Nobody comes for it.
    world.later(SignedDuration::from_mins(36));
    world.gateway.tidy_once().await.unwrap();
    world.gateway.deliver_once().await.unwrap();
    let story = [
        (1, "credential.issued"),
        (2, "credential.revoked"),
        (3, "interaction.failed"),
    ];
    assert_eq!(receiver.story(), names(&story));
    let data = |at: usize| receiver.received()[at].event["data"].clone();
    assert_eq!(data(1)["cause"], "not-collected");
    assert_eq!(data(2)["refusal"]["code"], "expired");
    assert_eq!(data(1)["serial_number"], data(0)["serial_number"]);

    // Nor for a page that was only opened.
    waiting = Waiting::to_issue(&world, "v2").await;
    world.later(SignedDuration::from_mins(72));
    world.gateway.tidy_once().await.unwrap();
    world.gateway.tidy_once().await.unwrap();
    world.gateway.deliver_once().await.unwrap();
    assert_eq!(receiver.story().len(), 4);
    assert_eq!(data(3)["refusal"]["code"], "expired");
    assert!(
        waiting
            .page
            .html
            .contains(data(3)["reference"].as_str().unwrap())
    );
}

async fn a_gateway_that_died_between_step_and_delivery_tells_it_when_it_is_back(
    database: Database,
) {
    let receiver = Receiver::up().await;
    let world = told(database, &[("v2", &receiver)]).await;
    world.issue("anna", "TrainingProgramme", programme()).await;
    // It dies while the receiver has the event and has not answered.
    receiver.will(Reply::Silence);
    let short = std::time::Duration::from_millis(700);
    let died = tokio::time::timeout(short, world.gateway.deliver_once()).await;
    assert!(died.is_err());
    assert_eq!(receiver.story().len(), 1);

    let next = world.second_process().await;
    next.deliver_once().await.unwrap();
    assert_eq!(
        receiver.story().len(),
        1,
        "the lease of the dead one has yet to run out"
    );
    world.later(seconds(61));
    next.deliver_once().await.unwrap();
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(
        received[0].header("webhook-id"),
        received[1].header("webhook-id")
    );
    next.close().await;
}

async fn two_processes_deliver_an_event_once(database: Database) {
    let receiver = Receiver::up().await;
    let world = told(database, &[("v2", &receiver)]).await;
    let second = world.second_process().await;
    for _ in 0..4 {
        world.issue("anna", "TrainingProgramme", programme()).await;
    }
    let rounds = (0..6).map(|number| {
        let gateway = if number % 2 == 0 {
            &world.gateway
        } else {
            &second
        };
        let gateway = gateway.clone();
        tokio::spawn(async move { gateway.deliver_once().await.unwrap() })
    });
    for round in rounds.collect::<Vec<_>>() {
        round.await.unwrap();
    }
    world.gateway.deliver_once().await.unwrap();
    let numbers: Vec<i64> = receiver.story().iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    second.close().await;
}

/// Configurations change one process at a time.
async fn a_process_that_knows_of_no_receiver_takes_none_from_another(database: Database) {
    let receiver = Receiver::up().await;
    let world = told(database, &[("v2", &receiver)]).await;
    let older = world
        .second_process_with(|config| {
            for party in &mut config.organisations[0].relying_parties {
                party.webhook = None;
            }
        })
        .await;
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    world.later(seconds(6));
    older.deliver_once().await.unwrap();
    assert!(receiver.story().is_empty());
    let revoked = world.revoke(&world.party("v2"), &serial, |_| ()).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.body);
    world.gateway.deliver_once().await.unwrap();
    let story = [(1, "credential.issued"), (2, "credential.revoked")];
    assert_eq!(receiver.story(), names(&story));
    older.close().await;
}

/// Rulings 9: what is refused after the relying party has its token is revoked, recorded and told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_that_the_wallet_gives_back_is_told_before_and_after_the_code() {
    for collected in [false, true] {
        let receiver = Receiver::up().await;
        let walk = Walk::in_world(told(Database::sqlite(), &[("v2", &receiver)]).await).await;
        let answer = walk.issued().await;
        let id = answer.json["notification_id"].as_str().unwrap();
        let say = async |event: &str| {
            let body = json!({ "notification_id": id, "event": event });
            notify(&walk.offered.issuer, &walk.token, &body).await
        };
        let mut story = vec![];
        if collected {
            say("credential_accepted").await;
            let code = walk.waiting.again().await.code();
            let party = walk.world.party("v2");
            walk.world.token(&party, |form| form.code(&code)).await;
            story.push((1, "credential.issued"));
            story.push((2, "credential.revoked"));
        } else {
            story.push((1, "credential.revoked"));
            story.push((2, "interaction.failed"));
        }
        // SEC-18: said twice, it happened once.
        for _ in 0..2 {
            let said = say("credential_deleted").await;
            assert_eq!(said.status, StatusCode::NO_CONTENT);
        }
        walk.world.gateway.deliver_once().await.unwrap();
        assert_eq!(receiver.story(), names(&story));
        let data: Vec<Value> = receiver
            .received()
            .iter()
            .map(|one| one.event["data"].clone())
            .collect();
        let revoked = usize::from(collected);
        assert_eq!(data[revoked]["cause"], "not-kept");
        if !collected {
            assert_eq!(data[1]["refusal"]["code"], "not-kept");
        }
        // One revocation, one entry, and one cause, also when its time is over.
        walk.world.later(SignedDuration::from_mins(46));
        let round = walk.world.gateway.tidy_once().await.unwrap();
        assert_eq!(round.revoked, 0);
        let told = walk.world.revoked_by_itself().await;
        assert_eq!(told, [r#"{"cause":"not-kept"}"#]);
        let select = "SELECT rule FROM retention_removals WHERE rule = 'not-collected'";
        let store = &walk.world.gateway.app().store;
        let counted = store.read(store::Statement::new(select)).await.unwrap();
        assert_eq!(counted.len(), 0);
    }
}
