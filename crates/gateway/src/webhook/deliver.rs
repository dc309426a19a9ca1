//! Delivery: each client's events in order, one at a time; different clients side by side, so that one receiver that is
//! down delays nobody else's.
//!
//! Nothing is remembered in this process that counts. Killed at any line, it leaves an event that is still due and a
//! lease that runs out: the event is delivered again, under the same id.

use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use standards::webhook::{ID, SIGNATURE, TIMESTAMP};
use tokio::task::JoinSet;

use super::rows::{self, Event, Lease};
use crate::app::{App, Parts};
use crate::event::OFFERED;
use crate::live::Live;
use crate::organisation::RelyingParty;
use crate::organisation::webhook::Webhook;
use crate::outbound::{FetchError, Outbound};
use crate::random::Random;
use store::StoreError;

/// Between two looks at what is due.
const PAUSE: Duration = Duration::from_millis(500);
/// How many clients are delivered to at once.
const MOST_AT_ONCE: usize = 64;
/// How many events one turn of one client has.
const TURN: usize = 100;
/// The first pause after a failure; each further one is twice as long.
const FIRST_PAUSE: i64 = 5;
/// The longest pause, in seconds: a receiver that is back hears of it within the hour.
const LONGEST_PAUSE: i64 = 3600;

/// Ends what time has decided and delivers what is due, until the future is dropped.
pub(crate) async fn run(live: &Live) {
    let mut turns = JoinSet::new();
    loop {
        if let Err(error) = begin(&live.now(), &mut turns).await {
            tracing::error!(%error, "events could not be looked for; the next round will");
        }
        tokio::time::sleep(PAUSE).await;
        while turns.try_join_next().is_some() {}
    }
}

/// One round of [`run`], awaited to its end.
pub(crate) async fn round(app: &App) -> Result<(), StoreError> {
    let mut turns = JoinSet::new();
    begin(app, &mut turns).await?;
    while turns.join_next().await.is_some() {}
    Ok(())
}

async fn begin(app: &App, turns: &mut JoinSet<()>) -> Result<(), StoreError> {
    let now = app.now();
    // What cannot be settled must not hold up what can be delivered.
    let settled = app.interactions.settle(now).await;
    for client_id in rows::find_due(&app.store, now).await? {
        // In the configuration of another process only: that one delivers.
        if webhook(app, &client_id).is_none() {
            continue;
        }
        if turns.len() >= MOST_AT_ONCE {
            break;
        }
        let app = app.clone();
        turns.spawn(async move {
            if let Err(error) = turn(&app, &client_id).await {
                tracing::error!(client_id, %error, "a turn of deliveries broke off; the next one goes on");
            }
        });
    }
    settled
}

/// Delivers to one client until nothing is due or its receiver fails.
async fn turn(app: &Parts, client_id: &str) -> Result<(), StoreError> {
    let Some((party, webhook)) = webhook(app, client_id) else {
        return Ok(());
    };
    let outbound = party.organisation.outbound(&app.outbound);
    let token = app.random.token_128();
    let Some(lease) = Lease::take(&app.store, client_id, token, app.now()).await? else {
        return Ok(());
    };
    for _ in 0..TURN {
        let Some(event) = lease.next().await? else {
            return lease.release(app.now(), 0).await;
        };
        let body = event.content.to_body()?;
        let sent = send(&outbound, webhook, &event.content.id, body, app.now()).await;
        let now = app.now();
        let delivery = outcome(&event, &sent, now);
        if !lease.note(&event, delivery, now).await? {
            return Ok(());
        }
        let result = match (&sent, delivery) {
            (Ok(()), _) => "delivered",
            (Err(_), "parked") => "parked",
            (Err(_), _) => "failed",
        };
        app.metrics.deliveries.add(&[client_id, result]);
        let Err(error) = sent else { continue };
        let (sequence, attempts) = (event.content.sequence, event.attempts + 1);
        if delivery == "parked" {
            tracing::error!(client_id, sequence, attempts, %error, "an event was not taken for three days and is parked");
        } else {
            tracing::warn!(client_id, sequence, attempts, %error, "an event was not delivered; it is tried again");
        }
        // The event after a parked one waits as well: its receiver is still down.
        let failures = lease.failures().await?.saturating_add(1);
        let pause = pause(failures, &app.random);
        return lease
            .release(now + SignedDuration::from_secs(pause), failures)
            .await;
    }
    // The turn is over, and all of it was taken.
    lease.release(app.now(), 0).await
}

fn webhook<'a>(app: &'a Parts, client_id: &str) -> Option<(&'a RelyingParty, &'a Webhook)> {
    let party = app.organisations.relying_party(client_id)?;
    Some((party, party.webhook.as_ref()?))
}

fn outcome(event: &Event, sent: &Result<(), FetchError>, now: Timestamp) -> &'static str {
    match sent {
        Ok(()) => "delivered",
        Err(_) if now >= event.offered_at + OFFERED => "parked",
        Err(_) => "due",
    }
}

/// One attempt. The signature is made anew: its time says when this attempt was made, so that an old one cannot be
/// played again. The id stays.
async fn send(
    outbound: &Outbound,
    webhook: &Webhook,
    id: &str,
    body: String,
    now: Timestamp,
) -> Result<(), FetchError> {
    let timestamp = now.as_second();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let signatures = webhook.signatures(id, timestamp, &body);
    for (name, value) in [
        (ID, id),
        (TIMESTAMP, &timestamp.to_string()),
        (SIGNATURE, &signatures),
    ] {
        // All three are ours: base64url, digits, base64.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    outbound.post(&webhook.url, headers, body).await
}

/// Twice as long after each failure, and by chance up to half of it shorter: the receivers of many clients that went
/// down together do not all hear of us in the same second.
fn pause(failures: i64, random: &Random) -> i64 {
    let doublings = u32::try_from(failures.clamp(1, 20) - 1).unwrap_or(0);
    let whole = (FIRST_PAUSE << doublings).min(LONGEST_PAUSE);
    whole - random.below(whole / 2 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_are_at_least_half_as_long() {
        let random = Random::seeded(1);
        for (failures, whole) in [
            (1, 5),
            (2, 10),
            (5, 80),
            (10, 2560),
            (11, 3600),
            (100, 3600),
            (i64::MAX, 3600),
        ] {
            for _ in 0..50 {
                let pause = pause(failures, &random);
                assert!(
                    (whole - whole / 2..=whole).contains(&pause),
                    "{failures}: {pause}"
                );
            }
        }
    }
}
