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
    // A plain letter that merely stands in place of another is another name.
    assert!(!surnames("Müller", "Mueller"));
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
    // They are one, not nothing.
    assert!(!surnames("Smith-Jones", "Smithjones"));
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
    assert!(!first_names("Mary Anne", "Maryanne"));
    assert!(!first_names("Mary", "Mar"));
    assert!(!first_names("Mary", "M"));
}

#[test]
fn dw_42_names_in_other_scripts_are_compared_like_any() {
    assert!(surnames("李", "李"));
    assert!(!surnames("李", "王"));
    assert!(!surnames("Шевченко", "Коваленко"));
    assert!(!surnames("Шевченко", "Shevchenko"));
    // Their vowels and marks are no accents: the names differ by them alone.
    assert!(!first_names("रीता", "रति"));
    assert!(!surnames("かとう", "がとう"));
}

/// The rule names spaces, hyphens and apostrophes; nobody has said that other signs mean nothing.
#[test]
fn other_signs_are_compared_as_they_are_written() {
    assert!(surnames("St. John", "St. John"));
    assert!(!surnames("St. John", "St John"));
    assert!(!first_names("Dr Anna", "Anna"));
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
            assert_eq!(comparison.outcome, MatchOutcome::No);
            assert_eq!(comparison.why, [Reason::BirthDateDiffers]);
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
