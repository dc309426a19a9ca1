//! Page layout and components in the NHS design system's grammar, with a neutral brand.
//!
//! A page is an `askama` template beside its handler. It extends `layout.html`, which reads one field,
//! `page: ui::Page`, and it takes its components from `components.html`:
//!
//! ```html
//! {% extends "layout.html" %}
//! {% import "components.html" as ui %}
//! {% block content %}
//! <h1 class="nhsuk-heading-l">{{ page.title() }}</h1>
//! {{ ui::button("Continue") }}
//! {% call ui::inset() %}<p>We cannot see what is in your wallet.</p>{% endcall %}
//! {% endblock %}
//! ```
//!
//! [`render`] turns it into a response with the headers every page needs; [`router`] serves what the pages
//! ask for. A crate with such templates has an `askama.toml` with `dirs = ["src", "../ui/templates"]`.

pub mod assets;
mod brand;
pub mod caller;
pub mod component;
pub mod headers;
mod help;
mod language;
pub mod local;
mod logo;
mod page;
pub mod qr;
mod render;
pub mod time;
mod words;

use std::sync::Arc;

use axum::http::HeaderMap;

pub use brand::{
    Brand, BrandError, BrandFile, Colour, FooterLink, OpenError, SupportContact, Tenant,
};
pub use language::Language;
pub use logo::{LARGEST as LARGEST_LOGO, Logo, LogoError};
pub use page::{Account, Page};
pub use render::{render, render_with};
pub use words::{Words, WordsError};

/// Everything a page asks its own origin for: the vendored style sheet and script, the brand's own sheet, and
/// what each footer links to: the Help page and the accessibility statement.
pub fn router<S>(brand: &Arc<Brand>) -> axum::Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let plain = Page::new(brand, "");
    router_framed(brand, move |_, _| plain.clone())
}

/// The same, with those pages in the frame that all pages of a program have: its banner, and the language for
/// whoever sent these headers to that address. Their titles are their own.
pub fn router_framed<S>(
    brand: &Arc<Brand>,
    frame: impl Fn(&HeaderMap, &str) -> Page + Clone + Send + Sync + 'static,
) -> axum::Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    assets::vendored()
        .router()
        .merge(brand.assets().router())
        .merge(help::router(frame))
}
