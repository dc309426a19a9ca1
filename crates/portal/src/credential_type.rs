//! What a record of each type says, with what labels and in what order; and how a claim reads to a person.
//!
//! The gateway has such tables of its own: whoever integrates has only the published schema and writes these.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use ui::component::Row;

use crate::look::Look;

/// A credential type, as this portal fills it in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialType {
    /// Its name on the wire.
    pub(crate) name: String,
    /// What pages call it.
    pub(crate) label: String,
    /// The claim that says when a record ends.
    pub(crate) ends_with: String,
    /// What the record is about.
    pub(crate) facts: Vec<Attribute>,
    /// What is said of the credential itself.
    pub(crate) about: Vec<Attribute>,
}

/// One claim.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attribute {
    /// Its name on the wire.
    pub(crate) name: String,
    /// What pages call it.
    pub(crate) label: String,
    kind: Kind,
    /// The only values, where there are few.
    #[serde(default)]
    one_of: Vec<String>,
    /// A record is complete without it.
    #[serde(default)]
    pub(crate) optional: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Text,
    Number,
    Date,
    DateOrDateTime,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WrongValue {
    #[error("a date is written as 2026-11-03")]
    Date,
    #[error("it is a whole number")]
    Number,
    #[error("it is one of {}", .0.join(", "))]
    OneOf(Vec<String>),
    #[error("it has at most 1000 characters, none of which is a control character")]
    Text,
}

impl WrongValue {
    /// As the form says it.
    pub(crate) fn say(&self, look: &Look) -> String {
        match self {
            Self::Date => look.say("hr-wrong-date"),
            Self::Number => look.say("hr-wrong-number"),
            Self::OneOf(all) => look.say_with("hr-wrong-choice", &[("choices", &all.join(", "))]),
            Self::Text => look.say("hr-wrong-text"),
        }
    }
}

/// What the credential schema takes as a text.
const LONGEST: usize = 1000;

/// Every type that this portal issues.
pub(crate) fn all() -> &'static [CredentialType] {
    static ALL: LazyLock<Vec<CredentialType>> = LazyLock::new(|| {
        let files = [
            include_str!("../credential-types/training-programme.toml"),
            include_str!("../credential-types/training-placement.toml"),
            include_str!("../credential-types/fire-safety.toml"),
        ];
        // A test reads them as this does, so that none is left out.
        files
            .iter()
            .filter_map(|file| toml::from_str(file).ok())
            .collect()
    });
    &ALL
}

/// The type of this name.
pub(crate) fn find(name: &str) -> Option<&'static CredentialType> {
    all()
        .iter()
        .find(|credential_type| credential_type.name == name)
}

impl CredentialType {
    /// Every claim, in order.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.facts.iter().chain(&self.about)
    }

    /// Whether the claims say all that the type demands.
    pub(crate) fn is_complete(&self, claims: &BTreeMap<String, String>) -> bool {
        let says = |name: &String| {
            claims
                .get(name)
                .is_some_and(|value| !value.trim().is_empty())
        };
        self.attributes()
            .all(|attribute| attribute.optional || says(&attribute.name))
    }

    /// The record's last day, if it says one.
    pub(crate) fn last_day(&self, claims: &BTreeMap<String, String>) -> Option<Date> {
        read_date(claims.get(&self.ends_with)?)
    }

    /// When the credential ends: at the end of the record's last day, in universal time as the gateway has it.
    pub(crate) fn expires_at(&self, claims: &BTreeMap<String, String>) -> Option<Timestamp> {
        let text = claims.get(&self.ends_with)?;
        if let Some(at) = read_timestamp(text) {
            return Some(at);
        }
        let end = read_date(text)?.at(23, 59, 59, 0);
        let end = end.to_zoned(TimeZone::UTC).ok()?;
        Some(end.timestamp())
    }

    /// What the record is about, as a person reads it.
    pub(crate) fn facts_of(&self, claims: &BTreeMap<String, String>) -> Vec<Row> {
        rows(&self.facts, claims)
    }

    /// What is said of the credential, as a person reads it.
    pub(crate) fn about_of(&self, claims: &BTreeMap<String, String>) -> Vec<Row> {
        rows(&self.about, claims)
    }
}

fn rows(attributes: &[Attribute], claims: &BTreeMap<String, String>) -> Vec<Row> {
    let row = |attribute: &Attribute| {
        let value = claims.get(&attribute.name).map_or("", String::as_str);
        Row::new(attribute.label.as_str(), attribute.as_read(value))
    };
    attributes.iter().map(row).collect()
}

impl Attribute {
    /// Whether it says a day.
    pub(crate) fn is_a_date(&self) -> bool {
        matches!(self.kind, Kind::Date | Kind::DateOrDateTime)
    }

    /// The claim as a person reads it: exactly what it says, a date in words.
    fn as_read(&self, value: &str) -> String {
        if matches!(self.kind, Kind::Text | Kind::Number) {
            return value.to_owned();
        }
        if let Some(date) = only_date(value) {
            return ui::time::civil_date(date);
        }
        read_timestamp(value).map_or_else(|| value.to_owned(), ui::time::date_and_clock)
    }

    /// Whether the claim can say this. Nothing at all it can: the record is incomplete then.
    pub(crate) fn check(&self, value: &str) -> Result<(), WrongValue> {
        if value.is_empty() {
            return Ok(());
        }
        if value.chars().count() > LONGEST || value.chars().any(is_hidden) {
            return Err(WrongValue::Text);
        }
        if !self.one_of.is_empty() && !self.one_of.iter().any(|one| one == value) {
            return Err(WrongValue::OneOf(self.one_of.clone()));
        }
        match self.kind {
            Kind::Text => Ok(()),
            Kind::Number if value.len() <= 18 && value.bytes().all(|b| b.is_ascii_digit()) => {
                Ok(())
            }
            Kind::Number => Err(WrongValue::Number),
            Kind::Date if only_date(value).is_some() => Ok(()),
            Kind::DateOrDateTime if read_date(value).is_some() => Ok(()),
            Kind::Date | Kind::DateOrDateTime => Err(WrongValue::Date),
        }
    }
}

/// Control characters, and those that make a text read in another order than it is stored (SEC-35).
fn is_hidden(c: char) -> bool {
    let turns = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}');
    c.is_control() || turns
}

fn only_date(text: &str) -> Option<Date> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

fn read_timestamp(text: &str) -> Option<Timestamp> {
    (text.len() > 10).then(|| text.parse().ok()).flatten()
}

pub(crate) fn read_date(text: &str) -> Option<Date> {
    only_date(text).or_else(|| read_timestamp(text).map(day_of))
}

/// The day of a moment, in universal time as the gateway has it.
pub(crate) fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn claims(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn each_type_file_is_read_and_its_end_is_one_of_its_dates() {
        let names: Vec<&str> = all().iter().map(|each| each.name.as_str()).collect();
        assert_eq!(
            names,
            ["TrainingProgramme", "TrainingPlacement", "FireSafety"]
        );
        for each in all() {
            let end = each.attributes().find(|one| one.name == each.ends_with);
            let kind = end.unwrap().kind;
            assert!(matches!(kind, Kind::Date | Kind::DateOrDateTime));
        }
    }

    #[test]
    fn a_date_is_read_in_words_and_is_exactly_the_day_that_the_claim_says() {
        let fire = find("FireSafety").unwrap();
        let says = |value: &str| {
            let rows = fire.facts_of(&claims(&[("FS-DateTo", value)]));
            rows.into_iter()
                .find(|row| row.key == "Valid to")
                .unwrap()
                .value
        };
        assert_eq!(says("2026-11-03"), "3 November 2026");
        assert_eq!(says("2026-11-03T10:42:00Z"), "3 November 2026 at 10:42am");
        assert_eq!(says("soon"), "soon");
        assert_eq!(says(""), "");
    }

    #[test]
    fn a_record_ends_with_its_last_day_and_is_complete_when_it_says_all_that_it_must() {
        let programme = find("TrainingProgramme").unwrap();
        let mut says = claims(&[("TPR-ProgrammeEndDate", "2027-08-31")]);
        let end = programme.expires_at(&says).unwrap();
        assert_eq!(end.to_string(), "2027-08-31T23:59:59Z");
        assert!(!programme.is_complete(&says));
        for attribute in programme.attributes() {
            let name = attribute.name.clone();
            says.entry(name).or_insert_with(|| "something".to_owned());
        }
        assert!(programme.is_complete(&says));
        says.insert("TPR-Name".to_owned(), " ".to_owned());
        assert!(!programme.is_complete(&says));
    }

    #[test]
    fn a_value_that_the_schema_refuses_is_refused_here_first() {
        let fire = find("FireSafety").unwrap();
        let check = |name: &str, value: &str| {
            let mut attributes = fire.attributes();
            attributes
                .find(|one| one.name == name)
                .unwrap()
                .check(value)
        };
        assert_eq!(check("FS-Units", "Year"), Ok(()));
        assert!(matches!(
            check("FS-Units", "Years"),
            Err(WrongValue::OneOf(_))
        ));
        assert_eq!(check("FS-Level", "two"), Err(WrongValue::Number));
        assert_eq!(check("FS-DateTo", "31/12/2027"), Err(WrongValue::Date));
        assert_eq!(check("FS-Origin", "a\nb"), Err(WrongValue::Text));
        assert_eq!(check("FS-Origin", "a\u{202E}b"), Err(WrongValue::Text));
        assert_eq!(check("FS-Origin", ""), Ok(()));
    }
}
