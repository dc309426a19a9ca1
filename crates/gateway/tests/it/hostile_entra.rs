//! Callbacks that are not what they seem, and genuine ones at the wrong time. (SEC-32)

use std::collections::HashSet;

use serde_json::{Value, json};
use verified_id::{Answer, Card, Outcome, Retrieval};

use crate::database::{Database, on_both_engines};
use crate::entra_world::{Entra, SECRET, tenant};
use crate::world::{World, identity};

on_both_engines!(
    sec_32_a_replayed_callback_changes_nothing_and_no_second_end_overturns_the_first,
    sec_32_of_two_ends_at_once_one_counts,
);

/// The clause: random for each request, and nothing kept by which one could be made.
#[tokio::test]
async fn sec_32_each_request_has_a_key_and_a_state_of_its_own_and_their_digests_are_kept() {
    let entra = Entra::start().await;
    let mut seen = HashSet::new();
    for _ in 0..3 {
        entra.waiting().await;
    }
    for sent in entra.service.sent() {
        let callback = &sent["callback"];
        for value in [&callback["headers"]["api-key"], &callback["state"]] {
            let value = value.as_str().unwrap();
            // 256 bits.
            assert_eq!(value.len(), 43);
            assert!(seen.insert(value.to_owned()), "{value} came twice");
        }
        assert_eq!(callback["headers"].as_object().unwrap().len(), 1);
    }
    assert_eq!(seen.len(), 6);
    let select = "SELECT state_digest, key_digest, link, interaction FROM entra_requests";
    let store = &entra.world.gateway.app().store;
    let rows = store.read(store::Statement::new(select)).await.unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        for column in ["state_digest", "key_digest", "link", "interaction"] {
            assert!(!seen.contains(row.text(column).unwrap()), "{column}");
        }
    }
}

#[tokio::test]
async fn sec_32_a_callback_without_the_key_of_its_request_is_refused_and_changes_nothing() {
    let entra = Entra::start().await;
    let (browser, page) = entra.waiting().await;
    let (_, others) = entra.waiting().await;
    let genuine = entra.callback(&page);
    let others = entra.callback(&others).key().to_owned();
    let key = genuine.key().to_owned();
    let digest = entra.column("key_digest").await.unwrap();
    let wrong = [
        None,
        Some(""),
        Some("wrong"),
        Some(&key[..42]),
        Some(others.as_str()),
        Some(digest.as_str()),
    ];
    let told =
        |bent: &verified_id::Callback| [bent.clone(), bent.clone().verified(&[entra.card()])];
    for key in wrong {
        for bent in told(&genuine.clone().with_key(key)) {
            assert_eq!(bent.send().await, 401, "{key:?}");
        }
    }
    // The right one beside a wrong one, and in another header.
    let mut twice = genuine.clone();
    twice.headers.push(("api-key".into(), "wrong".into()));
    assert_eq!(twice.send().await, 401);
    let mut elsewhere = genuine.clone().with_key(None);
    elsewhere.headers.push(("authorization".into(), key));
    assert_eq!(elsewhere.send().await, 401);
    assert_eq!(entra.state(&browser, &page).await, "waiting");
    assert_eq!(genuine.send().await, 200);
    assert_eq!(entra.state(&browser, &page).await, "scanned");
}

#[tokio::test]
async fn sec_32_a_callback_is_bound_to_the_state_and_the_id_of_its_request() {
    let entra = Entra::start().await;
    let (browser, page) = entra.waiting().await;
    let (others_browser, others) = entra.waiting().await;
    let (genuine, others_own) = (entra.callback(&page), entra.callback(&others));
    let verified = genuine.clone().verified(&[entra.card()]);
    for state in [
        json!("unknown"),
        json!(""),
        json!(7),
        Value::Null,
        // The relying party's own.
        json!("9f0f2f64-8d55-4a3e-9a57-0ed2b2a8f6d5"),
        json!(entra.column("state_digest").await),
    ] {
        let bent = verified.clone().with("state", state.clone());
        assert_eq!(bent.send().await, 400, "{state}");
    }
    for id in [
        others_own.body["requestId"].clone(),
        json!("x"),
        Value::Null,
    ] {
        let bent = verified.clone().with("requestId", id.clone());
        assert_eq!(bent.send().await, 400, "{id}");
    }
    // The state of one and the key of the other.
    let bent = verified
        .clone()
        .with("state", others_own.body["state"].clone());
    assert_eq!(bent.send().await, 401);
    for status in ["issuance_successful", "Presentation_Verified", ""] {
        let bent = verified.clone().with("requestStatus", status);
        assert_eq!(bent.send().await, 400, "{status}");
    }
    assert_eq!(verified.send_text("{".to_owned()).await, 400);
    assert_eq!(entra.state(&browser, &page).await, "waiting");
    assert_eq!(entra.state(&others_browser, &others).await, "waiting");
}

#[tokio::test]
async fn sec_32_request_retrieved_comes_before_presentation_verified_and_the_page_says_each() {
    let entra = Entra::start().await;
    let (browser, page) = entra.waiting().await;
    let retrieved = entra.callback(&page);
    assert_eq!(retrieved.send().await, 200);
    assert_eq!(entra.state(&browser, &page).await, "scanned");
    assert!(entra.column("retrieved_at").await.is_some());
    assert!(entra.column("ended_at").await.is_none());
    let verified = retrieved.verified(&[entra.card()]);
    assert_eq!(verified.send().await, 200);
    assert_eq!(entra.state(&browser, &page).await, "done");
    entra.id_token(&browser, &page).await;
}

/// 2.7 of the contract: nobody promises that it comes, or when.
#[tokio::test]
async fn sec_32_a_retrieval_that_comes_late_or_never_keeps_no_presentation_from_counting() {
    for retrieval in [Retrieval::Last, Retrieval::Never] {
        let entra = Entra::start().await;
        let (browser, page) = entra.waiting().await;
        let wallet = entra.authenticator();
        let link = page.link("open-wallet");
        let scanned = wallet.scan_with(&link, Answer::Share, retrieval, 1);
        assert_eq!(scanned.await, Outcome::Shared, "{retrieval:?}");
        assert_eq!(entra.state(&browser, &page).await, "done");
        assert!(entra.column("retrieved_at").await.is_none());
        entra.id_token(&browser, &page).await;
    }
}

async fn sec_32_a_replayed_callback_changes_nothing_and_no_second_end_overturns_the_first(
    database: Database,
) {
    let entra = Entra::start_with(database, tenant(), |_| ()).await;
    // Everything that the service says, it says three times.
    let (browser, page) = entra.waiting().await;
    let genuine = entra.callback(&page);
    let wallet = entra.authenticator();
    let link = page.link("open-wallet");
    let scanned = wallet.scan_with(&link, Answer::Share, Retrieval::First, 3);
    assert_eq!(scanned.await, Outcome::Shared);
    let version = browser.status(&page).await.json["version"].clone();
    let ben = entra.card().with("ID-LegalSurname", "Someone-Else");
    for replayed in [
        genuine.clone(),
        genuine.clone().verified(&[ben]),
        genuine.clone().failed("user_canceled"),
    ] {
        assert_eq!(replayed.send().await, 200);
    }
    assert_eq!(browser.status(&page).await.json["version"], version);
    let token = entra.id_token(&browser, &page).await;
    assert_eq!(token["Identity.ID-LegalSurname"], "Taylor");
    // Nor after the token was collected.
    assert_eq!(genuine.verified(&[entra.card()]).send().await, 200);
    assert!(browser.open(&page.url).await.find_link("go-back").is_none());

    // A no stays a no.
    let (browser, page) = entra.waiting().await;
    let genuine = entra.callback(&page);
    assert_eq!(genuine.clone().failed("user_canceled").send().await, 200);
    assert_eq!(genuine.verified(&[entra.card()]).send().await, 200);
    let back = browser.open(&page.url).await.link("go-back");
    assert!(back.contains("error=access_denied"), "{back}");
}

async fn sec_32_of_two_ends_at_once_one_counts(database: Database) {
    let entra = Entra::start_with(database, tenant(), |_| ()).await;
    let (browser, page) = entra.waiting().await;
    let genuine = entra.callback(&page);
    let ends: Vec<_> = (0..6)
        .map(|at| {
            let card = entra.card().with("ID-LegalFirstName", &format!("Anna{at}"));
            genuine.clone().verified(&[card])
        })
        .map(|end| tokio::spawn(async move { end.send().await }))
        .collect();
    for end in ends {
        assert_eq!(end.await.unwrap(), 200);
    }
    let select = "SELECT version FROM interactions WHERE outcome = 'verified'";
    let store = &entra.world.gateway.app().store;
    let rows = store.read(store::Statement::new(select)).await.unwrap();
    assert_eq!(rows.len(), 1);
    let version = rows[0].integer("version").unwrap();
    assert_eq!(browser.status(&page).await.json["version"], version);
    entra.id_token(&browser, &page).await;
}

/// What is too large is not read, whoever sends it. The server may close before all of it is sent.
#[tokio::test]
async fn sec_32_a_callback_larger_than_is_read_is_refused() {
    let entra = Entra::start().await;
    let (browser, page) = entra.waiting().await;
    let genuine = entra.callback(&page).verified(&[entra.card()]);
    let padded = genuine.clone().with("padding", "x".repeat(300 * 1024));
    let answer = padded.send().await;
    assert!([413, 0].contains(&answer), "{answer}");
    assert_eq!(entra.state(&browser, &page).await, "waiting");
    let padded = genuine.with("padding", "x".repeat(100 * 1024));
    assert_eq!(padded.send().await, 200, "what others add is no harm");
    assert_eq!(entra.state(&browser, &page).await, "done");
}

/// The service says that it verified; the gateway asked.
#[tokio::test]
async fn sec_32_what_was_not_asked_for_does_not_count_though_the_service_verified_it() {
    type Bend = fn(Card, &Entra) -> Card;
    let entra = Entra::start().await;
    let bends: [(Bend, &str); 6] = [
        (
            |card, _| Card {
                issuer: "did:web:other.example".into(),
                ..card
            },
            "not trusted",
        ),
        (
            |card, _| Card {
                kind: "PayBand".into(),
                ..card
            },
            "another type",
        ),
        (
            |card, _| Card {
                status: "SUSPENDED".into(),
                ..card
            },
            "cannot be checked now",
        ),
        (
            |card, _| Card {
                status: "REVOKED".into(),
                ..card
            },
            "cancelled by its issuer",
        ),
        (
            |card, entra| Card {
                expires_at: entra.world.now() - jiff::SignedDuration::from_mins(2),
                ..card
            },
            "expired",
        ),
        (
            |mut card, _| {
                card.claims.remove("dateOfBirth");
                card
            },
            "lacks information",
        ),
    ];
    for (bend, why) in bends {
        let (browser, page) = entra.waiting().await;
        let card = bend(entra.card(), &entra);
        let verified = entra.callback(&page).verified(&[card]);
        // It is genuine, and its word is kept: what came of it is on the page.
        assert_eq!(verified.send().await, 200, "{why}");
        let back = browser.open(&page.url).await.link("go-back");
        assert!(back.contains(&why.replace(' ', "+")), "{why}: {back}");
    }
}

/// Nobody mints a code for what came after its request was over, or after the person's time was.
#[tokio::test]
async fn sec_32_a_presentation_that_comes_too_late_is_none() {
    let entra = Entra::start().await;
    let (browser, page) = entra.waiting().await;
    let genuine = entra.callback(&page);
    assert_eq!(genuine.send().await, 200);
    entra.later(359);
    let (_, fresh) = entra.waiting().await;
    assert_eq!(entra.callback(&fresh).send().await, 200);
    entra.later(2);
    assert_eq!(genuine.verified(&[entra.card()]).send().await, 200);
    let back = browser.open(&page.url).await.link("go-back");
    assert!(back.contains("answered+too+late"), "{back}");

    // Of a page that nobody scanned the code of in time.
    let (browser, page) = entra.waiting().await;
    let genuine = entra.callback(&page).verified(&[entra.card()]);
    entra.later(361);
    assert_eq!(genuine.send().await, 200);
    assert_eq!(entra.state(&browser, &page).await, "waiting");
    // And of one whose half hour is over.
    entra.later(1500);
    let page = browser.open(&page.url).await;
    assert_eq!(genuine.send().await, 200);
    assert!(page.link("go-back").contains("request+expired"));
}

#[tokio::test]
async fn sec_32_a_request_from_before_start_again_is_dead() {
    let entra = Entra::start().await;
    let (browser, page) = entra.waiting().await;
    let old = entra.callback(&page).verified(&[entra.card()]);
    let page = browser.submit(&page, "restart").await;
    assert_eq!(old.send().await, 200);
    assert_eq!(entra.state(&browser, &page).await, "waiting");
    // And of one that was cancelled on the page.
    let new = entra.callback(&page).verified(&[entra.card()]);
    let back = browser.submit(&page, "cancel").await;
    assert_eq!(back.parameter("error").unwrap(), "access_denied");
    assert_eq!(new.send().await, 200);
    let page = browser.open(&page.url).await;
    assert!(page.link("go-back").contains("user+cancelled"));
}

/// The page was reloaded, and two requests are good: whoever comes first has the interaction.
#[tokio::test]
async fn sec_32_the_first_wallet_to_retrieve_is_the_one_that_may_answer() {
    let entra = Entra::start().await;
    let (browser, page) = entra.waiting().await;
    let first = entra.callback(&page);
    entra.later(275);
    let page = browser.open(&page.url).await;
    let second = entra.callback(&page);
    assert_ne!(first.body["state"], second.body["state"]);
    assert_eq!(first.send().await, 200);
    assert_eq!(second.verified(&[entra.card()]).send().await, 200);
    assert_eq!(entra.state(&browser, &page).await, "scanned");
    assert_eq!(first.verified(&[entra.card()]).send().await, 200);
    assert_eq!(entra.state(&browser, &page).await, "done");
}

/// SEC-40 as well: neither what opens a callback nor whom it is about, whether it is taken or not.
#[tokio::test]
async fn sec_32_no_line_of_the_log_has_a_key_a_state_or_a_claim() {
    let entra = Entra::start().await;
    let (_, page) = entra.waiting().await;
    let genuine = entra.callback(&page);
    let verified = genuine.clone().verified(&[entra.card()]);
    assert_eq!(verified.clone().with_key(Some("wrong")).send().await, 401);
    assert_eq!(verified.send_text("{".to_owned()).await, 400);
    assert_eq!(genuine.send().await, 200);
    assert_eq!(verified.send().await, 200);
    entra.service.will(verified_id::Fault::Half);
    entra.waiting().await;
    for said in [
        "Authenticator took a step",
        "Entra Verified ID was not asked",
    ] {
        assert!(World::has_said(said), "the log is not listened to");
    }
    let id = genuine.body["requestId"].as_str().unwrap();
    assert!(
        World::has_said(id),
        "whoever asks Microsoft's support needs it"
    );
    let mut unsaid: Vec<String> = vec![genuine.key().into(), SECRET.into()];
    for sent in entra.service.sent() {
        unsaid.push(sent["callback"]["state"].as_str().unwrap().to_owned());
        unsaid.push(
            sent["callback"]["headers"]["api-key"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    unsaid.extend(
        identity()
            .values()
            .map(|value| value.as_str().unwrap().to_owned()),
    );
    for value in unsaid {
        assert!(!World::has_said(&value), "{value}");
    }
}
