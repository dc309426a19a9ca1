//! SEC-40, SEC-35: what the log of whole journeys, and of everything that can go wrong in them, does not say; nor the
//! figures, the status page, its feed, the readiness, the traces and what is told of each interaction.

use jiff::SignedDuration;
use reqwest::StatusCode;
use reqwest::header::{SET_COOKIE, USER_AGENT};
use store::Statement;
use tracing_subscriber::EnvFilter;

use crate::collector::{Collector, Span};
use crate::world::{Form, Log, UNIQUE_IDENTIFIER, World, client, identity, programme, verifier};

impl Log {
    /// From now on, everything that our own crates and those below them can be made to say.
    fn begin() -> Self {
        let log = Self::default();
        let filter = "trace";
        tracing_subscriber::fmt()
            .json()
            .with_env_filter(EnvFilter::new(filter))
            .with_writer(log.clone())
            .init();
        log
    }
}

/// What must not be found, with a word for what it is.
#[derive(Default)]
struct Unsaid(Vec<(&'static str, String)>);

impl Unsaid {
    fn add(&mut self, what: &'static str, value: impl Into<String>) {
        let value = value.into();
        assert!(value.len() > 3, "{what} is too short to look for");
        self.0.push((what, value));
    }
}

/// The last part of an address: what the interaction, the link or the request is found by.
fn last_part(address: &str) -> &str {
    address.rsplit(['/', '=', ':', '%']).next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_40_the_log_of_journeys_and_of_their_faults_names_nobody_and_opens_nothing() {
    let log = Log::begin();
    let mut unsaid = Unsaid::default();
    let collector = Collector::up().await;
    let world = World::start_changed(|config| {
        config.address_header = Some("x-forwarded-for".to_owned());
        config.traces.otlp_endpoint = Some(collector.url.clone());
    })
    .await;
    let sending = crate::traces::send(&world.gateway);
    for (_, value) in identity().into_iter().chain(programme()) {
        let value = value.as_str().unwrap();
        // These stand in the credential type's own name, or are the holder's name in the test wallet.
        if !["Origin", "NHS England"].contains(&value) {
            unsaid.add("a claim", value);
        }
    }
    unsaid.add("the unique identifier", UNIQUE_IDENTIFIER);
    unsaid.add("a verifier", verifier());
    for party in ["v1-a", "v1-b", "v2", "plain", "stranger"] {
        let party = world.party(party);
        unsaid.add("a client secret", &*party.secret);
        unsaid.add("a signing key", party.signing_key.to_base64().as_str());
    }
    let form = Form::new(&world.party("plain"));
    for name in ["state", "nonce"] {
        let value = form.0.iter().find(|(known, _)| known == name);
        unsaid.add("a state or nonce", &value.unwrap().1);
    }

    // Both journeys, whole.
    let identity_serial = world.issue_identity("anna").await;
    unsaid.add("a serial number", identity_serial);
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    unsaid.add("a serial number", &*serial);
    unsaid.add("a serial number", &*serial.to_uppercase());
    let party = world.party("plain");
    let address = world.pushed(&party, |_| ()).await;
    unsaid.add("a request_uri", last_part(&address));
    let browser = crate::world::Browser::new();
    let page = browser.open(&address).await;
    unsaid.add("an interaction", last_part(page.url.as_str()));
    let link = page.link("open-wallet");
    unsaid.add("a wallet link", last_part(&link));
    world.scan("anna", &link, true).await;
    let back = browser.open(&page.url).await;
    let code = back.code();
    unsaid.add("a code", &*code);
    let token = world.token(&party, |form| form.code(&code)).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);
    for name in ["access_token", "id_token"] {
        unsaid.add("a token", token.json[name].as_str().unwrap());
    }

    // A code that is used twice; guesses; what the wallet or the person refuses; what is malformed.
    world.token(&party, |form| form.code(&code)).await;
    world
        .token(&party, |form| form.code("guessed-code-4711"))
        .await;
    unsaid.add("a guessed code", "guessed-code-4711");
    let guess = "guessed-secret-4711";
    world
        .push(&party, |form| form.set("client_secret", guess))
        .await;
    unsaid.add("a guessed secret", guess);
    for (name, value) in [
        ("scope", "openid Marguerite"),
        ("redirect_uri", "https://marguerite.example/Marguerite"),
        ("id_token_hint", "Marguerite.Marguerite.Marguerite"),
        ("prompt", "Marguerite"),
        ("code_challenge", "Marguerite"),
    ] {
        world.push(&party, |form| form.set(name, value)).await;
        let mut form = Form::new(&party);
        form.set(name, value);
        let address = world.url(&format!("/authorize?{}", form.query()));
        client().get(address).send().await.unwrap();
    }
    for path in [
        "/authorize?client_id=plain&request_uri=urn:ietf:params:oauth:request_uri:Marguerite",
        "/authorize?client_id=Marguerite&state=Marguerite&login_hint=Marguerite",
        "/w/Marguerite",
        "/r/Marguerite",
        "/o/Marguerite",
        "/return?response_code=Marguerite",
        "/interaction/Marguerite",
        "/Marguerite",
    ] {
        let request = client().get(world.url(path));
        let answer = request
            .header(USER_AGENT, "Marguerite/1.0")
            .header("x-forwarded-for", "198.51.100.77")
            .header("tracestate", "Marguerite=Marguerite")
            .header("traceparent", "00-Marguerite-Marguerite-01");
        if let Some(cookie) = answer.send().await.unwrap().headers().get(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            unsaid.add("a cookie", last_part(cookie));
        }
    }
    for path in [
        "/r/Marguerite/response",
        "/issuers/anytown/token",
        "/issuers/anytown/credential",
        "/issuers/anytown/notification",
        "/revocation/revokecredential",
        "/token",
    ] {
        for body in ["response=Marguerite", "{\"Marguerite\":", "\u{0}Marguerite"] {
            let request = client().post(world.url(path)).body(body);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let request = request.bearer_auth("Marguerite-4711");
            request.send().await.unwrap();
        }
    }
    unsaid.add("something that was sent", "arguerite");
    unsaid.add("an address", "198.51.100.77");
    let declined = world.pushed(&party, |_| ()).await;
    let page = browser.open(&declined).await;
    world.scan("anna", &page.link("open-wallet"), false).await;
    world
        .revoke(&world.party("v2"), &serial, |body| {
            body.insert("RevocationReason".into(), "Florence left".into());
        })
        .await;
    unsaid.add("a reason", "Florence");
    let page = browser
        .open(
            &world
                .pushed(&party, |form| form.set("scope", "openid TrainingProgramme"))
                .await,
        )
        .await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    // One that is issued and never collected; one whose holder gives it back; a journey that is begun again.
    let address = world
        .pushed_to_issue("TrainingProgramme", programme())
        .await;
    let page = browser.open(&address).await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let page = browser.open(&declined).await;
    browser.submit(&page, "restart").await;
    world.gateway.deliver_once().await.unwrap();
    world.later(SignedDuration::from_mins(40));
    world.gateway.tidy_once().await.unwrap();
    let store = &world.gateway.app().store;
    let issued = Statement::new("SELECT serial_number FROM credentials");
    for row in store.read(issued).await.unwrap() {
        unsaid.add("a serial number", row.text("serial_number").unwrap());
    }

    // What is told elsewhere than in the log. A timeline names a credential, and nothing else of anybody.
    let mut told = String::new();
    for path in ["/metrics", "/readyz"] {
        told += &crate::watching::ask_metrics(&world.gateway, path).await.1;
    }
    for path in ["/status", "/status.atom", "/readyz", "/healthz"] {
        let answer = client().get(world.url(path)).send().await.unwrap();
        told += &answer.text().await.unwrap();
    }
    assert!(told.contains("lanyard_requests_total"));
    let hour = SignedDuration::from_hours(2);
    let newest = gateway::timeline::newest(store, world.now() - hour, 100, world.now());
    let timelines = newest.await.unwrap();
    assert!(timelines.len() > 5, "{timelines:?}");
    let timelines = serde_json::to_string(&timelines).unwrap();

    // A method of somebody's own making is the last that is asked, so that everything before it was sent with it.
    let made_up = reqwest::Method::from_bytes(b"MARGUERITE").unwrap();
    let asked = client().request(made_up, world.url("/Marguerite"));
    asked.send().await.unwrap();
    unsaid.add("a method", "MARGUERITE");
    let made_up = |span: &Span| span.attribute("http.request.method") == Some("_OTHER");
    collector.find(made_up).await;
    sending.abort();
    let traces = collector.text();
    assert!(traces.contains("POST /issuers/{organisation}/credential"));

    let text = log.text();
    for said in [
        "token collected",
        "credential issued",
        "credential revoked",
        "presentation refused",
        "a credential was never collected and is revoked",
        "what must not stay was removed",
    ] {
        assert!(
            text.contains(said),
            "the log does not say `{said}`:\n{text}"
        );
    }
    for (what, value) in &unsaid.0 {
        let found = text.lines().find(|line| line.contains(value.as_str()));
        assert!(found.is_none(), "the log has {what}, {value}:\n{found:?}");
        assert!(
            !told.contains(value.as_str()),
            "figures or pages have {what}, {value}"
        );
        assert!(
            !traces.contains(value.as_str()),
            "a trace has {what}, {value}"
        );
        let may_be_told = *what == "a serial number";
        assert!(
            may_be_told || !timelines.contains(value.as_str()),
            "a timeline has {what}, {value}"
        );
    }
}
