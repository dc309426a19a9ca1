//! A name as it is compared: without what differs between two correct spellings of it.

use unicode_normalization::UnicodeNormalization;

use super::Reason;
use super::letters::{self, Kind};

/// The words of a name, lower case, one space between them. Holding one proves that there is a
/// letter in it, so two of them are never alike for being nothing.
#[derive(PartialEq, Eq)]
pub(super) struct Spelling(String);

impl Spelling {
    pub(super) fn parse(name: &str) -> Result<Self, Reason> {
        let spelling = normalise(name);
        if spelling.is_empty() {
            Err(Reason::NameEmpty)
        } else if spelling.chars().any(char::is_alphabetic) {
            Ok(Self(spelling))
        } else {
            Err(Reason::NameUnreadable)
        }
    }

    /// What [`Spelling::parse`] made, less some of its words.
    pub(super) fn of(text: String) -> Self {
        Self(text)
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// What stood between spaces or hyphens; none of them is empty.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ')
    }
}

/// Compatibility forms taken apart, accents off, lower case, letters that Unicode does not take
/// apart written plainly, what cannot be seen left out, one space for any space or dash.
pub(super) fn normalise(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    // Taking apart turns some apostrophes into a space and an accent, so those go first; and it
    // turns some letters into an apostrophe and a letter, so they go again afterwards.
    let seen = name
        .chars()
        .filter(|letter| letters::kind(*letter) != Kind::Dropped);
    for letter in seen.nfkd() {
        match letters::kind(letter) {
            Kind::Dropped | Kind::Accent => {}
            Kind::Gap => plain.push(' '),
            Kind::Letter => {
                for lower in letter.to_lowercase() {
                    match letters::plain(lower) {
                        Some(text) => plain.push_str(text),
                        None => plain.push(lower),
                    }
                }
            }
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
