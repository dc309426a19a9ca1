//! What must never be seen: by who reads the log, by who copies the database, by who looks at a code or an address.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::raw_wallet::{Waiting, follow, notify, offer, post_to, read, request, token};
use crate::scenes::{CONFIGURATION, Stage, TYPE};
use crate::world::{Browser, Party, UNIQUE_IDENTIFIER, World, client};

/// Everything that this process logs, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// One for the process.
    fn start() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let start = || {
            let log = Self::default();
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_ansi(false)
                .with_writer(log.clone())
                .init();
            log
        };
        LOG.get_or_init(start).clone()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// A verifying and an issuing journey from end to end, and every secret and personal value that went by.
async fn journeys(world: &World) -> BTreeMap<&'static str, String> {
    let mut secrets = BTreeMap::new();
    let party = world.party("plain");
    let issuer = world.party("v2");
    let hint = world.hint(&issuer, |_| ());
    secrets.insert("the draft", hint.clone());
    let issuing = Waiting::to_issue(world, "v2").await;
    let offered = offer(&issuing.link()).await;
    secrets.insert("the pre-authorized code", offered.code.clone());
    let given = token(&offered.issuer, &offered.code).await;
    let bearer = given.json["access_token"].as_str().unwrap().to_owned();
    let wallet = crate::raw_wallet::RawWallet::new();
    let now = world.now();
    let body = wallet.request(&offered.issuer, CONFIGURATION, now).await;
    secrets.insert(
        "a key proof",
        body["proofs"]["jwt"][0].as_str().unwrap().into(),
    );
    let answer = crate::raw_wallet::credential(&offered.issuer, &bearer, &body).await;
    secrets.insert("the wallet's access token", bearer.clone());
    let card = answer.json["credentials"][0]["credential"]
        .as_str()
        .unwrap();
    secrets.insert("a credential", card.to_owned());
    let id = answer.json["notification_id"].as_str().unwrap();
    let accepted = json!({"notification_id": id, "event": "credential_accepted", "event_description": "described-by-wallet"});
    notify(&offered.issuer, &bearer, &accepted).await;
    secrets.insert("a wallet's words", "described-by-wallet".into());

    let scope = format!("openid {TYPE}");
    let address = world.pushed(&party, |form| {
        form.set("scope", &scope);
        form.set("state", "state-of-the-relying-party");
        form.set("nonce", "nonce-of-the-relying-party");
    });
    let address = address.await;
    secrets.insert("state", "state-of-the-relying-party".into());
    secrets.insert("nonce", "nonce-of-the-relying-party".into());
    secrets.insert(
        "request_uri",
        address.rsplit(':').next().unwrap().to_owned(),
    );
    let browser = Browser::new();
    let page = browser.open(&address).await;
    secrets.insert(
        "the page's address",
        page.url.rsplit('/').next().unwrap().to_owned(),
    );
    let requested = request(&page.link("open-wallet-here")).await;
    secrets.insert("the request's nonce", requested.text_of("nonce"));
    secrets.insert("the request's state", requested.text_of("state"));
    let presented = wallet.present_w3c(card, &requested, now).await;
    let answer = requested.post(requested.answer(presented)).await;
    let back = answer.json["redirect_uri"].as_str().unwrap().to_owned();
    secrets.insert(
        "the response code",
        back.split_once('=').unwrap().1.to_owned(),
    );
    let code = browser.open(&back).await.code();
    let collected = world.token(&party, |form| form.code(&code)).await;
    assert_eq!(collected.status, StatusCode::OK, "{}", collected.body);
    secrets.insert("the code", code);
    secrets.insert("the verifier", crate::world::verifier());
    secrets.insert(
        "an ID token",
        collected.json["id_token"].as_str().unwrap().into(),
    );
    secrets.insert("a client's secret", party.secret.clone());
    secrets.insert("a signing key", issuer.signing_key.to_base64().to_string());
    secrets.insert("a person", UNIQUE_IDENTIFIER.into());
    secrets.insert("a claim", "Cardiology".into());
    secrets
}

/// SEC-06, SEC-29: no form body, no secret, no personal value in the log, at whatever level.
#[tokio::test]
async fn the_log_names_no_secret_and_no_person() {
    let log = Log::start();
    let world = World::start().await;
    let secrets = journeys(&world).await;
    // And where things go wrong.
    let party = world.party("plain");
    let wrong = world.push(&party, |form| {
        form.set("client_secret", "a-secret-of-somebody-else");
        form.set("redirect_uri", "https://nowhere.example/of-somebody");
    });
    assert_eq!(wrong.await.status, StatusCode::UNAUTHORIZED);
    let log = log.text();
    assert!(log.contains("token collected"), "the log is there: {log}");
    for (name, secret) in &secrets {
        assert!(!log.contains(secret.as_str()), "{name} is in the log");
    }
    assert!(!log.contains("of-somebody"));
}

/// SEC-35: nobody writes a line of the log.
#[tokio::test]
async fn nothing_that_is_sent_begins_a_line_of_the_log() {
    let log = Log::start();
    let world = World::start().await;
    let line = "x\r\n2026-01-01T00:00:00Z ERROR forged\u{202e}\u{1b}[31m";
    let serial = world.issue_identity("anna").await;
    for party in ["plain", "v2"] {
        let party = world.party(party);
        for name in [
            "client_id",
            "scope",
            "state",
            "redirect_uri",
            "id_token_hint",
            "prompt",
        ] {
            world.push(&party, |form| form.set(name, line)).await;
        }
        world.token(&party, |form| form.code(line)).await;
        let revoked = world.revoke(&party, &serial, |body| {
            body.insert("CredentialTemplateName".into(), "Identity".into());
            body.insert("RevocationReason".into(), line.into());
        });
        assert_eq!(revoked.await.status, StatusCode::NO_CONTENT);
    }
    let stage_request = request(&Waiting::to_verify(&world, "Identity").await.link()).await;
    let no = standards::oauth::form::encode([
        ("error", "access_denied"),
        ("error_description", line),
        ("state", stage_request.text_of("state").as_str()),
    ]);
    stage_request.post(no).await;
    let escaped = standards::oauth::form::encode([("client_id", line)]);
    read(client().get(world.url(&format!("/authorize?{escaped}")))).await;
    post_to(&world.url("/issuers/anytown/token"), escaped).await;
    let log = log.text();
    assert!(log.contains("credential revoked"), "the log is there");
    for written in log.lines() {
        let begins = written.trim_start_matches(['\r', ' ']);
        assert!(!begins.starts_with("2026-01-01T00:00:00Z"), "{written:?}");
    }
    assert!(!log.contains('\u{202e}') && !log.contains('\u{1b}'));
}

/// SEC-37: who has a copy of the database has no personal value and nothing that opens anything.
#[tokio::test]
async fn a_copy_of_the_database_shows_no_secret_and_no_person() {
    let world = World::start().await;
    let secrets = journeys(&world).await;
    // Some that are still in use.
    let open = Waiting::to_issue(&world, "v2").await;
    let offered = offer(&open.link()).await;
    let verifying = Waiting::to_verify(&world, TYPE).await;
    let requested = request(&verifying.link()).await;
    world.gateway.close().await;
    let file = world.config.database.strip_prefix("sqlite:").unwrap();
    let mut bytes = Vec::new();
    for end in ["", "-wal", "-journal"] {
        bytes.extend(std::fs::read(format!("{file}{end}")).unwrap_or_default());
    }
    let found = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(found("anytown"), "the database is there");
    let used = secrets.iter().map(|(name, secret)| (*name, secret.clone()));
    let live = [
        ("a pre-authorized code in use", offered.code),
        ("a nonce in use", requested.text_of("nonce")),
        ("a state in use", requested.text_of("state")),
        ("a draft in use", "Postgraduate doctor".to_owned()),
    ];
    for (name, secret) in used.chain(live) {
        // Ids that find a row; without the browser's cookie they open nothing (SEC-29).
        if name != "the page's address" {
            assert!(!found(&secret), "{name} is in the database");
        }
    }
}

/// SEC-29: page, wallet link, wallet state, nonce, response code, cookie and code: none leads to another.
#[tokio::test]
async fn the_secrets_of_an_interaction_have_nothing_in_common() {
    let stage = Stage::set().await;
    let world = &stage.world;
    let party = world.party("plain");
    let address = world.pushed(&party, |form| form.set("scope", &format!("openid {TYPE}")));
    let address = address.await;
    let new = read(client().get(&address)).await;
    let cookie = new.headers["set-cookie"].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let opened = read(client().get(&address).header("cookie", &cookie)).await;
    let get =
        async |path: &str| read(client().get(world.url(path)).header("cookie", &cookie)).await;
    let page_path = opened.headers["location"].to_str().unwrap().to_owned();
    let page = crate::world::Page {
        url: world.url(&page_path),
        status: StatusCode::OK,
        html: get(&page_path).await.body,
    };
    let last = |text: &str| text.rsplit(['/', '=', ':', '.']).next().unwrap().to_owned();
    let across = follow(&page.link("open-wallet")).await;
    let link = |link: &str| last(&percent_decoded(link.split("request_uri=").nth(1).unwrap()));
    let here = page.link("open-wallet-here");
    let requested = request(&here).await;
    let answer = requested.post(stage.good(&requested).await).await;
    let back = answer.json["redirect_uri"].as_str().unwrap().to_owned();
    let returned = get(&back[world.base.len()..]).await;
    assert_eq!(returned.status, StatusCode::SEE_OTHER);
    let led = get(&page_path).await;
    let location = led.headers["location"].to_str().unwrap().to_owned();
    let code = location.split_once("code=").unwrap().1;
    let code = code.split('&').next().unwrap().to_owned();
    let secrets = [
        ("page", last(&page_path)),
        ("link", link(&across)),
        ("link here", link(&here)),
        ("request_uri", last(&address)),
        ("cookie", last(&cookie)),
        ("state", requested.text_of("state")),
        ("nonce", requested.text_of("nonce")),
        ("response code", last(&back)),
        ("code", code),
    ];
    for (at, (name, secret)) in secrets.iter().enumerate() {
        let bytes = standards::base64url::decode(secret).unwrap();
        assert!(bytes.len() >= 16, "{name} has {} bytes", bytes.len());
        for (other, text) in &secrets[at + 1..] {
            let (short, long) = if secret.len() < text.len() {
                (secret, text)
            } else {
                (text, secret)
            };
            assert!(!long.contains(&short[..8]), "{name} and {other}");
        }
    }
}

fn percent_decoded(text: &str) -> String {
    let pair = format!("v={}", text.split('&').next().unwrap());
    let form = standards::oauth::Form::parse(pair.as_bytes()).unwrap();
    form.find("v").unwrap().to_owned()
}

/// SEC-30: what a camera sees, and what stands in a history, is an address and no more.
#[tokio::test]
async fn no_code_link_or_address_holds_a_personal_value() {
    let world = World::start().await;
    let party: Party = world.party("v2");
    let hint = world.hint(&party, |_| ());
    let pushed = world.pushed(&party, |form| form.issue(TYPE, &hint)).await;
    let issuing = Browser::new().open(&pushed).await;
    let verifying = Waiting::to_verify(&world, TYPE).await.page;
    for (page, scheme) in [
        (&issuing, "openid-credential-offer://?"),
        (&verifying, "openid4vp://?"),
    ] {
        let mut seen = vec![page.url.clone(), pushed.clone()];
        for id in ["open-wallet", "open-wallet-here"] {
            let link = page.link(id);
            let own = format!("{}/w/", world.base);
            assert!(link.starts_with(scheme) || link.starts_with(&own), "{link}");
            seen.push(follow(&link).await);
            assert!(seen.last().unwrap().starts_with(scheme));
            seen.push(link);
        }
        let programme = crate::world::programme();
        let values = programme.values().filter_map(Value::as_str);
        // Shorter ones are words of the page, too.
        for value in values.filter(|value| value.len() > 8) {
            for text in &seen {
                assert!(!percent(text).contains(value), "{value} in {text}");
            }
            assert!(!page.html.contains(value), "{value} on the page");
        }
    }
}

/// With escapes undone, as far as they can be.
fn percent(text: &str) -> String {
    let bytes = text
        .replace('+', " ")
        .replace("%20", " ")
        .replace("%2D", "-");
    bytes.replace("%2d", "-")
}

/// SEC-06, rulings 23: secrets are registered as digests, and a new one is taken beside the old until that is removed.
#[tokio::test]
async fn a_clients_secret_is_a_digest_and_can_be_exchanged_without_a_gap() {
    let world = World::start().await;
    let digest = |secret: &str| {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
        hex::encode(digest)
    };
    let surroundings = || gateway::Surroundings {
        clock: world.clock.clone(),
        sandbox: true,
        ..gateway::Surroundings::production()
    };
    for (registered, old, new) in [
        (vec!["old"], true, false),
        (vec!["old", "new"], true, true),
        (vec!["new"], false, true),
    ] {
        let mut config = world.config.clone();
        let party = &mut config.organisations[0].relying_parties;
        let party = party
            .iter_mut()
            .find(|party| party.client_id == "plain")
            .unwrap();
        party.client_secret_sha256 = registered.iter().map(|secret| digest(secret)).collect();
        let gateway = gateway::Gateway::compose(&config, surroundings())
            .await
            .unwrap();
        let party = gateway
            .app()
            .organisations
            .relying_party("plain")
            .unwrap()
            .clone();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let knows = |secret: &str| party.knows(secret, now).is_some();
        assert_eq!((knows("old"), knows("new")), (old, new));
        assert!(!knows("") && !knows(&digest("old")));
    }
    let mut config = world.config.clone();
    config.organisations[0].relying_parties[0].client_secret_sha256 = vec!["in the clear".into()];
    let refused = gateway::Gateway::compose(&config, surroundings()).await;
    assert!(
        refused
            .err()
            .unwrap()
            .to_string()
            .contains("client_secret_sha256")
    );
}
