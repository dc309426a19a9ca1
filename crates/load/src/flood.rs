//! One relying party that pushes far too often, in step with a clock and whatever it is answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::http::Connection;
use crate::party::RelyingParty;
use crate::plan::Plan;
use crate::process;

/// Connections over which it comes.
const CONNECTIONS: u32 = 64;

/// What came of it.
#[derive(Default)]
struct Answers {
    by_status: BTreeMap<u16, u64>,
    /// Pushes that were late by more than a second: the flood was thinner than it should be.
    late: u64,
}

/// Pushes at that rate for the warm-up and the time that counts; tells how often each status was the answer.
pub async fn run(plan: &Plan, pushes_a_second: f64) -> anyhow::Result<Value> {
    let party = Arc::new(RelyingParty::discover(&plan.party, &plan.server).await?);
    let before = process::look_at_all(&plan.server.processes)?;
    let began = Instant::now();
    let until = began + Duration::from_secs_f64(plan.warm_up_seconds + plan.seconds);
    let pause = Duration::from_secs_f64(f64::from(CONNECTIONS) / pushes_a_second);
    let mut tasks = JoinSet::new();
    for number in 0..CONNECTIONS {
        let mut connection = Connection::new(&plan.server.addresses, &plan.server.origin)?;
        let party = party.clone();
        let body = party.request_to("openid Identity");
        let first = began + pause.mul_f64(f64::from(number) / f64::from(CONNECTIONS));
        tasks.spawn(async move {
            let mut answers = Answers::default();
            let mut beat = first;
            while beat < until {
                tokio::time::sleep_until(beat.into()).await;
                answers.late += u64::from(beat.elapsed() > Duration::from_secs(1));
                let status = party
                    .push_whatever_comes(&mut connection, body.clone())
                    .await?;
                *answers.by_status.entry(status).or_default() += 1;
                beat += pause;
            }
            anyhow::Ok(answers)
        });
    }
    let mut all = Answers::default();
    while let Some(answers) = tasks.join_next().await {
        let answers = answers??;
        all.late += answers.late;
        for (status, count) in answers.by_status {
            *all.by_status.entry(status).or_default() += count;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let after = process::look_at_all(&plan.server.processes)?;
    let pushes: u64 = all.by_status.values().sum();
    let by_status: BTreeMap<String, u64> = all
        .by_status
        .into_iter()
        .map(|(status, count)| (status.to_string(), count))
        .collect();
    Ok(json!({
        "pushes": pushes,
        "seconds": seconds,
        "by_status": by_status,
        "late": all.late,
        "resident_before": before.resident,
        "resident_after": after.resident,
        "peak": after.peak,
    }))
}
