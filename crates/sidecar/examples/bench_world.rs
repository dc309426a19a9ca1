//! `cargo xtask bench connector`: a feed of changes over everything that is out, and what follows from it.
//!
//! `bench_world LANYARD FOLDER RECORDS OUT AFFECTED`: a gateway, wallets and a mail server in this process; `lanyard
//! connector`, whose figures count, in a process of its own. The gateway really issues AFFECTED credentials, into wallets;
//! of the others, up to OUT, the connector has its own rows only. Then RECORDS lines, all `changed`, are sent in one feed;
//! AFFECTED of them say something else. The figures go to standard output as JSON. Whatever is not as due ends the run.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[allow(dead_code)]
#[path = "../../connector/tests/it/desk/browser.rs"]
mod browser;
/// What the browser asks its world.
mod world {
    /// Nobody listens there.
    pub(crate) const REDIRECT_URI: &str = "https://staff.example/callback";
}

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use connector::config::GatewayConfig;
use connector::desk::Record;
use connector::{Callback, Connector, Dialect, Draft, Http, HttpOptions, SecretSource};
use futures_util::{StreamExt as _, stream};
use gateway::config::{OrganisationConfig, RelyingPartyConfig, Secret};
use gateway::{Gateway, Surroundings};
use jiff::Timestamp;
use mail_catcher::Catcher;
use reqwest::Url;
use serde_json::{Value, json};
use store::{Statement, Store};
use uuid::Uuid;
use wallet::{Scan, Wallet};
use zeroize::Zeroizing;

use browser::Browser;
use world::REDIRECT_URI;

const CLIENT_SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
/// Wallets at once, while credentials are issued.
const WALLETS: usize = 16;
/// Between two questions about a state, while the feed runs.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// What goes on while states are asked.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
enum Phase {
    Feed,
    Revoking,
    Over,
}

struct Sidecar {
    process: Child,
    base: String,
    key: String,
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, folder, counts @ ..] = arguments.as_slice() else {
        panic!("bench_world LANYARD FOLDER RECORDS OUT AFFECTED");
    };
    let counts: Vec<usize> = counts.iter().map(|text| text.parse().unwrap()).collect();
    let [records, out, affected] = counts[..] else {
        panic!("bench_world LANYARD FOLDER RECORDS OUT AFFECTED");
    };
    let folder = PathBuf::from(folder);
    let (gateway, working) = start_gateway(&folder).await;
    let smtp = start_mail(&folder);
    let began = Instant::now();
    let issued = issue(&gateway, &folder, affected).await;
    eprintln!(
        "{affected} credentials issued in {:.0} s",
        began.elapsed().as_secs_f64()
    );
    seed(&folder, &issued, out).await;
    let export = export(records, affected);
    let sidecar = start_sidecar(Path::new(program), &folder, &gateway, smtp).await;

    let phase = Arc::new(AtomicU8::new(Phase::Feed as u8));
    let asking = tokio::spawn(ask_states(
        sidecar.base.clone(),
        sidecar.key.clone(),
        out,
        Arc::clone(&phase),
    ));
    let began = Instant::now();
    let applied = feed(&sidecar, export).await;
    let fed = began.elapsed();
    phase.store(Phase::Revoking as u8, Ordering::Relaxed);
    assert_eq!(applied["read"], records);
    assert_eq!(applied["revocations"], affected, "only the affected ones");
    assert_eq!(applied["refused_lines"], 0);
    wait_until_revoked(&sidecar, affected).await;
    let revoked = began.elapsed();
    phase.store(Phase::Over as u8, Ordering::Relaxed);
    let waits = asking.await.unwrap();
    let expected: HashSet<Uuid> = issued.into_iter().collect();
    assert_eq!(revoked_serials(&sidecar).await, expected, "these, no other");
    assert_eq!(mails_written(&folder).await, affected, "one mail for each");
    println!(
        "{}",
        json!({
            "records": records, "out": out, "affected": affected,
            "feed_seconds": fed.as_secs_f64(),
            "revoked_seconds": revoked.as_secs_f64(),
            "peak": peak_memory(sidecar.process.id()),
            "states": spread(&waits, Phase::Feed),
            "states_revoking": spread(&waits, Phase::Revoking),
        })
    );
    working.abort();
}

/// A gateway on this machine, as a configuration in real use has it.
async fn start_gateway(folder: &Path) -> (GatewayConfig, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let held = |secret: &str| Secret::Held(Zeroizing::new(secret.to_owned()));
    let key = standards::jose::hmac_key::HmacKey::generate()
        .unwrap()
        .to_base64();
    let v2 = gateway::organisation::dialect::Dialect::V2;
    let config = gateway::Config {
        limits: gateway::limits::LimitsConfig::sandbox(),
        organisations: vec![OrganisationConfig {
            id: "anytown".to_owned(),
            name: "Anytown NHS Trust".to_owned(),
            did: None,
            brand: None,
            certificate_chains: Vec::new(),
            fetch_hosts: None,
            registered: false,
            trust: vec![],
            issues: vec!["TrainingProgramme".to_owned()],
            relying_parties: vec![RelyingPartyConfig {
                client_secret_sha256: vec![sidecar::sha256_of(CLIENT_SECRET)],
                signing_key: Some(held(&key)),
                redirect_uris: vec![REDIRECT_URI.to_owned()],
                ..RelyingPartyConfig::new("portal", "Anytown", v2)
            }],
        }],
        ..gateway::Config::sandboxed(
            base.parse().unwrap(),
            folder,
            "a-storage-secret-of-a-benchmark-0123456789",
        )
    };
    gateway::create_keys(&config, true).unwrap();
    let surroundings = Surroundings {
        sandbox: true,
        ..Surroundings::production()
    };
    let gateway = Gateway::compose(&config, surroundings).await.unwrap();
    let router = gateway.router();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let working = tokio::spawn(async move { gateway.keep_working().await });
    let settings = GatewayConfig {
        url: Url::parse(&base).unwrap(),
        dialect: Dialect::V2,
        client_id: "portal".to_owned(),
        client_secret: SecretSource::held(CLIENT_SECRET),
        signing_key: SecretSource::held(key.as_str()),
        organisation_id: "anytown".to_owned(),
        certificate_authority: None,
        journey_seconds: 48 * 60,
        answer_seconds: 45,
    };
    (settings, working)
}

/// The port of a mail server that takes everything.
fn start_mail(folder: &Path) -> u16 {
    let catcher = Catcher::open(&folder.join("mail"), Arc::new(Timestamp::now)).unwrap();
    let smtp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    smtp.set_nonblocking(true).unwrap();
    let port = smtp.local_addr().unwrap().port();
    tokio::spawn(async move { catcher.serve_smtp(vec![smtp]).await });
    port
}

/// What record `nth` says; `version` 0 is what was issued of it.
fn record(nth: usize, version: u32) -> Record {
    let claims = [
        ("TPR-Name", format!("Cardiology {version}")),
        ("TPR-ProgrammeStartDate", "2026-08-05".to_owned()),
        ("TPR-ProgrammeEndDate", "2028-08-01".to_owned()),
        ("TPR-Origin", "NHS England".to_owned()),
        (
            "TPR-AssurancePolicy",
            "Trainee programme assessment".to_owned(),
        ),
        (
            "TPR-AssuranceOutcome",
            "Trainee programme registration".to_owned(),
        ),
        ("TPR-Provider", "NHS England".to_owned()),
        ("TPR-Verifier", "Origin".to_owned()),
        ("TPR-VerificationMethod", "Record Verification".to_owned()),
        ("TPR-Pedigree", "Authoritative".to_owned()),
        ("TPR-LastRefresh", "2026-11-01".to_owned()),
    ];
    let claims = claims.map(|(name, value)| (name.to_owned(), value));
    Record {
        id: format!("r-{nth}"),
        credential_type: "TrainingProgramme".to_owned(),
        label: "Training programme".to_owned(),
        claims: BTreeMap::from(claims),
        expires_at: None,
    }
}

/// Puts credentials of the first records into wallets: their serial numbers, in the records' order.
async fn issue(gateway: &GatewayConfig, folder: &Path, count: usize) -> Vec<Uuid> {
    let redirect_uri = Url::parse(REDIRECT_URI).unwrap();
    let settings = gateway.settings(redirect_uri, true).unwrap();
    let http = Http::new(HttpOptions::default()).unwrap();
    let connector = Arc::new(Connector::discover(settings, http).await.unwrap());
    let wallet = Wallet::open(&folder.join("wallet"), wallet::Options::default()).unwrap();
    // A wallet of some hundred credentials, as no person has: a new one for each hundred.
    stream::iter(0..count)
        .map(|nth| {
            let (connector, wallet) = (Arc::clone(&connector), wallet.clone());
            tokio::spawn(async move {
                let holder = format!("holder-{}", nth / 100);
                if nth % 100 == 0 {
                    wallet.add_holder(&holder, &holder).unwrap();
                }
                let mut draft = Draft::new("TrainingProgramme")
                    .claim("UniqueIdentifier", Uuid::new_v4().to_string());
                for (name, value) in record(nth, 0).claims {
                    draft = draft.claim(name, value);
                }
                let started = connector.issue(draft).await.unwrap();
                let browser = Browser::new();
                let page = browser.open(started.url.as_str()).await;
                let scan = Scan {
                    link: page.link("open-wallet"),
                    consent: true,
                    choose: Vec::new(),
                    transaction_code: None,
                };
                wallet.scan(&holder, scan).await.unwrap();
                let query = browser.back_from(&page).await;
                let serial_number = started.pending.serial_number().unwrap();
                let callback = Callback::parse(&query).unwrap();
                connector.finish(started.pending, callback).await.unwrap();
                serial_number
            })
        })
        .buffered(WALLETS)
        .map(Result::unwrap)
        .collect()
        .await
}

/// The sidecar's rows, as they are when so many credentials are out.
async fn seed(folder: &Path, issued: &[Uuid], out: usize) {
    let file = folder.join("connector.db");
    let address = format!("sqlite:{}", file.display()).parse().unwrap();
    let parties = [connector::desk::MIGRATIONS, sidecar::MIGRATIONS];
    let store = Store::open(&address, &parties).await.unwrap();
    let now = Timestamp::now();
    let mut batch = Vec::new();
    for nth in 0..out {
        let record = record(nth, 0);
        let serial_number = issued.get(nth).copied().unwrap_or_else(Uuid::new_v4);
        let employee = format!("e-{nth}");
        let credential = Statement::new(
            "INSERT INTO connector_credentials (serial_number, employee, nth, record, credential_type, label, digest, \
             stage, started_at, stage_at, issued_at) VALUES ($1, $2, 1, $3, $4, $5, $6, 'issued', $7, $7, $7)",
        )
        .bind(serial_number.to_string())
        .bind(&employee)
        .bind(&record.id)
        .bind(&record.credential_type)
        .bind(&record.label)
        .bind(record.digest())
        .bind(now);
        let person = Statement::new(
            "INSERT INTO connector_people (employee, first_name, email) VALUES ($1, 'Anna', $2)",
        )
        .bind(&employee)
        .bind(format!("{employee}@anytown.example"));
        let known = Statement::new(
            "INSERT INTO sidecar_records (record, employee, digest, told_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(&record.id)
        .bind(&employee)
        .bind(record.digest())
        .bind(now);
        batch.extend([credential, person, known]);
        if batch.len() >= 3000 {
            store.write(std::mem::take(&mut batch)).await.unwrap();
        }
    }
    store.write(batch).await.unwrap();
    store.close().await;
}

async fn start_sidecar(
    program: &Path,
    folder: &Path,
    gateway: &GatewayConfig,
    smtp: u16,
) -> Sidecar {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = free.local_addr().unwrap();
    drop(free);
    let (key, sha256) = sidecar::new_api_key().unwrap();
    let written = |name: &str, secret: &SecretSource| {
        let file = folder.join(name);
        std::fs::write(&file, secret.read().unwrap().as_bytes()).unwrap();
        file
    };
    let secret = written("client-secret", &gateway.client_secret);
    let signing_key = written("signing-key", &gateway.signing_key);
    let config = format!(
        "listen = \"{listen}\"\ndatabase = \"sqlite:{database}\"\norganisation = \"Anytown NHS Trust\"\n\
         redirect_uri = \"{REDIRECT_URI}\"\n\
         [gateway]\nurl = \"{url}\"\ndialect = \"v2\"\nclient_id = \"portal\"\norganisation_id = \"anytown\"\n\
         client_secret = {{ file = \"{secret}\" }}\nsigning_key = {{ file = \"{signing_key}\" }}\n\
         [[api_keys]]\nname = \"bench\"\nsha256 = \"{sha256}\"\n\
         [mail]\nhost = \"127.0.0.1\"\nport = {smtp}\nsecurity = \"loopback\"\n\
         from = \"learning@anytown.example\"\ncontact = \"hr@anytown.example\"\n",
        database = folder.join("connector.db").display(),
        url = gateway.url,
        secret = secret.display(),
        signing_key = signing_key.display(),
    );
    let file = folder.join("connector.toml");
    std::fs::write(&file, config).unwrap();
    let process = Command::new(program)
        .args(["connector", "--config"])
        .arg(&file)
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let base = format!("http://{listen}");
    let sidecar = Sidecar { process, base, key };
    for _ in 0..200 {
        if reqwest::get(format!("{}/readyz", sidecar.base))
            .await
            .is_ok()
        {
            return sidecar;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the connector does not start");
}

/// Every record there is, as a nightly export writes them; the first ones say something else than what was issued.
fn export(records: usize, affected: usize) -> String {
    let mut text = String::new();
    for nth in 0..records {
        let record = record(nth, u32::from(nth < affected));
        let line = json!({
            "change": "changed", "record": record.id, "credential_type": record.credential_type,
            "claims": record.claims,
        });
        text += &line.to_string();
        text.push('\n');
    }
    text
}

async fn feed(sidecar: &Sidecar, export: String) -> Value {
    let answer = reqwest::Client::new()
        .post(format!("{}/v1/changes", sidecar.base))
        .bearer_auth(&sidecar.key)
        .header("content-type", "application/x-ndjson")
        .body(export)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

/// How long the answers of one phase took.
fn spread(waits: &[(u8, Duration)], phase: Phase) -> Value {
    let of_phase = waits.iter().filter(|(when, _)| *when == phase as u8);
    let mut waits: Vec<Duration> = of_phase.map(|(_, wait)| *wait).collect();
    waits.sort_unstable();
    let at = |hundredth: usize| waits[(waits.len() - 1) * hundredth / 100].as_micros();
    json!({ "count": waits.len(), "p50_us": at(50), "p99_us": at(99), "worst_us": at(100) })
}

/// Asks for somebody's states again and again, by the clock: in which phase each question was asked, and how long after its
/// time its answer came. A question that had to wait for the answer before it waits on its own account, too.
async fn ask_states(
    base: String,
    key: String,
    out: usize,
    phase: Arc<AtomicU8>,
) -> Vec<(u8, Duration)> {
    let client = reqwest::Client::new();
    let mut waits = Vec::new();
    let mut nth = 0;
    let mut times = tokio::time::interval(ASK_EVERY);
    loop {
        let began = times.tick().await;
        let asked_in = phase.load(Ordering::Relaxed);
        if asked_in == Phase::Over as u8 {
            return waits;
        }
        nth = (nth + 7919) % out;
        let body =
            json!({ "employee": format!("e-{nth}"), "records": [{ "id": format!("r-{nth}") }] });
        let answer = client
            .post(format!("{base}/v1/states"))
            .bearer_auth(&key)
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let states: Value = answer.json().await.unwrap();
        waits.push((asked_in, began.elapsed()));
        let state = states["states"][0]["state"].as_str().unwrap();
        assert!(
            ["added", "changed", "cancelled"].contains(&state),
            "{state}"
        );
    }
}

/// Until as many as are affected are revoked.
async fn wait_until_revoked(sidecar: &Sidecar, affected: usize) {
    while events_after(sidecar, affected).await["last_sequence"] != affected {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn events_after(sidecar: &Sidecar, sequence: usize) -> Value {
    let answer = reqwest::Client::new()
        .get(format!("{}/v1/events?after={sequence}", sidecar.base))
        .bearer_auth(&sidecar.key)
        .send();
    answer.await.unwrap().json().await.unwrap()
}

/// Of which credentials the connector told that they are revoked.
async fn revoked_serials(sidecar: &Sidecar) -> HashSet<Uuid> {
    let (mut serials, mut read) = (HashSet::new(), 0);
    loop {
        let told = events_after(sidecar, read).await;
        let events = told["events"].as_array().unwrap();
        if events.is_empty() {
            return serials;
        }
        read += events.len();
        for event in events {
            let event = &event["event"];
            assert_eq!(event["type"], "credential.revoked");
            let serial = event["data"]["serial_number"].as_str().unwrap();
            assert!(serials.insert(serial.parse().unwrap()), "told twice");
        }
    }
}

/// How many mails were written, sent or not.
async fn mails_written(folder: &Path) -> usize {
    let file = folder.join("connector.db");
    let address = format!("sqlite:{}", file.display()).parse().unwrap();
    let store = Store::open(&address, &[]).await.unwrap();
    let count = Statement::new("SELECT COUNT(*) AS mails FROM connector_mails");
    let row = store.read_one(count).await.unwrap().unwrap();
    let mails = row.integer("mails").unwrap();
    store.close().await;
    mails.try_into().unwrap()
}

/// The most memory that the process ever held, in bytes.
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    let kilobytes = line.split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() * 1024
}
