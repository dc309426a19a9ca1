//! `jwt_vc_json` credentials and their presentations: the specifications' examples, and what is refused.
#![allow(clippy::unwrap_used)]

use serde_json::{Map, Value, json};
use standards::claims::ClaimError;
use standards::did;
use standards::jose::jws::{self, ProtectedHeader, VerifyError};
use standards::jose::{JwkSet, SoftwareKey};
use standards::status_list::{Entry, Purpose, ReferenceError, StatusReference};
use standards::vc::holder::{HolderKeyError, PresentationExpectation, key_of};
use standards::vc::jwt_vc_json::{Credential, CredentialError, ParsedCredential};
use standards::vc::jwt_vp::{self, ParsedPresentation, PresentationClaims, PresentationError};
use standards::vc::{Validity, ValidityError};

use crate::world::{
    ES256, MAX_AGE, SKEW, at, did_jwk, examples, key, later, now, object, public, wait,
};

const ISSUER: &str = "did:web:gateway.example:trust";
const KID: &str = "did:web:gateway.example:trust#key-1";
const VERIFIER: &str = "decentralized_identifier:did:web:gateway.example:verifier";
const NONCE: &str = "n-0S6_WzA2Mj";

fn identity(subject: &str) -> Credential {
    Credential {
        issuer: ISSUER.into(),
        subject: Some(subject.into()),
        id: Some("urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5".into()),
        types: vec!["Identity".into()],
        credential_subject: object(
            json!({"ID-LegalSurname": "Dent", "ID-BirthDate": "1990-02-28"}),
        ),
        validity: Validity {
            issued_at: Some(now()),
            not_before: Some(now()),
            expires_at: Some(later(3600)),
        },
        status: Some(StatusReference {
            index: 42,
            uri: "https://gateway.example/status/1".into(),
        }),
        status_entries: vec![Entry {
            purpose: Purpose::Revocation,
            index: 42,
            credential: "https://gateway.example/status/1/revocation".into(),
        }],
        schema: Some(json!({ "id": "https://issuer.example/schema", "type": "JsonSchema" })),
        confirmation: None,
    }
}

fn verify(issuer: &SoftwareKey, text: &str) -> Result<Credential, CredentialError> {
    ParsedCredential::parse(text)?.verify(&public(issuer), ES256, now(), SKEW)
}

/// A credential as signed, with one change to its claims.
fn changed(
    issuer: &SoftwareKey,
    change: impl Fn(&mut Value),
) -> Result<Credential, CredentialError> {
    let mut claims = identity(&did_jwk(&key()).0).to_claims();
    change(&mut claims);
    verify(
        issuer,
        &jws::sign_now(issuer, ProtectedHeader::typ("JWT").kid(KID), &claims).unwrap(),
    )
}

#[test]
fn the_credential_response_example_of_openid4vci_verifies_with_its_issuers_key() {
    let example = &examples("openid4vci_examples.json")["jwt_vc_json"];
    let keys = JwkSet::parse(&example["issuer_jwks"]["jwks"]).unwrap();
    let parsed = ParsedCredential::parse(example["credential"].as_str().unwrap()).unwrap();
    assert_eq!(parsed.issuer(), "https://credential-issuer.example.com");
    let key = keys.find_for(parsed.header()).unwrap();
    let credential = parsed.verify(key, ES256, at(1_735_689_600), SKEW).unwrap();
    assert!(
        credential.is_a("UniversityDegreeCredential") && !credential.is_a("VerifiableCredential")
    );
    assert_eq!(
        credential.credential_subject["degree"]["name"],
        "Bachelor of Science and Arts"
    );
    assert_eq!(credential.holder_key().unwrap().alg(), Some("ES256"));
    assert_eq!(
        credential.document()["credentialSubject"]["degree"]["type"],
        "BachelorDegree"
    );
}

#[test]
fn an_issued_credential_reads_back_as_it_was_meant() {
    let (issuer, holder) = (key(), key());
    let credential = identity(&did_jwk(&holder).0);
    let text = wait(credential.sign(&issuer, KID)).unwrap();
    assert_eq!(verify(&issuer, &text).unwrap(), credential);
    let claims = credential.to_claims();
    assert_eq!(claims["jti"], claims["vc"]["id"]);
    assert_eq!(claims["sub"], claims["vc"]["credentialSubject"]["id"]);
    assert_eq!(
        claims["vc"]["type"],
        json!(["VerifiableCredential", "Identity"])
    );
    assert_eq!(claims["vc"]["issuanceDate"], "2026-11-22T16:00:00Z");
    assert_eq!(claims["status"]["status_list"]["idx"], 42);
    // BS-01: for verifiers that read no other form.
    let entry = &claims["vc"]["credentialStatus"][0];
    assert_eq!(
        (&entry["statusPurpose"], &entry["statusListIndex"]),
        (&json!("revocation"), &json!("42"))
    );
    assert!(!format!("{credential:?}").contains("Dent"));
}

#[test]
fn sec_16_a_key_of_another_did_than_the_issuers_is_refused() {
    let issuer = key();
    let claims = identity("did:example:ada").to_claims();
    let signed =
        |kid: &str| jws::sign_now(&issuer, ProtectedHeader::typ("JWT").kid(kid), &claims).unwrap();
    assert!(verify(&issuer, &signed(KID)).is_ok());
    let refused = verify(&issuer, &signed("did:web:evil.example#key-1"));
    assert_eq!(refused, Err(CredentialError::KeyOfAnother));
    let refused = verify(&key(), &signed(KID));
    assert_eq!(refused, Err(VerifyError::Signature.into()));
}

#[test]
fn sec_14_what_is_typed_as_something_else_is_no_credential() {
    let issuer = key();
    let claims = identity("did:example:ada").to_claims();
    for typ in [
        "kb+jwt",
        "dc+sd-jwt",
        "vc+jwt",
        "at+jwt",
        "openid4vci-proof+jwt",
    ] {
        let text = jws::sign_now(&issuer, ProtectedHeader::typ(typ).kid(KID), &claims).unwrap();
        assert_eq!(
            verify(&issuer, &text),
            Err(VerifyError::WrongType.into()),
            "{typ}"
        );
    }
    let not_one = Err(CredentialError::NotACredential);
    assert_eq!(changed(&issuer, |claims| claims["vp"] = json!({})), not_one);
    let unwrapped = changed(&issuer, |claims| {
        *claims = claims["vc"].clone();
        claims["iss"] = json!(ISSUER);
    });
    assert_eq!(unwrapped, not_one, "the layout of VC-JOSE");
}

#[test]
fn sec_22_an_expired_or_not_yet_valid_credential_is_refused() {
    let issuer = key();
    let text = wait(identity("did:example:ada").sign(&issuer, KID)).unwrap();
    let parsed = ParsedCredential::parse(&text).unwrap();
    let verify = |when| {
        parsed
            .verify(&public(&issuer), ES256, when, SKEW)
            .map(|_| ())
    };
    assert!(verify(later(3599)).is_ok() && verify(later(-60)).is_ok());
    assert_eq!(
        verify(later(3600)),
        Err(ValidityError::Expired(later(3600)).into())
    );
    assert_eq!(
        verify(later(-61)),
        Err(ValidityError::NotYetValid(now()).into())
    );
    assert!(parsed.verify_whenever(&public(&issuer), ES256).is_ok());
    let refused = changed(&issuer, |claims| {
        claims["iat"] = json!(later(3000).as_second());
        claims["nbf"] = json!(now().as_second());
    });
    assert_eq!(refused, Err(ValidityError::IssuedInTheFuture.into()));
}

#[test]
fn a_document_that_contradicts_its_jwt_is_refused() {
    let issuer = key();
    for (pointer, value, name) in [
        ("/vc/issuer", json!("did:web:evil.example"), "issuer"),
        (
            "/vc/issuer",
            json!({"id": "did:web:evil.example"}),
            "issuer",
        ),
        ("/vc/id", json!("urn:uuid:other"), "id"),
        (
            "/vc/credentialSubject/id",
            json!("did:example:other"),
            "credentialSubject.id",
        ),
        (
            "/vc/expirationDate",
            json!("2099-01-01T00:00:00Z"),
            "expirationDate",
        ),
        ("/vc/expirationDate", json!(7), "expirationDate"),
        (
            "/vc/issuanceDate",
            json!("2001-01-01T00:00:00Z"),
            "issuanceDate",
        ),
    ] {
        let refused = changed(&issuer, |claims| {
            *claims.pointer_mut(pointer).unwrap() = value.clone();
        });
        assert_eq!(
            refused,
            Err(CredentialError::Differs(name)),
            "{pointer} {value}"
        );
    }
    // An expiry that only the document has would be overlooked by whoever reads the JWT.
    let refused = changed(&issuer, |claims| {
        claims.as_object_mut().unwrap().remove("exp");
    });
    assert_eq!(refused, Err(CredentialError::Differs("expirationDate")));
    assert!(
        changed(&issuer, |claims| claims["vc"]["issuer"] =
            json!({"id": ISSUER, "name": "Trust"}))
        .is_ok()
    );
}

/// SEC-39: what no instant here can be is the last one, where the date says so as much as where the number does.
#[test]
fn a_credential_without_end_says_so_in_both_places() {
    let (issuer, last) = (key(), 253_402_300_799);
    for (exp, date, is_one) in [
        (last, "9999-12-31T23:59:59Z", true),
        (last, "2027-01-01T00:00:00Z", false),
        (later(3600).as_second(), "9999-12-31T23:59:59Z", false),
    ] {
        let read = changed(&issuer, |claims| {
            claims["exp"] = json!(exp);
            claims["vc"]["expirationDate"] = json!(date);
        });
        assert_eq!(read.is_ok(), is_one, "{exp} {date}: {read:?}");
    }
}

#[test]
fn a_credential_without_its_mandatory_parts_is_refused() {
    let issuer = key();
    let removed = |pointer: &str| {
        changed(&issuer, |claims| {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            claims
                .pointer_mut(parent)
                .and_then(Value::as_object_mut)
                .unwrap()
                .remove(name);
        })
    };
    assert_eq!(removed("/iss"), Err(ClaimError::Missing("iss").into()));
    assert_eq!(removed("/vc"), Err(CredentialError::NotACredential));
    assert_eq!(removed("/vc/@context"), Err(CredentialError::Context));
    assert_eq!(removed("/vc/type"), Err(CredentialError::Type));
    assert_eq!(
        removed("/vc/credentialSubject"),
        Err(CredentialError::Subject)
    );
    for types in [
        json!(["Identity"]),
        json!(["VerifiableCredential"]),
        json!([]),
        json!(["VerifiableCredential", 1]),
    ] {
        let refused = changed(&issuer, |claims| claims["vc"]["type"] = types.clone());
        assert_eq!(refused, Err(CredentialError::Type), "{types}");
    }
    let two = json!([{"id": "a"}, {"id": "b"}]);
    assert_eq!(
        changed(&issuer, |claims| claims["vc"]["credentialSubject"] =
            two.clone()),
        Err(CredentialError::Subject)
    );
    let v2 = json!(["https://www.w3.org/ns/credentials/v2"]);
    assert_eq!(
        changed(&issuer, |claims| claims["vc"]["@context"] = v2.clone()),
        Err(CredentialError::Context)
    );
}

#[test]
fn a_status_that_cannot_be_looked_up_refuses_the_credential() {
    let issuer = key();
    let refused = changed(&issuer, |claims| claims["status"] = json!({"oracle": {}}));
    assert_eq!(refused, Err(ReferenceError::Mechanism.into()));
    let refused = changed(&issuer, |claims| {
        claims.as_object_mut().unwrap().remove("status");
        claims["vc"]["credentialStatus"] = json!({"type": "BitstringStatusListEntry"});
    });
    assert_eq!(refused, Err(ReferenceError::Mechanism.into()));
}

struct Presented {
    issuer: SoftwareKey,
    holder: SoftwareKey,
    credential: Credential,
    text: String,
}

impl Presented {
    fn new() -> Self {
        let (issuer, holder) = (key(), key());
        let credential = identity(&did_jwk(&holder).0);
        let text = wait(credential.sign(&issuer, KID)).unwrap();
        Self {
            issuer,
            holder,
            credential,
            text,
        }
    }

    fn claims(&self) -> PresentationClaims {
        PresentationClaims {
            holder: self.credential.subject.clone(),
            audience: VERIFIER.into(),
            nonce: NONCE.into(),
            issued_at: now(),
            expires_at: later(300),
            id: "urn:uuid:1".into(),
            credential: self.text.clone(),
        }
    }

    fn sign(&self, claims: &PresentationClaims) -> String {
        wait(jwt_vp::sign(&self.holder, &did_jwk(&self.holder).1, claims)).unwrap()
    }

    fn check(&self, text: &str) -> Result<(), PresentationError> {
        let parsed = ParsedPresentation::parse(text)?;
        let credential = verify(&self.issuer, parsed.credential()).unwrap();
        let expected = PresentationExpectation {
            audience: VERIFIER,
            nonce: NONCE,
            algorithms: ES256,
            now: now(),
            max_age: MAX_AGE,
            skew: SKEW,
        };
        let binding = parsed.check(&credential, &expected)?;
        assert!(binding.holder.same_key(&public(&self.holder)));
        Ok(())
    }

    /// A presentation as signed by the holder, with one change to its claims.
    fn changed(&self, change: impl Fn(&mut Map<String, Value>)) -> Result<(), PresentationError> {
        let text = self.sign(&self.claims());
        let mut claims = jws::parse(&text).unwrap().unverified_claims().clone();
        change(&mut claims);
        self.check(&jws::sign_now(&self.holder, ProtectedHeader::typ("JWT"), &claims).unwrap())
    }
}

#[test]
fn vp_13_the_holders_presentation_for_this_request_is_taken() {
    let presented = Presented::new();
    let text = presented.sign(&presented.claims());
    assert_eq!(presented.check(&text), Ok(()));
    // OpenID4VP's own example has the same members.
    let example = object(examples("openid4vp_examples.json")["jwt_vp"].clone());
    let ours = jws::parse(&text).unwrap().unverified_claims().clone();
    assert!(example.keys().all(|name| ours.contains_key(name)));
}

#[test]
fn vp_13_audience_nonce_and_time_bind_a_presentation_to_its_request() {
    let presented = Presented::new();
    let changed = |change: &dyn Fn(&mut PresentationClaims)| {
        let mut claims = presented.claims();
        change(&mut claims);
        presented.check(&presented.sign(&claims))
    };
    assert_eq!(
        changed(&|claims| claims.nonce = "other".into()),
        Err(PresentationError::Nonce)
    );
    // The audience is the client identifier with its prefix [VP 14.7].
    let bare = "did:web:gateway.example:verifier";
    assert_eq!(
        changed(&|claims| claims.audience = bare.into()),
        Err(PresentationError::Audience)
    );
    assert_eq!(
        changed(&|claims| claims.expires_at = now()),
        Err(PresentationError::Expired)
    );
    assert_eq!(
        changed(&|claims| claims.issued_at = later(-301)),
        Err(PresentationError::TooOld)
    );
    assert_eq!(
        changed(&|claims| claims.issued_at = later(61)),
        Err(PresentationError::FromTheFuture)
    );
    assert_eq!(
        changed(&|claims| claims.holder = Some("did:example:eve".into())),
        Err(PresentationError::Holder)
    );
    assert_eq!(changed(&|claims| claims.holder = None), Ok(()));
    let timeless = presented.changed(|claims| {
        claims.retain(|name, _| name != "iat" && name != "nbf");
    });
    assert_eq!(timeless, Err(ClaimError::Missing("iat").into()), "SEC-17");
}

#[test]
fn sec_17_a_presentation_from_the_future_is_refused_whichever_of_its_times_says_so() {
    let presented = Presented::new();
    for (ahead, other) in [("iat", "nbf"), ("nbf", "iat")] {
        for beside in [None, Some(now().as_second())] {
            let refused = presented.changed(|claims| {
                claims.remove(other);
                claims.extend(beside.map(|at| (other.to_owned(), at.into())));
                claims.insert(ahead.into(), later(61).as_second().into());
            });
            assert_eq!(refused, Err(PresentationError::FromTheFuture), "{ahead}");
        }
    }
}

#[test]
fn sec_17_a_stolen_credential_cannot_be_presented() {
    let presented = Presented::new();
    // The bare credential, without any proof of possession.
    assert_eq!(
        presented.check(&presented.text),
        Err(PresentationError::NotAPresentation)
    );
    let thief = key();
    let text = wait(jwt_vp::sign(
        &thief,
        &did_jwk(&thief).1,
        &presented.claims(),
    ))
    .unwrap();
    assert_eq!(presented.check(&text), Err(VerifyError::Signature.into()));
}

#[test]
fn a_presentation_of_nothing_of_several_or_of_another_kind_is_refused() {
    let presented = Presented::new();
    for credentials in [
        json!([]),
        json!([presented.text, presented.text]),
        json!([{}]),
        json!(null),
    ] {
        let refused =
            presented.changed(|claims| claims["vp"]["verifiableCredential"] = credentials.clone());
        assert_eq!(
            refused,
            Err(PresentationError::OneCredential),
            "{credentials}"
        );
    }
    let one = presented
        .changed(|claims| claims["vp"]["verifiableCredential"] = presented.text.clone().into());
    assert_eq!(one, Ok(()), "a list of one, or the one itself");
    for kind in [json!("VerifiableCredential"), json!([]), json!(null)] {
        let refused = presented.changed(|claims| claims["vp"]["type"] = kind.clone());
        assert_eq!(refused, Err(PresentationError::NotAPresentation), "{kind}");
    }
    let both = presented.changed(|claims| {
        claims.insert("vc".into(), json!({}));
    });
    assert_eq!(both, Err(PresentationError::NotAPresentation), "SEC-14");
}

#[test]
fn the_holders_key_is_in_cnf_or_in_a_did_that_holds_its_key() {
    let holder = key();
    let mut credential = identity("did:web:employee.example");
    assert_eq!(credential.holder_key(), Err(HolderKeyError::Unsupported));
    credential.confirmation = Some(public(&holder).bare_key());
    assert!(credential.holder_key().unwrap().same_key(&public(&holder)));
    let issuer = key();
    let read = verify(&issuer, &wait(credential.sign(&issuer, KID)).unwrap()).unwrap();
    assert_eq!(read, credential);
    credential.confirmation = None;
    let did = did::key::encode(&public(&holder)).unwrap();
    credential.subject = Some(did.to_string());
    assert!(credential.holder_key().unwrap().same_key(&public(&holder)));
    let named = did::key::verification_method(&did).to_string();
    assert!(key_of(&named).unwrap().same_key(&public(&holder)));
    credential.subject = None;
    assert_eq!(credential.holder_key(), Err(HolderKeyError::Unbound));
    credential.subject = Some("employee 7".into());
    assert_eq!(credential.holder_key(), Err(HolderKeyError::Did));
}
