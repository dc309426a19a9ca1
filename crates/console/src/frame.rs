//! Around the content of every page: the sections that the role reaches, the way back, what was just done, and what is to be put
//! right. A template extends `frame.html` and has two fields, `page` and `frame`; [`Frame::parts`] makes both.

use axum::http::StatusCode;
use axum::response::Response;
use ui::component::FieldError;
use ui::headers::Policy;
use ui::{Account, Page, render_with};

use crate::look::Look;
use crate::problem::FormErrors;
use crate::sections::SECTIONS;
use crate::visit::Visit;

/// A link to a section.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) href: &'static str,
    pub(crate) text: String,
    /// Whether the page belongs to it.
    pub(crate) is_here: bool,
}

/// What `frame.html` shows.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    page: Page,
    pub(crate) links: Vec<Link>,
    pub(crate) back: Option<(String, String)>,
    pub(crate) done: Option<String>,
    pub(crate) errors: FormErrors,
    pub(crate) wide: bool,
    /// For how long somebody stays logged in, in a line at the end.
    pub(crate) session: Option<String>,
    /// The token that every form of this page carries.
    pub(crate) csrf: String,
}

impl Frame {
    pub(crate) fn of_visit(visit: &Visit, section: &'static str, title: String) -> Self {
        let look = &visit.app.look;
        let who = &visit.operator;
        let account = Account {
            name: who.name.clone(),
            log_out_action: "/console/log-out".to_owned(),
            log_out_text: look.say("log-out"),
            csrf: visit.csrf.clone(),
        };
        let mut page = look.page(title).with_account(account);
        if who.break_glass {
            page = page.with_banner(look.say("break-glass-banner"));
        }
        let shown = SECTIONS.iter();
        let shown = shown.filter(|section| section.right.is_none_or(|right| visit.may(right)));
        let links = shown.map(|known| Link {
            href: known.path,
            text: look.say(known.key),
            is_here: known.path == section,
        });
        let until = ui::time::clock(who.expires_at);
        let session = look.say_with("session-line", &[("until", &until)]);
        Self {
            links: links.collect(),
            session: Some(session),
            ..Self::bare(page, &visit.csrf)
        }
    }

    pub(crate) fn of_guest(look: &Look, csrf: &str, title: String) -> Self {
        Self::bare(look.page(title), csrf)
    }

    fn bare(page: Page, csrf: &str) -> Self {
        Self {
            page,
            links: Vec::new(),
            back: None,
            done: None,
            errors: FormErrors::default(),
            wide: false,
            session: None,
            csrf: csrf.to_owned(),
        }
    }

    /// Under another heading: the name of what the page is about.
    #[must_use]
    pub(crate) fn titled(mut self, title: impl Into<String>) -> Self {
        self.page = self.page.with_title(title);
        self
    }

    /// What the browser's tab says, where other pages have the same heading.
    #[must_use]
    pub(crate) fn tab(mut self, text: impl Into<String>) -> Self {
        self.page = self.page.with_tab(text);
        self
    }

    /// With a way back.
    #[must_use]
    pub(crate) fn back(mut self, href: impl Into<String>, text: impl Into<String>) -> Self {
        self.back = Some((href.into(), text.into()));
        self
    }

    /// With what was just done: `code` stands behind `?done=`, and its text in the catalogue as `done-CODE`.
    #[must_use]
    pub(crate) fn done(mut self, look: &Look, code: Option<&str>) -> Self {
        self.done = code.and_then(|code| look.say_if_known(&format!("done-{code}")));
        self
    }

    /// With what is to be put right.
    #[must_use]
    pub(crate) fn errors(mut self, errors: FormErrors) -> Self {
        if !errors.is_empty() {
            self.page = self.page.with_errors();
        }
        self.errors = errors;
        self
    }

    /// As wide as the window: a table of many columns.
    #[must_use]
    pub(crate) fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// What a template takes.
    pub(crate) fn parts(self) -> (Page, Self) {
        (self.page.clone(), self)
    }

    /// What is wrong with that field, or nothing.
    pub(crate) fn error(&self, field: &str) -> &str {
        self.errors.of(field)
    }

    /// The lines above the form.
    pub(crate) fn summary(&self) -> Vec<FieldError> {
        self.errors.summary()
    }

    /// The status of the page: 200, unless something is to be put right.
    pub(crate) fn status(&self) -> StatusCode {
        self.errors.status()
    }
}

/// A page as an answer.
pub(crate) fn show(status: StatusCode, template: &impl askama::Template) -> Response {
    render_with(status, template, &Policy::new())
}
