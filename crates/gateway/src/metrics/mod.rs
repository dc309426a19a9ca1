//! What the gateway counts of its own work, for Prometheus: in this process's memory, by atomic additions.
//!
//! Labels are words of closed lists, templates of routes and ids of registered clients. No address of a network, no
//! path that somebody asked for, nothing of a person ever is one (SEC-40). What the database knows, and what the
//! operating system knows of this process, is asked when somebody reads the figures.

mod config;
mod family;
pub mod process;
pub mod text;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use store::{MILLISECONDS, Timings};

pub use config::{AvailabilityConfig, MetricsConfig};
use family::{Counters, Series, Timers};
use text::Text;

/// Upper bounds for what people and wallets do, in microseconds: a second to half an hour.
const PEOPLE: &[u64] = &[
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    30_000_000,
    60_000_000,
    120_000_000,
    300_000_000,
    600_000_000,
    1_800_000_000,
];

/// The cause of an answer that refuses something, for the figures: put into the answer's extensions by who makes it.
#[derive(Debug, Clone, Copy)]
pub struct Refused(pub &'static str);

/// One route's requests.
struct Route {
    classes: [AtomicU64; 5],
    took: store::Timing,
}

/// The counts of one process.
pub struct Metrics {
    routes: Series<Route>,
    /// Requests that were refused, by who asked (`client`, `wallet`, `person`) and the cause.
    pub refused: Counters,
    /// Steps of interactions, by purpose, client and the stage that they led to.
    pub steps: Counters,
    /// Interactions that ended, by purpose, client and outcome.
    pub ended: Counters,
    /// How long an interaction was at a stage.
    pub stages: Timers,
    /// Results that no relying party fetched, by purpose and client.
    pub not_collected: Counters,
    /// Attempts to deliver an event, by client and what came of it.
    pub deliveries: Counters,
    /// Credentials that were revoked, by cause.
    pub revocations: Counters,
    /// Secrets made for relying parties that had a live one, by client.
    pub secrets_beside: Counters,
    /// How often somebody said that a signing key is compromised.
    pub keys_compromised: AtomicU64,
    /// How often one person came to revoke many credentials within an hour, one by one.
    pub many_revoked_by_one: AtomicU64,
    /// Rounds of retention, by what came of them.
    pub rounds: Counters,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            routes: Series::new(&["route"]),
            refused: Counters::new(
                "lanyard_refused_total",
                "Requests answered with a refusal, by who asked and the answer's code.",
                &["by", "code"],
            ),
            steps: Counters::new(
                "lanyard_interaction_steps_total",
                "Steps of interactions, by the stage they led to.",
                &["purpose", "client", "stage"],
            ),
            ended: Counters::new(
                "lanyard_interactions_ended_total",
                "Interactions that ended, by outcome: verified, issued or the refusal's code.",
                &["purpose", "client", "outcome"],
            ),
            stages: Timers::new(
                "lanyard_interaction_stage_seconds",
                "How long interactions were at a stage: pushed (until the page opened), waiting (until the wallet came), \
                 scanned (until it answered), finished (until the token was collected).",
                &["purpose", "stage"],
                PEOPLE,
            ),
            not_collected: Counters::new(
                "lanyard_results_not_collected_total",
                "Results that were there and that no relying party fetched.",
                &["purpose", "client"],
            ),
            deliveries: Counters::new(
                "lanyard_webhook_deliveries_total",
                "Attempts to deliver an event: delivered, failed or parked.",
                &["client", "result"],
            ),
            revocations: Counters::new(
                "lanyard_revocations_total",
                "Credentials that were revoked, by cause.",
                &["cause"],
            ),
            secrets_beside: Counters::new(
                "lanyard_client_secrets_beside_another_total",
                "Secrets made for a relying party that had a live one: its contact should know of each.",
                &["client"],
            ),
            keys_compromised: AtomicU64::new(0),
            many_revoked_by_one: AtomicU64::new(0),
            rounds: Counters::new(
                "lanyard_retention_rounds_total",
                "Rounds of retention: done or failed.",
                &["result"],
            ),
        }
    }
}

impl Metrics {
    /// A request was answered. `route` is the template of the route that matched.
    pub fn answered(&self, route: Option<&str>, status: StatusCode, took: Duration) {
        let route = self.routes.of(&[route.unwrap_or("none")], || Route {
            classes: Default::default(),
            took: store::Timing::new(MILLISECONDS),
        });
        // Whoever asks for what is said not to be had here makes no failure of ours, and wakes nobody.
        let class = match status {
            StatusCode::NOT_IMPLEMENTED => 4,
            _ => usize::from(status.as_u16() / 100).clamp(1, 5),
        } - 1;
        route.classes[class].fetch_add(1, Ordering::Relaxed);
        route.took.add(took);
    }

    /// Everything counted here, and how long the database took.
    pub fn write(&self, text: &mut Text, database: &Timings) {
        let name = "lanyard_requests_total";
        text.family(
            name,
            "counter",
            "Requests, by route and class of the answer's status.",
        );
        self.routes.each(|labels, route| {
            for (class, count) in route.classes.iter().enumerate() {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let class = ["1xx", "2xx", "3xx", "4xx", "5xx"][class];
                    text.sample(name, &[labels[0], ("class", class)], count);
                }
            }
        });
        let name = "lanyard_request_seconds";
        text.family(name, "histogram", "How long requests took, by route.");
        self.routes
            .each(|labels, route| text.histogram(name, labels, &route.took.counted()));
        let name = "lanyard_database_seconds";
        text.family(
            name,
            "histogram",
            "How long the database took: a read, or a batch until it was kept.",
        );
        text.histogram(name, &[("operation", "read")], &database.reads.counted());
        text.histogram(name, &[("operation", "write")], &database.writes.counted());
        text.single(
            "lanyard_database_failures_total",
            "counter",
            "Reads and batches that the database did not answer.",
            database.failures.load(Ordering::Relaxed),
        );
        // Without labels, so that they are there from the start: an alert sees the first.
        text.single(
            "lanyard_keys_compromised_total",
            "counter",
            "Signing keys that somebody said are compromised.",
            self.keys_compromised.load(Ordering::Relaxed),
        );
        text.single(
            "lanyard_many_revoked_by_one_total",
            "counter",
            "Times that one person came to revoke many credentials within an hour, one by one.",
            self.many_revoked_by_one.load(Ordering::Relaxed),
        );
        for counters in [
            &self.refused,
            &self.steps,
            &self.ended,
            &self.not_collected,
            &self.deliveries,
            &self.revocations,
            &self.secrets_beside,
            &self.rounds,
        ] {
            counters.write(text);
        }
        self.stages.write(text);
    }
}

#[cfg(test)]
#[allow(clippy::print_stderr)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// What counting adds to a request: less than a microsecond, in a build that is not even optimised, times a margin
    /// for a machine that is busy with other tests.
    #[test]
    fn a_request_is_counted_in_far_less_than_it_takes() {
        let metrics = Metrics::default();
        let began = Instant::now();
        for _ in 0..20_000 {
            let took = Duration::from_micros(800);
            metrics.answered(Some("/interaction/{id}/status"), StatusCode::OK, took);
        }
        let each = began.elapsed() / 20_000;
        eprintln!("counting one request: {each:?}");
        assert!(each < Duration::from_micros(50), "{each:?}");
    }
}
