//! The tolerant policy: alike in sound and in letters.
//!
//! The rule is the one that a deployed integrator has had in use, kept to the letter so that a host which
//! moves from it sees the same examples answered alike; added are guards for names that it could not take, and
//! for those of siblings: what they hold back is looked at, and never matched.

use rphonetic::{DoubleMetaphone, Encoder as _};

use super::Reason;
use super::exact::Accord;
use super::name::{Name, Part};
use super::spelling::Spelling;
use super::tables::LOOK_ALIKES;

/// How long a phonetic code may be.
const CODE_LENGTH: usize = 4;

/// Longer than the code of any name that is compared by sound: the end of Lakshman is not in its first four characters.
const WHOLE: usize = 2 * LONGEST;

/// How much of the text must agree where the sound agrees wholly, and where it does not.
const TEXT_WHERE_SOUND_AGREES: f64 = 0.5;
const TEXT_OTHERWISE: f64 = 0.8;

/// Names of more characters are alike only if they are the same: the time that it takes to tell grows with the product of
/// both lengths.
const LONGEST: usize = 200;

/// A first name of fewer letters is another one as soon as one of them differs; one of so many, if a letter is replaced.
const SHORT: usize = 6;

/// How much of the text two spellings of one name share at least (Anthony, Anthonie); Hassan and Hussein share less.
const TEXT_OF_ONE_NAME: f64 = 0.7;

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
        if [one, other]
            .iter()
            .any(|name| name.chars().nth(LONGEST).is_some())
        {
            return Self {
                phonetic: 0.0,
                text: if one == other { 1.0 } else { 0.0 },
            };
        }
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

/// Whether the names are alike, and whether that is enough. `None` where they are not.
///
/// The deployed rule calls many siblings alike. Where that is to be feared, somebody looks.
pub(super) fn accord(on_record: &Name, in_credential: &Name, part: Part) -> Option<Accord> {
    let (one, other) = (&on_record.spelling, &in_credential.spelling);
    let (likeness, likest) = best_likeness(one, other);
    if likeness.is_enough() {
        let several = part == Part::First && is_several(one) && is_several(other);
        let enough = !several && !may_be_siblings(one.text(), likest, likeness, part);
        return Some(if enough {
            Accord::Same
        } else {
            Accord::Doubt(Reason::NamesSimilar)
        });
    }
    // Whichever side is taken for the right one.
    names_agree(other, one).then_some(Accord::Doubt(Reason::NamesSimilar))
}

fn is_several(name: &Spelling) -> bool {
    name.words().nth(1).is_some()
}

/// Whether so little, or just that, differs which tells brothers and sisters apart.
fn may_be_siblings(one: &str, other: &str, likeness: Likeness, part: Part) -> bool {
    if likeness.text >= 1.0 {
        return false;
    }
    let lengths = [one, other].map(|name| name.chars().count());
    let sounds_the_same = likeness.phonetic >= 1.0;
    let first_name = part == Part::First
        && (lengths.iter().any(|length| *length < SHORT)
            || lengths == [SHORT, SHORT]
            || ending_tells(one, other));
    let sound = if sounds_the_same {
        likeness.text < TEXT_OF_ONE_NAME || code_of(one, WHOLE) != code_of(other, WHOLE)
    } else {
        lengths[0] == lengths[1] || one.chars().next() != other.chars().next()
    };
    first_name || sound
}

/// Whether the ending may be what tells a brother from a sister: Paul and Paula, Julie and Julia, Alexander and
/// Alexandra. A silent h does not (Sara, Sarah).
fn ending_tells(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|name| name.strip_suffix('h').unwrap_or(name));
    let [stem, their_stem] =
        [one, other].map(|name| name.trim_end_matches(['a', 'e', 'i', 'o', 'u']));
    let is_begun = |name: &str, by: &str| name.starts_with(by) && name != by;
    stem == their_stem && one != other
        || one.ends_with('a') != other.ends_with('a')
        || is_begun(one, other)
        || is_begun(other, one)
}

/// Two names of which at least one holds letters that another may be taken for.
pub(super) fn accord_of_odd(on_record: &Name, in_credential: &Name) -> Accord {
    let seen = [on_record, in_credential].map(|name| {
        let letters = name.spelling.text().chars();
        Spelling::of(letters.map(as_it_looks).collect())
    });
    let [one, other] = &seen;
    let begins = one.words().next() == other.words().next();
    if begins || names_agree(one, other) || names_agree(other, one) {
        Accord::Doubt(Reason::LettersMixed)
    } else {
        Accord::Differs
    }
}

fn as_it_looks(letter: char) -> char {
    let found = LOOK_ALIKES.iter().find(|(written, _)| *written == letter);
    found.map_or(letter, |(_, latin)| *latin)
}

/// Whether the part of the credential's name that sounds most like the record's is like it in letters,
/// too. Another part that would be does not count.
pub(super) fn names_agree(on_record: &Spelling, in_credential: &Spelling) -> bool {
    best_likeness(on_record, in_credential).0.is_enough()
}

/// The record's whole name against the credential's, and against each word of it: the likest in sound,
/// among those the likest in letters, and which that is.
pub(super) fn best_likeness<'a>(
    on_record: &Spelling,
    in_credential: &'a Spelling,
) -> (Likeness, &'a str) {
    let of = |name: &'a str| (Likeness::between(on_record.text(), name), name);
    let whole = of(in_credential.text());
    in_credential.words().map(of).fold(whole, |best, next| {
        let order = best
            .0
            .phonetic
            .total_cmp(&next.0.phonetic)
            .then(best.0.text.total_cmp(&next.0.text));
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
    code_of(name, CODE_LENGTH)
}

fn code_of(name: &str, length: usize) -> String {
    // Only letters that have a code: the encoder stops the program at others (a name of Latin and
    // Cyrillic letters makes it cut inside of one).
    let latin: String = name
        .chars()
        .filter(|letter| letter.is_ascii_alphabetic() || *letter == ' ')
        .collect();
    DoubleMetaphone::new(Some(length)).encode(latin.trim())
}
