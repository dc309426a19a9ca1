//! The portals of docs/integrate/examples as their reader runs them: the real program, beside a sandbox, over plain HTTP.
//! Each is walked in both languages.

use lanyard::browser::{exchange, tags};
use lanyard::sandbox::Running;
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

use crate::example_stage::{Language, Portal, are_there, examples, sandbox};
use crate::portal_walk::{Scene, Walk, Walker};
use crate::ports::Ports;
use crate::sandbox_folder::Folder;

/// An example that has this many lines is no example any more.
const TOO_LONG: usize = 100;

struct Stage {
    sandbox: Running,
    portal: Portal,
    _folder: Folder,
    _ports: Ports,
}

impl Stage {
    async fn set(language: Language) -> Option<Self> {
        if !are_there(&[language.program()]) {
            return None;
        }
        let ports = Ports::claim();
        let (sandbox, folder) = sandbox(&ports).await;
        Some(Self {
            portal: Portal::start(language, &sandbox),
            sandbox,
            _folder: folder,
            _ports: ports,
        })
    }

    /// A browser of its own for whoever is this case, on the way to one record's credential.
    fn walk(&self, case: &str, record: &str) -> Walk {
        let employee = self.sandbox.file.employee(case).unwrap();
        let scene = Scene {
            portal: self.portal.base.clone(),
            ..Scene::of(&self.sandbox.file.urls)
        };
        let record = format!("{}-{record}", employee.id);
        Walk::new(scene, Walker::of(employee), &record).unwrap()
    }

    async fn strike(self) {
        drop(self.portal);
        self.sandbox.stop().await;
    }
}

macro_rules! in_each_language {
    ($($name:ident),+ $(,)?) => {
        mod python {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(stage) = super::Stage::set(super::Language::Python).await {
                    super::$name(&stage).await;
                    stage.strike().await;
                }
            })+
        }
        mod node {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(stage) = super::Stage::set(super::Language::Node).await {
                    super::$name(&stage).await;
                    stage.strike().await;
                }
            })+
        }
    };
}

in_each_language!(
    a_walk_leads_from_log_in_to_a_credential_and_a_change_of_the_record_takes_it_back,
    a_callback_counts_once_and_in_the_session_that_began,
    whoever_shows_another_persons_identity_is_turned_away_after_three_tries,
    a_step_is_made_by_whoever_is_logged_in_from_a_page_of_the_portal_and_by_nobody_else,
    a_form_of_any_length_and_encoding_is_refused_with_a_page,
);

#[test]
fn both_portals_have_fewer_than_a_hundred_lines() {
    for language in [Language::Python, Language::Node] {
        let text = std::fs::read_to_string(language.portal()).unwrap();
        let lines = text.lines().count();
        assert!(lines < TOO_LONG, "{language:?}: {lines} lines");
    }
}

async fn a_walk_leads_from_log_in_to_a_credential_and_a_change_of_the_record_takes_it_back(
    stage: &Stage,
) {
    let mut walk = stage.walk("match", "programme");
    walk.log_in().await.unwrap();
    assert_eq!(state(&mut walk).await, "not-added");

    walk.open("/confirm/anna-programme").await.unwrap();
    let shown: Vec<_> = texts(&walk, "dt")
        .into_iter()
        .zip(texts(&walk, "dd"))
        .collect();
    assert_eq!(shown, on_file("programme"));
    walk.press("confirm").await.unwrap();
    verify(&mut walk).await;
    let first = add(&mut walk).await;
    assert_eq!(state(&mut walk).await, "added");
    assert_eq!(walk.status(&first).await.unwrap(), "valid");

    // What it says now would be markup if it were not escaped.
    correct(&mut walk, "Neurology <b>& more</b>").await;
    let mails = walk.wait_for_mails(1).await.unwrap();
    assert_eq!(mails[0].to, "anna@anytown.example");
    assert!(mails[0].text.contains("Training programme"));
    assert_eq!(state(&mut walk).await, "cancelled");
    assert_eq!(walk.status(&first).await.unwrap(), "revoked");

    // Once more: the old copy is asked about, the identity is not.
    walk.open("/answer-about-old-copy/anna-programme")
        .await
        .unwrap();
    let form = walk.form_with(|tag| tag.attribute("name").as_deref() == Some("answer"));
    let answer = form.unwrap().with("answer", "deleted");
    walk.send(&answer).await.unwrap();
    assert!(walk.page().unwrap().html.contains("<dt>TPR-Name</dt>"));
    assert!(!walk.page().unwrap().html.contains("<b>"));
    walk.press("confirm").await.unwrap();
    let second = received(&mut walk).await;
    assert_ne!(first, second);
    let held = walk.held().await.unwrap();
    let newest = held
        .iter()
        .find(|one| one.serial_number.as_deref() == Some(&second));
    assert_eq!(
        newest.unwrap().claims["TPR-Name"],
        "Neurology <b>& more</b>"
    );
    assert_eq!(newest.unwrap().status, "valid");
    assert_eq!(walk.mails().await.unwrap().len(), 1);
}

async fn a_callback_counts_once_and_in_the_session_that_began(stage: &Stage) {
    let mut anna = stage.walk("match", "programme");
    let cookie = cookie_at_log_in(&anna).await;
    let session = cookie.split(['=', ';']).nth(1).unwrap();
    begin_to_verify(&mut anna).await;
    anna.scan().await.unwrap();
    let callback = way_back(&anna).await;

    // Of somebody else, of the same person in another browser, and of nobody.
    for case in ["hyphen", "match"] {
        let mut other = stage.walk(case, "programme");
        other.log_in().await.unwrap();
        other.open(callback.as_str()).await.unwrap();
        is_refused(&other, "callback-not-ours", 409);
        let page = format!("/verify-identity/{}", other.record);
        other.open(&page).await.unwrap();
        assert!(other.has("verify-identity"), "{}", other.whereabouts());
    }
    let mut nobody = stage.walk("match", "programme");
    nobody.open(callback.as_str()).await.unwrap();
    assert_eq!(nobody.page().unwrap().url.path(), "/login");

    anna.open(callback.as_str()).await.unwrap();
    assert!(anna.has("add-to-wallet"), "{}", anna.whereabouts());
    // Back and reload are harmless, a forged one is refused, and nothing is lost by either.
    anna.open(callback.as_str()).await.unwrap();
    anna.open("/callback?code=made-up&state=made-up")
        .await
        .unwrap();
    is_refused(&anna, "callback-not-ours", 409);
    anna.open("/verify-identity/anna-programme").await.unwrap();
    assert!(anna.has("add-to-wallet"), "{}", anna.whereabouts());

    // DW-30: what was verified ends with the session.
    assert!(is_verified(stage, session, "anna").await);
    anna.log_out().await.unwrap();
    assert!(!is_verified(stage, session, "anna").await);
    anna.log_in().await.unwrap();
    anna.open("/verify-identity/anna-programme").await.unwrap();
    assert!(!anna.has("add-to-wallet"), "{}", anna.whereabouts());
}

async fn whoever_shows_another_persons_identity_is_turned_away_after_three_tries(stage: &Stage) {
    let mut peter = stage.walk("surname-mismatch", "programme");
    peter.log_in().await.unwrap();
    peter.open("/confirm/peter-programme").await.unwrap();
    peter.press("confirm").await.unwrap();
    for tries_left in [2, 1, 0] {
        begin_to_verify(&mut peter).await;
        peter.scan().await.unwrap().ended("presented").unwrap();
        peter.come_back().await.unwrap();
        let html = &peter.page().unwrap().html;
        assert!(html.contains("is different from your account"), "{html}");
        assert!(!html.contains("Lambert"), "the other person's name is told");
        assert!(!peter.has("add-to-wallet"));
        assert_eq!(peter.has("verify-identity"), tries_left > 0);
    }
    is_refused(&peter, "no-more-tries", 409);
    let held = peter.held().await.unwrap();
    assert!(held.iter().all(|held| held.credential_type == "Identity"));
}

async fn a_step_is_made_by_whoever_is_logged_in_from_a_page_of_the_portal_and_by_nobody_else(
    stage: &Stage,
) {
    let mut anna = stage.walk("match", "programme");
    // A wrong password, no password, and no employee.
    for (username, password) in [("anna", "wrong"), ("anna", ""), ("nobody", "")] {
        anna.open("/login").await.unwrap();
        let form = anna.form_with(|tag| tag.attribute("name").as_deref() == Some("username"));
        let form = form
            .unwrap()
            .with("username", username)
            .with("password", password);
        anna.send(&form).await.unwrap();
        is_refused(&anna, "wrong-password", 403);
    }
    anna.open("/").await.unwrap();
    assert_eq!(anna.page().unwrap().url.path(), "/login");

    anna.log_in().await.unwrap();
    anna.open("/confirm/harriet-programme").await.unwrap();
    is_refused(&anna, "not-found", 404);
    let wanted = stage.portal.base.join("/change/anna-programme").unwrap();
    for origin in [None, Some("null"), Some("https://elsewhere.example")] {
        let mut request = anna
            .client
            .post(wanted.clone())
            .form(&[("subject", "Forged")]);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let answer = exchange(&anna.client, request.build().unwrap(), None)
            .await
            .unwrap();
        assert_eq!(answer.status, 403, "{origin:?}");
    }
    anna.open("/confirm/anna-programme").await.unwrap();
    assert!(texts(&anna, "dd").contains(&"Cardiology".to_owned()));

    // What was shown is what is confirmed, or it is shown again.
    let stale = anna
        .form_with(|tag| tag.attribute("id").as_deref() == Some("confirm"))
        .unwrap();
    correct(&mut anna, "Neurology").await;
    anna.send(&stale).await.unwrap();
    assert!(anna.has("confirm"), "{}", anna.whereabouts());
    assert!(texts(&anna, "dd").contains(&"Neurology".to_owned()));

    let request = anna.client.request(Method::GET, stage.portal.base.clone());
    let answer = exchange(&anna.client, request.build().unwrap(), None)
        .await
        .unwrap();
    let header = |wanted: &str| {
        let found = answer.headers.iter().find(|(name, _)| name == wanted);
        found.map_or_else(String::new, |(_, value)| value.clone())
    };
    let gateway = stage
        .sandbox
        .file
        .urls
        .gateway
        .origin()
        .ascii_serialization();
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(
        policy.ends_with(&format!("form-action 'self' {gateway}")),
        "{policy}"
    );
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-content-type-options"), "nosniff");
    let key = &stage.sandbox.file.sidecar.api_key;
    assert!(!answer.body.contains(key.as_str()), "a page tells the key");

    let cookie = cookie_at_log_in(&anna).await;
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
}

/// What no browser sends, and everybody else may.
async fn a_form_of_any_length_and_encoding_is_refused_with_a_page(stage: &Stage) {
    let base = &stage.portal.base;
    let host = format!("{}:{}", base.host_str().unwrap(), base.port().unwrap());
    let origin = base.origin().ascii_serialization();
    for (length, form) in [
        ("-1", &b""[..]),
        ("abc", b""),
        ("99999999999999999999", b""),
        ("17", b"username=\xFF\xFE&x=%FF"),
    ] {
        let mut wire = tokio::net::TcpStream::connect(&host).await.unwrap();
        let head = format!(
            "POST /login HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n"
        );
        wire.write_all(&[head.as_bytes(), form].concat())
            .await
            .unwrap();
        // Nothing more comes, and the way stays open: whoever waits for more waits for ever.
        let mut answer = vec![0; 12];
        wire.read_exact(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.") && &answer[9..10] == "4",
            "{length}: {answer}"
        );
    }
}

/// Logs in, and gives the cookie that the portal sets.
async fn cookie_at_log_in(walk: &Walk) -> String {
    let portal = &walk.scene.portal;
    let form = [
        ("username", &walk.who.username),
        ("password", &walk.who.password),
    ];
    let request = walk.client.post(portal.join("/login").unwrap()).form(&form);
    let request = request.header("origin", portal.origin().ascii_serialization());
    let request = request.build().unwrap();
    let answer = exchange(&walk.client, request, None).await.unwrap();
    let mut headers = answer.headers.into_iter();
    headers.find(|(name, _)| name == "set-cookie").unwrap().1
}

/// Whether the sidecar takes this session's employee for verified.
async fn is_verified(stage: &Stage, session: &str, employee: &str) -> bool {
    let sidecar = &stage.sandbox.file.sidecar;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = client.post(sidecar.url.join("/v1/sessions/standing").unwrap());
    let asked = asked.bearer_auth(&sidecar.api_key);
    let told = serde_json::json!({ "session": session, "employee": employee });
    let standing: Value = asked
        .json(&told)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    standing["tries_left"].as_u64().unwrap();
    standing["verified_at"].is_string()
}

/// The state of the walk's record, as the list tells it.
async fn state(walk: &mut Walk) -> String {
    walk.open("/").await.unwrap();
    let is_ours = |id: Option<String>| id.as_deref() == Some(&walk.record);
    let mut found = tags(&walk.page().unwrap().html);
    let found = found.find(|tag| is_ours(tag.attribute("id")));
    found.and_then(|tag| tag.attribute("data-state")).unwrap()
}

/// What stands in each element of this name that holds text alone; the two characters that are escaped here are read.
fn texts(walk: &Walk, name: &str) -> Vec<String> {
    let html = &walk.page().unwrap().html;
    let begins = format!("<{name}>");
    let parts = html.split(&begins).skip(1);
    let parts = parts.map(|part| part.split("</").next().unwrap_or_default());
    parts
        .map(|text| text.replace("&#39;", "'").replace("&amp;", "&"))
        .collect()
}

/// What a record says on file, in order.
fn on_file(record: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(examples().join("records.json")).unwrap();
    let records: Value = serde_json::from_str(&text).unwrap();
    let claims = records[record]["claims"].as_object().unwrap().iter();
    let mut claims: Vec<_> = claims
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    // A map may give them in the order of their names; the page has them as the file does.
    claims.sort_by_key(|(name, _)| text.find(&format!("\"{name}\"")));
    claims
}

/// Identity page to gateway.
async fn begin_to_verify(walk: &mut Walk) {
    let page = format!("/verify-identity/{}", walk.record);
    walk.open(&page).await.unwrap();
    walk.begin_to_verify().await.unwrap();
}

async fn verify(walk: &mut Walk) {
    walk.begin_to_verify().await.unwrap();
    walk.scan().await.unwrap().ended("presented").unwrap();
    walk.come_back().await.unwrap();
    assert!(walk.has("add-to-wallet"), "{}", walk.whereabouts());
}

/// The serial number of the credential that was added.
async fn add(walk: &mut Walk) -> String {
    walk.begin_to_add().await.unwrap();
    received(walk).await
}

/// The browser stands at the gateway, the wallet takes the credential; both say which.
async fn received(walk: &mut Walk) -> String {
    let scanned = walk.scan().await.unwrap();
    scanned.ended("received").unwrap();
    walk.come_back().await.unwrap();
    let path = format!("/result/{}", walk.record);
    assert_eq!(walk.page().unwrap().url.path(), path);
    let serial_number = scanned.credentials[0].serial_number.clone().unwrap();
    assert!(walk.page().unwrap().html.contains(&serial_number));
    serial_number
}

/// HR corrects what the record is about.
async fn correct(walk: &mut Walk, subject: &str) {
    walk.open("/").await.unwrap();
    let button = format!("save-{}", walk.record);
    let form = walk.form_with(|tag| tag.attribute("id").as_ref() == Some(&button));
    walk.send(&form.unwrap().with("subject", subject))
        .await
        .unwrap();
}

/// Where the gateway leads the browser back to; nobody has gone there yet.
async fn way_back(walk: &Walk) -> Url {
    let page = walk.client.get(walk.page().unwrap().url.clone());
    let page = page.header("accept", "text/html").build().unwrap();
    let answer = exchange(&walk.client, page, None).await.unwrap();
    let location = answer.headers.iter().find(|(name, _)| name == "location");
    location.unwrap().1.parse().unwrap()
}

fn is_refused(walk: &Walk, code: &str, status: u16) {
    let page = walk.page().unwrap();
    let said = tags(&page.html).find_map(|tag| tag.attribute("data-code"));
    assert_eq!(said.as_deref(), Some(code), "{}", walk.whereabouts());
    assert_eq!(page.status, status);
}
