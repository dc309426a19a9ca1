//! People who come and go while something breaks: what they were told is written down, and must be true afterwards.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use store::Statement;
use uuid::Uuid;

use crate::admin_command::verified_audit;
use crate::by_hand::{Answer, Journey, Step, revoke};
use crate::events;
use crate::holder::{Format, Holder};
use crate::operated::Operated;

/// As long as anybody asks again.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(200);

/// What the gateway acknowledged.
#[derive(Default, Debug)]
pub(crate) struct Told {
    /// The wallet has the credential.
    pub(crate) in_wallet: Vec<Uuid>,
    /// And the relying party its token.
    pub(crate) issued: Vec<Uuid>,
    /// And it was revoked.
    pub(crate) revoked: Vec<Uuid>,
    /// Journeys that had to be begun again, since an answer was lost.
    pub(crate) begun_again: usize,
    /// Answers that did not come, or said that something is broken.
    pub(crate) broken: usize,
}

/// Lets people come and go until the flag is set.
pub(crate) async fn come_and_go(gateway: &Operated, told: &Mutex<Told>, is_over: &AtomicBool) {
    let mut number = 0;
    while !is_over.load(Ordering::Relaxed) {
        number += 1;
        if !issue(gateway, told, number % 2 == 0).await {
            told.lock().unwrap().begun_again += 1;
        }
    }
}

/// Whether it came to its end.
async fn issue(gateway: &Operated, told: &Mutex<Told>, is_revoked: bool) -> bool {
    let mut journey = Journey::to_issue();
    let mut holder = Holder::new(Format::W3c);
    for step in journey.steps() {
        let Some(answer) = ask(gateway, told, &mut journey, &holder, *step).await else {
            return false;
        };
        journey.hear(*step, gateway, &mut holder, &answer);
        if *step == Step::Credential {
            told.lock().unwrap().in_wallet.push(journey.serial_number);
        }
    }
    told.lock().unwrap().issued.push(journey.serial_number);
    if is_revoked && revoke(gateway, journey.serial_number).await == StatusCode::NO_CONTENT {
        told.lock().unwrap().revoked.push(journey.serial_number);
    }
    true
}

/// Asks until there is an answer; `None` if it says that the first question counted and its answer is lost.
async fn ask(
    gateway: &Operated,
    told: &Mutex<Told>,
    journey: &mut Journey,
    holder: &Holder,
    step: Step,
) -> Option<Answer> {
    let began = Instant::now();
    let mut is_repeated = false;
    while began.elapsed() < PATIENCE {
        let client = gateway.client(&journey.cookies);
        let Some(request) = journey.try_request(step, gateway, holder).await else {
            told.lock().unwrap().broken += 1;
            is_repeated = true;
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let answer = match client.execute(request).await {
            Ok(response) => Answer::read(response).await.ok(),
            Err(_) => None,
        };
        match answer {
            Some(answer) if answer.status.is_server_error() => {}
            Some(answer) if answer.status.is_client_error() && is_repeated => return None,
            // The page is not ready to lead back: a wallet's answer was lost.
            Some(answer) if is_repeated && step == Step::Back && answer.location.is_empty() => {
                return None;
            }
            Some(answer) => return Some(answer),
            None => {}
        }
        told.lock().unwrap().broken += 1;
        is_repeated = true;
        tokio::time::sleep(PAUSE).await;
    }
    panic!("{step:?}: no answer for {PATIENCE:?}");
}

/// Everything that was told is so, and nothing happened twice.
pub(crate) async fn is_true(gateway: &Operated, told: &Told) {
    let select = "SELECT serial_number, revoked_at, list, list_index FROM credentials";
    let rows = gateway.rows(Statement::new(select)).await;
    let (mut known, mut in_force, mut entries) = (HashSet::new(), HashSet::new(), HashSet::new());
    for row in &rows {
        let serial_number: Uuid = row.text("serial_number").unwrap().parse().unwrap();
        assert!(known.insert(serial_number), "{serial_number} twice");
        let entry = (
            row.integer("list").unwrap(),
            row.integer("list_index").unwrap(),
        );
        assert!(
            entries.insert(entry),
            "an entry of a status list was given out twice"
        );
        if row.optional_integer("revoked_at").unwrap().is_none() {
            in_force.insert(serial_number);
        }
    }
    for serial_number in &told.in_wallet {
        assert!(
            known.contains(serial_number),
            "{serial_number} is in a wallet, and lost"
        );
    }
    for serial_number in &told.revoked {
        assert!(
            !in_force.contains(serial_number),
            "{serial_number} was revoked, and is not"
        );
    }
    events::add_up(gateway).await;
    is_in_the_audit(gateway, &told.revoked).await;
    println!(
        "{} in wallets, {} issued, {} revoked; {} begun again, {} answers lost",
        told.in_wallet.len(),
        told.issued.len(),
        told.revoked.len(),
        told.begun_again,
        told.broken
    );
}

/// Whoever was told of a revocation was told of its entry as well: each is there once, and all of them are as they were
/// written.
async fn is_in_the_audit(gateway: &Operated, revoked: &[Uuid]) {
    let config = gateway.config_file();
    let said = verified_audit(config.to_str().unwrap());
    assert!(said.contains("everything is as it was written"), "{said}");
    let select = "SELECT object FROM audit_entries WHERE act = 'credential-revoked'";
    let entries = gateway.rows(Statement::new(select)).await;
    for serial_number in revoked {
        let object = format!("credential:{serial_number}");
        let about = entries
            .iter()
            .filter(|row| row.text("object").unwrap() == object);
        assert_eq!(about.count(), 1, "entries of {serial_number}");
    }
}
