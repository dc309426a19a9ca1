//! `/admin/v1/relying-parties/{relying_party}/onboarding`: what is settled before a relying party goes live (DW-89).

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::super::Kind;
use super::super::onboarding::{Evidence, Item};
use super::{find, problem};
use crate::Gateway;
use crate::admin::{Code, Operator, Problem, Problems, Right, Routes, Told, Why, field};
use crate::audit::export::csv_cell;

pub(super) fn routes() -> Routes {
    Routes::new()
        .with(Right::RegistryRead, routes!(look))
        .with(Right::RegistryRead, routes!(hand_out))
        .with(Right::RegistryChange, routes!(settle))
}

/// One thing to settle.
#[derive(Serialize, ToSchema)]
struct ChecklistItem {
    /// Its word.
    #[schema(example = "penetration-test")]
    item: &'static str,
    /// What is settled by it.
    label: &'static str,
    /// Whether it is.
    settled: bool,
    /// What shows it, and where that lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
    /// The day on which it was settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    settled_on: Option<Date>,
    /// Who wrote it down here.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
}

impl ChecklistItem {
    fn of((item, evidence): (Item, Option<Evidence>)) -> Self {
        let (evidence, settled_on, actor) = match evidence {
            Some(found) => (
                Some(found.evidence),
                Some(found.settled_on),
                Some(found.actor),
            ),
            None => (None, None, None),
        };
        Self {
            item: item.name(),
            label: item.label(),
            settled: evidence.is_some(),
            evidence,
            settled_on,
            actor,
        }
    }
}

/// A relying party's checklist.
#[derive(Serialize, ToSchema)]
struct Checklist {
    /// Whose.
    client_id: String,
    /// How many of its items are settled.
    settled: usize,
    /// All of them, in the order in which they are worked through.
    items: Vec<ChecklistItem>,
}

async fn read(
    gateway: &Gateway,
    operator: &Operator,
    client_id: String,
) -> Result<Checklist, Problem> {
    find(gateway, operator, Kind::RelyingParty, &client_id).await?;
    let list = gateway.checklist(&client_id).await?;
    let items: Vec<_> = list.into_iter().map(ChecklistItem::of).collect();
    Ok(Checklist {
        client_id,
        settled: items.iter().filter(|item| item.settled).count(),
        items,
    })
}

/// A relying party's checklist before it goes live
#[utoipa::path(
    get,
    path = "/admin/v1/relying-parties/{relying_party}/onboarding",
    tag = "Registry",
    params(("relying_party" = String, Path, description = "Its client id")),
    responses((status = 200, description = "Every item", body = Checklist), Problems)
)]
async fn look(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(client_id): Path<String>,
) -> Result<Json<Checklist>, Problem> {
    Ok(Json(read(&gateway, &operator, client_id).await?))
}

/// The same as a sheet, to be kept or handed on
#[utoipa::path(
    get,
    path = "/admin/v1/relying-parties/{relying_party}/onboarding/export",
    tag = "Registry",
    params(("relying_party" = String, Path, description = "Its client id")),
    responses((status = 200, description = "CSV", body = String, content_type = "text/csv"), Problems)
)]
async fn hand_out(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(client_id): Path<String>,
) -> Result<Response, Problem> {
    let list = read(&gateway, &operator, client_id).await?;
    let mut lines = vec!["client_id,item,label,settled_on,evidence,actor".to_owned()];
    lines.extend(list.items.iter().map(|item| {
        let on = item
            .settled_on
            .map(|day| day.to_string())
            .unwrap_or_default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let cells = [
            list.client_id.as_str(),
            item.item,
            item.label,
            &on,
            &text(&item.evidence),
            &text(&item.actor),
        ];
        cells.map(csv_cell).join(",")
    }));
    let text = lines.join("\r\n") + "\r\n";
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"onboarding.csv\"",
        ),
    ];
    Ok((headers, text).into_response())
}

/// What shows that an item is settled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Shown {
    /// What it is, and where it lies. No employee's name belongs here.
    #[schema(example = "report PT-117, findings closed")]
    evidence: String,
    /// The day on which it was settled: today, or before.
    #[schema(value_type = String, format = Date, example = "2026-11-20")]
    settled_on: Date,
    /// Why it is written down, where that needs saying.
    #[serde(default)]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(example = "INC-1042", nullable = false)]
    ticket: Option<String>,
}

/// Write down what shows that an item is settled. The same again changes nothing
#[utoipa::path(
    put,
    path = "/admin/v1/relying-parties/{relying_party}/onboarding/{item}",
    tag = "Registry",
    params(
        ("relying_party" = String, Path, description = "Its client id"),
        ("item" = String, Path, description = "The item, by its word")
    ),
    request_body = Shown,
    responses((status = 200, description = "The checklist, as it is now", body = Checklist), Problems)
)]
async fn settle(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path((client_id, item)): Path<(String, String)>,
    Told(shown): Told<Shown>,
) -> Result<Json<Checklist>, Problem> {
    let why = Why::said(shown.reason, shown.ticket)?;
    let evidence = field("evidence", &shown.evidence)?;
    // Whoever is east of here may have tomorrow already.
    let today = gateway.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    if shown.settled_on > today.saturating_add(jiff::Span::new().days(1)) {
        return Err(Problem::field("settled_on", "it is a day that has come"));
    }
    let before = read(&gateway, &operator, client_id.clone()).await?;
    let item = Item::parse(&item).ok_or(Code::NotFound)?;
    let same = before.items.iter().any(|known| {
        known.item == item.name()
            && known.evidence.as_deref() == Some(evidence)
            && known.settled_on == Some(shown.settled_on)
    });
    if same {
        return Ok(Json(before));
    }
    let settled = gateway.settle(
        &client_id,
        item,
        (evidence, shown.settled_on),
        why.by(&operator),
    );
    let settled = settled.await;
    settled.map_err(|error| problem(error, &operator, &client_id))?;
    Ok(Json(read(&gateway, &operator, client_id).await?))
}
