//! The sections of the console: one line for each. A new one is a file of its own with a `pages()` that gives its
//! [`Pages`](crate::pages::Pages), a catalogue in `words/` (a line in `look.rs`), a line here, and a row in the browser's walk.

use std::pin::Pin;

use crate::pages::Pages;
use crate::problem::Problem;
use crate::visit::Visit;
use crate::{
    account, audit, checklist, credential_types, credentials, figures, holds, home, interactions,
    keys, operators, organisations, proposals, relying_parties,
};

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
    Section { path: "/console/checklist", key: "nav-checklist", right: Some("gateway-read"), pages: checklist::pages, news: None },
    Section { path: "/console/interactions", key: "nav-interactions", right: Some("interactions-read"), pages: interactions::pages, news: None },
    Section { path: "/console/credentials", key: "nav-credentials", right: Some("credentials-read"), pages: credentials::pages, news: None },
    Section { path: "/console/keys", key: "nav-keys", right: Some("keys-read"), pages: keys::pages, news: Some(keys::news) },
    Section { path: "/console/holds", key: "nav-holds", right: Some("holds-read"), pages: holds::pages, news: None },
    Section { path: "/console/figures", key: "nav-figures", right: Some("figures-read"), pages: figures::pages, news: None },
    Section { path: "/console/proposals", key: "nav-proposals", right: Some("proposals-read"), pages: proposals::pages, news: Some(proposals::news) },
    Section { path: "/console/operators", key: "nav-operators", right: Some("operators-read"), pages: operators::pages, news: None },
    Section { path: "/console/organisations", key: "nav-organisations", right: Some("registry-read"), pages: organisations::pages, news: None },
    Section { path: "/console/relying-parties", key: "nav-relying-parties", right: Some("registry-read"), pages: relying_parties::pages, news: None },
    Section { path: "/console/credential-types", key: "nav-credential-types", right: Some("registry-read"), pages: credential_types::pages, news: None },
    Section { path: "/console/audit", key: "nav-audit", right: Some("audit-read"), pages: audit::pages, news: Some(audit::news) },
    Section { path: "/console/account", key: "nav-account", right: None, pages: account::pages, news: Some(account::news) },
];
