//! The page to log in (screens E1).

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use ui::component::FieldError;
use ui::headers::Policy;
use ui::{Page, render_with};
use url::Url;

use super::provider;
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
    /// What the organisation's own provider is called, where people can log in there.
    pub(crate) provider: Option<String>,
    /// Whether they can log in by a password.
    pub(crate) passwords: bool,
    /// Where whoever logged out here ends their session at the provider too.
    pub(crate) elsewhere: Option<Url>,
    /// What is to be put right.
    pub(crate) problem: Option<LoginProblem>,
}

/// Why a person is at the log-in page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginNotice {
    /// They logged out.
    LoggedOut,
    /// They logged out here, and not at the organisation's provider where they had logged in.
    LoggedOutHere,
    /// Their session ended by itself.
    TimedOut,
    /// The provider does not answer.
    ProviderDown,
    /// What the provider answers cannot be used: nobody but an operator can help.
    ProviderFault,
    /// The provider let nobody in, or they did not want to.
    Declined,
    /// The provider did not check them as it must.
    TooWeak,
    /// The provider knows them, and this portal does not.
    Unknown,
    /// The callback answers no log-in of this browser.
    StartAgain,
}

impl LoginNotice {
    const ALL: [Self; 9] = [
        Self::LoggedOut,
        Self::LoggedOutHere,
        Self::TimedOut,
        Self::ProviderDown,
        Self::ProviderFault,
        Self::Declined,
        Self::TooWeak,
        Self::Unknown,
        Self::StartAgain,
    ];

    /// Its text in the catalogue.
    fn key(self) -> &'static str {
        match self {
            Self::LoggedOut => "login-logged-out",
            Self::LoggedOutHere => "login-logged-out-here",
            Self::TimedOut => "login-timed-out",
            Self::ProviderDown => "login-provider-down",
            Self::ProviderFault => "login-provider-fault",
            Self::Declined => "login-declined",
            Self::TooWeak => "login-too-weak",
            Self::Unknown => "login-unknown",
            Self::StartAgain => "login-start-again",
        }
    }

    /// Whether somebody else may have to help, who is named then.
    fn may_need_help(self) -> bool {
        matches!(
            self,
            Self::ProviderFault | Self::Declined | Self::TooWeak | Self::Unknown
        )
    }

    /// As an address says it.
    pub(crate) fn code(self) -> &'static str {
        self.key().trim_start_matches("login-")
    }

    /// Reads a code.
    pub(crate) fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.code() == code)
    }
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
    may_need_help: bool,
    hint: String,
    username_error: String,
    password_error: String,
    errors: Vec<FieldError>,
    /// Address and words of the button that leads to the provider.
    provider: Option<(String, String)>,
    /// The words of the link that ends the session there.
    end: String,
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
    let name = view.provider.clone().unwrap_or_default();
    let named = [("provider", name.as_str())];
    let may_need_help = view.notice.is_some_and(LoginNotice::may_need_help);
    let notice = view
        .notice
        .map(|notice| look.say_with(notice.key(), &named));
    let (with, end) = ("login-with-provider", "login-end-at-provider");
    let [with, end] = [with, end].map(|key| look.say_with(key, &named));
    let mut start = String::from(provider::START);
    if !view.return_to.is_empty() {
        let to: String = url::form_urlencoded::byte_serialize(view.return_to.as_bytes()).collect();
        start.push_str("?return_to=");
        start.push_str(&to);
    }
    let view_has_provider = view.provider.is_some();
    let page = LoginPage {
        page,
        session: None,
        view,
        notice,
        may_need_help,
        hint,
        username_error,
        password_error,
        errors,
        provider: view_has_provider.then_some((start, with)),
        end,
    };
    render_with(status, &page, &Policy::new())
}
