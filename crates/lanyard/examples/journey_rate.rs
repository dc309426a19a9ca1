//! How many journeys a second: `cargo run --release -p lanyard --example journey_rate [JOURNEYS] [AT ONCE]`.
//!
//! One journey is one verification and one issue, each from the relying party's push to its token, over HTTP, on a
//! SQLite database that writes through to the disk. Gateway, relying party, browser and wallet share this machine's
//! cores, so the figure is a floor for the gateway alone. It is printed beside the estimate that the work of the
//! gateway itself (signatures, QR codes, durable writes, HTTP) allows on one core; nothing here passes or fails.

#![allow(clippy::cast_precision_loss)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use connector::{Callback, Connector, Dialect, Draft, Http, HttpOptions, Returned, Settings};
use lanyard::browser::{Arrived, Browser};
use lanyard::sandbox::{self, Running};
use wallet::client::Client;
use wallet::{Outcome, Scan};

/// CPU time of the gateway for one journey with ES256 ID tokens, by adding up measured parts.
const ESTIMATED_MICROSECONDS: u32 = 830;

/// Employees with a good identity credential. The test wallet lets one holder do one thing at a time.
const CASES: [&str; 8] = [
    "match",
    "hyphen",
    "apostrophe",
    "diacritics",
    "two-first-names",
    "surname-mismatch",
    "birth-date-mismatch",
    "not-applicable",
];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut arguments = std::env::args().skip(1);
    let mut number = |otherwise: usize| arguments.next().map_or(Ok(otherwise), |text| text.parse());
    let (journeys, at_once) = (number(400)?, number(8)?);

    let folder = std::env::temp_dir().join(format!("lanyard-rate-{}", std::process::id()));
    let options = sandbox::Options {
        data: folder.clone(),
        base_port: 28_400,
        database: None,
        public_url: None,
        tls_cert: None,
        tls_key: None,
        fresh: true,
    };
    let running = Arc::new(sandbox::start(&options).await?);
    let began = Instant::now();
    let mut workers = Vec::new();
    for worker in 0..at_once {
        let running = running.clone();
        workers.push(tokio::spawn(async move {
            let mut took = Vec::new();
            for _ in 0..journeys / at_once {
                let began = Instant::now();
                play(&running, CASES[worker % CASES.len()]).await?;
                took.push(began.elapsed());
            }
            anyhow::Ok(took)
        }));
    }
    let mut took: Vec<Duration> = Vec::new();
    for worker in workers {
        took.extend(worker.await??);
    }
    let all = began.elapsed();
    took.sort();

    let rate = took.len() as f64 / all.as_secs_f64();
    let cores = std::thread::available_parallelism()?.get();
    println!(
        "{} journeys in {:.1} s, {at_once} at once: {rate:.0} a second",
        took.len(),
        all.as_secs_f64()
    );
    println!(
        "one journey: median {:?}, slowest of a hundred {:?}",
        took[took.len() / 2],
        took[took.len() * 99 / 100]
    );
    println!(
        "the gateway's own work is estimated at {ESTIMATED_MICROSECONDS} µs: {:.0} a second on this machine's {cores} cores, if nothing else used them",
        1e6 / f64::from(ESTIMATED_MICROSECONDS) * cores as f64,
    );
    if let Ok(running) = Arc::try_unwrap(running) {
        running.stop().await;
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// One verification and one issue by the plain relying party, for the employee of that case.
async fn play(running: &Running, case: &str) -> anyhow::Result<()> {
    let party = running
        .file
        .relying_party(Dialect::Plain)
        .context("no plain party")?;
    let employee = running.file.employee(case).context("no employee")?;
    let redirect_uri: url::Url = party.redirect_uris[0].parse()?;
    let settings = Settings {
        gateway: running.file.urls.gateway.clone(),
        dialect: Dialect::Plain,
        push: connector::Push::Always,
        client_id: party.client_id.clone(),
        client_secret: connector::ClientSecret::new(party.client_secret.as_str()),
        signing_key: Some(connector::SigningKey::from_base64(&party.signing_key)?),
        organisation_id: party.organisation_id.clone(),
        redirect_uri: redirect_uri.clone(),
    };
    let connector = Connector::discover(settings, Http::new(HttpOptions::default())?).await?;
    let wallet = Client::new(running.file.urls.wallet.clone());

    let training = [
        ("StatMandSubject", "Fire safety"),
        ("Level", "1"),
        ("AttainmentStatus", "ACHIEVED"),
        ("CompetencyFramework", "CSTF"),
        ("CompetencyName", "Fire safety level 1"),
        ("LastDateAwarded", "2026-11-01"),
        ("RenewalPeriod", "3"),
        ("Units", "Year"),
        ("LearningMethod", "elearning"),
        ("DateTo", "2029-11-01"),
        ("Origin", "elfh Hub"),
        ("AssurancePolicy", "CSTF"),
        ("AssuranceOutcome", "Evidence of completion of topic"),
        ("Provider", "Anytown"),
        ("Verifier", "Anytown"),
        ("VerificationMethod", "elearning completion"),
        ("LastRefresh", "2026-11-01"),
    ];
    let draft = training
        .iter()
        .fold(Draft::new("FireSafety"), |draft, (name, value)| {
            draft.claim(format!("FS-{name}"), *value)
        });
    let draft = draft.claim("UniqueIdentifier", employee.unique_identifier.as_str());

    for issuing in [false, true] {
        let started = if issuing {
            connector.issue(draft.clone()).await?
        } else {
            connector.verify(&["Identity"]).await?
        };
        let browser = Browser::new(redirect_uri.clone(), None, None)?;
        let Arrived::Page(page) = browser.open(&started.url).await? else {
            bail!("no page")
        };
        let link = page.href("open-wallet").context("no link")?;
        let scanned = wallet
            .scan(
                &employee.holder,
                &Scan {
                    link,
                    consent: true,
                    choose: Vec::new(),
                },
            )
            .await?;
        if !matches!(scanned.outcome, Outcome::Presented | Outcome::Received) {
            bail!("the wallet: {:?}", scanned.reason);
        }
        let Arrived::Back(query) = browser.reload(&page).await? else {
            bail!("no way back")
        };
        match (
            connector
                .finish(started.pending, Callback::parse(&query)?)
                .await?,
            issuing,
        ) {
            (Returned::Verified(_), false) | (Returned::Issued(_), true) => {}
            _ => bail!("the gateway did something else"),
        }
    }
    Ok(())
}
