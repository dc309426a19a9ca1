//! Status lists: what it costs to publish one after a change, how soon a revocation is seen and refused, and how many verifiers
//! can ask.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH};
use serde_json::{Value, json};
use standards::status_list::{Bits, Status, StatusList};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::caller::{Caller, Drafts, IDENTITY};
use crate::http::{Answer, Connection};
use crate::party::RelyingParty;
use crate::plan::{Lists, Plan, Server};
use crate::process;
use crate::record::{self, Record, Window};
use crate::wallet::Known;

/// The organisation that `cargo xtask bench` configures, and the type that its credentials have.
const ORGANISATION: &str = "bench";
const CREDENTIAL_TYPE: &str = "FireSafety";
/// Between two looks of a verifier that waits for a revocation.
const PAUSE: Duration = Duration::from_millis(5);
/// How long a revocation may take to be seen before the run is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Fetches every list once, changes some, then asks for them as fast as it goes.
pub async fn run(plan: &Plan, lists: Lists) -> anyhow::Result<Value> {
    let number = lists.credentials.div_ceil(lists.on_a_list);
    let mut own = Connection::new(&plan.server.addresses, &plan.server.origin)?;
    let mut beside = Connection::new(&[lists.beside], &plan.server.origin)?;
    let look = || process::look_at_all(&plan.server.processes);
    let before = look()?;

    let began = Instant::now();
    let (mut bytes, mut places) = (0, Vec::new());
    for list in 1..=number {
        let path = format!("/issuers/{ORGANISATION}/status/{list}");
        let answer = fetch(&mut own, &path, None).await?.with(200, "a list")?;
        bytes += answer.body.len();
        places.push((etag(&answer)?, path));
    }
    let all_lists = began.elapsed();
    let after_lists = look()?;

    let (mut publish, mut own_seen, mut beside_seen) = (Vec::new(), Vec::new(), Vec::new());
    for change in 0..lists.changes {
        // All over the lists, and none of every fiftieth, which is revoked already.
        let credential = lists.credentials / lists.changes * change / 50 * 50 + 1 + change % 49;
        let list = credential / lists.on_a_list;
        let index = index_of(credential % lists.on_a_list);
        let path = places[usize::try_from(list)?].1.clone();
        // The other process knows the list as it is now.
        let known = etag(&fetch(&mut beside, &path, None).await?)?;
        let began = Instant::now();
        revoke(&mut own, plan, CREDENTIAL_TYPE, serial_number(credential)).await?;
        let revoked = Instant::now();
        let answer = fetch(&mut own, &path, None).await?.with(200, "a list")?;
        publish.push(revoked.elapsed());
        own_seen.push(began.elapsed());
        refused(&answer, index)?;
        loop {
            let answer = fetch(&mut beside, &path, Some(&known)).await?;
            if answer.status != 304 {
                refused(&answer.with(200, "a list")?, index)?;
                break;
            }
            anyhow::ensure!(began.elapsed() < PATIENCE, "a revocation is not seen");
            tokio::time::sleep(PAUSE).await;
        }
        beside_seen.push(began.elapsed());
    }

    let own_refused = refusals(plan, &plan.server, lists.presented, &mut own).await?;
    let there = Server {
        addresses: vec![lists.beside],
        ..plan.server.clone()
    };
    let beside_refused = refusals(plan, &there, lists.presented, &mut own).await?;

    let known = asked(plan, &places, true).await?;
    let whole = asked(plan, &places, false).await?;
    let after = look()?;
    Ok(json!({
        "lists": number,
        "mean_bytes": bytes as u64 / number,
        "all_lists_seconds": all_lists.as_secs_f64(),
        "publish": times(publish),
        "own_seen": times(own_seen),
        "beside_seen": times(beside_seen),
        "own_refused": times(own_refused),
        "beside_refused": times(beside_refused),
        "not_modified": known,
        "whole": whole,
        "resident_before": before.resident,
        "resident_with_lists": after_lists.resident,
        "resident": after.resident,
        "peak": after.peak,
    }))
}

/// How long it takes from the call that revokes to the first verification that is refused for it: so many wallets are given a
/// credential, which counts at that process, is revoked by `revoker`, and is presented again and again.
async fn refusals(
    plan: &Plan,
    verifier: &Server,
    number: u64,
    revoker: &mut Connection,
) -> anyhow::Result<Vec<Duration>> {
    let party = Arc::new(RelyingParty::discover(&plan.party, verifier).await?);
    let (known, drafts) = (Arc::<Known>::default(), Arc::new(Drafts::new()));
    let mut all = Vec::new();
    // Single requests are not what is measured here.
    let now = Instant::now();
    let nothing = Window {
        from: now,
        until: now,
    };
    for _ in 0..number {
        let record = Record::new(nothing);
        let mut caller = Caller::new(
            verifier,
            party.clone(),
            known.clone(),
            drafts.clone(),
            record,
        )?;
        let serial_number = caller.enrol().await?;
        anyhow::ensure!(
            !caller.is_refused().await?,
            "a credential is refused before it is revoked"
        );
        let began = Instant::now();
        revoke(revoker, plan, IDENTITY, serial_number).await?;
        while !caller.is_refused().await? {
            anyhow::ensure!(
                began.elapsed() < PATIENCE,
                "a revoked credential still counts"
            );
        }
        all.push(began.elapsed());
    }
    Ok(all)
}

/// The place of the n-th credential of a list, as `seed_credentials` gives them out: one of every four.
fn index_of(number: u64) -> u64 {
    number * 4 + number % 4
}

/// The n-th serial number, as `seed_credentials` makes them.
fn serial_number(number: u64) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&number.to_be_bytes()[2..]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

async fn fetch(
    connection: &mut Connection,
    path: &str,
    known: Option<&str>,
) -> anyhow::Result<Answer> {
    let headers: Vec<(HeaderName, &str)> =
        known.map(|tag| (IF_NONE_MATCH, tag)).into_iter().collect();
    connection
        .send(Method::GET, path, &headers, String::new())
        .await
}

async fn revoke(
    connection: &mut Connection,
    plan: &Plan,
    credential_type: &str,
    serial_number: Uuid,
) -> anyhow::Result<()> {
    let body = json!({
        "client_id": plan.party.client_id,
        "client_secret": plan.party.client_secret,
        "OrganisationId": ORGANISATION,
        "CredentialTemplateName": credential_type,
        "SerialNumber": serial_number,
        "RevocationReason": "a benchmark",
    });
    let path = "/Revocation/revokecredential";
    let headers = [(CONTENT_TYPE, "application/json")];
    let answer = connection.send(Method::POST, path, &headers, body.to_string());
    answer.await?.with(204, "a revocation").map(drop)
}

/// The entry reads revoked. That the signature holds is the tests' concern.
fn refused(answer: &Answer, index: u64) -> anyhow::Result<()> {
    let text = std::str::from_utf8(&answer.body)?;
    let payload = text.split('.').nth(1).context("no JWT")?;
    let claims: Value = serde_json::from_slice(&standards::base64url::decode(payload)?)?;
    let lst = claims["status_list"]["lst"].as_str().context("no list")?;
    let list = StatusList::decode(Bits::Two, lst, 1 << 20)?;
    anyhow::ensure!(
        list.find(index)? == Status::Invalid,
        "a revoked entry reads otherwise"
    );
    Ok(())
}

fn etag(answer: &Answer) -> anyhow::Result<String> {
    let etag = answer.header(&ETAG).context("a list without a tag")?;
    Ok(etag.to_owned())
}

/// Everybody asks for one list after the other: with its tag, or for the whole.
async fn asked(plan: &Plan, places: &[(String, String)], with_tag: bool) -> anyhow::Result<Value> {
    let began = Instant::now();
    let until = began + Duration::from_secs_f64(plan.seconds);
    let mut tasks = JoinSet::new();
    for caller in 0..plan.in_flight {
        let mut connection = Connection::new(&plan.server.addresses, &plan.server.origin)?;
        let mut places = places.to_vec();
        tasks.spawn(async move {
            let (mut answers, mut bytes) = (0_u64, 0_u64);
            let mut at = caller;
            while Instant::now() < until {
                let length = places.len();
                let (tag, path) = &mut places[at % length];
                let answer = fetch(&mut connection, path, with_tag.then_some(tag.as_str())).await?;
                // A list that was signed anew meanwhile is sent whole, once.
                match (answer.status, with_tag) {
                    (304, true) => answers += 1,
                    (200, true) => *tag = etag(&answer)?,
                    _ => {
                        answers += 1;
                        bytes += answer.with(200, "a list")?.body.len() as u64;
                    }
                }
                at += 1;
            }
            anyhow::Ok((answers, bytes))
        });
    }
    let (mut answers, mut bytes) = (0, 0);
    while let Some(one) = tasks.join_next().await {
        let one = one??;
        answers += one.0;
        bytes += one.1;
    }
    let seconds = began.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss)] // counts far below 2^52
    let a_second = |number: u64| number as f64 / seconds;
    Ok(json!({
        "answers": answers,
        "answers_a_second": a_second(answers),
        "bytes_a_second": a_second(bytes),
    }))
}

fn times(all: Vec<Duration>) -> Value {
    let took: Vec<u32> = all.into_iter().map(record::microseconds).collect();
    record::summary(&took)
}
