//! The languages that pages can speak, and which of them a person asks for.

use std::sync::LazyLock;

use crate::Words;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Complete, and the one for whoever asks for none of ours.
    #[default]
    English,
    /// A draft that no translator has reviewed: every page in it says so.
    Welsh,
}

impl Language {
    /// All of them, English first.
    pub const ALL: [Self; 2] = [Self::English, Self::Welsh];

    /// As it stands in `<html lang>` and in `?lang=` [BCP 47].
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Welsh => "cy",
        }
    }

    /// What its speakers call it.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Welsh => "Cymraeg",
        }
    }

    /// Whether its texts wait for a translator's review.
    pub const fn is_draft(self) -> bool {
        matches!(self, Self::Welsh)
    }

    /// The language of exactly that tag.
    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// The first that we have of a list in order of preference, as `ui_locales` has it: tags with spaces between
    /// [OIDC Core 3.1.2.1]. A region does not matter: `cy-GB` is Welsh.
    pub fn first_of(tags: &str) -> Option<Self> {
        tags.split(' ').find_map(Self::of_range)
    }

    /// What a browser asks for in `Accept-Language` [RFC 9110 12.5.4]: the one of ours with the greatest weight, of
    /// equals the first.
    pub fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(Self, u16)> = None;
        // Whoever sends more than a person could want is not read to the end.
        for range in header.split(',').take(20) {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = weight(parameters);
            if let Some(language) = Self::of_range(tag.trim())
                && weight > best.map_or(0, |(_, weight)| weight)
            {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language)
    }

    fn of_range(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next()?;
        Self::ALL
            .into_iter()
            .find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }

    /// What pages say outside of their own content.
    pub(crate) fn fixed(self) -> &'static Words {
        static ENGLISH: LazyLock<Words> = LazyLock::new(|| {
            Words::parse("en", include_str!("../words/en.ftl")).unwrap_or_default()
        });
        static WELSH: LazyLock<Words> = LazyLock::new(|| {
            Words::parse("cy", include_str!("../words/cy.ftl")).unwrap_or_default()
        });
        match self {
            Self::English => &ENGLISH,
            Self::Welsh => &WELSH,
        }
    }
}

/// In thousandths; 1 where nothing is said, and nothing where it cannot be read.
fn weight(parameters: &str) -> u16 {
    let said = parameters.split(';').find_map(|one| {
        let (name, value) = one.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    match said {
        None | Some("1" | "1.0" | "1.00" | "1.000") => 1_000,
        Some(value) => value
            .strip_prefix("0.")
            .filter(|digits| (1..=3).contains(&digits.len()))
            .and_then(|digits| format!("{digits:0<3}").parse().ok())
            .unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_browser_gets_the_language_of_ours_that_it_wants_most() {
        for (header, language) in [
            ("cy", Some(Language::Welsh)),
            ("cy-GB,en;q=0.5", Some(Language::Welsh)),
            ("en-GB,en;q=0.9,cy;q=0.8", Some(Language::English)),
            ("fr, cy;q=0.3, en;q=0.25", Some(Language::Welsh)),
            ("cy;q=0, en;q=0.1", Some(Language::English)),
            ("CY;Q=1.0", Some(Language::Welsh)),
            ("fr", None),
            ("*", None),
            ("cy;q=7", None),
            ("", None),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }

    #[test]
    fn a_list_of_locales_is_read_in_its_order() {
        assert_eq!(Language::first_of("fr cy-GB en"), Some(Language::Welsh));
        assert_eq!(Language::first_of("en cy"), Some(Language::English));
        assert_eq!(Language::first_of("cyr"), None);
        assert_eq!(Language::first_of(""), None);
    }

    #[test]
    fn every_language_says_the_same_things_with_the_same_places() {
        let english = Words::parse("en", include_str!("../words/en.ftl")).unwrap();
        let welsh = Words::parse("cy", include_str!("../words/cy.ftl")).unwrap();
        assert_eq!(english.differences(&welsh), [""; 0]);
    }
}
