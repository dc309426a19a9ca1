//! Names made to match somebody else, or anybody.

use super::*;

/// Letters of other scripts that look like Latin ones.
#[test]
fn sec_36_a_look_alike_of_another_script_is_another_letter() {
    for (plain, forged) in [
        ("Anna", "\u{0410}nna"),
        ("Anna", "Ann\u{0430}"),
        ("Sean", "S\u{0435}an"),
        ("Okafor", "\u{039F}kafor"),
        ("Peter", "\u{0420}\u{0435}t\u{0435}r"),
        ("Cox", "\u{0421}\u{043E}\u{0445}"),
    ] {
        assert!(!first_names_match(plain, forged, Policy::Exact), "{plain}");
        assert!(!surnames_match(plain, forged, Policy::Exact), "{plain}");
    }
    // To the tolerant policy it is a letter that differs, as a slip of the pen: a name made of them fails.
    assert!(!surnames_match(
        "Cox",
        "\u{0421}\u{043E}\u{0445}",
        Policy::Fuzzy
    ));
    assert!(!surnames_match(
        "Peter",
        "\u{0420}\u{0435}t\u{0435}r",
        Policy::Fuzzy
    ));
}

#[test]
fn sec_36_piled_accents_and_unseen_characters_neither_hide_a_name_nor_make_one() {
    for policy in BOTH {
        for unseen in [
            "\u{200B}",
            "\u{200D}",
            "\u{200E}",
            "\u{FEFF}",
            "\u{00AD}",
            "\u{3164}",
            "\u{1160}",
            "\u{115F}",
            "\u{FFA0}",
            "\u{FE0F}",
            "\u{E0061}",
            "\u{0000}",
            "\u{0300}\u{0301}\u{0302}\u{0489}",
            "\u{034F}",
        ] {
            let name = format!("{unseen}An{unseen}na{unseen}");
            assert!(first_names_match("Anna", &name, policy), "{unseen:?}");
            assert!(!first_names_match("Bella", &name, policy), "{unseen:?}");
            let nothing = compare_names_of((unseen, "Okafor"), (unseen, "Okafor"), policy);
            assert_eq!(nothing.outcome, MatchOutcome::No, "{unseen:?}");
            assert_eq!(nothing.why, [Reason::NameEmpty], "{unseen:?}");
        }
    }
}

#[test]
fn sec_36_a_name_that_bears_an_order_of_direction_is_looked_at_and_matches_nobody() {
    for policy in BOTH {
        for mark in ('\u{202A}'..='\u{202E}').chain('\u{2066}'..='\u{2069}') {
            let name = format!("{mark}Anna");
            for (record, credential) in [("Anna", &*name), (&*name, "Anna"), (&*name, &*name)] {
                let found = compare_names_of((record, "Okafor"), (credential, "Okafor"), policy);
                assert_eq!(found.outcome, MatchOutcome::Review, "{mark:?}");
                assert_eq!(
                    found.why,
                    [Reason::FirstNameDiffers, Reason::LettersMixed],
                    "{mark:?}"
                );
            }
            assert!(!surnames_match("Okafor", &format!("Oka{mark}for"), policy));
            assert!(!first_names_match("Bella", &name, policy), "{mark:?}");
            let mark = mark.to_string();
            let nothing = compare_names_of((&mark, "Okafor"), (&mark, "Okafor"), policy);
            assert_eq!(nothing.why, [Reason::NameEmpty], "{mark:?}");
        }
        let known = OnRecord {
            known_as: Some("\u{202E}Bill"),
            ..on_record(("William", "Okafor"))
        };
        let found = compare(&known, &in_credential(("Bill", "Okafor")), policy);
        assert_eq!(found.outcome, MatchOutcome::Review);
    }
}

#[test]
fn sec_36_a_name_turned_round_by_a_direction_mark_is_read_as_it_is_stored() {
    for policy in BOTH {
        assert!(!first_names_match("Neda", "\u{202E}adeN", policy));
    }
}

#[test]
fn sec_36_an_empty_name_matches_nobody_not_even_another() {
    for policy in BOTH {
        for empty in [
            "", " ", "\t\n", "\u{00A0}", "-", " - ", "'", "\u{2019}", "\u{0301}",
        ] {
            for (record, credential) in [
                ((empty, "Taylor"), (empty, "Taylor")),
                (("Anna", empty), ("Anna", empty)),
                (("Anna", empty), ("Anna", "Taylor")),
                (("Anna", "Taylor"), (empty, "Taylor")),
                ((empty, empty), (empty, empty)),
            ] {
                let comparison = compare_names_of(record, credential, policy);
                assert_eq!(comparison.outcome, MatchOutcome::No, "{empty:?}");
                assert_eq!(comparison.why, [Reason::NameEmpty], "{empty:?}");
            }
        }
    }
}

#[test]
fn sec_36_what_has_no_letter_is_no_name() {
    for policy in BOTH {
        for text in ["123", "...", "?", "\u{2800}", "🙂", "\u{FFFD}", "/"] {
            let comparison = compare_names_of((text, "Taylor"), (text, "Taylor"), policy);
            assert_eq!(comparison.outcome, MatchOutcome::No, "{text}");
            assert_eq!(comparison.why, [Reason::NameUnreadable], "{text}");
        }
    }
}

#[test]
fn sec_36_a_single_letter_stands_for_no_longer_name() {
    for policy in BOTH {
        for (name, letter) in [("Anna", "A"), ("Sean", "S."), ("Okafor", "O")] {
            assert!(!first_names_match(name, letter, policy), "{name} {letter}");
            assert!(!first_names_match(letter, name, policy), "{name} {letter}");
            assert!(!surnames_match(name, letter, policy), "{name} {letter}");
        }
        assert!(!surnames_match("A", "E", policy));
        assert!(first_names_match("Q", "Q", policy));
    }
}

#[test]
fn sec_36_swapped_names_do_not_match() {
    for policy in BOTH {
        for (first, last) in [("Anna", "Taylor"), ("Li", "Wang"), ("Thomas", "James")] {
            let comparison = compare_names_of((first, last), (last, first), policy);
            assert!(!comparison.is_match());
            assert_eq!(
                comparison.why[..2],
                [Reason::FirstNameDiffers, Reason::SurnameDiffers]
            );
        }
        assert!(!matches(("Anna", "Taylor"), ("Anna Taylor", " "), policy));
    }
}

#[test]
fn sec_36_the_same_birthday_alone_matches_nobody() {
    for policy in BOTH {
        assert!(!matches(("Anna", "Taylor"), ("Peter", "Hughes"), policy));
        assert!(!matches(("Anna", "Taylor"), ("Anna", "Hughes"), policy));
        assert!(!matches(("Anna", "Taylor"), ("Peter", "Taylor"), policy));
    }
}

/// Such names stop the phonetic encoder, were it given them as they are.
#[test]
fn sec_36_no_mixture_of_scripts_stops_the_comparison() {
    for name in [
        "d1gçwba",
        "p\u{0447}rj'rw.z'b",
        "f\u{0307}bußw",
        "中aßaox'z1中",
        "h\u{7DE}x\u{1F600}gi",
    ] {
        for policy in BOTH {
            assert!(surnames_match(name, name, policy), "{name}");
            assert!(!surnames_match("Taylor", name, policy), "{name}");
        }
    }
}

/// Ten thousand characters of whatever kind: no worse than in proportion, and no way to stop the comparison.
#[test]
fn sec_36_a_hostile_name_of_ten_thousand_characters_costs_no_more_than_its_length() {
    const LENGTH: usize = 10_000;
    for piece in [
        "a", "a ", "ab-", "ü", "(", "()", "\"a", "‘a’ ", "al ", "mc ", "dr ", "s/o ", "я ", "ευ",
        "\u{0301}", "Md ", "ｱ",
    ] {
        let name = piece.repeat(LENGTH / piece.chars().count());
        let other = format!("{name}x");
        for policy in BOTH {
            let began = std::time::Instant::now();
            compare_names_of((&name, &name), (&other, &other), policy);
            compare_names_of((&name, "Okafor"), ("Anna", &other), policy);
            let seconds = began.elapsed().as_secs_f64();
            assert!(seconds < 2.0, "{piece:?} {policy:?}: {seconds} s");
        }
    }
}
