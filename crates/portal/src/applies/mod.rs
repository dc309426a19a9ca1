//! Whom the staff passport applies to, and to which of their records: rules of the configuration, `[[applies]]`.
//!
//! All of them must hold. One that names columns of a person only decides about the person: for whom it does not hold,
//! none of the pages are there. One that names a column of a record decides about each record; one that names a claim,
//! about the records whose type has it.

mod parse;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

pub use parse::RuleConfig;

use crate::credential_type::{day_of, read_date};
use crate::employees::Employee;
use crate::records::Record;

/// The rules, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules(Vec<Rule>);

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Is(Column, Test),
    Not(Box<Rule>),
    All(Vec<Rule>),
    Any(Vec<Rule>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    Person(PersonColumn),
    /// `person.…`.
    Fact(String),
    Record(RecordColumn),
    Claim(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PersonColumn {
    Employee,
    Username,
    Email,
    DateOfBirth,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RecordColumn {
    Record,
    CredentialType,
    Label,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    OneOf(Vec<String>),
    Before(Day),
    After(Day),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    Today,
    Fixed(Date),
}

/// What a rule looks at.
struct About<'a> {
    person: &'a Employee,
    record: Option<&'a Record>,
    today: Date,
}

impl Rules {
    /// Whether there is anything for this person at all.
    pub(crate) fn are_met_by(&self, person: &Employee, now: Timestamp) -> bool {
        let about = About {
            person,
            record: None,
            today: day_of(now),
        };
        let mut rules = self.0.iter().filter(|rule| !rule.is_about_records());
        person.applicable && rules.all(|rule| rule.holds(&about))
    }

    /// Whether this record of theirs is for the wallet.
    pub(crate) fn let_through(&self, person: &Employee, record: &Record, now: Timestamp) -> bool {
        let about = About {
            person,
            record: Some(record),
            today: day_of(now),
        };
        let is_about_it = |rule: &&Rule| {
            let has = |claim: &str| {
                let mut attributes = record.credential_type.attributes();
                attributes.any(|attribute| attribute.name == claim)
            };
            rule.is_about_records() && rule.claims().into_iter().all(has)
        };
        let mut rules = self.0.iter().filter(is_about_it);
        rules.all(|rule| rule.holds(&about))
    }

    /// What has to be known of people beside the usual: nothing else of the kind is kept.
    pub(crate) fn facts(&self) -> BTreeSet<&str> {
        let columns = self.0.iter().flat_map(Rule::columns);
        let facts = columns.filter_map(|column| match column {
            Column::Fact(name) => Some(name.as_str()),
            _ => None,
        });
        facts.collect()
    }
}

impl Rule {
    fn columns(&self) -> Vec<&Column> {
        match self {
            Self::Is(column, _) => vec![column],
            Self::Not(rule) => rule.columns(),
            Self::All(rules) | Self::Any(rules) => rules.iter().flat_map(Self::columns).collect(),
        }
    }

    fn claims(&self) -> Vec<&str> {
        let columns = self.columns().into_iter();
        let claims = columns.filter_map(|column| match column {
            Column::Claim(name) => Some(name.as_str()),
            _ => None,
        });
        claims.collect()
    }

    fn is_about_records(&self) -> bool {
        let of_record = |column: &&Column| matches!(column, Column::Record(_) | Column::Claim(_));
        self.columns().iter().any(of_record)
    }

    fn holds(&self, about: &About<'_>) -> bool {
        match self {
            Self::Is(column, test) => test.holds(&column.value(about), about.today),
            Self::Not(rule) => !rule.holds(about),
            Self::All(rules) => rules.iter().all(|rule| rule.holds(about)),
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(about)),
        }
    }
}

impl Column {
    /// What it says; nothing is an empty text.
    fn value(&self, about: &About<'_>) -> String {
        let held = |text: Option<&String>| text.cloned().unwrap_or_default();
        let of_record = |say: fn(&Record) -> &String| held(about.record.map(say));
        match self {
            Self::Person(PersonColumn::Employee) => about.person.id.clone(),
            Self::Person(PersonColumn::Username) => about.person.username.clone(),
            Self::Person(PersonColumn::Email) => held(about.person.email.as_ref()),
            Self::Person(PersonColumn::DateOfBirth) => {
                let born = about.person.date_of_birth;
                born.map_or_else(String::new, |date| date.to_string())
            }
            Self::Fact(name) => held(about.person.facts.get(name)),
            Self::Record(RecordColumn::Record) => of_record(|record| &record.id),
            Self::Record(RecordColumn::CredentialType) => {
                of_record(|record| &record.credential_type.name)
            }
            Self::Record(RecordColumn::Label) => of_record(|record| &record.label),
            Self::Claim(name) => held(about.record.and_then(|record| record.claims.get(name))),
        }
    }
}

impl Test {
    /// What is no date is neither before nor after one.
    fn holds(&self, value: &str, today: Date) -> bool {
        let day = |day: &Day| match day {
            Day::Today => today,
            Day::Fixed(date) => *date,
        };
        match self {
            Self::OneOf(texts) => texts.iter().any(|text| text == value),
            Self::Before(than) => read_date(value).is_some_and(|date| date < day(than)),
            Self::After(than) => read_date(value).is_some_and(|date| date > day(than)),
        }
    }
}
