//! Sends what has ended to the collector, in lots, beside the requests. A collector that does not answer costs nobody
//! anything but the spans that find no room meanwhile.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;

use crate::span::Ended;
use crate::{Tracer, otlp};

/// How many spans are sent at once.
pub(crate) const AT_ONCE: usize = 512;
/// How long a span waits for others.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest pause while the collector does not take anything.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// How long one sending may take.
const LONGEST: Duration = Duration::from_secs(10);

/// What came of a sending.
enum Sent {
    /// The collector has it, or some of it, and wants none of it again.
    Taken,
    /// It says never, so it is not asked again.
    Refused(String),
    /// Later, perhaps. [OTLP, failures: 429, 502, 503, 504]
    Later(String),
}

/// Sends until the future is dropped; without a tracer there is nothing to do, for ever.
pub async fn run(tracer: Option<&Arc<Tracer>>) {
    let Some(tracer) = tracer else {
        return std::future::pending().await;
    };
    // Not the client for what others name: this address is the operator's own, inside a network, perhaps without TLS.
    let client = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .timeout(LONGEST)
        .user_agent("lanyard")
        .build();
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "traces cannot be sent: the HTTP client cannot be set up");
            return std::future::pending().await;
        }
    };
    let instance = hex::encode(tracer.bytes::<16>());
    let mut pause = PAUSE;
    loop {
        // Many that wait are sent at once, unless the collector is away.
        let full = async {
            if pause == PAUSE {
                tracer.many.notified().await;
            } else {
                std::future::pending().await
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = full => {}
        }
        pause = tracer.send_waiting(&client, &instance, pause).await;
    }
}

impl Tracer {
    /// Sends all that waits; gives the pause before the next time.
    async fn send_waiting(&self, client: &Client, instance: &str, pause: Duration) -> Duration {
        loop {
            let lot = self.lot();
            let count = lot.len() as u64;
            if count == 0 {
                return PAUSE;
            }
            match self.send(client, &lot, instance).await {
                Sent::Taken => drop(self.sent.fetch_add(count, Ordering::Relaxed)),
                Sent::Refused(reason) => {
                    self.dropped.fetch_add(count, Ordering::Relaxed);
                    tracing::warn!(
                        spans = count,
                        reason,
                        "the collector refused traces; they are dropped"
                    );
                }
                Sent::Later(reason) => {
                    if pause == PAUSE {
                        tracing::warn!(
                            reason,
                            "the collector takes no traces; they wait as long as there is room"
                        );
                    }
                    self.put_back(lot);
                    return (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    fn lot(&self) -> Vec<Ended> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.len().min(AT_ONCE);
        waiting.drain(..count).collect()
    }

    /// At the front again, as far as there is room: the newest of the lot go first.
    fn put_back(&self, mut lot: Vec<Ended>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let room = crate::MOST_WAITING.saturating_sub(waiting.len());
        let lost = lot.len().saturating_sub(room);
        lot.truncate(room);
        self.dropped.fetch_add(lost as u64, Ordering::Relaxed);
        for span in lot.into_iter().rev() {
            waiting.push_front(span);
        }
    }

    async fn send(&self, client: &Client, lot: &[Ended], instance: &str) -> Sent {
        let Some(endpoint) = &self.config.otlp_endpoint else {
            return Sent::Taken;
        };
        let body = otlp::body(lot, self.service, instance).to_string();
        let request = client
            .post(endpoint.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        match request.send().await.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => Sent::Taken,
            Ok(status) if matches!(status.as_u16(), 429 | 502..=504) => {
                Sent::Later(format!("it answers {}", status.as_u16()))
            }
            Ok(status) => Sent::Refused(format!("it answers {}", status.as_u16())),
            Err(error) => Sent::Later(error.without_url().to_string()),
        }
    }
}
