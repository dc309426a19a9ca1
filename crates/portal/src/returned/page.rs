//! The way back from the gateway (screens E9).

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use ui::headers::Policy;
use ui::{Page, render, render_with};

use crate::look::{FINISHING_SCRIPT, Look, Visitor, scripts};
use crate::session::page::Session;

/// The gateway's answer is being fetched, which takes longer than usual.
#[derive(Debug, Clone)]
pub(crate) struct FinishingView {
    /// Address of the status document, `{"finished": bool}`.
    pub(crate) status_url: String,
    /// Where it goes on once it is finished. Safe to load before: it leads back here then.
    pub(crate) continue_href: String,
    /// What the person tells to support.
    pub(crate) reference: String,
}

#[derive(Template)]
#[template(path = "returned/finishing.html")]
struct FinishingPage {
    page: Page,
    session: Option<Session>,
    view: FinishingView,
    reference: String,
}

#[derive(Template)]
#[template(path = "returned/elsewhere.html")]
struct ElsewherePage {
    page: Page,
    session: Option<Session>,
}

/// Shows that it takes a moment.
pub(crate) fn show_finishing(look: &Look, visitor: &Visitor, view: FinishingView) -> Response {
    let (page, session) = look.frame(visitor, look.say("finishing-title"));
    render(&FinishingPage {
        page: page.with_script(scripts().href(FINISHING_SCRIPT)),
        session,
        reference: view.reference.clone(),
        view,
    })
}

/// Shows that this browser, or this session, is not the one in which it began. Nothing that came is used.
pub(crate) fn show_elsewhere(look: &Look) -> Response {
    let page = ElsewherePage {
        page: look.page(look.say("elsewhere-title")),
        session: None,
    };
    render_with(StatusCode::BAD_REQUEST, &page, &Policy::new())
}
