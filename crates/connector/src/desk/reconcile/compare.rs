//! One credential in three lists.

use super::{Difference, DifferenceCode, Registered, revoked_at};
use crate::desk::Stage;
use crate::{KnownCredential, PublishedList};

/// What differs: between registry and gateway, and between gateway and published list.
pub(super) fn compare(
    here: &Registered,
    there: Option<&KnownCredential>,
    list: Option<&PublishedList>,
) -> Vec<Difference> {
    let difference = |code| Difference {
        code,
        serial_number: Some(here.serial_number),
        credential_type: Some(here.credential_type.clone()),
        cause: there
            .and_then(|there| there.revoked.as_ref())
            .map(|revoked| revoked.cause.clone()),
        status_list: None,
    };
    let Some(there) = there else {
        // Of what never was, or is revoked, nobody needs to know.
        let unknown =
            (here.stage == Stage::Issued).then_some(DifferenceCode::IssuedHereUnknownThere);
        return unknown.map(difference).into_iter().collect();
    };
    let between = between(here.stage, there);
    let published = list.and_then(|list| {
        let counts = list.counts(there.status_list.idx)?;
        published(there, counts, list.issued_at()).map(|code| Difference {
            status_list: Some(there.status_list.uri.clone()),
            ..difference(code)
        })
    });
    between
        .map(difference)
        .into_iter()
        .chain(published)
        .collect()
}

fn between(here: Stage, there: &KnownCredential) -> Option<DifferenceCode> {
    match (here, revoked_at(there)) {
        (Stage::Issued, Some(_)) => Some(DifferenceCode::RevokedThereNotHere),
        (Stage::Revoked, None) => Some(DifferenceCode::RevokedHereNotThere),
        (Stage::NotIssued, None) => Some(DifferenceCode::NotIssuedHereInForceThere),
        _ => None,
    }
}

/// A list that was signed before a revocation says nothing of it.
fn published(
    there: &KnownCredential,
    counts: bool,
    signed_at: jiff::Timestamp,
) -> Option<DifferenceCode> {
    match revoked_at(there) {
        Some(at) if counts && signed_at > at => Some(DifferenceCode::NotRevokedInList),
        None if !counts => Some(DifferenceCode::RevokedInListNotThere),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(second: i64) -> jiff::Timestamp {
        jiff::Timestamp::from_second(second).unwrap()
    }

    fn known(revoked: Option<i64>) -> KnownCredential {
        let revoked = revoked.map(|second| json!({"at": at(second), "cause": "relying-party"}));
        let known = json!({
            "serial_number": uuid::Uuid::from_u128(1),
            "credential_type": "FireSafety",
            "issuer": "did:web:gateway.example:issuers:anytown",
            "issued_at": at(1),
            "revoked": revoked,
            "status_list": {"uri": "https://gateway.example/issuers/anytown/status/1", "idx": 7},
        });
        serde_json::from_value(known).unwrap()
    }

    #[test]
    fn registry_and_gateway_differ_where_one_says_in_force_and_the_other_does_not() {
        let (in_force, revoked) = (known(None), known(Some(5)));
        for (here, there, expected) in [
            (Stage::Issued, &in_force, None),
            (Stage::Issued, &revoked, Some("revoked-there-not-here")),
            (Stage::Revoked, &in_force, Some("revoked-here-not-there")),
            (Stage::Revoked, &revoked, None),
            (
                Stage::NotIssued,
                &in_force,
                Some("not-issued-here-in-force-there"),
            ),
            (Stage::NotIssued, &revoked, None),
        ] {
            let code = between(here, there).map(DifferenceCode::code);
            assert_eq!(code, expected, "{here:?}");
        }
    }

    #[test]
    fn a_published_list_differs_unless_it_was_signed_before_the_revocation() {
        for (revoked, counts, signed, expected) in [
            (None, true, 9, None),
            (None, false, 9, Some("revoked-in-list-not-there")),
            (Some(5), false, 9, None),
            (Some(5), true, 6, Some("not-revoked-in-list")),
            (Some(5), true, 5, None),
            (Some(5), true, 4, None),
        ] {
            let code = published(&known(revoked), counts, at(signed)).map(DifferenceCode::code);
            assert_eq!(code, expected, "{revoked:?} {counts} {signed}");
        }
    }

    #[test]
    fn a_code_is_the_same_in_json() {
        for code in DifferenceCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.code());
        }
    }

    #[test]
    fn nobody_needs_to_know_of_what_never_was() {
        for (stage, expected) in [
            (Stage::Issued, 1),
            (Stage::NotIssued, 0),
            (Stage::Revoked, 0),
        ] {
            let here = Registered {
                serial_number: uuid::Uuid::from_u128(1),
                credential_type: "FireSafety".to_owned(),
                stage,
                is_waiting: false,
            };
            assert_eq!(compare(&here, None, None).len(), expected, "{stage:?}");
        }
    }
}
