//! Whom somebody has to tell, and what has not arrived.

use askama::Template;
use axum::response::Response;
use ui::component::Row;
use ui::{Page, render};
use uuid::Uuid;

use super::PATH;
use crate::hr::lists::{MayStillHold, Next, NotArrived};
use crate::look::{Look, Visitor};
use crate::session::page::Session;

/// What HR has to see to.
#[derive(Clone)]
pub(crate) struct ToTellView {
    /// People who may still hold a cancelled credential and do not know.
    pub(crate) to_tell: Vec<ToTell>,
    /// Revocations, mails and erasures that wait or failed.
    pub(crate) not_arrived: Vec<NotArrived>,
    /// What was just done, to be said once.
    pub(crate) news: Option<News>,
}

/// What a button did.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// Somebody was told.
    Told,
    /// A mail is tried anew.
    Again,
}

/// One of them.
#[derive(Clone)]
pub(crate) struct ToTell {
    pub(crate) serial_number: Uuid,
    pub(crate) card: MayStillHold,
}

#[derive(Template)]
#[template(path = "to_tell/to_tell.html")]
struct ToTellPage {
    page: Page,
    session: Option<Session>,
    news: Option<String>,
    /// Heading, rows, where the button leads and what it says.
    to_tell: Vec<(String, Vec<Row>, String, String)>,
    not_arrived: Vec<Card>,
}

/// What has not arrived.
struct Card {
    heading: String,
    rows: Vec<Row>,
    /// Where the button leads and what it says, where there is something to do.
    again: Option<(String, String)>,
}

/// Shows the page.
pub(crate) fn show(look: &Look, visitor: &Visitor, view: &ToTellView) -> Response {
    let (page, session) = look.frame(visitor, look.say("to-tell-title"));
    let to_tell = view.to_tell.iter().map(|one| {
        let (heading, rows) = one.card.card_of_person(look);
        let action = format!("{PATH}/{}", one.serial_number);
        let named = [
            ("employee", one.card.employee.as_str()),
            ("title", &one.card.title),
        ];
        (
            heading,
            rows,
            action,
            look.say_with("to-tell-button", &named),
        )
    });
    let not_arrived = view.not_arrived.iter().map(|one| {
        let (heading, rows) = one.card(look);
        Card {
            heading,
            rows,
            again: again(look, one),
        }
    });
    render(&ToTellPage {
        page,
        session,
        news: view.news.map(|news| match news {
            News::Told => look.say("to-tell-told"),
            News::Again => look.say("to-tell-again"),
        }),
        to_tell: to_tell.collect(),
        not_arrived: not_arrived.collect(),
    })
}

/// The way to send a mail again that was given up.
fn again(look: &Look, one: &NotArrived) -> Option<(String, String)> {
    let Next::GivenUp { serial_number, .. } = &one.next else {
        return None;
    };
    let named = [
        ("employee", one.employee.as_str()),
        ("title", one.title.as_str()),
    ];
    let button = look.say_with("to-tell-again-button", &named);
    Some((format!("{PATH}/{serial_number}/again"), button))
}
