//! The page that says why something is not to be had or was not done.

use askama::Template;
use axum::response::Response;
use ui::Page;

use crate::frame::{Frame, show as render};
use crate::look::Look;
use crate::problem::Problem;
use crate::visit::App;

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage {
    page: Page,
    frame: Frame,
    text: String,
    code: String,
}

/// In the frame of whoever looks.
pub(crate) fn show(look: &Look, frame: Frame, problem: &Problem) -> Response {
    let kind = match problem.status.as_u16() {
        403 if problem.code == "form-token" => "form",
        403 => "forbidden",
        404 => "not-found",
        409 => "changed",
        413 => "too-large",
        429 => "too-many",
        400..=499 => "wrong",
        503 => "busy",
        _ => "fault",
    };
    let title = look.say(&format!("trouble-{kind}"));
    // What the API says of this case is better than what the page could say of all.
    let said = Some(problem.detail())
        .filter(|said| !said.is_empty() && !matches!(kind, "forbidden" | "not-found"));
    let text = said.map_or_else(|| look.say(&format!("trouble-{kind}-text")), str::to_owned);
    let (page, frame) = frame.titled(title).parts();
    let page = TroublePage {
        page,
        frame,
        text,
        code: problem.code.clone(),
    };
    render(problem.status, &page)
}

/// For somebody of whom nothing is known.
pub(crate) fn for_guest(app: &App, problem: &Problem) -> Response {
    let frame = Frame::of_guest(&app.look, "", String::new());
    show(&app.look, frame, problem)
}
