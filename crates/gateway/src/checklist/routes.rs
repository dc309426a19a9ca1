//! `/admin/v1/checklist`: the same of the gateway that runs, looked at when somebody asks.

use std::convert::Infallible;
use std::time::Duration;

use axum::{Extension, Json};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{
    CODES, Finding, Findings, deeds, from_outside, of_database, of_machine, of_registered,
};
use crate::Gateway;
use crate::admin::{Code, Operator, Problem, Problems, Right, Routes};
use crate::paced::Paced;

/// How long what was seen around the gateway serves whoever asks again: no address is asked more often, and no program run,
/// however many operators load the page.
const KEPT: SignedDuration = SignedDuration::from_secs(30);
/// How long each request to a public address of the gateway may take.
const LONGEST_ASK: Duration = Duration::from_secs(4);
/// How long the machine, and then the database, may take.
const LONGEST: Duration = Duration::from_secs(5);

/// The routes.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .with(Right::GatewayRead, routes!(look))
        .with(Right::AuditRead, routes!(standing))
        .knowing(Paced::<Around>::new(KEPT))
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
    let looking = look_around(gateway.clone());
    let looking = async { Ok::<_, Infallible>(looking.await) };
    let around = paced.get(&gateway.app().clock, looking).await;
    let around = around.and_then(Result::ok);
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

/// How the audit's chain stands at its end
///
/// What the checklist says of the audit: whether its last checkpoint is one that this gateway signed and fits, how old it is,
/// and whether entries wait for their place. It reads a few rows, however long the chain is; whoever wants all of it checked
/// asks for the verification.
#[utoipa::path(
    get,
    path = "/admin/v1/audit/standing",
    tag = "Audit",
    responses((status = 200, description = "The finding", body = Finding), Problems)
)]
async fn standing(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
) -> Result<Json<Finding>, Problem> {
    // The chain is everybody's: whoever sees one organisation only does not learn how much the others did.
    if operator.organisation().is_some() {
        return Err(Code::NotFound.into());
    }
    let mut findings = Findings::default();
    deeds::look_at_audit(&gateway, &mut findings).await?;
    let finding = findings.0.pop().ok_or(Code::Internal)?;
    Ok(Json(finding))
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
