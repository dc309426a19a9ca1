//! What a comparison found, in codes that are safe to log and to keep.

use std::fmt;

use serde::{Serialize, Serializer};

/// Something that a comparison found. Its code is stable; it holds nothing of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The first names do not agree.
    FirstNameDiffers,
    /// The surnames do not agree.
    SurnameDiffers,
    /// The dates of birth are not the same.
    BirthDateDiffers,
    /// The record holds no date of birth: the names alone decide. Stands beside a match, too.
    BirthDateNotHeld,
    /// There is no name on one side or on both.
    NameEmpty,
    /// What stands for a name, on one side or on both, has not one letter.
    NameUnreadable,
    /// What one side has as first name the other has as surname, and the other way round. Calls for a review.
    NamesSwapped,
    /// The names are alike in sound and letters. Calls for a review.
    NamesSimilar,
    /// The sides say differently which of several bearers of one name it is (junior, senior, II).
    GenerationDiffers,
    /// One of several first names, initials, or another order. Calls for a review.
    FirstNameInPart,
    /// A pet name or another language's form of the first name. Calls for a review.
    FirstNamePetForm,
    /// One of several surnames, another order of them, or a particle too few. Calls for a review.
    SurnameInPart,
    /// Letters of several scripts, figures or signs stand in a name that looks like the other. Calls for a review.
    LettersMixed,
    /// The day of one date of birth is the month of the other. Calls for a review.
    BirthDateTransposed,
}

impl Reason {
    const ALL: [Self; 14] = [
        Self::FirstNameDiffers,
        Self::SurnameDiffers,
        Self::BirthDateDiffers,
        Self::BirthDateNotHeld,
        Self::NameEmpty,
        Self::NameUnreadable,
        Self::NamesSwapped,
        Self::NamesSimilar,
        Self::GenerationDiffers,
        Self::FirstNameInPart,
        Self::FirstNamePetForm,
        Self::SurnameInPart,
        Self::LettersMixed,
        Self::BirthDateTransposed,
    ];

    /// The reason with this code; `None` where this version has no such code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::FirstNameDiffers => "first-name-differs",
            Self::SurnameDiffers => "surname-differs",
            Self::BirthDateDiffers => "birth-date-differs",
            Self::BirthDateNotHeld => "birth-date-not-held",
            Self::NameEmpty => "name-empty",
            Self::NameUnreadable => "name-unreadable",
            Self::NamesSwapped => "names-swapped",
            Self::NamesSimilar => "names-similar",
            Self::GenerationDiffers => "generation-differs",
            Self::FirstNameInPart => "first-name-in-part",
            Self::FirstNamePetForm => "first-name-pet-form",
            Self::SurnameInPart => "surname-in-part",
            Self::LettersMixed => "letters-mixed",
            Self::BirthDateTransposed => "birth-date-transposed",
        }
    }
}

/// A sentence for whoever keeps the record, and what they can do about it.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstNameDiffers => {
                "The first name in the credential is not the one on record: check which of the two is right and have the other one corrected."
            }
            Self::SurnameDiffers => {
                "The surname in the credential is not the one on record: check which of the two is right and have the other one corrected."
            }
            Self::BirthDateDiffers => {
                "The date of birth in the credential is not the one on record: check which of the two is right and have the other one corrected."
            }
            Self::BirthDateNotHeld => {
                "The record holds no date of birth, so only the names were compared: add the date to have it compared."
            }
            Self::NameEmpty => {
                "A name is missing from the record or from the credential: fill it in, since nobody matches an empty name."
            }
            Self::NameUnreadable => {
                "A name on the record or in the credential has no letters: correct it, since it names nobody."
            }
            Self::NamesSwapped => {
                "First name and surname seem to have changed places on the record or in the credential: look at both, and have the wrong one corrected."
            }
            Self::NamesSimilar => {
                "The names are alike: look at both, and have the one that is misspelt corrected."
            }
            Self::GenerationDiffers => {
                "Record and credential do not say alike whether it is the elder or the younger of one name: look at both, and add the date of birth."
            }
            Self::FirstNameInPart => {
                "The first names agree only in part: look at both, and write all of them on the record."
            }
            Self::FirstNamePetForm => {
                "One first name is a short or another form of the other: look at both, and write it on the record as a known-as name."
            }
            Self::SurnameInPart => {
                "The surnames agree only in part: look at both, and have the one that is not in use any more corrected."
            }
            Self::LettersMixed => {
                "A name holds figures, signs or letters of several scripts that look like others: look at both, and have it written anew."
            }
            Self::BirthDateTransposed => {
                "Day and month of the date of birth seem to have changed places: look at both, and have the wrong one corrected."
            }
        })
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
