#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::organisation::catalogue::Catalogue;
use crate::organisation::entra::EntraTypeConfig;

const ISSUER: &str = "did:web:id.example";

fn good() -> Value {
    json!({
        "issuer": ISSUER, "type": ["VerifiableCredential", "StaffIdentity"],
        "claims": {
            "ID-LegalFirstName": "Anna", "ID-LegalSurname": "Taylor", "dateOfBirth": "1990-04-12",
            "UniqueIdentifier": "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10", "payBand": "7",
        },
        "credentialState": {"revocationStatus": "VALID"}, "domainValidation": {"url": "https://id.example/"},
        "issuanceDate": "2026-11-01T00:00:00Z", "expirationDate": "2027-11-01T00:00:00Z", "faceCheck": null,
    })
}

fn verdict(presented: Value) -> Result<Map<String, Value>, Refusal> {
    let catalogue = Catalogue::built_in().unwrap();
    let kind: EntraTypeConfig = toml::from_str(
        "name = \"Identity\"\ntype = \"StaffIdentity\"\nclaims = { ID-BirthDate = \"dateOfBirth\" }",
    )
    .unwrap();
    let presented: Vec<Object<Presented>> = serde_json::from_value(presented).unwrap();
    let asked = Asked {
        credential_type: catalogue.find("Identity").unwrap(),
        kind: &kind.into(),
        now: "2026-11-28T18:00:00Z".parse().unwrap(),
    };
    claims(&presented, &asked, |issuer| issuer == ISSUER)
}

/// A good one with another value at that place; without it where that is `null`.
fn changed(pointer: &str, value: Value) -> Result<Map<String, Value>, Refusal> {
    let mut one = good();
    *one.pointer_mut(pointer).unwrap() = value;
    verdict(json!([one]))
}

#[test]
fn the_attributes_of_the_type_come_under_their_own_names_and_no_other_claim_does() {
    let claims = verdict(json!([good()])).unwrap();
    assert_eq!(claims["Identity.ID-BirthDate"], "1990-04-12");
    assert_eq!(claims.len(), 4);
}

#[test]
fn sec_32_what_was_not_asked_for_is_refused_though_the_service_verified_it() {
    for (pointer, value, refusal) in [
        (
            "/issuer",
            json!("did:web:other.example"),
            Refusal::IssuerNotTrusted,
        ),
        (
            "/issuer",
            json!("did:web:id.example "),
            Refusal::IssuerNotTrusted,
        ),
        ("/issuer", json!(""), Refusal::IssuerNotTrusted),
        (
            "/type",
            json!(["VerifiableCredential"]),
            Refusal::CredentialTypeWrong,
        ),
        (
            "/type",
            json!(["staffidentity"]),
            Refusal::CredentialTypeWrong,
        ),
        (
            "/claims/ID-LegalSurname",
            json!(null),
            Refusal::ClaimMissing,
        ),
        ("/claims/ID-LegalSurname", json!(""), Refusal::ClaimMissing),
        (
            "/claims/ID-LegalSurname",
            json!(["Taylor"]),
            Refusal::ClaimMissing,
        ),
        (
            "/claims/ID-LegalSurname",
            json!("Tay\u{202e}lor"),
            Refusal::ClaimMissing,
        ),
        (
            "/claims/dateOfBirth",
            json!("12 April 1990"),
            Refusal::ClaimMissing,
        ),
        (
            "/claims/UniqueIdentifier",
            json!("anna"),
            Refusal::ClaimMissing,
        ),
        (
            "/expirationDate",
            json!("2026-11-28T17:58:00Z"),
            Refusal::CredentialExpired,
        ),
        (
            "/expirationDate",
            json!("soon"),
            Refusal::PresentationMalformed,
        ),
        (
            "/issuanceDate",
            json!("2026-11-28T18:02:00Z"),
            Refusal::CredentialNotYetValid,
        ),
    ] {
        assert_eq!(
            changed(pointer, value.clone()),
            Err(refusal),
            "{pointer} {value}"
        );
    }
}

/// SEC-22, SEC-39: and so long a difference of the clocks is no difference.
#[test]
fn sec_32_clocks_may_differ_by_a_minute_and_no_more() {
    let (ended, begun) = ("/expirationDate", "/issuanceDate");
    for (pointer, at, refusal) in [
        (ended, "2026-11-28T17:59:01Z", None),
        (
            ended,
            "2026-11-28T17:59:00Z",
            Some(Refusal::CredentialExpired),
        ),
        (begun, "2026-11-28T18:01:00Z", None),
        (
            begun,
            "2026-11-28T18:01:01Z",
            Some(Refusal::CredentialNotYetValid),
        ),
    ] {
        assert_eq!(changed(pointer, json!(at)).err(), refusal, "{pointer} {at}");
    }
}

/// SEC-39: what ends with the last second that can be written has no end, and the last instant is no mistake either.
#[test]
fn a_credential_without_end_has_not_ended() {
    for end in [
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59.9999999Z",
        "9999-12-30T22:00:00.999999999Z",
    ] {
        assert_eq!(changed("/expirationDate", json!(end)).err(), None, "{end}");
    }
    let begun = changed("/issuanceDate", json!("9999-12-31T23:59:59Z"));
    assert_eq!(begun.err(), Some(Refusal::CredentialNotYetValid));
}

#[test]
fn sec_32_a_status_that_is_not_known_to_be_valid_is_none() {
    let status = |said: Value| changed("/credentialState/revocationStatus", said);
    for said in ["VALID", "valid", "Valid"] {
        assert!(status(json!(said)).is_ok(), "{said}");
    }
    for said in ["REVOKED", "revoked", "issuerRevoked"] {
        assert_eq!(
            status(json!(said)),
            Err(Refusal::CredentialRevoked),
            "{said}"
        );
    }
    for said in [json!(null), json!(""), json!("SUSPENDED"), json!("valid ")] {
        assert_eq!(status(said.clone()), Err(Refusal::StatusUnknown), "{said}");
    }
    assert_eq!(
        changed("/credentialState", json!(null)),
        Err(Refusal::StatusUnknown)
    );
    assert_eq!(
        changed("/credentialState", json!({})),
        Err(Refusal::StatusUnknown)
    );
}

#[test]
fn sec_32_one_credential_was_asked_for_and_one_counts() {
    assert_eq!(verdict(json!([])), Err(Refusal::CredentialMissing));
    let two = verdict(json!([good(), good()]));
    assert_eq!(two, Err(Refusal::PresentationMalformed));
}

#[test]
fn dates_that_the_service_left_out_were_its_to_check() {
    assert!(changed("/expirationDate", json!(null)).is_ok());
    assert!(changed("/issuanceDate", json!(null)).is_ok());
}

/// An array would be read as the members in their order.
#[test]
fn sec_32_what_is_no_object_is_no_credential() {
    let state = json!(["VALID"]);
    let one = json!([ISSUER, ["StaffIdentity"], {}, {"revocationStatus": "VALID"}, null, null]);
    assert!(serde_json::from_value::<Object<Presented>>(one).is_err());
    assert!(serde_json::from_value::<Object<CredentialState>>(state).is_err());
    assert!(serde_json::from_value::<Object<Presented>>(good()).is_ok());
}
