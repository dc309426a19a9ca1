//! How the gateway gets on with Microsoft's service: its tokens, its bad days, and what the configuration may say.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use gateway::config::Secret;
use gateway::organisation::entra::EntraConfig;
use gateway::{Gateway, Surroundings};
use serde_json::Value;
use url::Url;
use verified_id::{Answer, Fault, Outcome, Tenant};

use crate::database::Database;
use crate::entra_world::{Entra, connect, tenant};
use crate::world::{Browser, Page, World, client};

/// The end of a page whose wallet could not be asked.
fn is_given_up(page: &Page) -> bool {
    let back = page.find_link("go-back");
    back.is_some_and(|back| back.contains("error=temporarily_unavailable"))
}

#[tokio::test]
async fn one_token_serves_many_requests_until_shortly_before_its_end() {
    let entra = Entra::start().await;
    let all = (0..4).map(|_| entra.waiting());
    for (_, page) in futures_util::future::join_all(all).await {
        page.link("open-wallet");
    }
    assert_eq!(entra.service.tokens(), 1, "one of them fetched it");
    entra.later(3230);
    entra.waiting().await;
    assert_eq!(entra.service.tokens(), 1);
    entra.later(20);
    entra.waiting().await;
    assert_eq!(entra.service.tokens(), 2);
}

#[tokio::test]
async fn a_token_that_the_service_does_not_take_any_more_is_fetched_anew_once() {
    let entra = Entra::start().await;
    entra.waiting().await;
    entra.service.forget_tokens();
    entra.later(2);
    let (_, page) = entra.waiting().await;
    page.link("open-wallet");
    assert_eq!(entra.service.tokens(), 2);
}

/// SEC-33: what one tenant's token opens is not for another organisation.
#[tokio::test]
async fn sec_33_each_tenant_has_tokens_of_its_own() {
    let others = Tenant {
        id: "1b4e28ba-2fa1-4d2e-883f-0016d3cca427".parse().unwrap(),
        client_secret: "another".to_owned(),
        ..tenant()
    };
    let entra = Entra::start_among(
        Database::sqlite(),
        vec![tenant(), others.clone()],
        &[],
        |config| {
            config.organisations[1].trust = config.organisations[0].trust.clone();
            config.entra.push(EntraConfig {
                organisation: config.organisations[1].id.clone(),
                tenant: others.id,
                client_secret: Secret::Held(others.client_secret.into()),
                ..config.entra[0].clone()
            });
        },
    )
    .await;
    entra.waiting().await;
    assert_eq!(entra.service.tokens(), 1);
    let world: &World = &entra.world;
    let address = world.pushed(&world.party("stranger"), |_| ()).await;
    let page = Browser::new().open(&address).await;
    page.link("open-wallet");
    assert_eq!(entra.service.tokens(), 2);
}

/// Changes a genuine answer of the token endpoint.
type Bend = fn(&mut Value);

/// What stands before the token endpoint: where that is, and what becomes of its answers.
type Between = Arc<Mutex<(Option<Url>, Bend)>>;

async fn bent(State(between): State<Between>, uri: Uri, form: String) -> Json<Value> {
    let (base, bend) = between.lock().unwrap().clone();
    let address = base.unwrap().join(uri.path()).unwrap();
    let form_type = "application/x-www-form-urlencoded";
    let request = client().post(address).header("content-type", form_type);
    let answer = request.body(form).send().await.unwrap();
    let mut answer = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    bend(&mut answer);
    Json(answer)
}

#[tokio::test]
async fn a_token_of_another_type_or_one_that_no_header_holds_is_not_used() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let login = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let login: Url = login.parse().unwrap();
    let between: Between = Arc::new(Mutex::new((None, |_| ())));
    let router = axum::Router::new()
        .fallback(bent)
        .with_state(Arc::clone(&between));
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let entra = Entra::start_among(
        Database::sqlite(),
        vec![tenant()],
        std::slice::from_ref(&login),
        |config| config.entra[0].login = login.clone(),
    )
    .await;
    between.lock().unwrap().0 = Some(entra.service.base().clone());
    let bends: [Bend; 3] = [
        |answer| answer["token_type"] = "mac".into(),
        |answer| {
            answer["access_token"] = format!("{} ", answer["access_token"].as_str().unwrap()).into()
        },
        |answer| answer["access_token"] = "".into(),
    ];
    for bend in bends {
        between.lock().unwrap().1 = bend;
        let (_, page) = entra.waiting().await;
        assert!(is_given_up(&page), "{}", page.html);
        assert!(entra.service.sent().is_empty());
        entra.later(60);
    }
    between.lock().unwrap().1 = |_| ();
    let (_, page) = entra.waiting().await;
    page.link("open-wallet");
    server.abort();
}

/// Creating is not idempotent: a lost request is harmless, one state for two is not.
#[tokio::test]
async fn a_busy_service_is_asked_again_each_time_with_another_state() {
    let entra = Entra::start().await;
    entra.service.will(Fault::Status(503, None));
    entra.service.will(Fault::Status(429, Some(1)));
    let (_, page) = entra.waiting().await;
    page.link("open-wallet");
    let sent = entra.service.sent();
    let states: Vec<&Value> = sent.iter().map(|one| &one["callback"]["state"]).collect();
    assert_eq!(states.len(), 3);
    assert!(states[0] != states[1] && states[1] != states[2]);
}

#[tokio::test]
async fn a_service_that_does_not_answer_as_it_should_ends_the_try_and_not_the_persons_time() {
    let entra = Entra::start().await;
    let faults = [
        vec![Fault::Status(429, Some(60))],
        vec![Fault::Status(503, None); 3],
        vec![Fault::Half],
        vec![Fault::Link(
            "https://evil.example/?request_uri=https%3A%2F%2Fx.example".into(),
        )],
        vec![Fault::Link(
            "openid-vc://?request_uri=http%3A%2F%2F10.0.0.1%2F".into(),
        )],
    ];
    for fault in faults {
        let named = format!("{fault:?}");
        for fault in fault {
            entra.service.will(fault);
        }
        let (browser, page) = entra.waiting().await;
        assert!(is_given_up(&page), "{named}: {}", page.html);
        let page = browser.submit(&page, "restart").await;
        let link = page.link("open-wallet");
        let outcome = entra.authenticator().scan(&link, Answer::Share).await;
        assert_eq!(outcome, Outcome::Shared, "{named}");
        entra.id_token(&browser, &page).await;
    }
}

/// The stand-in gives a token without the role, as Microsoft does, and refuses at the API.
#[tokio::test]
async fn a_tenant_whose_application_may_not_ask_is_told_apart_from_one_that_may() {
    let wrong: [fn(&mut Tenant); 3] = [
        |one| one.roles.clear(),
        |one| one.client_secret = "another".to_owned(),
        |one| one.authority = "did:web:another.example".to_owned(),
    ];
    for change in wrong {
        let mut other = tenant();
        change(&mut other);
        let entra = Entra::start_with(Database::sqlite(), other, |_| ()).await;
        let (_, page) = entra.waiting().await;
        assert!(is_given_up(&page), "{}", page.html);
    }
}

/// A callback may be quicker than the answer to the call that it belongs to.
#[tokio::test]
async fn a_callback_before_the_answer_counts() {
    let entra = Entra::start().await;
    entra.service.will(Fault::EarlyCallback);
    let (browser, page) = entra.waiting().await;
    assert_eq!(page.status, 200, "{}", page.html);
    assert_eq!(entra.state(&browser, &page).await, "scanned");
}

/// 2.4 of the contract: an empty list means anybody's credential.
#[tokio::test]
async fn where_nobody_is_trusted_nobody_is_asked() {
    let entra = Entra::start_with(Database::sqlite(), tenant(), |config| {
        for organisation in &mut config.organisations {
            organisation.trust.clear();
        }
    })
    .await;
    let (_, page) = entra.waiting().await;
    assert!(is_given_up(&page), "{}", page.html);
    assert!(entra.service.sent().is_empty());
}

/// Rulings 15, SEC-04.
#[tokio::test]
async fn a_tenant_that_cannot_be_asked_as_it_stands_stops_the_start() {
    let entra = Entra::start().await;
    let world: &World = &entra.world;
    let origins = vec![entra.service.base().clone()];
    let refused = async |change: &dyn Fn(&mut gateway::Config), origins: &[url::Url]| {
        let mut config = world.config.clone();
        change(&mut config);
        let surroundings = Surroundings {
            sandbox: true,
            http_origins: origins.to_vec(),
            ..Surroundings::production()
        };
        let composed = Gateway::compose(&config, surroundings).await;
        composed.err().map(|error| error.to_string())
    };
    assert_eq!(refused(&|_| (), &origins).await, None);
    let loopback = refused(&|_| (), &[]).await.unwrap();
    assert!(
        loopback.contains("entra of organisation anytown"),
        "{loopback}"
    );
    type Change<'a> = &'a dyn Fn(&mut gateway::Config);
    let cases: [(Change<'_>, &str); 4] = [
        (
            &|config| config.entra[0].organisation = "nowhere".into(),
            "no such organisation",
        ),
        (&|config| connect(config, &entra.service), "stands twice"),
        (
            &|config| config.entra[0].credential_types[0].name = "Nothing".into(),
            "no credential type Nothing",
        ),
        (
            &|config| config.entra[0].service = "https://10.0.0.1".parse().unwrap(),
            "service",
        ),
    ];
    for (change, words) in cases {
        let sentence = refused(change, &origins).await.unwrap();
        assert!(sentence.contains(words), "{sentence}");
        assert!(!sentence.contains(crate::entra_world::SECRET));
    }
}

#[tokio::test]
async fn what_callbacks_must_bring_is_forgotten_a_day_after() {
    let entra = Entra::start().await;
    entra.waiting().await;
    entra.later(86_400);
    entra.world.gateway.tidy_once().await.unwrap();
    assert!(entra.column("state_digest").await.is_some());
    entra.later(400);
    entra.world.gateway.tidy_once().await.unwrap();
    let select = "SELECT COUNT(*) AS count FROM entra_requests";
    let store = &entra.world.gateway.app().store;
    let row = store.read_one(store::Statement::new(select)).await.unwrap();
    assert_eq!(row.unwrap().integer("count").unwrap(), 0);
}
