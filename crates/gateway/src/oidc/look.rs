//! How the gateway's pages look, and in which language they speak to one person.

use std::sync::{Arc, LazyLock};

use ui::{Brand, Language, Page, Words};

/// The operator's brand, and the words of one language.
#[derive(Clone)]
pub struct Look {
    brand: Arc<Brand>,
    language: Language,
}

impl Look {
    /// The look of a gateway under this brand.
    pub fn new(brand: &Arc<Brand>, language: Language) -> Self {
        Self {
            brand: Arc::clone(brand),
            language,
        }
    }

    /// The frame of a page under this heading.
    pub fn page(&self, title: impl Into<String>) -> Page {
        Page::new(&self.brand, title).with_words(words(self.language))
    }

    /// The frame of a page whose heading stands in the catalogue.
    pub fn page_of(&self, key: &str) -> Page {
        self.page(self.say(key, &[]))
    }

    /// A text of the catalogue, with what stands in its places.
    pub fn say(&self, key: &str, with: &[(&str, &str)]) -> String {
        words(self.language).say_with(key, with)
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }
}

/// The catalogues that are compiled in. A test reads them as this does, so that none is ever empty.
fn words(language: Language) -> &'static Words {
    static ENGLISH: LazyLock<Words> = LazyLock::new(|| {
        Words::parse("en", include_str!("../../words/en.ftl")).unwrap_or_default()
    });
    static WELSH: LazyLock<Words> = LazyLock::new(|| {
        Words::parse("cy", include_str!("../../words/cy.ftl")).unwrap_or_default()
    });
    match language {
        Language::English => &ENGLISH,
        Language::Welsh => &WELSH,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SOURCES: [&str; 2] = [
        include_str!("../../words/en.ftl"),
        include_str!("../../words/cy.ftl"),
    ];

    #[test]
    fn every_language_says_the_same_things_with_the_same_places() {
        let [english, welsh] = ["en", "cy"].map(|tag| {
            let source = SOURCES[usize::from(tag == "cy")];
            Words::parse(tag, source).unwrap()
        });
        assert_eq!(english.differences(&welsh), [""; 0]);
        assert!(english.keys().count() > 80);
    }

    #[test]
    fn a_text_that_is_not_translated_yet_is_none_of_the_catalogue() {
        let [english, welsh] = [Language::English, Language::Welsh].map(words);
        for key in english.keys() {
            assert_ne!(english.say(key), welsh.say(key), "{key}");
        }
    }
}
