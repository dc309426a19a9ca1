//! The stand-in refuses what Microsoft refuses, in Microsoft's words: otherwise a test against it would show nothing.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use verified_id::{
    ADMIN_API, Answer, Authenticator, Card, Outcome, REQUEST_SERVICE, Tenant, VerifiedId,
};

const AUTHORITY: &str = "did:web:verifier.example";
const OTHER: &str = "did:web:other.example";

fn tenant(number: u8, authority: &str, roles: &[&str]) -> Tenant {
    Tenant {
        id: uuid::Uuid::from_bytes([number; 16]),
        client_id: uuid::Uuid::from_bytes([number + 100; 16]),
        client_secret: "secret & more".to_owned(),
        authority: authority.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        token_seconds: 3599,
    }
}

/// A service on a clock of its own, with two tenants that may ask and one that nobody consented to.
struct Scene {
    service: VerifiedId,
    now: Arc<Mutex<Timestamp>>,
    client: reqwest::Client,
}

impl Scene {
    async fn start() -> Self {
        let now = Arc::new(Mutex::new("2026-11-28T18:00:00Z".parse().unwrap()));
        let told = Arc::clone(&now);
        let tenants = vec![
            tenant(1, AUTHORITY, &["VerifiableCredential.Create.All"]),
            tenant(2, OTHER, &["VerifiableCredential.Create.PresentRequest"]),
            tenant(3, OTHER, &["VerifiableCredential.Create.IssueRequest"]),
            tenant(4, OTHER, &[]),
        ];
        let clock = Arc::new(move || *told.lock().unwrap());
        Self {
            service: VerifiedId::start(tenants, clock).await.unwrap(),
            now,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    fn later(&self, seconds: i64) {
        *self.now.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    async fn grant(&self, number: u8, change: &[(&str, Option<&str>)]) -> (u16, Value) {
        let (one, scope) = (
            tenant(number, "", &[]),
            format!("{REQUEST_SERVICE}/.default"),
        );
        let client_id = one.client_id.to_string();
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &client_id),
            ("client_secret", &one.client_secret),
            ("scope", &scope),
        ];
        for (name, value) in change {
            form.retain(|(known, _)| known != name);
            form.extend(value.map(|value| (*name, value)));
        }
        let address = format!("{}{}/oauth2/v2.0/token", self.service.base(), one.id);
        let answer = self.client.post(address).form(&form).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn token(&self, number: u8, change: &[(&str, Option<&str>)]) -> String {
        let (status, granted) = self.grant(number, change).await;
        assert_eq!(status, 200, "{granted}");
        granted["access_token"].as_str().unwrap().to_owned()
    }

    async fn create(&self, token: &str, body: &Value) -> (u16, Value) {
        let path = "v1.0/verifiableCredentials/createPresentationRequest";
        let request = self.client.post(format!("{}{path}", self.service.base()));
        let request = request.bearer_auth(token).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

fn body() -> Value {
    json!({
        "authority": AUTHORITY, "registration": {"clientName": "Anytown"},
        "callback": {"url": "http://127.0.0.1:9/callback", "state": "s", "headers": {"api-key": "k"}},
        "requestedCredentials": [{"type": "StaffIdentity", "acceptedIssuers": ["did:web:id.example"]}],
    })
}

#[tokio::test]
async fn the_token_endpoint_refuses_in_microsofts_words() {
    let scene = Scene::start().await;
    let admin = format!("{ADMIN_API}/full_access");
    type Change<'a> = &'a [(&'a str, Option<&'a str>)];
    let cases: [(Change<'_>, u16, &str, u32); 6] = [
        (
            &[("client_secret", Some("wrong"))],
            401,
            "invalid_client",
            7_000_215,
        ),
        (&[("client_secret", None)], 401, "invalid_client", 7_000_218),
        (
            &[("client_id", Some("x"))],
            400,
            "unauthorized_client",
            700_016,
        ),
        (&[("scope", Some(&admin))], 400, "invalid_scope", 1_002_012),
        (
            &[("scope", Some("bbb94529/.default"))],
            400,
            "invalid_scope",
            70_011,
        ),
        (
            &[("grant_type", None)],
            400,
            "unsupported_grant_type",
            70_003,
        ),
    ];
    for (change, status, error, number) in cases {
        let (answered, refusal) = scene.grant(1, change).await;
        assert_eq!(answered, status, "{refusal}");
        assert_eq!(
            (&refusal["error"], &refusal["error_codes"][0]),
            (&json!(error), &json!(number))
        );
        let words = refusal["error_description"].as_str().unwrap();
        assert!(words.starts_with(&format!("AADSTS{number}: ")), "{words}");
    }
    assert_eq!(scene.grant(9, &[]).await.1["error_codes"][0], 90_002);
    assert_eq!(scene.service.tokens(), 0);
}

/// A token is given whether or not anybody consented.
#[tokio::test]
async fn a_token_of_another_audience_or_without_the_role_opens_nothing() {
    let scene = Scene::start().await;
    let admin = format!("{ADMIN_API}/.default");
    let admin = scene.token(1, &[("scope", Some(&admin))]).await;
    let good = scene.token(1, &[]).await;
    let (unconsented, issuing) = (scene.token(4, &[]).await, scene.token(3, &[]).await);
    for (token, status, code) in [
        (admin.as_str(), 401, "unauthorized"),
        ("x", 401, "unauthorized"),
        (&good[1..], 401, "unauthorized"),
        (&unconsented, 403, "forbidden"),
        (&issuing, 403, "forbidden"),
    ] {
        let (answered, refusal) = scene.create(token, &body()).await;
        assert_eq!(
            (answered, &refusal["error"]["code"]),
            (status, &json!(code))
        );
        assert_eq!(refusal["error"]["innererror"]["code"], "tokenError");
        assert!(refusal["mscv"].is_string() && refusal["requestId"].is_string());
        assert_eq!(refusal["date"], "Sat, 28 Nov 2026 18:00:00 GMT");
    }
    let (status, created) = scene.create(&good, &body()).await;
    assert_eq!(status, 201, "{created}");
    let expiry = "2026-11-28T18:05:00Z".parse::<Timestamp>().unwrap();
    assert_eq!(created["expiry"], expiry.as_second());
    scene.later(3600);
    assert_eq!(scene.create(&good, &body()).await.0, 401);
}

#[tokio::test]
async fn a_field_that_is_bad_missing_or_unknown_is_named() {
    let scene = Scene::start().await;
    let token = scene.token(1, &[]).await;
    let callback = |change: Value| {
        let mut callback = body()["callback"].clone();
        callback
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        json!({ "callback": callback })
    };
    let requested = |change: Value| {
        let mut one = body()["requestedCredentials"][0].clone();
        one.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        json!({"requestedCredentials": [one]})
    };
    let path = "requestedCredentials.configuration.validation";
    let misspelt = format!("{path}.allowRevokd");
    for (change, target) in [
        // Another tenant's.
        (json!({"authority": OTHER}), "authority"),
        (json!({"registration": {}}), "registration.clientName"),
        (json!({"includeReciept": true}), ".includeReciept"),
        (json!({"requestedCredentials": []}), "requestedCredentials"),
        (
            callback(json!({"url": "http://gateway.example/"})),
            "callback.url",
        ),
        (callback(json!({"state": ""})), "callback.state"),
        (
            callback(json!({"headers": {"x-key": "k"}})),
            "callback.headers.x-key",
        ),
        (
            requested(json!({"acceptedIssuers": ["https://id.example"]})),
            "requestedCredentials.acceptedIssuers",
        ),
        (
            requested(json!({"configuration": {"validation": {"allowRevokd": true}}})),
            &misspelt,
        ),
    ] {
        let mut body = body();
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let (status, refusal) = scene.create(&token, &body).await;
        assert_eq!(status, 400, "{refusal}");
        let inner = &refusal["error"]["innererror"];
        assert_eq!(
            (&inner["code"], &inner["target"]),
            (&json!("badOrMissingField"), &json!(target))
        );
    }
}

#[tokio::test]
async fn authenticator_offers_what_fits_and_a_request_ends_with_its_time() {
    let scene = Scene::start().await;
    let token = scene.token(1, &[]).await;
    let now = *scene.now.lock().unwrap();
    let card = |issuer: &str, kind: &str| Card::new(issuer, kind, now);
    let link = async || {
        let (_, created) = scene.create(&token, &body()).await;
        created["url"].as_str().unwrap().to_owned()
    };
    for other in [
        card(OTHER, "StaffIdentity"),
        card("did:web:id.example", "PayBand"),
    ] {
        let wallet = Authenticator::holding(&scene.service, [other]);
        let link = link().await;
        let scanned = wallet.scan_with(&link, Answer::Share, verified_id::Retrieval::Never, 1);
        assert_eq!(scanned.await, Outcome::NothingFits);
    }
    let wallet = Authenticator::holding(
        &scene.service,
        [card("did:web:id.example", "StaffIdentity")],
    );
    // Nobody listens at the callback's address: the wallet hears of an error.
    let first = link().await;
    let scanned = wallet.scan(&first, Answer::Share).await;
    assert_eq!(scanned, Outcome::ServiceError);
    let late = link().await;
    scene.later(300);
    assert_eq!(wallet.scan(&late, Answer::Share).await, Outcome::Expired);
    let refused = wallet.scan("https://evil.example/", Answer::Share).await;
    assert_eq!(refused, Outcome::Refused("no link of a wallet"));
}
