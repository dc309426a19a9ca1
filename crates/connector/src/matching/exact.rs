//! The default policy: the same name, however it is written.

use std::collections::HashSet;

use super::Reason;
use super::name::{Name, Part, Reading};
use super::tables::{PARTICLES, PET_NAMES, SHARED};

/// What two names are to each other. The greatest of several counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Accord {
    /// Two names that cannot be one person's, however alike they look.
    Contradicts,
    /// Two names.
    Differs,
    /// Not one name, but perhaps one person.
    Doubt(Reason),
    /// One name.
    Same,
}

/// Compares what the record says with what the credential says. Only the record's own known-as names can make one
/// name of two: the host wrote them down.
pub(super) fn accord(on_record: &Name, in_credential: &Name, part: Part) -> Accord {
    if on_record.spelling == in_credential.spelling {
        return Accord::Same;
    }
    let found = best(&on_record.readings, &in_credential.readings, part);
    if matches!(found, Accord::Same | Accord::Contradicts) {
        return found;
    }
    // A known-as name is the whole name by which somebody goes: it is no beginning of a longer one, nor of one that says
    // whose child somebody is.
    let known = |beside: &[Vec<Reading>], other: &[Reading]| {
        let is_whole = |name: &Vec<Reading>| {
            let plain = other.first();
            plain.is_some_and(|other| {
                other.father.is_empty()
                    && name.iter().any(|one| {
                        along(&one.words, &other.words, false)
                            == (one.words.len(), other.words.len())
                    })
            })
        };
        beside.iter().any(is_whole)
    };
    let in_part = match part {
        Part::First => Reason::FirstNameInPart,
        Part::Surname => Reason::SurnameInPart,
    };
    if known(&on_record.beside, &in_credential.readings) {
        match part {
            Part::First => Accord::Same,
            Part::Surname => Accord::Doubt(in_part),
        }
    } else if known(&in_credential.beside, &on_record.readings) {
        Accord::Doubt(in_part)
    } else {
        found
    }
}

/// Each reading against the other side's plain one: two names that are both only read otherwise are not compared.
fn best(one: &[Reading], other: &[Reading], part: Part) -> Accord {
    let (Some(one_plain), Some(other_plain)) = (one.first(), other.first()) else {
        return Accord::Differs;
    };
    let rule = match part {
        Part::First => first_names,
        Part::Surname => surnames,
    };
    let forth = one.iter().map(|reading| rule(reading, other_plain));
    let back = other.iter().map(|reading| rule(one_plain, reading));
    forth.chain(back).max().unwrap_or(Accord::Differs)
}

/// From the first word on, as far as the shorter side goes: one system keeps all first names where another keeps one.
fn first_names(one: &Reading, other: &Reading) -> Accord {
    let doubt = Accord::Doubt(Reason::FirstNameInPart);
    let two_fathers = !one.father.is_empty()
        && !other.father.is_empty()
        && along(&one.father, &other.father, false) != (one.father.len(), other.father.len());
    let (father, their_father) = (&other.father, &one.father);
    let (one, other) = (&one.words, &other.words);
    let has = |words: &[String], word: &str| words.iter().any(|one| one == word);
    let contradict =
        (has(one, "kaur") && has(other, "singh")) || (has(one, "singh") && has(other, "kaur"));
    let is_father = |words: &[String], father: &[String]| !father.is_empty() && words == father;
    if contradict || is_father(one, father) || is_father(other, their_father) {
        return Accord::Contradicts;
    }
    if two_fathers {
        return Accord::Differs;
    }
    let (here, there) = along(one, other, true);
    let shared_by_siblings = one[..here]
        .iter()
        .all(|word| SHARED.contains(&word.as_str()));
    match (here == one.len(), there == other.len()) {
        (true, false) | (false, true) if shared_by_siblings => doubt,
        (true, _) | (_, true) => Accord::Same,
        (false, false) if here > 0 && shared_by_siblings => Accord::Differs,
        (false, false) if here > 0 => doubt,
        (false, false) => not_from_the_first_on(one, other),
    }
}

fn not_from_the_first_on(one: &[String], other: &[String]) -> Accord {
    let (Some(first), Some(their_first)) = (one.first(), other.first()) else {
        return Accord::Differs;
    };
    let stands_in = |word: &String, words: &[String]| {
        is_longer_than_a_letter(word) && !SHARED.contains(&word.as_str()) && words.contains(word)
    };
    let is_pet_name = PET_NAMES.iter().any(|(pet, full)| {
        (pet == first && full == their_first) || (pet == their_first && full == first)
    });
    if is_pet_name {
        Accord::Doubt(Reason::FirstNamePetForm)
    } else if is_initial(first, their_first)
        || stands_in(first, other)
        || stands_in(their_first, one)
        || later_words_joined(one, other)
        || later_words_joined(other, one)
    {
        Accord::Doubt(Reason::FirstNameInPart)
    } else {
        Accord::Differs
    }
}

/// All words of one side stand together behind the first word of the other.
fn later_words_joined(all: &[String], later: &[String]) -> bool {
    later.len() > 1 && all.len() > later.len() && all.ends_with(later)
}

/// The whole surname. Where one of several words is shared, somebody should look.
fn surnames(one: &Reading, other: &Reading) -> Accord {
    let (one, other) = (&one.words, &other.words);
    if along(one, other, false) == (one.len(), other.len()) {
        return Accord::Same;
    }
    let cores = [one, other].map(|words| {
        let core = words.iter().map(String::as_str);
        core.filter(|word| is_longer_than_a_letter(word) && !PARTICLES.contains(word))
            .collect::<HashSet<_>>()
    });
    if cores[0].is_disjoint(&cores[1]) {
        Accord::Differs
    } else {
        Accord::Doubt(Reason::SurnameInPart)
    }
}

/// How many words of each side agree from the first on. A word agrees with several that make it when they are joined,
/// and, behind the first name, with its initial.
fn along(one: &[String], other: &[String], with_initials: bool) -> (usize, usize) {
    let (mut here, mut there) = (0, 0);
    while let (Some(word), Some(their_word)) = (one.get(here), other.get(there)) {
        let (by, their_by) =
            if word == their_word || (with_initials && here > 0 && is_initial(word, their_word)) {
                (1, 1)
            } else if let Some(count) = joined(word, &other[there..]) {
                (1, count)
            } else if let Some(count) = joined(their_word, &one[here..]) {
                (count, 1)
            } else {
                break;
            };
        here += by;
        there += their_by;
    }
    (here, there)
}

/// How many of these words make the one. Initials alone make no name: `J. O.` is not `Jo`.
fn joined(word: &str, words: &[String]) -> Option<usize> {
    let mut rest = word;
    for (count, part) in words.iter().enumerate() {
        rest = rest.strip_prefix(part.as_str())?;
        if rest.is_empty() {
            let parts = &words[..=count];
            let says_more = count == 0 || parts.iter().any(|part| is_longer_than_a_letter(part));
            return says_more.then_some(count + 1);
        }
    }
    None
}

fn is_longer_than_a_letter(word: &str) -> bool {
    word.chars().nth(1).is_some()
}

fn is_initial(one: &str, other: &str) -> bool {
    (!is_longer_than_a_letter(one) || !is_longer_than_a_letter(other))
        && one.chars().next() == other.chars().next()
}
