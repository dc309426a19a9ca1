//! What a party's pages say, kept apart from the pages: one catalogue for each party and language.
//!
//! A catalogue is a Fluent resource (<https://projectfluent.org>): `login-title = Log in to your staff account`,
//! with places to fill in, `list-added = Added to your wallet on { $when }.` Everything that is filled in is text
//! that is ready to read; the page escapes what comes out, like every other text.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentError, FluentResource};

/// A catalogue in one language. Cheap to clone.
#[derive(Clone)]
pub struct Words(Arc<Catalogue>);

struct Catalogue {
    lang: String,
    bundle: FluentBundle<FluentResource>,
    keys: BTreeSet<String>,
}

/// Why a text is no catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// The language has no BCP 47 name.
    #[error("{0:?} is not the name of a language, such as en or cy")]
    Language(String),
    /// The text breaks the grammar of Fluent.
    #[error("the catalogue breaks off near byte {at}: {what}")]
    Grammar {
        /// Where, in bytes from the start.
        at: usize,
        /// What the grammar misses there.
        what: String,
    },
    /// Two messages have one key.
    #[error("the key {0} stands twice in the catalogue")]
    Twice(String),
}

impl Words {
    /// Reads a catalogue.
    pub fn parse(lang: &str, text: &str) -> Result<Self, WordsError> {
        let known = lang
            .parse()
            .map_err(|_| WordsError::Language(lang.to_owned()))?;
        if let Some(at) = escape_cut_short(text) {
            let what = "an escape has too few hexadecimal digits".to_owned();
            return Err(WordsError::Grammar { at, what });
        }
        let resource = FluentResource::try_new(text.to_owned())
            .map_err(|(_, errors)| first(errors.into_iter().map(FluentError::ParserError)))?;
        let mut bundle = FluentBundle::new_concurrent(vec![known]);
        // The marks that Fluent sets around what is filled in would be copied with every name and date.
        bundle.set_use_isolating(false);
        bundle.add_resource(resource).map_err(first)?;
        // A message begins at the start of its line, and only a message does so with letters.
        let keys = text.lines().filter_map(|line| line.split_once('='));
        let keys = keys
            .map(|(key, _)| key.trim_end().to_owned())
            .filter(|key| bundle.has_message(key))
            .collect();
        let lang = lang.to_owned();
        Ok(Self(Arc::new(Catalogue { lang, bundle, keys })))
    }

    /// The language, as it stands in `<html lang>`.
    pub fn lang(&self) -> &str {
        &self.0.lang
    }

    /// The keys of all texts.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys.iter().map(String::as_str)
    }

    /// What the other catalogue lacks, or has too much of: keys, and places to fill in. For the tests of whoever has
    /// several catalogues: nothing must differ.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let all: BTreeSet<&str> = self.keys().chain(other.keys()).collect();
        let differs = |key: &&str| {
            let both = self.0.keys.contains(*key) && other.0.keys.contains(*key);
            !both || self.places(key) != other.places(key)
        };
        let told = all.into_iter().filter(differs);
        told.map(|key| {
            let say = |words: &Self| {
                if words.0.keys.contains(key) {
                    format!("{}: {:?}", words.lang(), words.places(key))
                } else {
                    format!("{}: nothing", words.lang())
                }
            };
            format!("{key}: {}, {}", say(self), say(other))
        })
        .collect()
    }

    /// The places of a text: what is left in braces when nothing is filled in.
    fn places(&self, key: &str) -> BTreeSet<String> {
        let bundle = &self.0.bundle;
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            return BTreeSet::new();
        };
        let text = bundle.format_pattern(pattern, None, &mut Vec::new());
        let places = text.split("{$").skip(1);
        places
            .filter_map(|rest| rest.split_once('}'))
            .map(|(place, _)| place.to_owned())
            .collect()
    }

    /// The text under this key.
    pub fn say(&self, key: &str) -> String {
        self.say_with(key, &[])
    }

    /// The text under this key, with what stands in its places.
    ///
    /// A key that is missing is the catalogue's fault, which its tests find: the person still gets the page, with
    /// the key in braces instead of the text.
    pub fn say_with(&self, key: &str, with: &[(&str, &str)]) -> String {
        let bundle = &self.0.bundle;
        let message = bundle.get_message(key);
        let Some(pattern) = message.and_then(|message| message.value()) else {
            tracing::error!(key, lang = self.lang(), "the catalogue lacks a text");
            return format!("{{{key}}}");
        };
        let args: FluentArgs<'_> = with.iter().copied().collect();
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&args), &mut errors);
        if !errors.is_empty() {
            tracing::error!(
                key,
                lang = self.lang(),
                "a text lacks what stands in its places"
            );
        }
        text.into_owned()
    }
}

/// Whoever writes a catalogue mends one fault after the other.
fn first(errors: impl IntoIterator<Item = FluentError>) -> WordsError {
    match errors.into_iter().next() {
        Some(FluentError::Overriding { id, .. }) => WordsError::Twice(id),
        Some(FluentError::ParserError(error)) => WordsError::Grammar {
            at: error.pos.start,
            what: error.kind.to_string(),
        },
        other => WordsError::Grammar {
            at: 0,
            what: other.map(|error| error.to_string()).unwrap_or_default(),
        },
    }
}

impl Default for Words {
    /// An English catalogue without a single text.
    fn default() -> Self {
        let bundle = FluentBundle::new_concurrent(Vec::new());
        let lang = "en".to_owned();
        let keys = BTreeSet::new();
        Self(Arc::new(Catalogue { lang, bundle, keys }))
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Words").field(&self.lang()).finish()
    }
}

/// Where an escape (`\u` with four digits, `\U` with six) is cut short by a letter of several bytes: Fluent's parser would
/// slice through that letter, which panics. Every other one that is wrong it tells by itself.
fn escape_cut_short(text: &str) -> Option<usize> {
    let escapes = text.match_indices('\\');
    let mut escapes = escapes.filter_map(|(at, _)| {
        let (digits, rest) = match text.get(at + 1..at + 2)? {
            "u" => (4, text.get(at + 2..)?),
            "U" => (6, text.get(at + 2..)?),
            _ => return None,
        };
        let mut found = rest.chars().take(digits);
        let other = found.find(|letter| !letter.is_ascii_hexdigit())?;
        (!other.is_ascii()).then_some(at)
    });
    escapes.next()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ENGLISH: &str = "title = Your credentials\nadded = Added on { $when }.\n";

    #[test]
    fn a_text_says_what_is_put_in_its_places_and_nothing_around_it() {
        let words = Words::parse("en", ENGLISH).unwrap();
        assert_eq!(words.say("title"), "Your credentials");
        assert_eq!(
            words.say_with("added", &[("when", "3 November 2026")]),
            "Added on 3 November 2026."
        );
        assert_eq!(words.lang(), "en");
    }

    #[test]
    fn a_key_that_is_missing_shows_itself_and_stops_nothing() {
        let words = Words::parse("en", ENGLISH).unwrap();
        assert_eq!(words.say("subtitle"), "{subtitle}");
        assert_eq!(words.say("added"), "Added on {$when}.");
    }

    #[test]
    fn what_one_catalogue_has_and_another_lacks_is_told() {
        let one = Words::parse("en", "same = A { $x }\nlost = B\nplaces = C { $y }\n").unwrap();
        let other = Words::parse("cy", "same = D { $x }\nplaces = E { $z }\nnew = F\n").unwrap();
        let told = one.differences(&other).join("; ");
        assert_eq!(
            told,
            "lost: en: {}, cy: nothing; new: en: nothing, cy: {}; places: en: {\"y\"}, cy: {\"z\"}"
        );
        assert_eq!(one.keys().collect::<Vec<_>>(), ["lost", "places", "same"]);
    }

    #[test]
    fn what_is_no_catalogue_is_refused_with_its_place() {
        let refused = |lang, text| Words::parse(lang, text).unwrap_err();
        assert_eq!(
            refused("not a language", ENGLISH),
            WordsError::Language("not a language".into())
        );
        assert_eq!(
            refused("en", "title = One\ntitle = Two\n"),
            WordsError::Twice("title".into())
        );
        let broken = refused("en", "title = One\n\nadded = { $when\n");
        assert!(
            matches!(broken, WordsError::Grammar { at: 13.., .. }),
            "{broken}"
        );
    }

    #[test]
    fn an_escape_that_a_letter_cuts_short_is_refused() {
        for (text, at) in [
            ("title = { \"\\u00é\" }\n", 11),
            ("title = { \"\\Ué\" }\n", 11),
            ("title = { \"\\u0041é\\u1ŵ\" }\n", 19),
        ] {
            let refused = Words::parse("cy", text).unwrap_err();
            assert!(
                matches!(refused, WordsError::Grammar { at: found, .. } if found == at),
                "{text}: {refused}"
            );
        }
        let whole = Words::parse("cy", "title = { \"\\u0041é\" }\n").unwrap();
        assert_eq!(whole.say("title"), "Aé");
    }

    #[test]
    fn one_catalogue_serves_many_threads() {
        fn shared<T: Send + Sync + Clone>(_: &T) {}
        shared(&Words::parse("en", ENGLISH).unwrap());
    }
}
