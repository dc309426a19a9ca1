//! What the two policies say of names that people have.

#![allow(clippy::unwrap_used)]

mod corpus;
mod every_letter;
mod exact;
mod fuzzy;
mod hostile;
mod people;
mod reasons;
mod review;

use jiff::civil::{Date, date};
use uuid::Uuid;

use super::spelling::Spelling;
use super::*;

const BORN: Date = date(1990, 4, 12);
const BOTH: [Policy; 2] = [Policy::Exact, Policy::Fuzzy];

/// First names and surname.
type Name<'a> = (&'a str, &'a str);

fn on_record((first_names, surname): Name<'_>) -> OnRecord<'_> {
    OnRecord {
        first_names,
        surname,
        known_as: None,
        date_of_birth: Some(BORN),
    }
}

fn in_credential((first_names, surname): Name<'_>) -> Identity {
    Identity {
        legal_first_name: first_names.to_owned(),
        legal_surname: surname.to_owned(),
        birth_date: BORN,
        unique_identifier: Uuid::from_u128(1),
    }
}

/// What is found between two names of people born on one day.
fn compare_names_of(record: Name<'_>, credential: Name<'_>, policy: Policy) -> Comparison {
    compare(&on_record(record), &in_credential(credential), policy)
}

fn matches(record: Name<'_>, credential: Name<'_>, policy: Policy) -> bool {
    compare_names_of(record, credential, policy).is_match()
}

/// As first names, beside one surname.
fn first_names_match(record: &str, credential: &str, policy: Policy) -> bool {
    matches((record, "Okafor"), (credential, "Okafor"), policy)
}

/// As surnames, beside one first name.
fn surnames_match(record: &str, credential: &str, policy: Policy) -> bool {
    matches(("Anna", record), ("Anna", credential), policy)
}
