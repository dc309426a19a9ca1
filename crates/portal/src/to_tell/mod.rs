//! For HR, behind the log-in: whom somebody has to tell that a credential is cancelled, and what has not arrived.
//!
//! Nothing can be changed here but that somebody was told, and that a mail is sent again: records are the feed's or the staff file's.

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
use page::{News, ToTell, ToTellView};

/// Where the page is.
pub(crate) const PATH: &str = "/to-tell";

#[derive(Deserialize)]
pub(crate) struct ToTellQuery {
    told: Option<String>,
    again: Option<String>,
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
        news: match query {
            ToTellQuery { told: Some(_), .. } => Some(News::Told),
            ToTellQuery { again: Some(_), .. } => Some(News::Again),
            _ => None,
        },
    };
    Ok(page::show(&app.look, &visit.visitor(), &view))
}

/// `GET` of a button's address: where whoever had to log in before it counted comes back to.
pub(crate) async fn back() -> Redirect {
    Redirect::to(PATH)
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

/// `POST /to-tell/{serial_number}/again`: what was wrong is mended, so a mail that was given up is tried anew. A second time
/// changes nothing.
pub(crate) async fn send_again(
    State(app): State<App>,
    Path(serial_number): Path<Uuid>,
    posted: Posted<Office>,
) -> Result<Response, Trouble> {
    let Office(visit) = posted.by;
    let mails = app.desk.backlog().await?.mails;
    let one = mails
        .into_iter()
        .find(|one| one.serial_number == serial_number && one.given_up);
    if let Some(one) = one {
        let again = Act::by(&visit.employee.id, Kind::MailSentAgain).about(&one.employee);
        let batch = [
            app.desk.mail_again(serial_number),
            again.statement(app.now()),
        ];
        app.store.write(batch).await?;
        app.desk.wake();
    }
    Ok(Redirect::to(&format!("{PATH}?again=yes")).into_response())
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
