//! Delivery, in order, one at a time. Nothing is remembered in this process that counts: killed at any line, it leaves an
//! event that is still due and a lease that runs out.

use std::time::Duration;

use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use jiff::{SignedDuration, Timestamp};
use standards::webhook::{ID, SIGNATURE, TIMESTAMP};
use store::StoreError;
use traces::TRACEPARENT;
use uuid::Uuid;

use super::Webhook;
use super::rows::Lease;
use crate::app::Parts;

/// How long a receiver may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);
/// Between two looks at what is due.
const PAUSE: Duration = Duration::from_millis(500);
/// How many events one turn has.
const TURN: usize = 100;
/// For how long an event is offered before it is parked.
const OFFERED: SignedDuration = SignedDuration::from_hours(72);
/// The first pause after a failure, in seconds; each further one is twice as long.
const FIRST_PAUSE: i64 = 5;
/// The longest pause, in seconds: a receiver that is back hears of it within the hour.
const LONGEST_PAUSE: i64 = 3600;

/// Delivers what is due, until the future is dropped.
pub(crate) async fn run(app: &Parts) {
    let Some(webhook) = &app.webhook else {
        return std::future::pending().await;
    };
    loop {
        if let Err(error) = turn(app, webhook).await {
            tracing::error!(%error, "a turn of deliveries broke off; the next one goes on");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Delivers until nothing is due or the receiver fails.
async fn turn(app: &Parts, webhook: &Webhook) -> Result<(), StoreError> {
    let Some(lease) = Lease::take(app, Uuid::new_v4().to_string()).await? else {
        return Ok(());
    };
    for _ in 0..TURN {
        let Some(event) = lease.next().await? else {
            break;
        };
        let body = event.content.to_body()?;
        let sent = webhook.send(&event.content.id, body, app.now()).await;
        let now = app.now();
        let delivery = match sent {
            Ok(()) => "delivered",
            Err(_) if now >= event.offered_at + OFFERED => "parked",
            Err(_) => "due",
        };
        let Some(failures) = lease.note(&event, delivery, sent.is_ok()).await? else {
            return Ok(());
        };
        let Err(why) = sent else { continue };
        let (sequence, attempts) = (event.content.sequence, event.attempts + 1);
        tracing::warn!(
            sequence,
            attempts,
            delivery,
            why,
            "an event was not delivered"
        );
        // The event after a parked one waits as well: its receiver is still down.
        let wait = SignedDuration::from_secs(pause(failures));
        return lease.release(app.ahead(wait)).await;
    }
    lease.release(app.now()).await
}

impl Webhook {
    /// One attempt. The signature is made anew: its time says when this attempt was made, so that an old one cannot be
    /// played again. The id stays.
    async fn send(&self, id: &str, body: String, now: Timestamp) -> Result<(), &'static str> {
        let timestamp = now.as_second();
        let signatures = self.secrets.signatures(id, timestamp, &body);
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ID, id)
            .header(TIMESTAMP, timestamp)
            .header(SIGNATURE, signatures)
            .body(body);
        let span = traces::asks("deliver an event", &Method::POST);
        let request = match span.as_ref().and_then(|span| span.context().header()) {
            Some(header) => request.header(TRACEPARENT, header),
            None => request,
        };
        let answer = request.send().await;
        match (span, &answer) {
            (Some(span), Ok(answer)) => span.answered(answer.status(), None),
            (Some(span), Err(_)) => span.failed("fetch-broken"),
            (None, _) => {}
        }
        match answer {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(_) => Err("it was answered otherwise than 2xx"),
            Err(error) if error.is_timeout() => Err("no answer came in time"),
            Err(error) if error.is_connect() => Err("no connection could be made"),
            Err(_) => Err("the connection broke"),
        }
    }
}

/// Twice as long after each failure, up to an hour.
fn pause(failures: i64) -> i64 {
    let doublings = u32::try_from(failures.clamp(1, 20) - 1).unwrap_or(0);
    (FIRST_PAUSE << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let pauses = [0, 1, 2, 5, 10, 11, i64::MAX].map(pause);
        assert_eq!(pauses, [5, 5, 10, 80, 2560, 3600, 3600]);
    }
}
