//! What the layout needs to know of a page.

use std::sync::Arc;

use crate::{Brand, assets};

/// The frame around a page's content. Templates that extend `layout.html` have it as their field `page`.
#[derive(Debug, Clone)]
pub struct Page {
    title: String,
    brand: Arc<Brand>,
    has_errors: bool,
    banner: Option<&'static str>,
    scripts: Vec<String>,
}

impl Page {
    /// A page whose title is its main heading.
    pub fn new(brand: &Arc<Brand>, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            brand: Arc::clone(brand),
            has_errors: false,
            banner: None,
            scripts: Vec::new(),
        }
    }

    /// The person has something to correct: the title says so first.
    #[must_use]
    pub fn with_errors(mut self) -> Self {
        self.has_errors = true;
        self
    }

    /// A loud line above everything, for what is not for real people.
    #[must_use]
    pub fn with_banner(mut self, text: &'static str) -> Self {
        self.banner = Some(text);
        self
    }

    /// One more module script, by its address.
    #[must_use]
    pub fn with_script(mut self, href: impl Into<String>) -> Self {
        self.scripts.push(href.into());
        self
    }

    /// The main heading.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What the browser's tab says: unique for each page, the heading first.
    pub fn full_title(&self) -> String {
        let prefix = if self.has_errors { "Error: " } else { "" };
        format!("{prefix}{} – {}", self.title, self.brand.service_name())
    }

    /// The language of the page.
    pub fn lang(&self) -> &'static str {
        "en"
    }

    /// Who runs the service, and its colours.
    pub fn brand(&self) -> &Brand {
        &self.brand
    }

    /// The loud line, if this page has one.
    pub fn banner(&self) -> Option<&'static str> {
        self.banner
    }

    /// Addresses of the page's own module scripts.
    pub fn scripts(&self) -> &[String] {
        &self.scripts
    }

    /// Where the Help link leads, on every page the same.
    pub fn help_href(&self) -> &'static str {
        crate::help::PATH
    }

    /// The address of a vendored file.
    pub fn asset(&self, name: &str) -> String {
        assets::vendored().href(name)
    }
}
