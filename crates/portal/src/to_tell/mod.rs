//! For HR, behind the log-in: whom somebody has to tell that a credential is cancelled, and what has not arrived.
//!
//! Nothing can be changed here but that somebody was told: records are the feed's or the staff file's.

pub(crate) mod page;

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use uuid::Uuid;

use crate::app::App;
use crate::audit::{self, Act, Kind};
use crate::hr::lists;
use crate::trouble::Trouble;
use crate::visit::{Office, Posted};
use page::{ToTell, ToTellView};

/// Where the page is.
pub(crate) const PATH: &str = "/to-tell";

#[derive(Deserialize)]
pub(crate) struct ToTellQuery {
    told: Option<String>,
}

/// `GET /to-tell`.
pub(crate) async fn show(
    State(app): State<App>,
    Query(query): Query<ToTellQuery>,
    Office(visit): Office,
) -> Result<Response, Trouble> {
    let names = app.names().await?;
    let people = app.desk.may_still_hold().await?;
    let backlog = app.desk.backlog().await?;
    let shown = (people.iter().map(|one| &one.employee))
        .chain(backlog.revocations.iter().map(|one| &one.employee))
        .chain(backlog.mails.iter().map(|one| &one.employee))
        .chain(backlog.erasures.iter().map(|one| &one.employee))
        .map(String::as_str);
    audit::seen(&app, &visit.employee.id, Kind::ToTellViewed, shown).await?;
    let to_tell = people.into_iter().map(|one| ToTell {
        serial_number: one.serial_number,
        card: lists::may_still_hold(one, &names),
    });
    let view = ToTellView {
        to_tell: to_tell.collect(),
        not_arrived: lists::not_arrived(backlog, &names),
        is_told: query.told.is_some(),
    };
    Ok(page::show(&app.look, &visit.visitor(), &view))
}

/// `POST /to-tell/{serial_number}`: they have told the person. A second time changes nothing.
pub(crate) async fn told(
    State(app): State<App>,
    Path(serial_number): Path<Uuid>,
    posted: Posted<Office>,
) -> Result<Response, Trouble> {
    let Office(visit) = posted.by;
    let people = app.desk.may_still_hold().await?;
    let one = people
        .into_iter()
        .find(|one| one.serial_number == serial_number);
    if let Some(one) = one {
        let told = Act::by(&visit.employee.id, Kind::ToldAnotherWay).about(&one.employee);
        let batch = [app.desk.told(serial_number), told.statement(app.now())];
        app.store.write(batch).await?;
    }
    Ok(Redirect::to(&format!("{PATH}?told=yes")).into_response())
}

impl crate::app::Parts {
    /// Everybody's name by their id, also of those who have left: they may still hold something.
    pub(crate) async fn names(&self) -> Result<HashMap<String, String>, store::StoreError> {
        let select = "SELECT id, first_names, surname FROM portal_employees";
        let rows = self.store.read(store::Statement::new(select)).await?;
        let named = rows.iter().map(|row| {
            let name = format!("{} {}", row.text("first_names")?, row.text("surname")?);
            Ok((row.text("id")?.to_owned(), name))
        });
        named.collect()
    }
}
