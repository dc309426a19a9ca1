//! Everybody and their records, and what has not arrived.

use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::lists;
use super::page::{self, HrNews, HrView};
use crate::app::App;
use crate::audit::{Act, HR, Kind};
use crate::progress::Progress;
use crate::trouble::Trouble;

#[derive(Deserialize)]
pub(super) struct HrQuery {
    deleted: Option<String>,
}

/// `GET /hr`.
pub(super) async fn show(
    State(app): State<App>,
    Query(query): Query<HrQuery>,
) -> Result<Response, Trouble> {
    Act::by(HR, Kind::ListViewed).write(&app).await?;
    let now = app.now();
    let mut employees = Vec::new();
    for employee in app.employees().await? {
        let credentials = app.desk.credentials(&employee.id).await?;
        let passport_applies = app.applies_to(&employee);
        let records = app.records_of(&employee.id).await?.into_iter();
        let records = records
            .filter(|record| record.deleted_at.is_none())
            .filter_map(|record| Progress::of(record, &credentials, now))
            .map(|progress| page::Record {
                id: progress.record.id,
                title: progress.record.label,
                state: progress.state,
            });
        employees.push(page::Employee {
            name: employee.name(),
            username: employee.username,
            passport_applies,
            records: records.collect(),
        });
    }
    let names = app.names().await?;
    let may_still_hold = app.desk.may_still_hold().await?.into_iter();
    let view = HrView {
        employees,
        not_arrived: lists::not_arrived(app.desk.backlog().await?, &names),
        may_still_hold: may_still_hold
            .map(|one| lists::may_still_hold(one, &names))
            .collect(),
        news: query.deleted.map(|_| HrNews::Deleted),
    };
    Ok(page::show(&app.look, view))
}
