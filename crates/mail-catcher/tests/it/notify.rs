//! The stand-in for GOV.UK Notify, as a sender meets it who knows its documentation only.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use mail_catcher::Catcher;
use mail_catcher::notify::{
    CallbackOptions, KeyKind, NotifyOptions, NotifyService, Status, Template,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::mailbox::{Folder, noon};

const SERVICE: Uuid = Uuid::from_u128(1);
const LIVE: Uuid = Uuid::from_u128(2);
const TEST: Uuid = Uuid::from_u128(3);
const TEAM: Uuid = Uuid::from_u128(4);
const TEMPLATE: Uuid = Uuid::from_u128(5);

struct Sender {
    service: NotifyService,
    catcher: Catcher,
    base: String,
    http: reqwest::Client,
    _folder: Folder,
}

async fn open(change: impl FnOnce(&mut NotifyOptions)) -> Sender {
    let folder = Folder::new();
    let catcher = Catcher::open(folder.path(), noon()).unwrap();
    let mut options = NotifyOptions::new(SERVICE);
    options.keys = vec![
        (KeyKind::Live, LIVE),
        (KeyKind::Test, TEST),
        (KeyKind::Team, TEAM),
    ];
    options.guests = vec!["guest@anytown.example".to_owned()];
    options.templates = vec![Template {
        id: TEMPLATE,
        name: "one".to_owned(),
        subject: "Zoë’s ((thing))".to_owned(),
        body: "Dear ((name)),\n\nHello.\n".to_owned(),
        version: 2,
    }];
    change(&mut options);
    let service = NotifyService::new(catcher.clone(), options, noon());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let router = service.router();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Sender {
        service,
        catcher,
        base,
        http: reqwest::Client::new(),
        _folder: folder,
    }
}

fn bearer(secret: Uuid) -> String {
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let now = Timestamp::as_second(noon()());
    let header = encode(json!({ "typ": "JWT", "alg": "HS256" }));
    let signed = format!("{header}.{}", encode(json!({ "iss": SERVICE, "iat": now })));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.to_string().as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
    format!("Bearer {signed}.{signature}")
}

fn letter(to: &str) -> Value {
    json!({
        "email_address": to,
        "template_id": TEMPLATE,
        "personalisation": { "thing": "card", "name": "Sam", "more": "not used" },
        "reference": "our-reference",
    })
}

impl Sender {
    async fn post(&self, secret: Uuid, path: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request.header("authorization", bearer(secret));
        let answer = request.body(body.to_string()).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn send(&self, secret: Uuid, body: &Value) -> (u16, Value) {
        self.post(secret, "/v2/notifications/email", body).await
    }

    async fn look(&self, secret: Uuid, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}{path}", self.base));
        let request = request.header("authorization", bearer(secret));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// The ids on a page of the list.
    async fn list(&self, secret: Uuid, query: &str) -> Vec<String> {
        let (status, page) = self
            .look(secret, &format!("/v2/notifications{query}"))
            .await;
        assert_eq!(status, 200, "{page}");
        let found = page["notifications"].as_array().unwrap().clone();
        found
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn said(answer: &(u16, Value)) -> (u16, &str, &str) {
    let (status, body) = answer;
    assert_eq!(body["status_code"], *status, "{body}");
    let error = &body["errors"][0];
    (
        *status,
        error["error"].as_str().unwrap(),
        error["message"].as_str().unwrap(),
    )
}

#[tokio::test]
async fn a_message_is_taken_kept_found_and_shown_beside_those_by_smtp() {
    let it = open(|_| ()).await;
    let (status, taken) = it.send(LIVE, &letter("sam@ward.example")).await;
    assert_eq!(status, 201, "{taken}");
    assert_eq!(taken["content"]["subject"], "Zoë’s card");
    assert_eq!(taken["template"]["version"], 2);
    assert_eq!(taken["reference"], "our-reference");
    let mail = it.catcher.messages().remove(0);
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        ("sam@ward.example", "Zoë’s card")
    );
    assert_eq!(mail.text, "Dear Sam,\n\nHello.");
    let id = taken["id"].as_str().unwrap();
    let (_, one) = it.look(LIVE, &format!("/v2/notifications/{id}")).await;
    assert_eq!(
        (one["status"].as_str(), one["type"].as_str()),
        (Some("sending"), Some("email"))
    );
    assert_eq!(it.service.deliver().await, 1);
    let (_, one) = it.look(LIVE, &format!("/v2/notifications/{id}")).await;
    assert_eq!(one["status"], "delivered");
    assert_eq!(one["completed_at"], "2026-11-22T12:00:00.500000Z");
}

#[tokio::test]
async fn a_list_is_of_one_kind_of_key_the_newest_first_and_filtered() {
    let it = open(|_| ()).await;
    let mut ids = Vec::new();
    for to in [
        "a@ward.example",
        "perm-fail@simulator.notify",
        "temp-fail@simulator.notify",
    ] {
        let taken = it.send(TEST, &letter(to)).await.1;
        ids.insert(0, taken["id"].as_str().unwrap().to_owned());
    }
    // A key for tests sends nothing.
    assert!(it.catcher.messages().is_empty());
    assert!(it.list(LIVE, "").await.is_empty());
    assert_eq!(
        it.list(TEST, "?template_type=email&reference=our-reference")
            .await,
        ids
    );
    assert_eq!(it.list(TEST, "?reference=another").await, [""; 0]);
    it.service.deliver().await;
    for (status, at) in [
        ("temporary-failure", 0),
        ("permanent-failure", 1),
        ("delivered", 2),
    ] {
        assert_eq!(
            it.list(TEST, &format!("?status={status}")).await,
            ids[at..=at]
        );
    }
    assert_eq!(
        it.list(TEST, &format!("?older_than={}", ids[0])).await,
        ids[1..]
    );
    assert_eq!(it.list(TEST, "?template_type=sms").await, [""; 0]);
    for query in ["?status=elephant", "?template_type=pigeon", "?colour=red"] {
        let refused = it.look(TEST, &format!("/v2/notifications{query}")).await;
        assert_eq!(said(&refused).1, "ValidationError", "{query}");
    }
    assert_eq!(said(&it.look(TEST, "/v2/notifications/x").await).0, 400);
    let nobody = Uuid::new_v4();
    let refused = it.look(TEST, &format!("/v2/notifications/{nobody}")).await;
    assert_eq!(said(&refused), (404, "NoResultFound", "No result found"));
}

#[tokio::test]
async fn each_mistake_is_refused_in_notifys_form() {
    let it = open(|_| ()).await;
    let changed = |name: &str, value: Value| {
        let mut body = letter("sam@ward.example");
        body[name] = value;
        body
    };
    for (body, kind, message) in [
        (
            changed("colour", json!("red")),
            "ValidationError",
            "colour was unexpected",
        ),
        (
            changed("email_address", json!("sam")),
            "ValidationError",
            "Not a valid email address",
        ),
        (
            changed("email_address", json!("a@b\r\nx")),
            "ValidationError",
            "Not a valid email",
        ),
        (
            changed("email_address", Value::Null),
            "ValidationError",
            "not of type string",
        ),
        (
            changed("template_id", json!("x")),
            "ValidationError",
            "not a valid UUID",
        ),
        (
            changed("personalisation", json!([])),
            "ValidationError",
            "not of type object",
        ),
        (
            changed("reference", json!(7)),
            "ValidationError",
            "not of type string",
        ),
        (json!([]), "ValidationError", "not an object"),
        (json!({}), "ValidationError", "required property"),
        (
            changed("template_id", json!(LIVE)),
            "BadRequestError",
            "Template not found",
        ),
        (
            changed("personalisation", json!({ "thing": "x" })),
            "BadRequestError",
            "Missing personalisation: name",
        ),
    ] {
        let refused = it.send(LIVE, &body).await;
        let (status, said_kind, said_message) = said(&refused);
        assert_eq!((status, said_kind), (400, kind), "{body}");
        assert!(said_message.contains(message), "{said_message}");
    }
    let refused = it.send(TEAM, &letter("sam@ward.example")).await;
    assert!(said(&refused).2.contains("team-only"));
    assert_eq!(it.send(TEAM, &letter("guest@anytown.example")).await.0, 201);
    assert_eq!(it.service.taken(), 1);
    let no_token = it
        .http
        .get(format!("{}/v2/notifications", it.base))
        .send()
        .await
        .unwrap();
    assert_eq!(no_token.status(), 401);
    assert_eq!(
        said(&it.send(SERVICE, &letter("sam@ward.example")).await).0,
        403
    );
}

#[tokio::test]
async fn a_minute_and_a_day_have_their_limits_for_each_kind_of_key() {
    let it = open(|options| {
        options.a_minute = 3;
        options.a_day = 2;
    })
    .await;
    let to = letter("sam@ward.example");
    assert_eq!(it.send(LIVE, &to).await.0, 201);
    assert_eq!(it.send(LIVE, &to).await.0, 201);
    let refused = it.send(LIVE, &to).await;
    assert_eq!(
        (said(&refused).0, said(&refused).1),
        (429, "TooManyRequestsError")
    );
    let refused = it.send(LIVE, &to).await;
    assert_eq!(
        (said(&refused).0, said(&refused).1),
        (429, "RateLimitError")
    );
    assert_eq!(it.send(TEST, &to).await.0, 201);
}

#[tokio::test]
async fn nothing_is_kept_of_a_message_to_an_address_for_smoke_tests() {
    let it = open(|_| ()).await;
    let to = "simulate-delivered-2@notifications.service.gov.uk";
    let (status, taken) = it.send(LIVE, &letter(to)).await;
    assert_eq!(status, 201);
    let path = format!("/v2/notifications/{}", taken["id"].as_str().unwrap());
    assert_eq!(it.look(LIVE, &path).await.0, 404);
    assert_eq!((it.service.taken(), it.service.deliver().await), (0, 0));
}

#[tokio::test]
async fn a_template_is_shown_with_its_placeholders_and_tried_with_values() {
    let it = open(|_| ()).await;
    let path = format!("/v2/template/{TEMPLATE}");
    let (_, template) = it.look(LIVE, &path).await;
    assert_eq!(
        (template["type"].as_str(), template["version"].as_i64()),
        (Some("email"), Some(2))
    );
    let wanted = json!({ "thing": { "required": true }, "name": { "required": true } });
    assert_eq!(template["personalisation"], wanted);
    let preview = format!("{path}/preview");
    let values = json!({ "personalisation": { "thing": "card", "name": "Sam" } });
    let (status, shown) = it.post(LIVE, &preview, &values).await;
    assert_eq!(
        (status, shown["subject"].as_str()),
        (200, Some("Zoë’s card"))
    );
    let refused = it
        .post(LIVE, &preview, &json!({ "personalisation": {} }))
        .await;
    assert_eq!(said(&refused).2, "Missing personalisation: thing, name");
    assert_eq!(
        said(&it.look(LIVE, &format!("/v2/template/{LIVE}")).await).0,
        404
    );
    assert_eq!(said(&it.look(LIVE, "/v2/template/x").await).0, 400);
}

/// What a host heard, and how often it is to refuse.
#[derive(Clone, Default)]
struct Host(Arc<Mutex<(Vec<Value>, usize)>>);

#[tokio::test]
async fn a_callback_bears_the_hosts_token_and_comes_again_until_it_is_taken() {
    let host = Host::default();
    host.0.lock().unwrap().1 = 2;
    let heard = host.clone();
    let hear = move |headers: axum::http::HeaderMap, body: axum::Json<Value>| async move {
        assert_eq!(headers["authorization"], "Bearer the-hosts-token");
        let mut heard = heard.0.lock().unwrap();
        heard.0.push(body.0);
        if heard.0.len() <= heard.1 {
            axum::http::StatusCode::SERVICE_UNAVAILABLE
        } else {
            axum::http::StatusCode::OK
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/told", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/told", axum::routing::post(hear));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let it = open(|options| {
        options.callback = Some(CallbackOptions {
            url,
            bearer: "the-hosts-token".to_owned(),
            again_after: Duration::from_millis(20),
        });
    })
    .await;
    it.service.end_as(Some(Status::TechnicalFailure));
    let id = it.send(LIVE, &letter("sam@ward.example")).await.1["id"].clone();
    it.service.deliver().await;
    for _ in 0..500 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        if host.0.lock().unwrap().0.len() >= 3 {
            break;
        }
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let heard = host.0.lock().unwrap().0.clone();
    assert_eq!(heard.len(), 3);
    assert!(heard.iter().all(|one| one == &heard[0]));
    assert_eq!(
        (&heard[0]["id"], heard[0]["status"].as_str()),
        (&id, Some("technical-failure"))
    );
    for (member, value) in [
        ("reference", json!("our-reference")),
        ("to", json!("sam@ward.example")),
        ("notification_type", json!("email")),
        ("template_id", json!(TEMPLATE)),
        ("template_version", json!(2)),
    ] {
        assert_eq!(heard[0][member], value, "{member}");
    }
}
