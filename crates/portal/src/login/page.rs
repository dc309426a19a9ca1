//! The page to log in (screens E1).

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use ui::component::FieldError;
use ui::headers::Policy;
use ui::{Page, render_with};

use crate::look::Look;
use crate::session::page::Session;

/// The form, as it is shown and shown again.
#[derive(Clone, Default)]
pub(crate) struct LoginView {
    /// What the person typed as a username.
    pub(crate) username: String,
    /// Where they wanted to go: a path on this origin, or nothing.
    pub(crate) return_to: String,
    /// The token of this form.
    pub(crate) csrf: String,
    /// Why they are here, where that needs saying.
    pub(crate) notice: Option<LoginNotice>,
    /// What is to be put right.
    pub(crate) problem: Option<LoginProblem>,
}

/// Why a person is at the log-in page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginNotice {
    /// They logged out.
    LoggedOut,
    /// Their session ended by itself.
    TimedOut,
}

/// What is wrong with what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginProblem {
    /// Something is missing.
    Missing {
        /// The username.
        username: bool,
        /// The password.
        password: bool,
    },
    /// The two do not belong together, or nobody has that name: which of them is not said.
    WrongPair,
    /// Too many attempts.
    TooOften,
}

#[derive(Template)]
#[template(path = "login/login.html")]
struct LoginPage {
    page: Page,
    session: Option<Session>,
    view: LoginView,
    notice: Option<String>,
    hint: String,
    username_error: String,
    password_error: String,
    errors: Vec<FieldError>,
}

/// Shows the page.
pub(crate) fn show(look: &Look, view: LoginView) -> Response {
    let mut page = look.page(look.say("login-title"));
    let (username_error, password_error, status) = match view.problem {
        None => (None, None, StatusCode::OK),
        Some(LoginProblem::Missing { username, password }) => (
            username.then_some("login-no-username"),
            password.then_some("login-no-password"),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        Some(LoginProblem::WrongPair) => (
            Some("login-wrong-pair"),
            None,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        Some(LoginProblem::TooOften) => {
            (Some("login-too-often"), None, StatusCode::TOO_MANY_REQUESTS)
        }
    };
    let [username_error, password_error] = [username_error, password_error]
        .map(|key| key.map_or_else(String::new, |key| look.say(key)));
    let errors: Vec<FieldError> = [
        (&username_error, "#username"),
        (&password_error, "#password"),
    ]
    .into_iter()
    .filter(|(text, _)| !text.is_empty())
    .map(|(text, href)| FieldError {
        text: text.clone(),
        href: href.to_owned(),
    })
    .collect();
    if !errors.is_empty() {
        page = page.with_errors();
    }
    let limits = look.limits();
    let hint = look.say_with(
        "login-limits",
        &[
            ("minutes", &limits.idle_minutes.to_string()),
            ("hours", &limits.longest_hours.to_string()),
        ],
    );
    let notice = view.notice.map(|notice| match notice {
        LoginNotice::LoggedOut => look.say("login-logged-out"),
        LoginNotice::TimedOut => look.say("login-timed-out"),
    });
    let page = LoginPage {
        page,
        session: None,
        view,
        notice,
        hint,
        username_error,
        password_error,
        errors,
    };
    render_with(status, &page, &Policy::new())
}
