//! The sections of the console: one line for each. A new one is a file of its own with a `pages()` that gives its
//! [`Pages`](crate::pages::Pages), a catalogue in `words/` (a line in `look.rs`), a line here, and a row in the browser's walk.

use std::pin::Pin;

use crate::pages::Pages;
use crate::problem::Problem;
use crate::visit::Visit;
use crate::{account, audit, home, operators, proposals};

/// Something on its way.
pub(crate) type Pending<T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send>>;

/// What a section has to tell of itself.
pub(crate) type Tells = fn(Visit) -> Pending<Vec<News>>;

/// A section.
pub(crate) struct Section {
    /// The address of its first page.
    pub(crate) path: &'static str,
    /// What its link says, by its key in the catalogue.
    pub(crate) key: &'static str,
    /// The right without which the link is not shown, by its code.
    pub(crate) right: Option<&'static str>,
    /// Its pages.
    pub(crate) pages: fn() -> Pages,
    /// What the start page says of it to whoever has that right: nothing, where all is well and nobody need know.
    pub(crate) news: Option<Tells>,
}

/// A line of the start page.
#[derive(Clone, Debug)]
pub(crate) struct News {
    /// What is the matter.
    pub(crate) title: String,
    /// More words, or nothing.
    pub(crate) hint: String,
    /// Where somebody does something about it.
    pub(crate) href: Option<String>,
    /// How it stands.
    pub(crate) state: State,
    /// The word for that.
    pub(crate) word: String,
}

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing to do.
    Well,
    /// Somebody should look.
    Waits,
    /// Somebody must.
    Wrong,
}

/// In the order of the links.
#[rustfmt::skip]
pub(crate) const SECTIONS: &[Section] = &[
    Section { path: "/console", key: "nav-home", right: None, pages: home::pages, news: Some(home::news) },
    Section { path: "/console/proposals", key: "nav-proposals", right: Some("proposals-read"), pages: proposals::pages, news: Some(proposals::news) },
    Section { path: "/console/operators", key: "nav-operators", right: Some("operators-read"), pages: operators::pages, news: None },
    Section { path: "/console/audit", key: "nav-audit", right: Some("audit-read"), pages: audit::pages, news: Some(audit::news) },
    Section { path: "/console/account", key: "nav-account", right: None, pages: account::pages, news: Some(account::news) },
];
