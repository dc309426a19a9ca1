//! What is cancelled when a phone is lost, and what comes next.

use askama::Template;
use axum::response::Response;
use ui::{Page, render};

use crate::look::{Look, Visitor};
use crate::session::page::Session;

/// What is out.
#[derive(Clone)]
pub(crate) struct LostPhoneView {
    /// What the credentials are called.
    pub(crate) titles: Vec<String>,
}

#[derive(Template)]
#[template(path = "lost_phone/lost_phone.html")]
struct LostPhonePage {
    page: Page,
    session: Option<Session>,
    titles: Vec<String>,
}

#[derive(Template)]
#[template(path = "lost_phone/done.html")]
struct DonePage {
    page: Page,
    session: Option<Session>,
}

/// Shows what will be cancelled, or that there is nothing.
pub(crate) fn show(look: &Look, visitor: &Visitor, view: LostPhoneView) -> Response {
    let (page, session) = look.frame(visitor, look.say("lost-phone-title"));
    render(&LostPhonePage {
        page,
        session,
        titles: view.titles,
    })
}

/// Shows that it is being done.
pub(crate) fn show_done(look: &Look, visitor: &Visitor) -> Response {
    let (page, session) = look.frame(visitor, look.say("lost-phone-done-title"));
    render(&DonePage { page, session })
}
