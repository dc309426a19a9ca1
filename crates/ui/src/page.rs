//! What the layout needs to know of a page.

use std::borrow::Cow;
use std::sync::Arc;

use crate::{Brand, Language, Words, assets};

/// The frame around a page's content. Templates that extend `layout.html` have it as their field `page`.
#[derive(Debug, Clone)]
pub struct Page {
    title: String,
    tab: Option<String>,
    brand: Arc<Brand>,
    has_errors: bool,
    banner: Option<Cow<'static, str>>,
    scripts: Vec<String>,
    words: Option<Words>,
    account: Option<Account>,
    other_languages: Option<String>,
    is_chosen_in_place: bool,
}

/// Who is logged in, in the header of every page, with the way out.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The person's name.
    pub name: String,
    /// Where the form to log out leads.
    pub log_out_action: String,
    /// What its button says.
    pub log_out_text: String,
    /// The token that the page's forms carry.
    pub csrf: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(…)")
    }
}

impl Page {
    /// A page whose title is its main heading.
    pub fn new(brand: &Arc<Brand>, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            tab: None,
            brand: Arc::clone(brand),
            has_errors: false,
            banner: None,
            scripts: Vec::new(),
            words: None,
            account: None,
            other_languages: None,
            is_chosen_in_place: false,
        }
    }

    /// The same page under another heading.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The person has something to correct: the title says so first.
    #[must_use]
    pub fn with_errors(mut self) -> Self {
        self.has_errors = true;
        self
    }

    /// What the browser's tab says in the heading's place, where other pages have the same heading.
    #[must_use]
    pub fn with_tab(mut self, text: impl Into<String>) -> Self {
        self.tab = Some(text.into());
        self
    }

    /// A loud line above everything, for what is not for real people.
    #[must_use]
    pub fn with_banner(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.banner = Some(text.into());
        self
    }

    /// One more module script, by its address.
    #[must_use]
    pub fn with_script(mut self, href: impl Into<String>) -> Self {
        self.scripts.push(href.into());
        self
    }

    /// The catalogue that the page takes its texts and its language from.
    #[must_use]
    pub fn with_words(mut self, words: &Words) -> Self {
        self.words = Some(words.clone());
        self
    }

    /// The page of somebody who is logged in.
    #[must_use]
    pub fn with_account(mut self, account: Account) -> Self {
        self.account = Some(account);
        self
    }

    /// The page can be had in every language at this address, with `?lang=` behind it.
    #[must_use]
    pub fn with_language_choice(mut self, address: impl Into<String>) -> Self {
        self.other_languages = Some(address.into());
        self
    }

    /// The same for a page that does not repeat its address: a script keeps the choice and loads the page again;
    /// without one, the choice leads to Help.
    #[must_use]
    pub fn with_language_choice_in_place(mut self) -> Self {
        self.is_chosen_in_place = true;
        self.with_language_choice(crate::help::PATH)
    }

    /// Whether the choice of another language leads to this very page.
    pub fn is_chosen_in_place(&self) -> bool {
        self.is_chosen_in_place
    }

    /// The main heading.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What the browser's tab says: unique for each page, the heading first.
    pub fn full_title(&self) -> String {
        let prefix = if self.has_errors {
            format!("{} ", self.fixed("error-prefix"))
        } else {
            String::new()
        };
        let about = self.tab.as_ref().unwrap_or(&self.title);
        format!("{prefix}{about} – {}", self.brand.service_name())
    }

    /// The language of the page.
    pub fn lang(&self) -> &str {
        self.words.as_ref().map_or("en", Words::lang)
    }

    /// The same, of those that we have a catalogue for.
    pub fn language(&self) -> Language {
        Language::parse(self.lang()).unwrap_or_default()
    }

    /// A text that stands outside of the page's own content, in the page's language.
    pub fn fixed(&self, key: &str) -> String {
        self.language().fixed().say(key)
    }

    /// The same with what stands in its places.
    pub fn fixed_with(&self, key: &str, with: &[(&str, &str)]) -> String {
        self.language().fixed().say_with(key, with)
    }

    /// In English, that the page's language is a draft; nothing where it is not.
    pub fn draft_note_in_english(&self) -> Option<String> {
        let language = self.language();
        language
            .is_draft()
            .then(|| Language::English.fixed().say("draft-note"))
    }

    /// The other languages that the page can be had in, each with its address.
    pub fn other_languages(&self) -> Vec<(Language, String)> {
        let Some(address) = &self.other_languages else {
            return Vec::new();
        };
        let others = Language::ALL.into_iter();
        let others = others.filter(|language| *language != self.language());
        others
            .map(|language| (language, format!("{address}?lang={}", language.tag())))
            .collect()
    }

    /// A text of the page's catalogue.
    pub fn say(&self, key: &str) -> String {
        self.say_with(key, &[])
    }

    /// A text of the page's catalogue, with what stands in its places.
    pub fn say_with(&self, key: &str, with: &[(&str, &str)]) -> String {
        match &self.words {
            Some(words) => words.say_with(key, with),
            None => format!("{{{key}}}"),
        }
    }

    /// Who is logged in.
    pub fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// The token that the forms of a person who is logged in carry.
    pub fn csrf(&self) -> &str {
        self.account.as_ref().map_or("", |account| &account.csrf)
    }

    /// Who runs the service, and its colours.
    pub fn brand(&self) -> &Brand {
        &self.brand
    }

    /// The loud line, if this page has one.
    pub fn banner(&self) -> Option<&str> {
        self.banner.as_deref()
    }

    /// Addresses of the page's own module scripts.
    pub fn scripts(&self) -> &[String] {
        &self.scripts
    }

    /// Where the Help link leads, on every page the same.
    pub fn help_href(&self) -> &'static str {
        crate::help::PATH
    }

    /// Where the accessibility statement is.
    pub fn accessibility_href(&self) -> &'static str {
        crate::help::ACCESSIBILITY_PATH
    }

    /// The address of a vendored file.
    pub fn asset(&self, name: &str) -> String {
        assets::vendored().href(name)
    }
}
