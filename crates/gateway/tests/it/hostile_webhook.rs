//! What an attacker tries with the events that relying parties are told.

use std::time::Duration;

use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::database::{Database, on_both_engines};
use crate::raw_wallet::Waiting;
use crate::receiver::{Receiver, Reply, register};
use crate::watching::ask_metrics;
use crate::webhook::{ask, told};
use crate::world::{World, client, programme};
use gateway::{Gateway, Surroundings};

on_both_engines!(
    sec_18_what_is_tried_twice_is_told_once,
    sec_33_a_client_sees_and_offers_again_its_own_events_only,
);

/// Double revocation, double use of a code: each at once and one after the other.
async fn sec_18_what_is_tried_twice_is_told_once(database: Database) {
    let receiver = Receiver::up().await;
    let world = told(database, &[("v2", &receiver)]).await;
    let party = world.party("v2");
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let revoke = || world.revoke(&party, &serial, |_| ());
    let at_once: [_; 3] = tokio::join!(revoke(), revoke(), revoke()).into();
    for answer in at_once.into_iter().chain([revoke().await]) {
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
    }

    let waiting = Waiting::to_issue(&world, "v2").await;
    world.scan("anna", &waiting.link(), true).await;
    let code = waiting.again().await.code();
    let redeem = || world.token(&party, |form| form.code(&code));
    // Two and no third, which would come late enough to be seen as a later use.
    let at_once: [_; 2] = tokio::join!(redeem(), redeem()).into();
    let given: Vec<_> = at_once.iter().filter(|it| it.status.is_success()).collect();
    assert_eq!(given.len(), 1);
    // A use at the same moment is as much a replay as a later one.
    let bearer = given[0].json["access_token"].as_str().unwrap();
    let asked = client().get(world.url("/userinfo")).bearer_auth(bearer);
    let asked = asked.send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::UNAUTHORIZED);
    let later: [_; 2] = tokio::join!(redeem(), redeem()).into();
    assert!(later.iter().all(|it| it.error() == "invalid_grant"));
    world.gateway.deliver_once().await.unwrap();
    let story: Vec<(i64, String)> = receiver.story();
    let expected = [
        (1, "credential.issued"),
        (2, "credential.revoked"),
        (3, "credential.issued"),
        (4, "credential.revoked"),
    ];
    let expected = expected.map(|(number, kind)| (number, kind.to_owned()));
    assert_eq!(story, expected);
    let last = &receiver.received()[3];
    assert_eq!(last.event["data"]["cause"], "code-replayed");
    let told = world.revoked_by_itself().await;
    assert_eq!(told, [r#"{"cause":"code-replayed"}"#]);
    let (_, figures) = ask_metrics(&world.gateway, "/metrics").await;
    let counted = "lanyard_revocations_total{cause=\"code-replayed\"} 1\n";
    assert!(figures.contains(counted), "{figures}");
}

async fn sec_33_a_client_sees_and_offers_again_its_own_events_only(database: Database) {
    let receiver = Receiver::down();
    let world = told(database, &[("v2", &receiver)]).await;
    world.issue("anna", "TrainingProgramme", programme()).await;
    world.later(SignedDuration::from_hours(73));
    world.gateway.deliver_once().await.unwrap();
    for other in ["plain", "stranger"] {
        let other = world.party(other);
        let listed = ask(&world, &other, "/events", 0).await;
        assert_eq!(listed.body, r#"{"events":[],"last_sequence":0}"#);
        let offered = ask(&world, &other, "/events/redeliver", 0).await;
        assert_eq!(offered.body, r#"{"offered_again":0}"#);
    }
    let own = ask(&world, &world.party("v2"), "/events", 0).await.json;
    assert_eq!(own["events"][0]["delivery"], "parked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_04_a_redirect_is_not_followed() {
    let (receiver, elsewhere) = (Receiver::up().await, Receiver::up().await);
    let world = told(Database::sqlite(), &[("v2", &receiver)]).await;
    world.issue("anna", "TrainingProgramme", programme()).await;
    receiver.will(Reply::Redirect(elsewhere.url.to_string()));
    world.gateway.deliver_once().await.unwrap();
    assert_eq!(receiver.story().len(), 1);
    assert!(elsewhere.story().is_empty());
    let listed = ask(&world, &world.party("v2"), "/events", 0).await.json;
    assert_eq!(listed["events"][0]["delivery"], "due");
}

/// Written as a number it stops the start; found by name it is not called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_04_a_receiver_inside_cannot_be_registered() {
    let world = World::start().await;
    for url in [
        "http://portal.example/events",
        "https://10.0.0.1/events",
        "https://169.254.169.254/latest",
        "https://[::1]/events",
        "https://localhost:8498/events",
        "https://portal.localhost/events",
        "https://user:password@portal.example/events",
        "ftp://portal.example/events",
    ] {
        let mut config = world.config.clone();
        register(&mut config, "v2", url.parse().unwrap());
        let surroundings = Surroundings {
            sandbox: true,
            ..Surroundings::production()
        };
        let refused = Gateway::compose(&config, surroundings).await.err();
        let refused = refused.expect(url).to_string();
        assert!(refused.contains("v2: webhook.url"), "{url}: {refused}");
        assert!(!refused.contains("password"), "{refused}");
    }
}

/// A receiver that keeps the line open costs its own events their time, and nobody else's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_hangs_delays_nobody_else() {
    let (hanging, quick) = (Receiver::up().await, Receiver::up().await);
    let world = told(Database::sqlite(), &[("v2", &hanging), ("plain", &quick)]).await;
    hanging.will(Reply::Silence);
    world.issue("anna", "TrainingProgramme", programme()).await;
    let gateway = world.gateway.clone();
    let working = tokio::spawn(async move { Box::pin(gateway.keep_working()).await });
    let wait = async |receiver: &Receiver, events: usize| {
        for _ in 0..100 {
            if receiver.story().len() >= events {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    };
    assert!(wait(&hanging, 1).await);
    let waiting = Waiting::to_verify(&world, "Identity").await;
    world.scan("anna", &waiting.link(), false).await;
    assert!(
        wait(&quick, 1).await,
        "it waited for the other client's receiver"
    );
    working.abort();
}

/// SEC-35: a sentence that a relying party wrote reaches no receiver, whatever is in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_35_no_text_of_anybodys_choosing_is_told() {
    let receiver = Receiver::up().await;
    let world = told(Database::sqlite(), &[("v2", &receiver)]).await;
    let party = world.party("v2");
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    let nasty = "<script>alert(1)</script>\r\nwebhook-id: evt_forged\u{202e}=cmd|' /C calc'!A0";
    let revoked = world
        .revoke(&party, &serial, |body| {
            body.insert("RevocationReason".into(), nasty.into());
        })
        .await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    world.gateway.deliver_once().await.unwrap();
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    for one in received {
        let plain = |c: char| c.is_ascii_graphic() || c == ' ';
        assert!(one.body.chars().all(plain), "{}", one.body);
        for part in ["script", "forged", "calc"] {
            assert!(!one.body.contains(part), "{}", one.body);
        }
        assert!(one.header("webhook-id").starts_with("evt_"));
    }
}

/// SEC-06.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_listed_for_nobody_without_a_secret() {
    let receiver = Receiver::up().await;
    let world = told(Database::sqlite(), &[("v2", &receiver)]).await;
    for path in ["/events", "/events/redeliver"] {
        for form in [&[("client_id", "v2")][..], &[], &[("after", "x")]] {
            let answer = client().post(world.url(path)).form(form).send().await;
            assert_eq!(answer.unwrap().status(), StatusCode::UNAUTHORIZED);
        }
        for after in ["x", "-1", "99999999999999999999"] {
            let party = world.party("v2");
            let request = client()
                .post(world.url(path))
                .basic_auth(&party.client_id, Some(&party.secret))
                .form(&[("after", after)]);
            assert_eq!(
                request.send().await.unwrap().status(),
                StatusCode::BAD_REQUEST
            );
        }
    }
}
