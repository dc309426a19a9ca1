//! Who did and saw what: as a page, and as a file. Looking at it is a row of it, too.

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::audit_page::{self, AuditView, Listed};
use crate::app::{App, can_be_kept};
use crate::audit::{ANYBODY, Act, DESK, Entry, FEED, HR, Kind, whole_csv};
use crate::trouble::Trouble;

/// Rows on one page.
const ON_A_PAGE: usize = 50;

#[derive(Deserialize)]
pub(super) struct AuditQuery {
    about: Option<String>,
    before: Option<i64>,
}

impl AuditQuery {
    fn employee(&self) -> Option<&str> {
        let about = self.about.as_deref();
        about.filter(|about| !about.is_empty() && can_be_kept(about))
    }
}

fn act(kind: Kind, employee: Option<&str>) -> Act<'_> {
    Act {
        about: employee,
        ..Act::by(HR, kind)
    }
}

/// `GET /hr/audit`.
pub(super) async fn show(
    State(app): State<App>,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Trouble> {
    let employee = query.employee();
    act(Kind::AuditViewed, employee).write(&app).await?;
    let below = query.before.unwrap_or(i64::MAX);
    let mut entries = app.audit(employee, below, limit(ON_A_PAGE + 1)).await?;
    let is_last = entries.len() <= ON_A_PAGE;
    entries.truncate(ON_A_PAGE);
    let names: HashMap<String, String> = app
        .employees()
        .await?
        .into_iter()
        .map(|employee| (employee.id.clone(), employee.name()))
        .collect();
    let older = entries.last().map(|entry| entry.id).filter(|_| !is_last);
    let named = |id: &str| match id {
        HR => app.look.say("audit-hr"),
        FEED => app.look.say("audit-feed"),
        DESK => app.look.say("audit-desk"),
        ANYBODY => app.look.say("audit-anybody"),
        id => names.get(id).cloned().unwrap_or_else(|| id.to_owned()),
    };
    let view = AuditView {
        about: employee.map(str::to_owned),
        name: employee.map(named),
        entries: entries.iter().map(|entry| listed(entry, &named)).collect(),
        older,
    };
    Ok(audit_page::show(&app.look, view))
}

fn listed(entry: &Entry, named: &impl Fn(&str) -> String) -> Listed {
    Listed {
        at: entry.at,
        kind: entry.kind,
        actor: named(&entry.actor),
        about: entry.about.as_deref().map(named),
        record: entry.record.clone(),
        detail: entry.detail.clone(),
    }
}

fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// `GET /hr/audit.csv`: all of it, the newest first.
pub(super) async fn export(
    State(app): State<App>,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Trouble> {
    let employee = query.employee();
    act(Kind::AuditExported, employee).write(&app).await?;
    let text = whole_csv(&app, employee).await?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
        (axum::http::header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, text).into_response())
}
