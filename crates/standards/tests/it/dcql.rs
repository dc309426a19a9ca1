//! DCQL: the specification's queries, and the whole query evaluated on what came [VP-11, VP-12].
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use standards::dcql::{
    Candidate, CredentialQuery, Format, Mismatch, Path, Query, QueryError, Step, Unsatisfied,
};

use crate::world::examples;

fn example(name: &str) -> Query {
    Query::parse(&examples("openid4vp_examples.json")["dcql"][name]).unwrap()
}

fn sd_jwt_vc(claims: &Value) -> Candidate<'_> {
    Candidate {
        format: &Format::DcSdJwt,
        claims,
        holder_binding: true,
    }
}

fn jwt_vc(claims: &Value) -> Candidate<'_> {
    Candidate {
        format: &Format::JwtVcJson,
        claims,
        holder_binding: true,
    }
}

fn presented<'a>(entries: &[(&str, &[Candidate<'a>])]) -> BTreeMap<String, Vec<Candidate<'a>>> {
    entries
        .iter()
        .map(|(id, list)| ((*id).to_owned(), list.to_vec()))
        .collect()
}

#[test]
fn vp_11_every_query_of_the_specification_reads_and_writes_back() {
    let examples = examples("openid4vp_examples.json");
    for (name, value) in examples["dcql"].as_object().unwrap() {
        let query = Query::parse(value).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(&query.to_value(), value, "{name}");
    }
}

#[test]
fn vp_11_what_the_specification_forbids_is_refused() {
    let base = json!({"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["x"]},
        "claims": [{"id": "c", "path": ["p"]}, {"id": "d", "path": ["q"]}]}]});
    assert!(Query::parse(&base).is_ok());
    let refused = |pointer: &str, value: Value| {
        let mut query = base.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        query.pointer_mut(parent).unwrap()[name] = value;
        Query::parse(&query).unwrap_err()
    };
    assert_eq!(
        refused("/credentials", json!([])),
        QueryError::Empty("credentials")
    );
    assert_eq!(refused("/credentials/0/id", json!("")), QueryError::Id);
    assert_eq!(refused("/credentials/0/id", json!("a b")), QueryError::Id);
    assert_eq!(
        refused("/credentials/0/claims", json!([])),
        QueryError::Empty("claims")
    );
    assert_eq!(
        refused("/credentials/0/claim_sets", json!([["x"]])),
        QueryError::UnknownId("x".into())
    );
    assert_eq!(
        refused("/credentials/0/claim_sets", json!([[]])),
        QueryError::Empty("claim_sets")
    );
    assert_eq!(
        refused("/credential_sets", json!([])),
        QueryError::Empty("credential_sets")
    );
    assert_eq!(
        refused("/credential_sets", json!([{"options": [["b"]]}])),
        QueryError::UnknownId("b".into())
    );
    assert_eq!(
        refused("/credential_sets", json!([{"options": [[]]}])),
        QueryError::Empty("options")
    );
    let twice = json!([{"id": "c", "path": ["p"]}, {"id": "c", "path": ["q"]}]);
    assert_eq!(
        refused("/credentials/0/claims", twice),
        QueryError::DuplicateId("c".into())
    );
    let float = json!([{"path": ["p"], "values": [1.5]}]);
    assert_eq!(refused("/credentials/0/claims", float), QueryError::Values);
    let lacking = QueryError::Meta {
        id: "a".into(),
        member: "vct_values",
    };
    assert_eq!(refused("/credentials/0/meta", json!({})), lacking);
    let lacking = QueryError::Meta {
        id: "a".into(),
        member: "type_values",
    };
    assert_eq!(
        refused("/credentials/0/format", json!("jwt_vc_json")),
        lacking
    );
    let mut without_ids = base.clone();
    without_ids["credentials"][0]["claims"] = json!([{"path": ["p"]}]);
    without_ids["credentials"][0]["claim_sets"] = json!([["c"]]);
    assert_eq!(Query::parse(&without_ids), Err(QueryError::ClaimSets));
    let same = json!({"credentials": [base["credentials"][0], base["credentials"][0]]});
    assert_eq!(
        Query::parse(&same),
        Err(QueryError::DuplicateId("a".into()))
    );
    for path in [json!([]), json!("p"), json!([true]), json!([-1])] {
        assert!(matches!(
            refused("/credentials/0/claims", json!([{ "path": path }])),
            QueryError::Shape(_)
        ));
    }
    assert!(matches!(
        Query::parse(&json!([])),
        Err(QueryError::Shape(_))
    ));
}

#[test]
fn texts_integers_and_booleans_are_values_to_match() {
    let values = json!(["x", true, 7, -7, u64::MAX]);
    let query = |values: &Value| {
        Query::parse(
            &json!({"credentials": [{"id": "a_b-1", "format": "dc+sd-jwt",
            "meta": {"vct_values": ["x"]}, "claims": [{"path": ["p"], "values": values}]}]}),
        )
    };
    assert!(query(&values).is_ok());
    assert_eq!(query(&json!([null])), Err(QueryError::Values));
    let most = |count| query(&json!(vec!["x"; count]));
    assert!(most(128).is_ok());
    assert_eq!(most(129), Err(QueryError::TooMany));
}

#[test]
fn unknown_members_are_ignored_as_the_specification_asks() {
    let query = json!({"future": 1, "credentials": [{"id": "a", "format": "dc+sd-jwt", "later": {},
        "meta": {"vct_values": ["x"]}}]});
    assert!(Query::parse(&query).is_ok());
}

#[test]
fn a_w3c_credential_matches_by_any_of_the_specifications_type_sets() {
    let mut query = CredentialQuery::jwt_vc_json("a", "x", vec![]);
    query.meta.type_values = Some(vec![
        vec![
            "https://www.w3.org/2018/credentials#VerifiableCredential".into(),
            "UniversityDegreeCredential".into(),
        ],
        vec!["IdentityCredential".into()],
    ]);
    for (types, fits) in [
        (
            json!(["VerifiableCredential", "UniversityDegreeCredential"]),
            true,
        ),
        (
            json!(["VerifiableCredential", "IdentityCredential", "More"]),
            true,
        ),
        (json!(["UniversityDegreeCredential"]), false),
        (json!(["VerifiableCredential"]), false),
        (json!("IdentityCredential"), true),
        (json!(null), false),
        (json!([7]), false),
    ] {
        let document = json!({ "type": types });
        let result = query.check(jwt_vc(&document));
        assert_eq!(result.is_ok(), fits, "{types}");
        assert!(fits || result == Err(Mismatch::Type), "{types}");
    }
}

#[test]
fn claims_paths_of_w3c_credentials_start_at_the_credential() {
    let query = example("jwt_vc");
    let document = examples("openid4vp_examples.json")["jwt_vc"]["vc"].clone();
    let matched = query
        .check(&presented(&[("example_jwt_vc", &[jwt_vc(&document)])]))
        .unwrap();
    let subject = |name: &str| {
        vec![
            Step::Key("credentialSubject".into()),
            Step::Key(name.into()),
        ]
    };
    assert_eq!(
        matched["example_jwt_vc"][0].locations,
        [subject("family_name"), subject("given_name")]
    );
    let mut without = document.clone();
    without["credentialSubject"]
        .as_object_mut()
        .unwrap()
        .remove("given_name");
    let refused = query.check(&presented(&[("example_jwt_vc", &[jwt_vc(&without)])]));
    assert!(matches!(
        refused,
        Err(Unsatisfied::Mismatch {
            cause: Mismatch::Claim(_),
            ..
        })
    ));
}

#[test]
fn vp_12_values_are_checked_again_and_type_counts() {
    let query = example("value_matching_simple");
    let credential = |postal_code: Value| {
        json!({"vct": "https://credentials.example.com/identity_credential", "family_name": "Doe",
            "given_name": "John", "address": {"street_address": "1 Main St"}, "postal_code": postal_code})
    };
    for (postal_code, fits) in [
        (json!("90210"), true),
        (json!("90212"), false),
        (json!(90210), false),
    ] {
        let claims = credential(postal_code);
        let result = query.check(&presented(&[("my_credential", &[sd_jwt_vc(&claims)])]));
        assert_eq!(result.is_ok(), fits);
        if !fits {
            let cause = Mismatch::Value {
                path: Path::of_keys(["postal_code"]).unwrap(),
            };
            assert_eq!(
                result,
                Err(Unsatisfied::Mismatch {
                    id: "my_credential".into(),
                    cause
                })
            );
        }
    }
}

#[test]
fn vp_12_an_answer_to_another_query_is_refused_whole() {
    let query = example("simple_mdoc");
    assert_eq!(
        query.check(&BTreeMap::new()),
        Err(Unsatisfied::Missing {
            id: "my_credential".into()
        })
    );

    let query = example("simple");
    let good = json!({"vct": "https://credentials.example.com/identity_credential", "family_name": "Doe",
        "given_name": "John", "address": {"street_address": "1 Main St"}});
    let id = || "my_credential".to_owned();
    assert!(
        query
            .check(&presented(&[("my_credential", &[sd_jwt_vc(&good)])]))
            .is_ok()
    );
    let check =
        |entries: &[(&str, &[Candidate<'_>])]| query.check(&presented(entries)).unwrap_err();
    assert_eq!(
        check(&[
            ("my_credential", &[sd_jwt_vc(&good)]),
            ("more", &[sd_jwt_vc(&good)])
        ]),
        Unsatisfied::UnknownId
    );
    assert_eq!(
        check(&[("my_credential", &[])]),
        Unsatisfied::Empty { id: id() }
    );
    assert_eq!(
        check(&[("my_credential", &[sd_jwt_vc(&good), sd_jwt_vc(&good)])]),
        Unsatisfied::Several { id: id() }
    );
    let mismatch = |cause| Unsatisfied::Mismatch { id: id(), cause };
    let unbound = Candidate {
        holder_binding: false,
        ..sd_jwt_vc(&good)
    };
    assert_eq!(
        check(&[("my_credential", &[unbound])]),
        mismatch(Mismatch::HolderBinding)
    );
    assert_eq!(
        check(&[("my_credential", &[jwt_vc(&good)])]),
        mismatch(Mismatch::Format)
    );
    let mut other = good.clone();
    other["vct"] = json!("https://evil.example/identity_credential");
    assert_eq!(
        check(&[("my_credential", &[sd_jwt_vc(&other)])]),
        mismatch(Mismatch::Type)
    );
}

#[test]
fn a_wallet_takes_the_first_claim_set_that_it_can_serve() {
    let query = example("claims_alternatives");
    let vct = "https://credentials.example.com/identity_credential";
    let all = json!({"vct": vct, "family_name": 1, "postal_code": 2, "locality": 3, "region": 4, "date_of_birth": 5});
    let paths = |claims: &Value| {
        let choice = query.choose(&[sd_jwt_vc(claims)])?;
        let names = choice.selections[0].candidates[0]
            .1
            .paths
            .iter()
            .map(ToString::to_string);
        Ok::<_, Unsatisfied>(names.collect::<Vec<_>>())
    };
    assert_eq!(
        paths(&all).unwrap(),
        ["family_name", "locality", "region", "date_of_birth"]
    );
    let mut less = all.clone();
    less.as_object_mut().unwrap().remove("region");
    assert_eq!(
        paths(&less).unwrap(),
        ["family_name", "postal_code", "date_of_birth"]
    );
    less.as_object_mut().unwrap().remove("date_of_birth");
    assert_eq!(paths(&less), Err(Unsatisfied::Missing { id: "pid".into() }));
}

#[test]
fn a_wallet_serves_the_required_sets_and_nothing_beside_them() {
    let query = example("credentials_alternatives");
    let pid = json!({"vct": "https://othercredentials.example/pid", "given_name": 1, "family_name": 2,
        "address": {"street_address": 3}});
    let rewards = json!({"vct": "https://company.example/company_rewards", "rewards_number": 4});
    let reduced = json!({"vct": "https://credentials.example.com/reduced_identity_credential",
        "given_name": 1, "family_name": 2});
    let residence = json!({"vct": "https://cred.example/residence_credential", "postal_code": 1,
        "locality": 2, "region": 3});
    let chosen = |held: &[&Value]| {
        let candidates: Vec<_> = held.iter().map(|claims| sd_jwt_vc(claims)).collect();
        let choice = query.choose(&candidates)?;
        Ok::<_, Unsatisfied>(
            choice
                .selections
                .into_iter()
                .map(|selection| selection.id)
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(chosen(&[&rewards, &pid]).unwrap(), ["other_pid"]);
    assert_eq!(
        chosen(&[&residence, &reduced]).unwrap(),
        ["pid_reduced_cred_1", "pid_reduced_cred_2"]
    );
    assert_eq!(
        chosen(&[&rewards, &reduced]),
        Err(Unsatisfied::Set { position: 0 })
    );

    // The verifier sees it the same way.
    let incomplete = presented(&[("pid_reduced_cred_1", &[sd_jwt_vc(&reduced)])]);
    assert_eq!(
        query.check(&incomplete),
        Err(Unsatisfied::Set { position: 0 })
    );
    let optional_too = presented(&[
        ("other_pid", &[sd_jwt_vc(&pid)]),
        ("nice_to_have", &[sd_jwt_vc(&rewards)]),
    ]);
    assert!(query.check(&optional_too).is_ok());
}

#[test]
fn a_wallet_offers_its_person_every_credential_that_fits() {
    let query = Query::new(vec![CredentialQuery::jwt_vc_json("id", "Identity", vec![])]).unwrap();
    let one = json!({"type": ["VerifiableCredential", "Identity"]});
    let other = json!({"type": ["VerifiableCredential", "Placement"]});
    let choice = query
        .choose(&[jwt_vc(&one), jwt_vc(&other), jwt_vc(&one)])
        .unwrap();
    let positions: Vec<usize> = choice.selections[0]
        .candidates
        .iter()
        .map(|(at, _)| *at)
        .collect();
    assert_eq!(positions, [0, 2]);
    assert!(choice.selections[0].candidates[0].1.locations.is_empty());
}
