//! One record: its form takes each claim under its name on the wire, so that a program can post it too.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use connector::desk::Cause;
use serde::Deserialize;
use store::{Statement, StoreError};

use super::page::{self, Field, HrNews, RecordView};
use crate::app::App;
use crate::audit::{Act, HR, Kind};
use crate::credential_type::day_of;
use crate::login::form_token;
use crate::problem;
use crate::progress::Progress;
use crate::records::Record;
use crate::trouble::Trouble;
use crate::visit::{Anonymous, Fields};

#[derive(Deserialize)]
pub(super) struct RecordQuery {
    news: Option<String>,
}

fn path(id: &str, news: &str) -> String {
    format!("/hr/records/{id}?news={news}")
}

async fn find(app: &App, id: &str) -> Result<Option<Record>, StoreError> {
    let record = app.find_record(id).await?;
    Ok(record.filter(|record| record.deleted_at.is_none()))
}

/// `GET /hr/records/{id}`.
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<RecordQuery>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let Some(record) = find(&app, &id).await? else {
        return Ok(problem::not_found(&app, None));
    };
    let seen = Act::by(HR, Kind::RecordViewed).about(&record.employee);
    seen.of(&id).write(&app).await?;
    let (csrf, set_cookie) = form_token(&app, &headers)?;
    let fields = fields_of(&app, &record, None);
    let news = match query.news.as_deref() {
        Some("saved") => Some(HrNews::Saved),
        Some("ended") => Some(HrNews::Ended),
        _ => None,
    };
    let view = view(&app, &record, fields, csrf, news).await?;
    Ok((
        [(SET_COOKIE, set_cookie)],
        page::show_record(&app.look, view),
    )
        .into_response())
}

async fn view(
    app: &App,
    record: &Record,
    fields: Vec<Field>,
    csrf: String,
    news: Option<HrNews>,
) -> Result<RecordView, StoreError> {
    let employee = app.find_employee(&record.employee).await?;
    let credentials = app.desk.credentials(&record.employee).await?;
    let progress = Progress::of(record.clone(), &credentials, app.now());
    Ok(RecordView {
        id: record.id.clone(),
        title: record.label.clone(),
        employee: employee.map_or_else(String::new, |employee| employee.name()),
        state: progress.map(|progress| progress.state),
        ended_on: record.ended_on(app.now()),
        fields,
        csrf,
        news,
    })
}

/// The form's fields: what the record says, or what was typed and what is wrong with it.
fn fields_of(app: &App, record: &Record, typed: Option<&Fields>) -> Vec<Field> {
    let field = |attribute: &crate::credential_type::Attribute| {
        let kept = record.claims.get(&attribute.name);
        let typed = typed.and_then(|typed| typed.get(&attribute.name));
        let value = typed.or(kept).map_or("", |value| value.trim()).to_owned();
        let wrong = attribute.check(&value).err();
        Field {
            name: attribute.name.clone(),
            label: attribute.label.clone(),
            error: wrong.map_or_else(String::new, |wrong| wrong.say(&app.look)),
            value,
        }
    };
    record.credential_type.attributes().map(field).collect()
}

/// `POST /hr/records/{id}`: fields that are not sent stay as they are.
pub(super) async fn save(
    State(app): State<App>,
    Path(id): Path<String>,
    Anonymous(typed): Anonymous,
) -> Result<Response, Trouble> {
    let Some(mut record) = find(&app, &id).await? else {
        return Ok(problem::not_found(&app, None));
    };
    let fields = fields_of(&app, &record, Some(&typed));
    if fields.iter().any(|field| !field.error.is_empty()) {
        let csrf = typed.get("csrf").cloned().unwrap_or_default();
        let view = view(&app, &record, fields, csrf, None).await?;
        return Ok(page::show_record(&app.look, view));
    }
    for field in fields {
        record.claims.insert(field.name, field.value);
    }
    keep(&app, &record, Cause::Corrected).await?;
    Ok(Redirect::to(&path(&id, "saved")).into_response())
}

/// `POST /hr/records/{id}/end`: its last day is today.
pub(super) async fn end(
    State(app): State<App>,
    Path(id): Path<String>,
    _: Anonymous,
) -> Result<Response, Trouble> {
    let Some(mut record) = find(&app, &id).await? else {
        return Ok(problem::not_found(&app, None));
    };
    if record.ended_on(app.now()).is_none() {
        let today = day_of(app.now()).to_string();
        let end = record.credential_type.ends_with.clone();
        record.claims.insert(end, today);
        keep(&app, &record, Cause::EndedEarly).await?;
    }
    Ok(Redirect::to(&path(&id, "ended")).into_response())
}

/// The record and the revocations that follow are written together or not at all.
async fn keep(app: &App, record: &Record, cause: Cause) -> Result<(), StoreError> {
    let now_says = record.for_desk();
    let follows = app.desk.record_changed(&record.id, Some(&now_says), cause);
    let kind = match cause {
        Cause::EndedEarly => Kind::RecordEnded,
        _ => Kind::RecordChanged,
    };
    let change = [record.update(app.now()), act(app, kind, record, cause)];
    write(app, change, follows).await
}

/// `POST /hr/records/{id}/delete`.
pub(super) async fn delete(
    State(app): State<App>,
    Path(id): Path<String>,
    _: Anonymous,
) -> Result<Response, Trouble> {
    if let Some(record) = find(&app, &id).await? {
        let cause = Cause::AddedInError;
        let follows = app.desk.record_changed(&record.id, None, cause);
        let act = act(&app, Kind::RecordDeleted, &record, cause);
        write(&app, [record.delete(app.now()), act], follows).await?;
    }
    Ok(Redirect::to("/hr?deleted=yes").into_response())
}

fn act(app: &App, kind: Kind, record: &Record, cause: Cause) -> Statement {
    let act = Act::by(HR, kind).about(&record.employee);
    act.of(&record.id).with(cause.code()).statement(app.now())
}

async fn write(
    app: &App,
    change: [Statement; 2],
    follows: impl IntoIterator<Item = Statement>,
) -> Result<(), StoreError> {
    app.store.write(change.into_iter().chain(follows)).await?;
    app.desk.wake();
    Ok(())
}
