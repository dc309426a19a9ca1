//! `POST /outcomes`: how a relying party finds out what became of its interactions.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::{Value, json};
use standards::base64url;
use store::Statement;

use crate::database::{Database, on_both_engines};
use crate::receiver::Receiver;
use crate::webhook::{self, told};
use crate::world::{Answer, Browser, Form, Page, Party, World, client};

/// Asks, authenticated by `client_secret_post`.
async fn ask(world: &World, party: &Party, by: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("client_id", party.client_id.as_str()),
        ("client_secret", &party.secret),
    ];
    form.extend(by);
    let request = client().post(world.url("/outcomes")).form(&form);
    Answer::read(request.send().await.unwrap()).await
}

async fn outcomes(world: &World, party: &Party, by: &[(&str, &str)]) -> Vec<Value> {
    let answer = ask(world, party, by).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json["outcomes"].as_array().unwrap().clone()
}

/// The one interaction that there must be.
async fn outcome(world: &World, party: &Party, by: &[(&str, &str)]) -> Value {
    let mut all = outcomes(world, party, by).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

async fn push(world: &World, party: &Party, change: impl FnOnce(&mut Form)) -> String {
    let answer = world.push(party, change).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.json["request_uri"].as_str().unwrap().to_owned()
}

async fn open(world: &World, party: &Party, request_uri: &str) -> (Browser, Page) {
    let browser = Browser::new();
    let page = browser
        .open(&world.url(&format!(
            "{}?client_id={}&request_uri={request_uri}",
            party.authorize(),
            party.client_id
        )))
        .await;
    (browser, page)
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

on_both_engines!(
    an_interaction_is_told_at_every_stage_and_by_each_of_its_names,
    a_credential_that_nobody_collected_is_found_and_so_is_why_it_was_revoked,
    a_state_that_repeats_is_told_newest_first_and_page_by_page,
    sec_33_another_clients_interactions_are_answered_like_unknown_ones,
    sec_33_credentials_are_told_by_their_serial_numbers_to_the_client_that_issued_them,
    sec_33_credentials_in_force_are_told_page_by_page_to_the_client_that_issued_them,
);

async fn an_interaction_is_told_at_every_stage_and_by_each_of_its_names(database: Database) {
    let world = World::start_on(database).await;
    let party = world.party("v2");
    let hint = world.hint(&party, |_| ());
    let request_uri = push(&world, &party, |form| {
        form.issue("TrainingProgramme", &hint);
        form.set("state", "a state of its own");
    })
    .await;
    let by_request = [("request_uri", request_uri.as_str())];
    let pushed = outcome(&world, &party, &by_request).await;
    assert_eq!(pushed["stage"], "pushed");
    assert_eq!(pushed["purpose"], "issue");
    assert_eq!(pushed["credential_types"], json!(["TrainingProgramme"]));
    assert_eq!(pushed["collected"], false);
    let open_still = ["outcome", "refusal", "serial_number", "revoked"];
    assert!(open_still.iter().all(|name| pushed.get(name).is_none()));

    let (browser, page) = open(&world, &party, &request_uri).await;
    let waiting = outcome(&world, &party, &by_request).await;
    assert_eq!(waiting["stage"], "waiting");
    let reference = waiting["reference"].as_str().unwrap();
    assert!(page.html.contains(reference));

    let scanned = world.scan("anna", &page.link("open-wallet"), true).await;
    assert_eq!(scanned.outcome, wallet::Outcome::Received);
    let issued = outcome(&world, &party, &[("state", "a state of its own")]).await;
    assert_eq!(issued["reference"], reference);
    assert_eq!(issued["outcome"], "issued");
    assert_eq!(issued["collected"], false);
    let serial = issued["serial_number"].as_str().unwrap().to_owned();

    let code = browser.open(&page.url).await.code();
    let token = world.token(&party, |form| form.code(&code)).await;
    assert_eq!(token.id_token()["SerialNumber"], serial.as_str());
    // As somebody types what was read out over the telephone.
    let heard = reference.to_lowercase().replace('-', " ");
    let collected = outcome(&world, &party, &[("reference", &heard)]).await;
    assert_eq!(collected["stage"], "collected");
    assert_eq!(collected["outcome"], "issued");
    assert_eq!(collected["collected"], true);
    assert_eq!(collected["serial_number"], serial.as_str());
    assert_eq!(
        outcome(&world, &party, &by_request).await,
        collected,
        "its request_uri names it to the end"
    );

    assert_eq!(
        world.revoke(&party, &serial, |_| ()).await.status,
        StatusCode::NO_CONTENT
    );
    let revoked = outcome(&world, &party, &by_request).await;
    assert_eq!(revoked["revoked"]["cause"], "relying-party");
    assert!(!revoked.to_string().contains("Source record deleted"));
}

async fn a_credential_that_nobody_collected_is_found_and_so_is_why_it_was_revoked(
    database: Database,
) {
    let world = World::start_on(database).await;
    let party = world.party("plain");
    let hint = world.hint(&party, |_| ());
    let request_uri = push(&world, &party, |form| {
        form.issue("TrainingProgramme", &hint);
    })
    .await;
    let (_, page) = open(&world, &party, &request_uri).await;
    let scanned = world.scan("anna", &page.link("open-wallet"), true).await;
    assert_eq!(scanned.outcome, wallet::Outcome::Received);

    // The wallet showed a success. The browser never came back.
    world.later(minutes(10));
    let by = [("request_uri", request_uri.as_str())];
    let found = outcome(&world, &party, &by).await;
    assert_eq!(
        (&found["outcome"], &found["collected"]),
        (&json!("issued"), &json!(false))
    );
    assert!(found.get("revoked").is_none());

    world.later(minutes(36));
    let round = world.gateway.tidy_once().await.unwrap();
    assert_eq!((round.wiped, round.revoked), (1, 1));
    let told = world.revoked_by_itself().await;
    assert_eq!(told, [r#"{"cause":"not-collected"}"#]);
    let answer = ask(&world, &party, &by).await;
    let found = &answer.json["outcomes"][0];
    assert_eq!(found["outcome"], "refused");
    assert_eq!(found["refusal"]["code"], "expired");
    assert_eq!(found["refusal"]["description"], "request expired");
    assert_eq!(found["revoked"]["cause"], "not-collected");
    assert!(found["serial_number"].is_string());
    for personal in ["Cardiology", crate::world::UNIQUE_IDENTIFIER] {
        assert!(!answer.body.contains(personal), "{}", answer.body);
    }

    world.later(minutes(31 * 24 * 60));
    world.gateway.tidy_once().await.unwrap();
    assert!(outcomes(&world, &party, &by).await.is_empty());
}

async fn a_state_that_repeats_is_told_newest_first_and_page_by_page(database: Database) {
    let world = World::start_on(database).await;
    let party = world.party("v1-b");
    for number in 0..45 {
        // Several of them within a second, as they come.
        world.later(SignedDuration::from_secs(number / 3));
        push(&world, &party, |form| form.set("state", "constant")).await;
    }
    let mut told = Vec::new();
    let mut before = String::new();
    loop {
        let mut by = vec![("state", "constant")];
        if !before.is_empty() {
            by.push(("before", &before));
        }
        let answer = ask(&world, &party, &by).await;
        let page = answer.json["outcomes"].as_array().unwrap();
        assert!(page.len() <= 20);
        told.extend(page.clone());
        match answer.json["before"].as_str() {
            Some(next) => next.clone_into(&mut before),
            None => break,
        }
    }
    let references: std::collections::HashSet<&str> = told
        .iter()
        .map(|one| one["reference"].as_str().unwrap())
        .collect();
    assert_eq!((told.len(), references.len()), (45, 45));
    let began: Vec<&str> = told
        .iter()
        .map(|one| one["began_at"].as_str().unwrap())
        .collect();
    assert!(began.is_sorted_by(|newer, older| newer >= older));
}

/// SEC-33, for each of the three names.
async fn sec_33_another_clients_interactions_are_answered_like_unknown_ones(database: Database) {
    let world = World::start_on(database).await;
    let owner = world.party("v2");
    let request_uri = push(&world, &owner, |form| form.set("state", "shared")).await;
    let reference = outcome(&world, &owner, &[("request_uri", &request_uri)]).await["reference"]
        .as_str()
        .unwrap()
        .to_owned();
    let theirs = [
        ("state", "shared"),
        ("request_uri", request_uri.as_str()),
        ("reference", &reference),
    ];
    // One of the same organisation, and one of another.
    for other in ["plain", "stranger"] {
        let other = world.party(other);
        let unknown = ask(&world, &other, &[("state", "unknown")]).await;
        for by in theirs {
            let answer = ask(&world, &other, &[by]).await;
            assert_eq!(
                (answer.status, &answer.body),
                (StatusCode::OK, &unknown.body),
                "{by:?}"
            );
        }
    }
    assert_eq!(outcomes(&world, &owner, &theirs[..1]).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_verification_says_why_and_what_time_decided_needs_no_visitor() {
    let world = World::start().await;
    let party = world.party("plain");
    world.issue_identity("anna").await;
    let request_uri = push(&world, &party, |_| ()).await;
    let (_, page) = open(&world, &party, &request_uri).await;
    world.scan("anna", &page.link("open-wallet"), false).await;
    let by = [("request_uri", request_uri.as_str())];
    let declined = outcome(&world, &party, &by).await;
    assert_eq!(declined["purpose"], "verify");
    assert_eq!(declined["stage"], "finished");
    assert_eq!(declined["outcome"], "refused");
    let reason = json!({ "code": "declined", "description": "user cancelled in the wallet" });
    assert_eq!(declined["refusal"], reason);

    let never_opened = push(&world, &party, |_| ()).await;
    world.later(minutes(11));
    let expired = outcome(&world, &party, &[("request_uri", &never_opened)]).await;
    assert_eq!(expired["refusal"]["code"], "expired");
    assert_eq!(expired["stage_since"], expired["expires_at"]);
}

/// Of a draft it is what makes the draft one request (decision 0012).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_sha256_is_of_what_the_client_itself_sent_or_was_given() {
    let world = told(Database::sqlite(), &[("v2", &Receiver::down())]).await;
    let party = world.party("v2");
    let sha256 = |text: &str| base64url::encode(digest(&SHA256, text.as_bytes()).as_ref());
    let told = async |state| {
        let mut outcome = outcome(&world, &party, &[("state", state)]).await;
        outcome["request_sha256"].take()
    };
    let open = async |form: &Form| {
        let address = world.url(&format!("/v2.0/oidc/authorize?{}", form.query()));
        Browser::new().open(&address).await
    };
    let request_uri = push(&world, &party, |form| form.set("state", "pushed")).await;
    assert_eq!(told("pushed").await, sha256(&request_uri));

    let mut form = Form::new(&party);
    form.set("state", "to verify");
    open(&form).await;
    assert_eq!(told("to verify").await, sha256(&form.query()));

    let hint = world.hint(&party, |_| ());
    form.issue("TrainingProgramme", &hint);
    form.set("state", "a draft");
    let page = open(&form).await;
    let (signed, _) = hint.rsplit_once('.').unwrap();
    let of_draft = sha256(&format!("draft {} {signed}", party.client_id));
    assert_eq!(told("a draft").await, of_draft);

    world.scan("anna", &page.link("open-wallet"), true).await;
    let listed = webhook::ask(&world, &party, "/events", 0).await.json;
    let event = &listed["events"][0]["event"];
    assert_eq!(event["type"], "credential.issued");
    assert_eq!(event["data"]["request_sha256"], of_draft);
}

/// SEC-06.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_is_known_before_its_question_is_read() {
    let world = World::start().await;
    let party = world.party("plain");
    let impostor = Party {
        secret: "wrong".into(),
        ..party.clone()
    };
    for by in [vec![("state", "a")], vec![], vec![("before", "x")]] {
        let answer = ask(&world, &impostor, &by).await;
        assert_eq!(
            (answer.status, answer.error()),
            (StatusCode::UNAUTHORIZED, "invalid_client")
        );
    }
    for by in [vec![], vec![("state", "a"), ("reference", "K7Q2-9MFD")]] {
        let answer = ask(&world, &party, &by).await;
        assert_eq!(
            (answer.status, answer.error()),
            (StatusCode::BAD_REQUEST, "invalid_request")
        );
    }
    // The header does as well, and an address does not: what is in one is in somebody's log.
    let request = client()
        .post(world.url("/outcomes"))
        .basic_auth(&party.client_id, Some(&party.secret));
    let answer = Answer::read(request.form(&[("state", "a")]).send().await.unwrap()).await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (StatusCode::OK, r#"{"outcomes":[]}"#)
    );
    assert_eq!(answer.headers["cache-control"], "no-store");
    let asked = client().get(world.url("/outcomes?state=a")).send().await;
    assert_eq!(asked.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
}

/// Asks for all.
const FIRST: &str = "00000000-0000-0000-0000-000000000000";

async fn sec_33_credentials_in_force_are_told_page_by_page_to_the_client_that_issued_them(
    database: Database,
) {
    let world = World::start_on(database).await;
    let (party, hour) = (world.party("v2"), SignedDuration::from_hours(1));
    let in_force = async |party: &Party, last: &str| {
        let answer = ask(&world, party, &[("in_force_after", last)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let all = answer.json["credentials"].as_array().unwrap().clone();
        let numbers = all.iter().map(|one| one["serial_number"].as_str().unwrap());
        numbers.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(in_force(&party, FIRST).await, [""; 0]);
    let hint = world.hint(&party, |_| ());
    let mut issued = Vec::new();
    for _ in 0..2 {
        let request_uri = push(&world, &party, |form| {
            form.issue("TrainingProgramme", &hint);
        })
        .await;
        let (_, page) = open(&world, &party, &request_uri).await;
        world.scan("anna", &page.link("open-wallet"), true).await;
        let told = outcome(&world, &party, &[("request_uri", &request_uri)]).await;
        issued.push(told["serial_number"].as_str().unwrap().to_owned());
    }
    issued.sort();
    assert_eq!(in_force(&party, FIRST).await, issued);
    assert_eq!(in_force(&party, &issued[0]).await, issued[1..]);
    assert_eq!(in_force(&party, &issued[1]).await, [""; 0]);
    assert_eq!(in_force(&world.party("plain"), FIRST).await, [""; 0]);

    world.revoke(&party, &issued[0], |_| ()).await;
    assert_eq!(in_force(&party, FIRST).await, issued[1..], "revoked");
    world.later(hour * 24 * 365 * 20);
    assert_eq!(in_force(&party, FIRST).await, [""; 0], "over");
}

async fn sec_33_credentials_are_told_by_their_serial_numbers_to_the_client_that_issued_them(
    database: Database,
) {
    let world = World::start_on(database).await;
    let party = world.party("v2");
    let hint = world.hint(&party, |_| ());
    let request_uri = push(&world, &party, |form| {
        form.issue("TrainingProgramme", &hint);
    })
    .await;
    let (_, page) = open(&world, &party, &request_uri).await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let issued = outcome(&world, &party, &[("request_uri", &request_uri)]).await;
    let serial = issued["serial_number"].as_str().unwrap();

    let nobodys = uuid::Uuid::new_v4();
    let both = format!("{nobodys} {}", serial.to_uppercase());
    let by = [("serial_number", both.as_str())];
    let answer = ask(&world, &party, &by).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.json["outcomes"], json!([]));
    let credentials = answer.json["credentials"].as_array().unwrap();
    assert_eq!(credentials.len(), 1, "{credentials:?}");
    let known = &credentials[0];
    assert_eq!(known["serial_number"], serial);
    assert_eq!(known["credential_type"], "TrainingProgramme");
    assert!(known["issuer"].as_str().unwrap().starts_with("did:web:"));
    assert!(known.get("revoked").is_none());
    assert!(known["status_list"]["idx"].as_i64().unwrap() >= 0);
    let list = known["status_list"]["uri"].as_str().unwrap();
    let published = client().get(list).send().await.unwrap();
    assert_eq!(published.status(), StatusCode::OK, "{list}");

    let stranger = ask(&world, &world.party("plain"), &by).await;
    assert_eq!(stranger.json["credentials"], json!([]), "SEC-33");

    world.revoke(&party, serial, |_| ()).await;
    let answer = ask(&world, &party, &by).await;
    assert_eq!(
        answer.json["credentials"][0]["revoked"]["cause"],
        "relying-party"
    );
    // As a process of a version before leaves it while it is being replaced.
    let not_kept = Statement::new("UPDATE credentials SET revocation_cause = NULL").must_change(1);
    let store = &world.gateway.app().store;
    store.write([not_kept]).await.unwrap();
    let answer = ask(&world, &party, &by).await;
    let of_credential = &answer.json["credentials"][0]["revoked"]["cause"];
    let told = outcome(&world, &party, &[("request_uri", &request_uri)]).await;
    assert_eq!(
        (of_credential, &told["revoked"]["cause"]),
        (&json!("unknown"), &json!("unknown"))
    );
    let wrong = ask(&world, &party, &[("serial_number", "1")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.body.contains("up to 100 GUIDs"), "{}", wrong.body);
}
