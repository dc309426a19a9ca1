//! SD-JWT and SD-JWT VC: RFC 9901's examples, and the way from issuer over wallet to verifier.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use standards::claims::ClaimError;
use standards::dcql::{Candidate, CredentialQuery, Format, Path};
use standards::jose::jws::{self, ProtectedHeader, VerifyError};
use standards::jose::{Jwk, SoftwareKey, Typ};
use standards::sd_jwt::{IssueError, KeyBindingError, SdJwt, SdJwtError, Unsigned};
use standards::status_list::StatusReference;
use standards::vc::holder::PresentationExpectation;
use standards::vc::sd_jwt_vc::{self, BuildError, Credential};
use standards::vc::{Validity, ValidityError};

use crate::world::{ES256, MAX_AGE, SKEW, at, examples, key, later, now, object, public, wait};

const TYPS: Typ<'_> = Typ::OneOf(&["example+sd-jwt", "vc+sd-jwt", "dc+sd-jwt"]);

fn issuer_of_the_examples() -> Jwk {
    Jwk::parse(&examples("sd_jwt_examples.json")["issuer_key"]).unwrap()
}

#[test]
fn sd_02_every_example_of_the_rfc_verifies_and_yields_the_claims_it_lists() {
    let examples = examples("sd_jwt_examples.json");
    let list = examples["examples"].as_array().unwrap();
    assert_eq!(list.len(), 5);
    for example in list {
        let sd_jwt = SdJwt::parse(example["presentation"].as_str().unwrap()).unwrap();
        let verified = sd_jwt
            .verify(&issuer_of_the_examples(), ES256, TYPS)
            .unwrap();
        let claims = Value::Object(verified.claims().clone());
        assert_eq!(claims, example["claims"], "{}", example["section"]);
    }
}

#[test]
fn sd_03_the_examples_key_bindings_hold_for_their_verifier_and_nonce_only() {
    let examples = examples("sd_jwt_examples.json");
    let bound: Vec<_> = (examples["examples"].as_array().unwrap().iter())
        .map(|example| SdJwt::parse(example["presentation"].as_str().unwrap()).unwrap())
        .filter(SdJwt::has_key_binding)
        .collect();
    assert_eq!(bound.len(), 2);
    for sd_jwt in bound {
        let verified = sd_jwt
            .verify(&issuer_of_the_examples(), ES256, TYPS)
            .unwrap();
        let made_at = if sd_jwt.unverified_claims().contains_key("vct") {
            1_744_743_394
        } else {
            1_748_537_244
        };
        let expected = PresentationExpectation {
            audience: "https://verifier.example.org",
            nonce: "1234567890",
            algorithms: ES256,
            now: at(made_at + 10),
            max_age: MAX_AGE,
            skew: SKEW,
        };
        assert_eq!(
            verified.check_key_binding(&expected).unwrap().issued_at,
            at(made_at)
        );
        let other = PresentationExpectation {
            nonce: "1234567891",
            ..expected
        };
        assert_eq!(
            verified.check_key_binding(&other),
            Err(KeyBindingError::Nonce)
        );
        let other = PresentationExpectation {
            audience: "https://verifier.example.com",
            ..expected
        };
        assert_eq!(
            verified.check_key_binding(&other),
            Err(KeyBindingError::Audience)
        );
        let other = PresentationExpectation {
            now: at(made_at + 301),
            ..expected
        };
        assert_eq!(
            verified.check_key_binding(&other),
            Err(KeyBindingError::TooOld)
        );
        let other = PresentationExpectation {
            now: at(made_at - 61),
            ..expected
        };
        assert_eq!(
            verified.check_key_binding(&other),
            Err(KeyBindingError::FromTheFuture)
        );
        let other = PresentationExpectation {
            algorithms: &[],
            ..expected
        };
        assert!(matches!(
            verified.check_key_binding(&other),
            Err(KeyBindingError::Verify(VerifyError::AlgorithmNotAllowed(_)))
        ));
    }
}

#[test]
fn sd_01_the_credential_response_example_of_openid4vci_has_nine_disclosures() {
    let text = examples("openid4vci_examples.json")["dc+sd-jwt"]["credential"]
        .as_str()
        .unwrap()
        .to_owned();
    let sd_jwt = SdJwt::parse(&text).unwrap();
    assert_eq!(sd_jwt.disclosures().len(), 9);
    let claims = sd_jwt.claims_of_held().unwrap();
    assert_eq!(claims["given_name"], "John");
    assert_eq!(claims["address"]["locality"], "Anytown");
    assert!(!claims.contains_key("_sd") && !claims.contains_key("_sd_alg"));
}

fn staff_identity(issuer: &SoftwareKey, holder: &SoftwareKey) -> String {
    let credential = Credential {
        issuer: "https://gateway.example/issuers/trust".into(),
        vct: "https://gateway.example/types/Identity".into(),
        validity: Validity {
            issued_at: Some(now()),
            not_before: Some(now()),
            expires_at: Some(later(3600)),
        },
        status: Some(StatusReference {
            index: 7,
            uri: "https://gateway.example/status/1".into(),
        }),
        holder: Some(public(holder).bare_key()),
    };
    let disclosable = vec![
        ("ID-LegalFirstName".into(), json!("Ada"), [1; 16]),
        ("ID-LegalSurname".into(), json!("O'Hara"), [2; 16]),
        ("ID-BirthDate".into(), json!("1990-02-28"), [3; 16]),
    ];
    let unsigned = credential
        .build(
            object(json!({"sub": "did:example:ada"})),
            disclosable,
            &[[9; 32]],
        )
        .unwrap();
    wait(unsigned.sign(issuer, ProtectedHeader::typ(sd_jwt_vc::TYP))).unwrap()
}

fn expectation<'a>() -> PresentationExpectation<'a> {
    PresentationExpectation {
        audience: "decentralized_identifier:did:web:gateway.example",
        nonce: "n-0S6_WzA2Mj",
        algorithms: ES256,
        now: now(),
        max_age: MAX_AGE,
        skew: SKEW,
    }
}

#[test]
fn a_wallet_discloses_exactly_the_claims_asked_for_and_the_verifier_sees_no_others() {
    let (issuer, holder) = (key(), key());
    let held = SdJwt::parse(&staff_identity(&issuer, &holder)).unwrap();
    let query = CredentialQuery::dc_sd_jwt(
        "identity",
        "https://gateway.example/types/Identity",
        vec![
            Path::of_keys(["ID-LegalSurname"]).unwrap(),
            Path::of_keys(["ID-BirthDate"]).unwrap(),
        ],
    );
    let claims = Value::Object(held.claims_of_held().unwrap());
    let candidate = Candidate {
        format: &Format::DcSdJwt,
        claims: &claims,
        holder_binding: true,
    };
    let matched = query.check(candidate).unwrap();
    let expected = expectation();
    let presentation = held.present(&matched.locations).unwrap();
    let bound = wait(presentation.bind(&holder, expected.audience, expected.nonce, now())).unwrap();

    let received = SdJwt::parse(&bound).unwrap();
    let (credential, verified) =
        Credential::verify(&received, &public(&issuer), ES256, now(), SKEW).unwrap();
    assert_eq!(credential.status.unwrap().index, 7);
    assert_eq!(
        verified.check_key_binding(&expected).unwrap().holder,
        public(&holder).bare_key()
    );
    assert_eq!(verified.claims()["ID-LegalSurname"], "O'Hara");
    assert!(!verified.claims().contains_key("ID-LegalFirstName"));
    assert_eq!(verified.disclosed().len(), 2);
}

#[test]
fn sec_17_a_presentation_without_key_binding_is_refused() {
    let (issuer, holder) = (key(), key());
    let copied = SdJwt::parse(&staff_identity(&issuer, &holder)).unwrap();
    let (_, verified) = Credential::verify(&copied, &public(&issuer), ES256, now(), SKEW).unwrap();
    assert_eq!(
        verified.check_key_binding(&expectation()),
        Err(KeyBindingError::Missing)
    );
}

#[test]
fn sd_03_a_key_binding_by_another_key_or_over_other_disclosures_is_refused() {
    let (issuer, holder, thief) = (key(), key(), key());
    let held = SdJwt::parse(&staff_identity(&issuer, &holder)).unwrap();
    let all = held.present_all().unwrap();
    let expected = expectation();
    let check = |text: &str| {
        let sd_jwt = SdJwt::parse(text).unwrap();
        let (_, verified) =
            Credential::verify(&sd_jwt, &public(&issuer), ES256, now(), SKEW).unwrap();
        verified.check_key_binding(&expected)
    };
    let stolen = wait(all.bind(&thief, expected.audience, expected.nonce, now())).unwrap();
    assert_eq!(
        check(&stolen),
        Err(KeyBindingError::Verify(VerifyError::Signature))
    );

    let honest = wait(all.bind(&holder, expected.audience, expected.nonce, now())).unwrap();
    assert!(check(&honest).is_ok());
    let mut parts: Vec<&str> = honest.split('~').collect();
    parts.remove(1);
    assert_eq!(check(&parts.join("~")), Err(KeyBindingError::SdHash));
}

/// RFC 9901, 7.3: what RFC 7519 says of `exp` and `nbf` holds for a key binding that has them (decision 0020).
#[test]
fn sd_03_a_key_binding_counts_within_its_own_times() {
    let (issuer, holder) = (key(), key());
    let held = SdJwt::parse(&staff_identity(&issuer, &holder)).unwrap();
    let expected = expectation();
    let bound = held.present_all().unwrap();
    let bound = wait(bound.bind(&holder, expected.audience, expected.nonce, now())).unwrap();
    let (presented, binding) = bound.rsplit_once('~').unwrap();
    let check = |name: &str, value: Value| {
        let mut claims = jws::parse(binding).unwrap().unverified_claims().clone();
        claims.insert(name.to_owned(), value);
        let header = ProtectedHeader::typ("kb+jwt").without_kid();
        let binding = jws::sign_now(&holder, header, &claims).unwrap();
        let sd_jwt = SdJwt::parse(&format!("{presented}~{binding}")).unwrap();
        let (_, verified) =
            Credential::verify(&sd_jwt, &public(&issuer), ES256, now(), SKEW).unwrap();
        verified.check_key_binding(&expected).map(|_| ())
    };
    let at = |seconds| json!(later(seconds).as_second());
    for ended in [0, -60] {
        assert_eq!(check("exp", at(ended)), Err(KeyBindingError::Expired));
    }
    assert_eq!(check("exp", at(1)), Ok(()));
    assert_eq!(check("nbf", at(61)), Err(KeyBindingError::FromTheFuture));
    assert_eq!(check("nbf", at(60)), Ok(()));
    assert_eq!(
        check("exp", json!("never")),
        Err(ClaimError::Malformed("exp").into())
    );
}

#[test]
fn sec_22_an_expired_or_not_yet_valid_credential_is_refused() {
    let (issuer, holder) = (key(), key());
    let held = SdJwt::parse(&staff_identity(&issuer, &holder)).unwrap();
    let verify = |when| Credential::verify(&held, &public(&issuer), ES256, when, SKEW).map(|_| ());
    assert!(verify(later(3599)).is_ok() && verify(later(-59)).is_ok());
    assert_eq!(
        verify(later(3600)),
        Err(ValidityError::Expired(later(3600)).into())
    );
    assert_eq!(
        verify(later(-61)),
        Err(ValidityError::NotYetValid(now()).into())
    );
    assert!(Credential::verify_whenever(&held, &public(&issuer), ES256).is_ok());
}

#[test]
fn sv_01_another_typ_is_refused() {
    let example = &examples("sd_jwt_examples.json")["examples"][2];
    let sd_jwt = SdJwt::parse(example["presentation"].as_str().unwrap()).unwrap();
    assert_eq!(sd_jwt.header().typ(), Some("vc+sd-jwt"));
    let refused = Credential::verify(
        &sd_jwt,
        &issuer_of_the_examples(),
        ES256,
        at(1_700_000_000),
        SKEW,
    );
    assert_eq!(
        refused.err(),
        Some(SdJwtError::Verify(VerifyError::WrongType).into())
    );
}

#[test]
fn sv_02_claims_that_everyone_must_see_cannot_be_made_disclosable() {
    let (issuer, holder) = (key(), key());
    let base = Credential {
        issuer: "https://gateway.example".into(),
        vct: "t".into(),
        validity: Validity::default(),
        status: None,
        holder: Some(public(&holder).bare_key()),
    };
    for name in sd_jwt_vc::NOT_DISCLOSABLE {
        let disclosable = vec![(name.to_owned(), json!(1), [0; 16])];
        let refused = base.build(object(json!({})), disclosable.clone(), &[]);
        assert_eq!(refused, Err(BuildError::Disclosable(name)));
        // An issuer that does it all the same is not believed.
        let unsigned = Unsigned::build(object(json!({"iat": 1})), disclosable, &[]).unwrap();
        let text = wait(unsigned.sign(&issuer, ProtectedHeader::typ(sd_jwt_vc::TYP))).unwrap();
        let refused =
            Credential::verify_whenever(&SdJwt::parse(&text).unwrap(), &public(&issuer), ES256);
        assert_eq!(
            refused.err(),
            Some(sd_jwt_vc::CredentialError::Disclosed(name))
        );
    }
}

#[test]
fn sd_04_an_issuer_cannot_reuse_a_salt_or_name_a_claim_twice() {
    let build = |always: Value, hidden: Vec<(&str, u8)>| {
        let hidden = hidden
            .into_iter()
            .map(|(name, salt)| (name.to_owned(), json!("x"), [salt; 16]))
            .collect();
        Unsigned::build(object(always), hidden, &[]).map(|_| ())
    };
    assert_eq!(
        build(json!({"a": 1}), vec![("a", 1)]),
        Err(IssueError::Twice("a".into()))
    );
    assert_eq!(
        build(json!({}), vec![("a", 1), ("a", 2)]),
        Err(IssueError::Twice("a".into()))
    );
    for name in ["_sd", "...", "_sd_alg"] {
        assert_eq!(
            build(json!({}), vec![(name, 1)]),
            Err(IssueError::ReservedName(name.into()))
        );
        assert_eq!(
            build(json!({ name: 1 }), vec![]),
            Err(IssueError::ReservedName(name.into()))
        );
    }
    assert_eq!(build(json!({"a": 1}), vec![("b", 1), ("c", 1)]), Ok(()));
}

#[test]
fn sd_04_the_order_of_digests_says_nothing_about_the_order_of_claims() {
    let hidden = |names: [&str; 3]| {
        names
            .map(|name| (name.to_owned(), json!(name), [name.as_bytes()[0]; 16]))
            .into_iter()
            .collect()
    };
    let one = Unsigned::build(object(json!({})), hidden(["a", "b", "c"]), &[[7; 32]]).unwrap();
    let other = Unsigned::build(object(json!({})), hidden(["c", "a", "b"]), &[[7; 32]]).unwrap();
    assert_eq!(one.payload(), other.payload());
    assert_eq!(one.payload()["_sd"].as_array().unwrap().len(), 4);
    assert!(
        !format!("{one:?}").contains("\"a\", "),
        "a disclosure's value was printed"
    );
}
