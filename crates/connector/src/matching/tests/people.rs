//! The sandbox's test employees, as `crates/lanyard/src/sandbox/people.rs` has them.

use super::*;

struct Case {
    name: &'static str,
    record: (&'static str, &'static str, Date),
    credential: (&'static str, &'static str, Date),
}

#[rustfmt::skip]
const CASES: [Case; 8] = [
    Case { name: "match", record: ("Anna", "Taylor", date(1990, 4, 12)), credential: ("Anna", "Taylor", date(1990, 4, 12)) },
    Case { name: "hyphen", record: ("Harriet", "Smith-Jones", date(1985, 11, 30)), credential: ("Harriet", "Smith Jones", date(1985, 11, 30)) },
    Case { name: "apostrophe", record: ("Sean", "O'Neill", date(1979, 2, 1)), credential: ("Sean", "O\u{2019}Neill", date(1979, 2, 1)) },
    Case { name: "diacritics", record: ("Zoë", "Müller", date(1993, 7, 19)), credential: ("Zoe", "Muller", date(1993, 7, 19)) },
    Case { name: "two-first-names", record: ("Mary Anne", "Okafor", date(1988, 9, 5)), credential: ("Mary", "Okafor", date(1988, 9, 5)) },
    Case { name: "surname-mismatch", record: ("Peter", "Hughes", date(1982, 1, 23)), credential: ("Peter", "Lambert", date(1982, 1, 23)) },
    Case { name: "birth-date-mismatch", record: ("Bella", "Ahmed", date(1995, 3, 8)), credential: ("Bella", "Ahmed", date(1995, 3, 18)) },
    Case { name: "review", record: ("Gwen", "Pritchard", date(1986, 5, 9)), credential: ("Gwen", "Pritchard", date(1986, 9, 5)) },
];

/// The reasons for which a case is refused; none where it is not.
fn refused(case: &Case, policy: Policy) -> Vec<Reason> {
    let (first_names, surname, born) = case.record;
    let record = OnRecord {
        first_names,
        surname,
        known_as: None,
        date_of_birth: Some(born),
    };
    let (first_names, surname, birth_date) = case.credential;
    let identity = Identity {
        birth_date,
        ..in_credential((first_names, surname))
    };
    let Comparison { outcome, why } = compare(&record, &identity, policy);
    assert_eq!(
        outcome == MatchOutcome::Match,
        why.is_empty(),
        "{}",
        case.name
    );
    why
}

#[test]
fn dw_42_dw_43_the_sandboxs_employees_match_or_not_as_their_case_says() {
    for case in &CASES {
        let expected = match case.name {
            "surname-mismatch" => vec![Reason::SurnameDiffers],
            "birth-date-mismatch" => vec![Reason::BirthDateDiffers],
            "review" => vec![Reason::BirthDateDiffers, Reason::BirthDateTransposed],
            _ => vec![],
        };
        assert_eq!(refused(case, Policy::Exact), expected, "{}", case.name);
    }
}

#[test]
fn dw_42_dw_43_under_the_tolerant_policy_the_mismatches_are_still_refused() {
    for case in &CASES {
        let expected = match case.name {
            "surname-mismatch" => vec![Reason::SurnameDiffers],
            "birth-date-mismatch" => vec![Reason::BirthDateDiffers],
            "review" => vec![Reason::BirthDateDiffers, Reason::BirthDateTransposed],
            _ => vec![],
        };
        assert_eq!(refused(case, Policy::Fuzzy), expected, "{}", case.name);
    }
}
