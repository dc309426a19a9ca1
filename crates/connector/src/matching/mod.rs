//! Whether the identity in a credential is the employee on record.
//!
//! A credential says who its holder is; the host holds a record of whom it employs. This compares
//! first name, surname and date of birth of the two, and says what it found in codes that hold
//! nothing of the person. What becomes of a `No` is the host's: nothing may be put into the wallet.

mod exact;
mod fuzzy;
mod letters;
mod reason;
mod spelling;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use reason::Reason;
use spelling::Spelling;

use crate::Identity;

/// How alike two names must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// The same letters, whatever their case, accents, spaces, hyphens and apostrophes; one side
    /// may hold more first names than the other.
    #[default]
    Exact,
    /// Alike in sound and in letters. For a host whose written policy allows for misspelling.
    Fuzzy,
}

/// The employee as the host's own record has them. Debug prints nothing of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OnRecord<'a> {
    /// All first names.
    pub first_names: &'a str,
    /// The surname.
    pub surname: &'a str,
    /// The date of birth, if the record holds one.
    pub date_of_birth: Option<Date>,
}

impl fmt::Debug for OnRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRecord(…)")
    }
}

/// Whether a record and an identity are of one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MatchOutcome {
    /// They are, as far as the policy asks.
    Match,
    /// They are not, as far as the policy asks, and it looks like a fault in writing: somebody who knows the person should
    /// look at record and identity. Until then the journey stops, as after a `No`.
    Review,
    /// They are not, or it cannot be told: the journey stops.
    No,
}

/// What a comparison found. It holds nothing of the person, and may be logged and kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The verdict.
    pub outcome: MatchOutcome,
    /// Everything that speaks against a match, and what could not be compared: each code
    /// once, in the order in which [`Reason`] has them.
    pub why: Vec<Reason>,
}

impl Comparison {
    /// Whether the identity is the employee's.
    pub fn is_match(&self) -> bool {
        self.outcome == MatchOutcome::Match
    }
}

/// Compare what the host holds with what the credential says.
pub fn compare(record: &OnRecord<'_>, identity: &Identity, policy: Policy) -> Comparison {
    let (first_names_agree, surnames_agree): (Rule, Rule) = match policy {
        Policy::Exact => (exact::first_names_agree, exact::surnames_agree),
        Policy::Fuzzy => (fuzzy::names_agree, fuzzy::names_agree),
    };
    let mut found = BTreeSet::new();
    found.extend(compare_names(
        record.first_names,
        &identity.legal_first_name,
        first_names_agree,
        Reason::FirstNameDiffers,
    ));
    found.extend(compare_names(
        record.surname,
        &identity.legal_surname,
        surnames_agree,
        Reason::SurnameDiffers,
    ));
    found.extend(compare_birth_dates(
        record.date_of_birth,
        identity.birth_date,
    ));

    let outcome = if !found.iter().any(|reason| reason.speaks_against()) {
        MatchOutcome::Match
    } else if let Some(hint) = why_review(record, identity, policy) {
        found.insert(hint);
        MatchOutcome::Review
    } else {
        MatchOutcome::No
    };
    Comparison {
        outcome,
        why: found.into_iter().collect(),
    }
}

/// What makes it likely that names which do not agree are one person's all the same: born on the same day, and either the
/// two names have changed places, or both are alike in sound and letters where that is not enough to match.
fn why_review(record: &OnRecord<'_>, identity: &Identity, policy: Policy) -> Option<Reason> {
    if record.date_of_birth != Some(identity.birth_date) {
        return None;
    }
    let names = [
        record.first_names,
        record.surname,
        &identity.legal_first_name,
        &identity.legal_surname,
    ];
    let [first_names, surname, their_first_name, their_surname] = names.map(Spelling::parse);
    let (first_names, surname) = (first_names.ok()?, surname.ok()?);
    let (their_first_name, their_surname) = (their_first_name.ok()?, their_surname.ok()?);
    let changed_places = exact::first_names_agree(&first_names, &their_surname)
        && exact::surnames_agree(&surname, &their_first_name);
    if changed_places {
        return Some(Reason::NamesSwapped);
    }
    // Whichever side is taken for the right one.
    let alike = |one, other| fuzzy::names_agree(one, other) || fuzzy::names_agree(other, one);
    let similar = policy == Policy::Exact
        && alike(&first_names, &their_first_name)
        && alike(&surname, &their_surname);
    similar.then_some(Reason::NamesSimilar)
}

/// Whether the record's name and the credential's agree, in this order.
type Rule = fn(&Spelling, &Spelling) -> bool;

fn compare_names(
    on_record: &str,
    in_credential: &str,
    agree: Rule,
    differs: Reason,
) -> Vec<Reason> {
    match (Spelling::parse(on_record), Spelling::parse(in_credential)) {
        (Ok(on_record), Ok(in_credential)) if agree(&on_record, &in_credential) => vec![],
        (Ok(_), Ok(_)) => vec![differs],
        (on_record, in_credential) => on_record
            .err()
            .into_iter()
            .chain(in_credential.err())
            .collect(),
    }
}

fn compare_birth_dates(on_record: Option<Date>, in_credential: Date) -> Option<Reason> {
    match on_record {
        None => Some(Reason::BirthDateNotHeld),
        Some(date) => (date != in_credential).then_some(Reason::BirthDateDiffers),
    }
}
