//! `/admin/v1/checklist`: the same of the gateway that runs, looked at when somebody asks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::{Extension, Json};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{CODES, Finding, Findings, from_outside, of_database, of_machine, of_registered};
use crate::Gateway;
use crate::admin::{Operator, Problem, Problems, Right, Routes};

/// How long what was seen around the gateway serves whoever asks again: no address is asked more often, and no program run,
/// however many operators load the page.
const KEPT: Duration = Duration::from_secs(30);
/// How long each request to a public address of the gateway may take.
const LONGEST_ASK: Duration = Duration::from_secs(4);
/// How long the machine, and then the database, may take.
const LONGEST: Duration = Duration::from_secs(5);

/// The route.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .with(Right::GatewayRead, routes!(look))
        .knowing(Paced::<Around>::default())
}

/// What is around the gateway: its machine, and how others see it.
#[derive(Clone)]
struct Around {
    at: Timestamp,
    findings: Findings,
}

/// How the set-up stands.
#[derive(Serialize, ToSchema)]
#[schema(as = SetUpChecklist)]
struct Checklist {
    /// When the database was asked, which is now.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// When the machine and the public addresses were looked at: at most 30 seconds before.
    #[schema(value_type = String, format = DateTime)]
    around_at: Timestamp,
    /// What one may see: the worst first, then the whole gateway's before an organisation's.
    findings: Vec<Finding>,
}

/// What is set up, what is missing, and what to do about it
///
/// Of the whole gateway and of each organisation. Each finding asks for the right of what it is about: keys, operators, the
/// audit, the registry.
#[utoipa::path(
    get,
    path = "/admin/v1/checklist",
    tag = "Gateway",
    responses((status = 200, description = "Each finding that one may see", body = Checklist), Problems)
)]
async fn look(
    Extension(gateway): Extension<Gateway>,
    Extension(paced): Extension<Paced<Around>>,
    operator: Operator,
) -> Result<Json<Checklist>, Problem> {
    let at = gateway.now();
    let mut findings = Findings::default();
    let inside = async {
        of_database(&gateway, &mut findings).await;
        of_registered(&gateway, &mut findings).await;
    };
    if tokio::time::timeout(LONGEST, inside).await.is_err() {
        findings.bad(
            "database",
            "the database did not answer within 5 seconds",
            "look at it and at the network between",
        );
    }
    let around = paced.get(look_around(gateway.clone())).await;
    let around_at = around.as_ref().map_or(at, |around| around.at);
    findings
        .0
        .extend(around.into_iter().flat_map(|around| around.findings.0));
    let mut findings = findings.0;
    findings.retain(|finding| {
        let right = CODES.iter().find(|(code, _)| *code == finding.code);
        debug_assert!(right.is_some(), "{} is not on the list", finding.code);
        operator.sees(finding.organisation.as_deref())
            && right.is_some_and(|(_, right)| operator.may(*right))
    });
    let place = |code: &str| CODES.iter().position(|(known, _)| *known == code);
    findings.sort_by_cached_key(|one| {
        let worst_first = std::cmp::Reverse(one.state);
        (worst_first, one.organisation.clone(), place(one.code))
    });
    Ok(Json(Checklist {
        at,
        around_at,
        findings,
    }))
}

async fn look_around(gateway: Gateway) -> Around {
    let mut findings = Findings::default();
    let config = gateway.config().clone();
    let machine = tokio::task::spawn_blocking(move || {
        let mut findings = Findings::default();
        of_machine(&config, &mut findings);
        findings
    });
    match tokio::time::timeout(LONGEST, machine).await {
        Ok(Ok(found)) => findings = found,
        Ok(Err(_)) | Err(_) => {
            findings.look(
                "disk",
                "the machine did not say within 5 seconds how its disk and clock are",
                "look at its disks",
            );
        }
    }
    let asks = gateway.app().outbound.clone().within(LONGEST_ASK);
    from_outside(&gateway, &asks, &mut findings).await;
    Around {
        at: gateway.now(),
        findings,
    }
}

/// What is made at most once within [`KEPT`].
#[derive(Clone)]
struct Paced<T>(Arc<Mutex<Option<(Instant, T)>>>);

impl<T> Default for Paced<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone + Send + 'static> Paced<T> {
    /// What was made last, or is made now. Whoever asks meanwhile waits for the same; `None` where making it failed.
    async fn get(&self, make: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let mut last = Arc::clone(&self.0).lock_owned().await;
        if let Some((at, known)) = last.as_ref()
            && at.elapsed() < KEPT
        {
            return Some(known.clone());
        }
        // By itself, so that it is made to its end and kept though whoever asked has gone: otherwise, who asks and goes at once
        // would have it begun each time.
        let made = tokio::spawn(async move {
            let made = make.await;
            *last = Some((Instant::now(), made.clone()));
            made
        });
        made.await.ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_is_around_is_looked_at_once_however_many_ask_and_though_the_first_goes_away() {
        let paced = Paced::default();
        let count = Arc::new(AtomicU32::new(0));
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let counted = Arc::clone(&count);
        let slow = async move {
            let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
            let _ = gone.await;
            number
        };
        // Whoever began it leaves before it is there.
        let first = paced.clone();
        let first = tokio::spawn(async move { first.get(slow).await });
        while count.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        go.send(()).unwrap();
        for _ in 0..3 {
            let counted = Arc::clone(&count);
            let again = async move { counted.fetch_add(1, Ordering::Relaxed) + 1 };
            assert_eq!(paced.get(again).await, Some(1));
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
}
