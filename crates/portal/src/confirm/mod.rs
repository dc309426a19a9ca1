//! The person checks exactly what the credential will say.

pub(crate) mod page;

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use ui::component::Row;

use crate::again;
use crate::audit::{Act, Kind};
use crate::identity;
use crate::records::Record;
use crate::trouble::Trouble;
use crate::visit::{Holder, Posted, Visit};
use page::ConfirmView;

/// Where it is checked.
pub(crate) fn path(record: &str) -> String {
    format!("/credentials/{record}/confirm")
}

/// The same, when what was checked is no longer what the record says.
pub(crate) fn path_when_changed(record: &str) -> String {
    format!("/credentials/{record}/confirm?changed=yes")
}

#[derive(Deserialize)]
pub(crate) struct ConfirmQuery {
    changed: Option<String>,
}

/// `GET /credentials/{id}/confirm`.
pub(crate) async fn show(
    holder: Holder,
    Path(id): Path<String>,
    Query(query): Query<ConfirmQuery>,
) -> Result<Response, Trouble> {
    let record = match to_confirm(&holder, &id).await? {
        Ok(record) => record,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let unique_identifier = holder.app.desk.unique_identifier(holder.at_desk()).await?;
    let view = ConfirmView {
        facts: record.credential_type.facts_of(&record.claims),
        about: about(&holder, &record),
        unique_identifier,
        shown: record.for_desk().digest(),
        // The address says no more than that it changed; when, the record knows.
        changed_at: query.changed.map(|_| record.changed_at),
        id: record.id,
        title: record.label,
    };
    Ok(page::show(&holder.app.look, &holder.visitor(), view))
}

/// What is said of the credential, and what the record does not say: until when, and by whom.
fn about(visit: &Visit, record: &Record) -> Vec<Row> {
    let look = &visit.app.look;
    let mut about = record.credential_type.about_of(&record.claims);
    if let Some(last_day) = record.credential_type.last_day(&record.claims) {
        let until = ui::time::civil_date(last_day);
        about.push(Row::new(look.say("confirm-valid-until"), until));
    }
    let issuer = visit.app.organisation.as_str();
    about.push(Row::new(look.say("confirm-issued-by"), issuer));
    about
}

/// The record, if it is its turn to be confirmed; else the page whose turn it is.
async fn to_confirm(visit: &Visit, id: &str) -> Result<Result<Record, Response>, Trouble> {
    let Some(progress) = visit.progress_of(id).await? else {
        return Ok(Err(visit.not_found()));
    };
    if let Some(elsewhere) = again::instead(&progress) {
        return Ok(Err(elsewhere));
    }
    let employee = &visit.employee.id;
    if visit.app.desk.must_ask_about_old_copy(employee, id).await? {
        return Ok(Err(Redirect::to(&again::path(id)).into_response()));
    }
    Ok(Ok(progress.record))
}

/// `POST /credentials/{id}/confirm`.
pub(crate) async fn confirm(
    Path(id): Path<String>,
    posted: Posted<Holder>,
) -> Result<Response, Trouble> {
    let holder = posted.by;
    let record = match to_confirm(&holder, &id).await? {
        Ok(record) => record.for_desk(),
        Err(elsewhere) => return Ok(elsewhere),
    };
    // Only what stood on the page is confirmed, not what the record has come to say since.
    if posted.fields.get("shown") != Some(&record.digest()) {
        return Ok(Redirect::to(&path_when_changed(&id)).into_response());
    }
    // Before, since the desk writes by itself: no confirmation is without its row.
    let act = Act::own(Kind::Confirmed, &holder.employee.id).of(&id);
    act.write(&holder.app).await?;
    holder
        .app
        .desk
        .confirm(&holder.employee.id, &record)
        .await?;
    holder.app.choose(&holder.employee, &id).await?;
    let standing = holder.app.desk.standing(holder.at_desk()).await?;
    let next = match standing.verified_at {
        Some(_) => identity::done_path_for(Some(&id)),
        None => identity::path_for(Some(&id)),
    };
    Ok(Redirect::to(&next).into_response())
}
