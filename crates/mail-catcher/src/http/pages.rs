//! The pages for people: the messages, one message, and the switch of faults. All work without JavaScript. What a
//! sender wrote is shown as text only: no picture is loaded, no link is live (SEC-35).

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;
use ui::Page;
use ui::component::{Choice, Row};
use ui::headers::Policy;

use crate::{Catcher, Fault, Mail};

const BANNER: &str = "Test mail – nothing here is sent to anybody";

/// More messages than this are too many for one page; the API has them all.
const MOST_ROWS: usize = 200;

#[derive(Clone)]
struct Pages {
    catcher: Catcher,
    brand: Arc<ui::Brand>,
}

pub(super) fn router(catcher: Catcher, brand: &Arc<ui::Brand>) -> Router {
    let pages = Pages {
        catcher,
        brand: Arc::clone(brand),
    };
    Router::new()
        .route("/", get(messages))
        .route("/messages/{id}", get(message))
        .route("/delete", post(delete))
        .route("/misbehave", post(misbehave))
        .fallback(nothing_here)
        .with_state(pages)
        .merge(ui::router(brand))
}

impl Pages {
    fn page(&self, title: &str) -> Page {
        Page::new(&self.brand, title).with_banner(BANNER)
    }

    fn problem(&self, status: StatusCode, title: &str, text: &str) -> Response {
        let page = self.page(title);
        ui::render_with(status, &ProblemPage { page, text }, &Policy::new())
    }
}

#[derive(Template)]
#[template(path = "http/messages.html")]
struct MessagesPage {
    page: Page,
    held: usize,
    entries: Vec<Entry>,
    faults: Vec<Choice>,
    fault: Option<Fault>,
}

#[derive(Template)]
#[template(path = "http/message.html")]
struct MessagePage {
    page: Page,
    rows: Vec<Row>,
    text: String,
    headers: String,
}

#[derive(Template)]
#[template(path = "http/problem.html")]
struct ProblemPage<'a> {
    page: Page,
    text: &'a str,
}

/// One line of the list.
struct Entry {
    href: String,
    to: String,
    subject: String,
    when: String,
}

impl Entry {
    fn new(id: &str, mail: &Mail) -> Self {
        Self {
            href: format!("/messages/{id}"),
            to: printable(&mail.to),
            subject: subject(mail),
            when: ui::time::date_and_clock(mail.received_at),
        }
    }
}

async fn messages(State(pages): State<Pages>) -> Response {
    let (held, newest) = pages.catcher.newest(MOST_ROWS);
    let entries = newest
        .iter()
        .map(|(id, kept)| Entry::new(id, &Mail::read(kept)))
        .collect();
    let fault = pages.catcher.fault();
    ui::render(&MessagesPage {
        page: pages.page("Messages"),
        held,
        entries,
        faults: fault_choices(fault),
        fault,
    })
}

async fn message(State(pages): State<Pages>, Path(id): Path<String>) -> Response {
    let Some(kept) = pages.catcher.find(&id) else {
        return pages.problem(
            StatusCode::NOT_FOUND,
            "Message not found",
            "It may have been deleted.",
        );
    };
    let mail = Mail::read(&kept);
    let from = match mail.from.as_str() {
        "" => "Nobody (a notice about another message)".to_owned(),
        from => printable(from),
    };
    let rows = vec![
        Row::new("To", printable(&mail.to)),
        Row::new("From", from),
        Row::new("Received", ui::time::date_and_clock(mail.received_at)),
    ];
    ui::render(&MessagePage {
        page: pages.page(&subject(&mail)),
        rows,
        text: printable(&mail.text),
        headers: printable(&kept.headers()),
    })
}

async fn nothing_here(State(pages): State<Pages>) -> Response {
    pages.problem(
        StatusCode::NOT_FOUND,
        "Page not found",
        "Check the address, or go to the messages.",
    )
}

async fn delete(State(pages): State<Pages>) -> Response {
    match pages.catcher.empty() {
        Ok(()) => Redirect::to("/").into_response(),
        Err(error) => {
            tracing::error!(%error, "the messages could not be deleted");
            pages.problem(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The messages could not be deleted",
                "Look whether the folder of the messages can be written to.",
            )
        }
    }
}

#[derive(Deserialize)]
struct MisbehaveForm {
    fault: String,
}

async fn misbehave(State(pages): State<Pages>, Form(form): Form<MisbehaveForm>) -> Response {
    let fault = match form.fault.as_str() {
        "" => None,
        name => match Fault::parse(name) {
            Some(fault) => Some(fault),
            None => {
                return pages.problem(
                    StatusCode::BAD_REQUEST,
                    "There is no such fault",
                    "Choose one from the list.",
                );
            }
        },
    };
    pages.catcher.misbehave(fault);
    Redirect::to("/").into_response()
}

fn fault_choices(fault: Option<Fault>) -> Vec<Choice> {
    let none = Choice::new("", "Take every message").chosen(fault.is_none());
    let faults = Fault::ALL
        .into_iter()
        .map(|one| Choice::new(one.name(), one.summary()).chosen(fault == Some(one)));
    std::iter::once(none).chain(faults).collect()
}

fn subject(mail: &Mail) -> String {
    match printable(mail.subject.trim()) {
        subject if subject.is_empty() => "(no subject)".to_owned(),
        subject => subject,
    }
}

/// Characters that show nothing, or turn round what stands beside them, are shown as such.
fn printable(text: &str) -> String {
    let hidden = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| {
            if hidden(c) {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}
