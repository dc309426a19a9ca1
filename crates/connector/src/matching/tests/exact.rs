//! The default policy.

use super::*;

fn surnames(one: &str, other: &str) -> bool {
    let there = surnames_match(one, other, Policy::Exact);
    let back = surnames_match(other, one, Policy::Exact);
    assert_eq!(there, back, "{one} / {other} depends on the side");
    there
}

fn first_names(one: &str, other: &str) -> bool {
    let there = first_names_match(one, other, Policy::Exact);
    let back = first_names_match(other, one, Policy::Exact);
    assert_eq!(there, back, "{one} / {other} depends on the side");
    there
}

#[test]
fn exact_is_the_policy_where_none_is_chosen() {
    assert_eq!(Policy::default(), Policy::Exact);
}

#[test]
fn dw_42_equal_names_match_and_another_first_name_or_surname_does_not() {
    let anna = ("Anna", "Taylor");
    assert!(matches(anna, anna, Policy::Exact));
    for (other, reason) in [
        (("Anne", "Taylor"), Reason::FirstNameDiffers),
        (("Anna", "Tailor"), Reason::SurnameDiffers),
        (("Anna", "Taylor Brown"), Reason::SurnameDiffers),
        (("Anna", "Brown-Taylor"), Reason::SurnameDiffers),
    ] {
        let comparison = compare_names_of(anna, other, Policy::Exact);
        assert!(!comparison.is_match(), "{other:?}");
        assert_eq!(comparison.why[0], reason, "{other:?}");
    }
}

#[test]
fn dw_42_case_makes_no_difference_in_any_script() {
    assert!(surnames("TAYLOR", "taylor"));
    assert!(surnames("MÜLLER", "müller"));
    assert!(surnames("ШЕВЧЕНКО", "Шевченко"));
    assert!(surnames("ΠΑΠΑΔΌΠΟΥΛΟΣ", "Παπαδόπουλος"));
    assert!(surnames("YILDIZ", "Yıldız"));
    assert!(surnames("İNCE", "ince"));
    assert!(surnames("STRAUẞ", "Strauss"));
}

#[test]
fn dw_42_accents_make_no_difference() {
    assert!(surnames("Müller", "Muller"));
    assert!(surnames("Mu\u{0308}ller", "M\u{00FC}ller"));
    assert!(first_names("Zoë", "Zoe"));
    assert!(surnames("Nguyễn", "Nguyen"));
    assert!(surnames("Dvořák", "Dvorak"));
}

#[test]
fn dw_42_forms_of_a_letter_that_only_its_typesetting_knows_are_that_letter() {
    assert!(surnames("Gri\u{FB03}n", "Griffin"));
    assert!(surnames(
        "\u{FF34}\u{FF41}\u{FF59}\u{FF4C}\u{FF4F}\u{FF52}",
        "Taylor"
    ));
    assert!(surnames("\u{FF76}\u{FF84}\u{FF73}", "カトウ"));
}

#[test]
fn dw_42_letters_that_unicode_does_not_take_apart_are_read_plainly() {
    for (written, plain) in [
        ("Groß", "Gross"),
        ("Łukasz", "Lukasz"),
        ("Sørensen", "Sorensen"),
        ("Æbelø", "Aebelo"),
        ("Đặng", "Dang"),
        ("Guðrún", "Gudrun"),
        ("Þórsson", "Thorsson"),
        ("Kılıç", "Kilic"),
        ("Lebœuf", "Leboeuf"),
        ("Għarb", "Gharb"),
        ("Əliyev", "Eliyev"),
        ("Ɗanjuma", "Danjuma"),
        ("Nyɛmɛ", "Nyeme"),
    ] {
        assert!(surnames(written, plain), "{written}");
    }
    // Where the letter itself stands on one side, both ways to write it without are that letter.
    assert!(surnames("Müller", "Mueller"));
    assert!(!surnames("Muller", "Mueller"));
}

#[test]
fn dw_42_spaces_and_hyphens_are_one() {
    for dash in [
        " ", "-", "\u{2010}", "\u{2011}", "\u{2013}", "\u{2014}", "\u{2212}", "\u{FF0D}", " - ",
        "--", "  ", "\u{00A0}", "\u{3000}", "\t",
    ] {
        let name = format!("Smith{dash}Jones");
        assert!(surnames("Smith-Jones", &name), "{dash:?}");
    }
    assert!(surnames("  Smith ", "Smith"));
    // And written together it is the same name, but where the words begin elsewhere it is not.
    assert!(surnames("Smith-Jones", "Smithjones"));
    assert!(!first_names("Ann Abel", "Anna Bel"));
}

#[test]
fn dw_42_apostrophes_make_no_difference() {
    for apostrophe in [
        "'", "\u{2019}", "\u{2018}", "`", "\u{00B4}", "\u{02BC}", "\u{FF07}", "\u{2032}", "",
    ] {
        let name = format!("O{apostrophe}Neill");
        assert!(surnames("O'Neill", &name), "{apostrophe:?}");
    }
}

#[test]
fn dw_42_one_side_may_hold_more_first_names() {
    assert!(first_names("Mary Anne", "Mary"));
    assert!(first_names("Mary-Anne", "Mary Anne"));
    // A space and a hyphen are one, so this follows.
    assert!(first_names("Mary-Anne", "Mary"));
    assert!(first_names("Mary Anne Louise", "Mary Anne"));

    assert!(!first_names("Mary Anne", "Anne"));
    assert!(!first_names("Mary Anne", "Mary Jane"));
    assert!(first_names("Mary Anne", "Maryanne"));
    assert!(!first_names("Mary", "Mar"));
    assert!(!first_names("Mary", "M"));
}

#[test]
fn dw_42_names_in_other_scripts_are_compared_like_any() {
    assert!(surnames("李", "李"));
    assert!(!surnames("李", "王"));
    assert!(!surnames("Шевченко", "Коваленко"));
    assert!(surnames("Шевченко", "Shevchenko"));
    assert!(!surnames("Шевченко", "Sevchenko"));
    // Their vowels and marks are no accents: the names differ by them alone.
    assert!(!first_names("रीता", "रति"));
    assert!(!surnames("かとう", "がとう"));
}

#[test]
fn dw_42_full_stops_titles_and_what_stands_behind_a_name_make_no_difference() {
    assert!(surnames("St. John", "St John"));
    assert!(!surnames("St. John", "Saint John"));
    assert!(first_names("Dr Anna", "Anna"));
    assert!(first_names("Prof. Dr. Anna", "Sister Anna"));
    assert!(surnames("Taylor MBE", "Taylor"));
    assert!(surnames("Taylor Jr", "Taylor"));
    // Titles alone are no name, and a title behind the name is none.
    assert!(!first_names("Dr", "Prof"));
    assert!(!first_names("Anna Dr", "Anna Prof"));
    assert!(!surnames("Taylor Jr", "Taylor Sr"));
}

#[test]
fn dw_42_a_known_as_name_makes_no_match_of_another_persons_longer_name() {
    for (record, credential) in [
        ("Harpreet Kaur (Harpreet)", "Harpreet Singh"),
        ("Ahmed bin Ali (Ahmed)", "Ahmed bin Hassan"),
        ("John Paul (John)", "John Michael"),
    ] {
        let matches = first_names_match(record, credential, Policy::Exact);
        assert!(!matches, "{record} {credential}");
    }
}

#[test]
fn dw_42_initials_alone_are_no_name() {
    for (one, other) in [("J. O.", "Jo"), ("A L", "Al"), ("E. D.", "Ed")] {
        assert!(
            !first_names(one, other) && !first_names(other, one),
            "{one}"
        );
    }
    assert!(first_names("Mary Anne", "Maryanne"));
}

#[test]
fn dw_42_a_known_as_name_that_the_record_holds_counts_as_a_first_name() {
    for record in [
        "William (Bill)",
        "William \"Bill\"",
        "William ‘Bill’",
        "Bill [William]",
    ] {
        for credential in ["William", "Bill", "BILL"] {
            assert!(
                first_names_match(record, credential, Policy::Exact),
                "{record} {credential}"
            );
        }
        assert!(!first_names_match(record, "Bob", Policy::Exact));
        // What the credential puts into brackets is nothing that the host wrote down.
        assert!(!first_names_match("Bob", "William (Bob)", Policy::Exact));
    }
    let record = OnRecord {
        known_as: Some("Bill"),
        ..on_record(("William", "Okafor"))
    };
    let of = |name| compare(&record, &in_credential((name, "Okafor")), Policy::Exact).outcome;
    assert_eq!(of("Bill"), MatchOutcome::Match);
    assert_eq!(of("William"), MatchOutcome::Match);
    assert_eq!(of("Will"), MatchOutcome::Review);
    assert_eq!(of("Peter"), MatchOutcome::No);
}

#[test]
fn dw_42_one_of_two_surnames_is_looked_at_and_never_matches() {
    for (one, other) in [
        ("Fenn-Marlow", "Fenn"),
        ("Fenn-Marlow", "Marlow"),
        ("Fenn-Marlow", "Marlow-Fenn"),
        ("Herranz Olmedo", "Herranz Quiroga"),
        ("de la Hoz", "Hoz"),
    ] {
        for (one, other) in [(one, other), (other, one)] {
            let found = compare_names_of(("Anna", one), ("Anna", other), Policy::Exact);
            assert_eq!(found.outcome, MatchOutcome::Review, "{one} {other}");
            assert_eq!(found.why, [Reason::SurnameDiffers, Reason::SurnameInPart]);
        }
    }
}

/// DW-43.
#[test]
fn dw_43_the_date_of_birth_is_compared_exactly_where_the_record_holds_one() {
    let identity = in_credential(("Anna", "Taylor"));
    for policy in BOTH {
        for other in [date(1990, 12, 4), date(1990, 4, 13), date(1991, 4, 12)] {
            let record = OnRecord {
                date_of_birth: Some(other),
                ..on_record(("Anna", "Taylor"))
            };
            let comparison = compare(&record, &identity, policy);
            let (outcome, why) = if other == date(1990, 12, 4) {
                let why = vec![Reason::BirthDateDiffers, Reason::BirthDateTransposed];
                (MatchOutcome::Review, why)
            } else {
                (MatchOutcome::No, vec![Reason::BirthDateDiffers])
            };
            assert_eq!((comparison.outcome, comparison.why), (outcome, why));
        }
    }
}

/// DW-43: "if possible".
#[test]
fn dw_43_where_the_record_holds_no_date_of_birth_the_names_decide_and_that_is_noted() {
    let identity = in_credential(("Anna", "Taylor"));
    for policy in BOTH {
        let of = |name| OnRecord {
            date_of_birth: None,
            ..on_record(name)
        };
        let same = compare(&of(("Anna", "Taylor")), &identity, policy);
        assert_eq!(same.outcome, MatchOutcome::Match);
        assert_eq!(same.why, [Reason::BirthDateNotHeld]);

        let other = compare(&of(("Anna", "Brown")), &identity, policy);
        assert_eq!(other.outcome, MatchOutcome::No);
        assert_eq!(
            other.why,
            [Reason::SurnameDiffers, Reason::BirthDateNotHeld]
        );
    }
}
