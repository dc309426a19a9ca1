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
pub mod local;
mod page;
pub mod qr;
mod render;
pub mod time;
mod words;

use std::sync::Arc;

pub use brand::{Brand, BrandError, BrandFile, Colour, FooterLink, OpenError, SupportContact};
pub use page::{Account, Page};
pub use render::{render, render_with};
pub use words::{Words, WordsError};

/// Everything a page asks its own origin for: the vendored style sheet and script, the brand's own sheet, and
/// the Help page that each footer links to.
pub fn router<S>(brand: &Arc<Brand>) -> axum::Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router_framed(brand, |title| Page::new(brand, title))
}

/// The same, with the Help page in the frame that all pages of a program have: its banner and its language.
pub fn router_framed<S>(
    brand: &Arc<Brand>,
    frame: impl FnOnce(&'static str) -> Page,
) -> axum::Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    assets::vendored()
        .router()
        .merge(brand.assets().router())
        .merge(help::router(frame(help::TITLE)))
}
