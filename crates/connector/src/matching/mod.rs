//! Whether the identity in a credential is the employee on record.
//!
//! A credential says who its holder is; the host holds a record of whom it employs. This compares
//! first name, surname and date of birth of the two, and says what it found in codes that hold
//! nothing of the person. What becomes of a `No` is the host's: nothing may be put into the wallet.

mod exact;
mod fuzzy;
mod letters;
mod name;
mod reason;
mod scripts;
mod spelling;
mod tables;
#[cfg(test)]
mod tests;
mod written;

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use exact::Accord;
use name::{Name, Part};
pub use reason::Reason;
pub use written::{Answer, WrittenIdentity, WrittenPair, WrittenRecord, compare_line};

use crate::Identity;

/// How alike two names must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// The same name, however it is written: case, accents, spaces, hyphens, apostrophes, titles, and the published
    /// tables; one side may hold more first names than the other.
    #[default]
    Exact,
    /// Also what is alike in sound and in letters. For a host whose written policy allows for misspelling.
    Fuzzy,
}

/// The employee as the host's own record has them. Debug prints nothing of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OnRecord<'a> {
    /// All first names.
    pub first_names: &'a str,
    /// The surname.
    pub surname: &'a str,
    /// A name that the person goes by, if the record holds one. It counts as a first name.
    pub known_as: Option<&'a str>,
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
    let mut known_as = record.known_as.map(|name| Name::parse(name, Part::First));
    let mut first = Pair::parse(record.first_names, &identity.legal_first_name, Part::First);
    if let (Ok(on_record), Some(Ok(known_as))) = (&mut first.on_record, &mut known_as) {
        on_record.is_turned |= known_as.is_turned;
        on_record.beside.append(&mut known_as.beside);
        on_record
            .beside
            .push(std::mem::take(&mut known_as.readings));
    }
    let surname = Pair::parse(record.surname, &identity.legal_surname, Part::Surname);
    let born = Born::compare(record.date_of_birth, identity.birth_date);

    let mut found: BTreeSet<Reason> = born.reason().into_iter().collect();
    let mut hints = BTreeSet::new();
    let mut accords = [Accord::Same; 2];
    for (accord, (pair, differs)) in accords.iter_mut().zip([
        (&first, Reason::FirstNameDiffers),
        (&surname, Reason::SurnameDiffers),
    ]) {
        *accord = match pair.both() {
            Some(_) => pair.accord(policy, born != Born::NotHeld),
            None => Accord::Differs,
        };
        found.extend(pair.errors());
        if pair.both().is_some() && *accord != Accord::Same {
            found.insert(differs);
        }
        if let Accord::Doubt(why) = *accord {
            hints.insert(why);
        }
    }
    let generations_agree = generations_agree(&first, &surname, born);
    if !generations_agree {
        found.insert(Reason::GenerationDiffers);
    }
    let [first_accord, surname_accord] = accords;
    let same = (first_accord == Accord::Same, surname_accord == Accord::Same);
    let in_doubt = first_accord > Accord::Differs && surname_accord > Accord::Differs;
    let outcome = match born {
        Born::SameDay | Born::NotHeld if same == (true, true) && generations_agree => {
            MatchOutcome::Match
        }
        Born::Transposed if same == (true, true) => {
            hints.insert(Reason::BirthDateTransposed);
            MatchOutcome::Review
        }
        Born::SameDay if same == (false, false) && changed_places(&first, &surname) => {
            hints = BTreeSet::from([Reason::NamesSwapped]);
            MatchOutcome::Review
        }
        Born::SameDay if in_doubt => MatchOutcome::Review,
        // With no date to lean on, one of the names must.
        Born::NotHeld if in_doubt && (same.0 || same.1) => MatchOutcome::Review,
        _ => MatchOutcome::No,
    };
    if outcome == MatchOutcome::Review {
        found.append(&mut hints);
    }
    Comparison {
        outcome,
        why: found.into_iter().collect(),
    }
}

/// One part of the name on both sides.
struct Pair<'a> {
    on_record: Result<Name, Reason>,
    in_credential: Result<Name, Reason>,
    /// As the credential writes it.
    written: &'a str,
    part: Part,
}

impl<'a> Pair<'a> {
    fn parse(on_record: &str, in_credential: &'a str, part: Part) -> Self {
        Self {
            on_record: Name::parse(on_record, part),
            in_credential: Name::parse(in_credential, part),
            written: in_credential,
            part,
        }
    }

    fn both(&self) -> Option<(&Name, &Name)> {
        Some((
            self.on_record.as_ref().ok()?,
            self.in_credential.as_ref().ok()?,
        ))
    }

    fn errors(&self) -> impl Iterator<Item = Reason> {
        let errors = [
            self.on_record.as_ref().err(),
            self.in_credential.as_ref().err(),
        ];
        errors.into_iter().flatten().copied()
    }

    fn accord(&self, policy: Policy, birth_date_held: bool) -> Accord {
        let Some((on_record, in_credential)) = self.both() else {
            return Accord::Differs;
        };
        let is_turned = on_record.is_turned || in_credential.is_turned;
        match self.accord_as_stored(on_record, in_credential, policy, birth_date_held) {
            Accord::Same if is_turned => Accord::Doubt(Reason::LettersMixed),
            accord => accord,
        }
    }

    /// By the letters in the order in which they are stored, which is not the order in which a name that is turned is seen.
    fn accord_as_stored(
        &self,
        on_record: &Name,
        in_credential: &Name,
        policy: Policy,
        birth_date_held: bool,
    ) -> Accord {
        if on_record.spelling != in_credential.spelling
            && (on_record.is_odd || in_credential.is_odd)
        {
            return fuzzy::accord_of_odd(on_record, in_credential);
        }
        let exact = exact::accord(on_record, in_credential, self.part);
        if matches!(exact, Accord::Same | Accord::Contradicts) {
            return exact;
        }
        match fuzzy::accord(on_record, in_credential, self.part) {
            Some(Accord::Same) if policy == Policy::Fuzzy && birth_date_held => Accord::Same,
            Some(_) if exact == Accord::Differs => Accord::Doubt(Reason::NamesSimilar),
            _ => exact,
        }
    }
}

/// Senior is not junior. Where no date of birth tells father and son apart, neither may say which of them it is
/// when the other does not.
fn generations_agree(first: &Pair<'_>, surname: &Pair<'_>, born: Born) -> bool {
    let (Some(first), Some(surname)) = (first.both(), surname.both()) else {
        return true;
    };
    let on_record = first.0.generation().or(surname.0.generation());
    let in_credential = first.1.generation().or(surname.1.generation());
    match (on_record, in_credential) {
        (Some(one), Some(other)) => one == other,
        (None, None) => true,
        _ => born != Born::NotHeld,
    }
}

/// What one side has as first name the other has as surname, and the other way round.
fn changed_places(first: &Pair<'_>, surname: &Pair<'_>) -> bool {
    let agree = |pair: &Pair<'_>, misplaced: &Pair<'_>| match (
        &pair.on_record,
        Name::parse(misplaced.written, pair.part),
    ) {
        (Ok(one), Ok(other)) => exact::accord(one, &other, pair.part) == Accord::Same,
        _ => false,
    };
    agree(first, surname) && agree(surname, first)
}

/// What two dates of birth are to each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Born {
    SameDay,
    NotHeld,
    /// The day of one is the month of the other.
    Transposed,
    Differs,
}

impl Born {
    fn compare(on_record: Option<Date>, in_credential: Date) -> Self {
        match on_record {
            None => Self::NotHeld,
            Some(date) if date == in_credential => Self::SameDay,
            Some(date)
                if date.year() == in_credential.year()
                    && date.month() == in_credential.day()
                    && date.day() == in_credential.month() =>
            {
                Self::Transposed
            }
            Some(_) => Self::Differs,
        }
    }

    fn reason(self) -> Option<Reason> {
        match self {
            Self::SameDay => None,
            Self::NotHeld => Some(Reason::BirthDateNotHeld),
            Self::Transposed | Self::Differs => Some(Reason::BirthDateDiffers),
        }
    }
}
