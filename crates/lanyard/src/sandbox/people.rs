//! The sandbox's people: one for each case that an external system must get right.
//!
//! `record` is what the employer's own system holds; `identity` is what the credential in the wallet says.
//! They differ where the case is about a difference. None of them is a real person.

/// An employee of the sandbox.
pub struct Person {
    /// Id, username and holder id.
    pub id: &'static str,
    /// The case's name, fixed for outside programs.
    pub case: &'static str,
    /// The staff record.
    pub record: Name,
    /// The identity credential, if the wallet holds one.
    pub identity: Option<Identity>,
    /// The staff passport unique identifier.
    pub unique_identifier: &'static str,
}

/// A name and date of birth.
#[derive(Clone, Copy)]
pub struct Name {
    /// All first names.
    pub first_names: &'static str,
    /// Surname.
    pub surname: &'static str,
    /// `YYYY-MM-DD`.
    pub date_of_birth: &'static str,
}

/// What becomes of a person's identity credential at first start.
#[derive(Clone, Copy)]
pub struct Identity {
    /// What it says.
    pub says: Name,
    /// Its state.
    pub state: IdentityState,
}

/// The state of a seeded identity credential.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum IdentityState {
    /// In force.
    Good,
    /// Issued long ago, with the clock set back.
    Expired,
    /// Revoked after it was issued.
    Revoked,
    /// Issued by an organisation that no trust list names.
    Untrusted,
}

const fn name(
    first_names: &'static str,
    surname: &'static str,
    date_of_birth: &'static str,
) -> Name {
    Name {
        first_names,
        surname,
        date_of_birth,
    }
}

#[allow(clippy::unnecessary_wraps)] // reads as the column that it fills
const fn holds(
    first_names: &'static str,
    surname: &'static str,
    date_of_birth: &'static str,
    state: IdentityState,
) -> Option<Identity> {
    Some(Identity {
        says: name(first_names, surname, date_of_birth),
        state,
    })
}

use IdentityState::{Expired, Good, Revoked, Untrusted};

/// Everyone, in the order in which they are shown.
#[rustfmt::skip]
pub const EVERYONE: [Person; 13] = [
    Person { id: "anna", case: "match", record: name("Anna", "Taylor", "1990-04-12"), identity: holds("Anna", "Taylor", "1990-04-12", Good), unique_identifier: "5f8d2c1e-6f0b-4c58-9f43-1d1b5f2a0001" },
    Person { id: "harriet", case: "hyphen", record: name("Harriet", "Smith-Jones", "1985-11-30"), identity: holds("Harriet", "Smith Jones", "1985-11-30", Good), unique_identifier: "5f8d2c1e-6f0b-4c58-9f43-1d1b5f2a0002" },
    Person { id: "sean", case: "apostrophe", record: name("Sean", "O'Neill", "1979-02-01"), identity: holds("Sean", "O\u{2019}Neill", "1979-02-01", Good), unique_identifier: "5f8d2c1e-6f0b-4c58-9f43-1d1b5f2a0003" },
    Person { id: "zoe", case: "diacritics", record: name("Zoë", "Müller", "1993-07-19"), identity: holds("Zoe", "Muller", "1993-07-19", Good), unique_identifier: "5f8d2c1e-6f0b-4c58-9f43-1d1b5f2a0004" },
    Person { id: "mary", case: "two-first-names", record: name("Mary Anne", "Okafor", "1988-09-05"), identity: holds("Mary", "Okafor", "1988-09-05", Good), unique_identifier: "5f8d2c1e-6f0b-4c58-9f43-1d1b5f2a0005" },
    Person { id: "peter", case: "surname-mismatch", record: name("Peter", "Hughes", "1982-01-23"), identity: holds("Peter", "Lambert", "1982-01-23", Good), unique_identifier: "5f8d2c1e-6f0b-4c58-9f43-1d1b5f2a0006" },
    Person { id: "bella", case: "birth-date-mismatch", record: name("Bella", "Ahmed", "1995-03-08"), identity: holds("Bella", "Ahmed", "1995-03-18", Good), unique_identifier: "5f8d2c1e-6f0b-4c58-9f43-1d1b5f2a0007" },
    Person { id: "noah", case: "no-identity", record: name("Noah", "Clark", "1998-12-17"), identity: None, unique_identifier: "5f8d2c1e-6f0b-4c58-9f43-1d1b5f2a0008" },
    Person { id: "edith", case: "expired-identity", record: name("Edith", "Wood", "1970-06-25"), identity: holds("Edith", "Wood", "1970-06-25", Expired), unique_identifier: "5f8d2c1e-6f0b-4c58-9f43-1d1b5f2a0009" },
    Person { id: "rupa", case: "revoked-identity", record: name("Rupa", "Patel", "1991-10-10"), identity: holds("Rupa", "Patel", "1991-10-10", Revoked), unique_identifier: "5f8d2c1e-6f0b-4c58-9f43-1d1b5f2a0010" },
    Person { id: "uma", case: "untrusted-issuer", record: name("Uma", "Lindqvist", "1987-05-14"), identity: holds("Uma", "Lindqvist", "1987-05-14", Untrusted), unique_identifier: "5f8d2c1e-6f0b-4c58-9f43-1d1b5f2a0011" },
    Person { id: "ned", case: "not-applicable", record: name("Ned", "Evans", "1965-08-02"), identity: holds("Ned", "Evans", "1965-08-02", Good), unique_identifier: "5f8d2c1e-6f0b-4c58-9f43-1d1b5f2a0012" },
    Person { id: "gwen", case: "review", record: name("Gwen", "Pritchard", "1986-05-09"), identity: holds("Gwen", "Pritchard", "1986-09-05", Good), unique_identifier: "5f8d2c1e-6f0b-4c58-9f43-1d1b5f2a0013" },
];
