//! The tolerant policy: alike in sound and in letters.
//!
//! The rule is the one that a deployed integrator has had in use, kept to the letter so that a host which
//! moves from it sees the same answers; added are only guards for names that it could not take.

use rphonetic::{DoubleMetaphone, Encoder as _};

use super::spelling::Spelling;

/// How long a phonetic code may be.
const CODE_LENGTH: usize = 4;

/// How much of the text must agree where the sound agrees wholly, and where it does not.
const TEXT_WHERE_SOUND_AGREES: f64 = 0.5;
const TEXT_OTHERWISE: f64 = 0.8;

/// How alike two names are, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Likeness {
    /// In sound.
    pub(super) phonetic: f64,
    /// In letters.
    pub(super) text: f64,
}

impl Likeness {
    fn between(one: &str, other: &str) -> Self {
        Self {
            phonetic: phonetic(one, other),
            text: strsim::normalized_levenshtein(one, other),
        }
    }

    fn is_enough(self) -> bool {
        let needed = if self.phonetic >= 1.0 {
            TEXT_WHERE_SOUND_AGREES
        } else {
            TEXT_OTHERWISE
        };
        self.text >= needed
    }
}

/// Whether the part of the credential's name that sounds most like the record's is like it in letters,
/// too. Another part that would be does not count.
pub(super) fn names_agree(on_record: &Spelling, in_credential: &Spelling) -> bool {
    best_likeness(on_record, in_credential).is_enough()
}

/// The record's whole name against the credential's, and against each word of it: the likest in sound,
/// among those the likest in letters.
pub(super) fn best_likeness(on_record: &Spelling, in_credential: &Spelling) -> Likeness {
    let whole = Likeness::between(on_record.text(), in_credential.text());
    in_credential
        .words()
        .map(|word| Likeness::between(on_record.text(), word))
        .fold(whole, |best, next| {
            let order = best
                .phonetic
                .total_cmp(&next.phonetic)
                .then(best.text.total_cmp(&next.text));
            if order.is_lt() { next } else { best }
        })
}

/// 0 where a name has no code: two names without a sound do not sound the same.
fn phonetic(one: &str, other: &str) -> f64 {
    let (one, other) = (code(one), code(other));
    if one.is_empty() || other.is_empty() {
        0.0
    } else {
        strsim::normalized_levenshtein(&one, &other)
    }
}

fn code(name: &str) -> String {
    // Only letters that have a code: the encoder stops the program at others (a name of Latin and
    // Cyrillic letters makes it cut inside of one).
    let latin: String = name
        .chars()
        .filter(|letter| letter.is_ascii_alphabetic() || *letter == ' ')
        .collect();
    DoubleMetaphone::new(Some(CODE_LENGTH)).encode(latin.trim())
}
