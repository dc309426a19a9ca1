//! What all pages of the portal have in common: brand, words, who is logged in and for how long.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use ui::assets::{File, JAVASCRIPT, SESSION_SCRIPT, Set};
use ui::component::Row;
use ui::{Account, Brand, Language, Page, Words};

use crate::language::spoken;
use crate::session::page::Session;

/// How long a person may stay logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Without doing anything.
    pub(crate) idle_minutes: u16,
    /// Whatever they do.
    pub(crate) longest_hours: u16,
    /// How long before the end the warning comes.
    pub(crate) warning_minutes: u16,
}

impl Default for Limits {
    /// Screens 3.5.
    fn default() -> Self {
        Self {
            idle_minutes: 30,
            longest_hours: 12,
            warning_minutes: 5,
        }
    }
}

/// Who is logged in, as the pages need it.
#[derive(Clone)]
pub(crate) struct Visitor {
    /// The person's name.
    pub(crate) name: String,
    /// The token that every form of this session carries.
    pub(crate) csrf: String,
    /// When the page is made.
    pub(crate) now: Timestamp,
    /// When the session ends if nothing more is done.
    pub(crate) ends_at: Timestamp,
    /// Whether doing something puts the end off; not in the last minutes of the longest time.
    pub(crate) may_stay: bool,
}

/// How the pages look and in which words they speak. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Look {
    brand: Arc<Brand>,
    english: Words,
    /// The operator's own catalogue, and what it speaks.
    other: Option<(Language, Words)>,
    limits: Limits,
    is_sandbox: bool,
}

impl Look {
    /// The portal's look in English.
    pub(crate) fn new(brand: Arc<Brand>, limits: Limits) -> Self {
        Self {
            brand,
            english: english(),
            other: None,
            limits,
            is_sandbox: false,
        }
    }

    /// The same look, with a loud line on every page that nobody here is real.
    #[must_use]
    pub(crate) fn of_a_sandbox(mut self) -> Self {
        self.is_sandbox = true;
        self
    }

    /// The same look, which speaks another language besides, to whom it is due.
    #[must_use]
    pub(crate) fn that_speaks(mut self, other: (Language, Words)) -> Self {
        self.other = Some(other);
        self
    }

    /// The catalogue of whoever the page is for.
    fn words(&self) -> &Words {
        match &self.other {
            Some((language, words)) if *language == spoken() => words,
            _ => &self.english,
        }
    }

    /// Who runs the service, and its colours.
    pub(crate) fn brand(&self) -> &Arc<Brand> {
        &self.brand
    }

    /// How long a person may stay logged in.
    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// A text of the catalogue.
    pub(crate) fn say(&self, key: &str) -> String {
        self.words().say(key)
    }

    /// A text of the catalogue, with what stands in its places.
    pub(crate) fn say_with(&self, key: &str, with: &[(&str, &str)]) -> String {
        self.words().say_with(key, with)
    }

    /// The frame of a page for somebody who is not logged in.
    pub(crate) fn page(&self, title: impl Into<String>) -> Page {
        let page = Page::new(&self.brand, title).with_words(self.words());
        if self.is_sandbox {
            page.with_banner(self.say("sandbox-banner"))
        } else {
            page
        }
    }

    /// The frame of a page for this visitor, and the session that it warns about.
    pub(crate) fn frame(
        &self,
        visitor: &Visitor,
        title: impl Into<String>,
    ) -> (Page, Option<Session>) {
        let account = Account {
            name: visitor.name.clone(),
            log_out_action: "/logout".to_owned(),
            log_out_text: self.say("log-out"),
            csrf: visitor.csrf.clone(),
        };
        let page = self.page(title).with_account(account);
        let page = page.with_script(scripts().href(SESSION_SCRIPT.name));
        (page, Some(Session::new(self, visitor)))
    }

    /// The frame of a page that may be shown before logging in too.
    pub(crate) fn frame_if_known(
        &self,
        visitor: Option<&Visitor>,
        title: impl Into<String>,
    ) -> (Page, Option<Session>) {
        match visitor {
            Some(visitor) => self.frame(visitor, title),
            None => (self.page(title), None),
        }
    }

    /// The rows as they are shown: what is empty is said to be, not hidden.
    pub(crate) fn held(&self, mut rows: Vec<Row>) -> Vec<Row> {
        for row in rows.iter_mut().filter(|row| row.value.trim().is_empty()) {
            row.value = self.say("not-held");
        }
        rows
    }
}

/// The catalogue that is compiled in. A test reads it as this does, so that it is never empty.
pub(crate) fn english() -> Words {
    static ENGLISH: LazyLock<Words> =
        LazyLock::new(|| Words::parse("en", include_str!("../words/en.ftl")).unwrap_or_default());
    ENGLISH.clone()
}

/// The page's own scripts, to be merged into the router.
pub(crate) fn scripts() -> &'static Set {
    static SCRIPTS: LazyLock<Set> = LazyLock::new(|| {
        Set::new([
            SESSION_SCRIPT,
            File::embedded(
                FINISHING_SCRIPT,
                JAVASCRIPT,
                include_bytes!("returned/finishing.js"),
            ),
        ])
    });
    &SCRIPTS
}

/// The script of the page that waits for the gateway's answer.
pub(crate) const FINISHING_SCRIPT: &str = "finishing.js";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_catalogue_that_is_compiled_in_can_be_read() {
        Words::parse("en", include_str!("../words/en.ftl")).unwrap();
    }
}
