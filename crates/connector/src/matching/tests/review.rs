//! What neither matches nor is another person beyond doubt: somebody looks at it, and until then nothing is issued.

use super::*;

fn found(record: Name<'_>, credential: Name<'_>, policy: Policy) -> (MatchOutcome, Vec<Reason>) {
    let comparison = compare_names_of(record, credential, policy);
    (comparison.outcome, comparison.why)
}

#[test]
fn sec_36_names_that_changed_places_are_looked_at_and_match_nobody() {
    use Reason::{FirstNameDiffers, NamesSwapped, SurnameDiffers};
    for policy in BOTH {
        let both_differ = vec![FirstNameDiffers, SurnameDiffers, NamesSwapped];
        for (record, credential) in [
            (("Anna", "Kowalska"), ("Kowalska", "Anna")),
            (("Thi Mai", "Nguyễn"), ("Nguyen", "Thi Mai")),
        ] {
            let review = (MatchOutcome::Review, both_differ.clone());
            assert_eq!(found(record, credential, policy), review);
        }
    }
}

#[test]
fn dw_42_names_that_are_alike_are_looked_at_where_the_policy_asks_for_the_same_letters() {
    use Reason::{FirstNameDiffers, NamesSimilar, SurnameDiffers};
    for (record, credential, differs) in [
        (
            ("Anthony", "Okafor"),
            ("Anthonie", "Okafor"),
            FirstNameDiffers,
        ),
        (("Anna", "Thompson"), ("Anna", "Thomson"), SurnameDiffers),
    ] {
        let review = (MatchOutcome::Review, vec![differs, NamesSimilar]);
        assert_eq!(found(record, credential, Policy::Exact), review);
        let fuzzy = (MatchOutcome::Match, vec![]);
        assert_eq!(found(record, credential, Policy::Fuzzy), fuzzy);
    }
    for (record, credential) in [
        (("Anna", "Okafor"), ("Ben", "Okafor")),
        (("Anna", "Okafor"), ("Anna", "Williams")),
        (("Anna", "Okafor"), ("Annabelle Grace", "Smith")),
    ] {
        for policy in BOTH {
            assert_eq!(found(record, credential, policy).0, MatchOutcome::No);
        }
    }
}

/// A name alone is not enough to trouble somebody with.
#[test]
fn dw_43_nothing_is_looked_at_that_is_not_of_one_day_of_birth() {
    for date_of_birth in [None, Some(date(1990, 4, 13))] {
        let record = OnRecord {
            date_of_birth,
            ..on_record(("Anna", "Kowalska"))
        };
        let swapped = in_credential(("Kowalska", "Anna"));
        let comparison = compare(&record, &swapped, Policy::Exact);
        assert_eq!(comparison.outcome, MatchOutcome::No);
    }
}
