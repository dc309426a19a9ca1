//! What holds of every letter there is, and of names made of them by chance.

use super::super::fuzzy as fuzzy_rule;
use super::super::spelling::normalise;
use super::*;

/// Latin of several languages, other scripts, and everything that has a rule.
const LETTERS: &str = "abcdeghiknoprstxyzABGHWXßæøłđıİéüçñƴɛаеоршЖΣςωדא ع李がकी각ﬁⅣ'’´`ʼ -–\u{0301}\u{200D}\u{3164}.1";

/// The same names in each run.
fn names() -> impl Iterator<Item = String> {
    let letters: Vec<char> = LETTERS.chars().collect();
    let mut state: u64 = 88_172_645_463_325_252;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    (0..5_000).map(move |_| {
        (0..=next(12))
            .map(|_| letters[next(letters.len())])
            .collect()
    })
}

#[test]
fn a_name_with_a_letter_matches_itself_and_one_without_does_not() {
    for name in names() {
        let has_letter = Spelling::parse(&name).is_ok();
        for policy in BOTH {
            let itself = compare_names_of((&name, &name), (&name, &name), policy);
            assert_eq!(itself.is_match(), has_letter, "{name:?} {policy:?}");
        }
    }
}

#[test]
fn every_letter_of_unicode_is_either_a_name_of_its_own_or_none() {
    // The planes between and beyond hold no characters.
    for letter in ('\0'..='\u{33FFF}').chain('\u{E0000}'..='\u{E0FFF}') {
        let name = letter.to_string();
        if let Ok(spelling) = Spelling::parse(&name) {
            assert!(fuzzy_rule::names_agree(&spelling, &spelling), "{letter:?}");
            assert!(first_names_match(&name, &name, Policy::Exact), "{letter:?}");
        }
        let once = normalise(&name);
        assert_eq!(normalise(&once), once, "{letter:?} is not settled at once");
    }
}

#[test]
fn what_is_normalised_stays_as_it_is() {
    for name in names() {
        let once = normalise(&name);
        assert_eq!(normalise(&once), once, "{name:?}");
    }
}

#[test]
fn under_the_exact_policy_it_makes_no_difference_which_side_says_what() {
    let names: Vec<String> = names().collect();
    for (one, other) in names.iter().zip(names.iter().skip(1)) {
        // Neighbours by chance are never alike; so also a name and its own beginning.
        let beginning = one.split(' ').next().unwrap_or_default();
        for (one, other) in [(one.as_str(), other.as_str()), (one.as_str(), beginning)] {
            assert_eq!(
                compare_names_of((one, one), (other, other), Policy::Exact),
                compare_names_of((other, other), (one, one), Policy::Exact),
                "{one:?} {other:?}"
            );
        }
    }
}
