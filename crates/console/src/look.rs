//! How the pages look and in which words they speak.

use std::sync::{Arc, LazyLock};

use ui::{Brand, Page, Words};

/// The words of each slice: one file for each, and one line here.
const CATALOGUES: &[&str] = &[
    include_str!("../words/shared.ftl"),
    include_str!("../words/log_in.ftl"),
    include_str!("../words/home.ftl"),
    include_str!("../words/checklist.ftl"),
    include_str!("../words/operators.ftl"),
    include_str!("../words/proposals.ftl"),
    include_str!("../words/audit.ftl"),
    include_str!("../words/account.ftl"),
    include_str!("../words/registry.ftl"),
    include_str!("../words/interactions.ftl"),
    include_str!("../words/credentials.ftl"),
    include_str!("../words/bulk.ftl"),
    include_str!("../words/keys.ftl"),
    include_str!("../words/holds.ftl"),
    include_str!("../words/figures.ftl"),
];

/// Brand and words. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Look {
    brand: Arc<Brand>,
    words: Words,
}

impl Look {
    /// The console's look in English.
    pub(crate) fn new(brand: Arc<Brand>) -> Self {
        static ENGLISH: LazyLock<Words> = LazyLock::new(|| english().unwrap_or_default());
        Self {
            brand,
            words: ENGLISH.clone(),
        }
    }

    /// Who runs the gateway, and their colours.
    pub(crate) fn brand(&self) -> &Arc<Brand> {
        &self.brand
    }

    /// A text of the catalogue.
    pub(crate) fn say(&self, key: &str) -> String {
        self.words.say(key)
    }

    /// A text of the catalogue, with what stands in its places.
    pub(crate) fn say_with(&self, key: &str, with: &[(&str, &str)]) -> String {
        self.words.say_with(key, with)
    }

    /// A text of the catalogue, where it has one.
    pub(crate) fn say_if_known(&self, key: &str) -> Option<String> {
        let known = self.words.keys().any(|known| known == key);
        known.then(|| self.say(key))
    }

    /// What follows that beginning, of every key that has it.
    pub(crate) fn keys_after(&self, beginning: &str) -> Vec<String> {
        let rest = self
            .words
            .keys()
            .filter_map(|key| key.strip_prefix(beginning));
        rest.map(str::to_owned).collect()
    }

    /// The bare frame of a page.
    pub(crate) fn page(&self, title: impl Into<String>) -> Page {
        Page::new(&self.brand, title).with_words(&self.words)
    }
}

/// The catalogue that is compiled in. A test reads it as this does, so that it is never empty.
fn english() -> Result<Words, ui::WordsError> {
    Words::parse("en", &CATALOGUES.join("\n"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_catalogues_that_are_compiled_in_can_be_read_as_one() {
        let words = english().unwrap();
        assert!(words.keys().count() > 50);
    }
}
