//! What is said of a comparison.

use super::*;

const ALL: [Reason; 14] = [
    Reason::FirstNameDiffers,
    Reason::SurnameDiffers,
    Reason::BirthDateDiffers,
    Reason::BirthDateNotHeld,
    Reason::NameEmpty,
    Reason::NameUnreadable,
    Reason::NamesSwapped,
    Reason::NamesSimilar,
    Reason::GenerationDiffers,
    Reason::FirstNameInPart,
    Reason::FirstNamePetForm,
    Reason::SurnameInPart,
    Reason::LettersMixed,
    Reason::BirthDateTransposed,
];

#[test]
fn everything_that_speaks_against_a_match_is_said_at_once() {
    let record = OnRecord {
        first_names: "Peter",
        surname: "",
        known_as: None,
        date_of_birth: Some(date(1982, 1, 23)),
    };
    let comparison = compare(&record, &in_credential(("Anna", "Taylor")), Policy::Exact);
    assert_eq!(
        comparison.why,
        [
            Reason::FirstNameDiffers,
            Reason::BirthDateDiffers,
            Reason::NameEmpty
        ]
    );
}

#[test]
fn nothing_that_is_said_or_printed_holds_anything_of_the_person() {
    let record = on_record(("Amina", "Okafor"));
    let comparison = compare(&record, &in_credential(("Peter", "Hughes")), Policy::Fuzzy);
    let printed = format!(
        "{record:?} {comparison:?} {}",
        serde_json::to_string(&comparison).unwrap()
    );
    for personal in ["Amina", "Okafor", "Peter", "Hughes", "1990"] {
        assert!(!printed.contains(personal), "{printed}");
    }
}

#[test]
fn a_code_is_written_the_same_way_everywhere() {
    for reason in ALL {
        let code = reason.code();
        assert!(
            code.chars()
                .all(|letter| letter.is_ascii_lowercase() || letter == '-'),
            "{code}"
        );
        assert_eq!(serde_json::to_value(reason).unwrap(), code);
        assert!(reason.to_string().ends_with('.'), "{reason}");
    }
    assert_eq!(serde_json::to_value(MatchOutcome::Match).unwrap(), "match");
    assert_eq!(
        serde_json::from_str::<Policy>("\"fuzzy\"").unwrap(),
        Policy::Fuzzy
    );
    assert!(serde_json::from_str::<Policy>("\"Exact\"").is_err());
}

/// The page for integrators lists every code, and this is where it would be forgotten.
#[test]
fn the_integrators_page_knows_every_code() {
    let page = include_str!("../../../../../docs/integrate/matching.md");
    for reason in ALL {
        assert!(
            page.contains(&format!("| `{}` |", reason.code())),
            "{}",
            reason.code()
        );
    }
}
