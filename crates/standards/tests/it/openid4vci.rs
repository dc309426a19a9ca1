//! OpenID4VCI: the specification's documents, links and requests, and what breaks its rules.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use standards::oauth::{ErrorCode, Form, MetadataError};
use standards::openid4vci::{
    CredentialErrorCode, CredentialOffer, CredentialRequest, CredentialRequestError,
    CredentialResponse, IssuerMetadata, NotificationErrorCode, NotificationEvent,
    NotificationRequest, OfferError, OfferLink, Proofs, Requested, TokenRequest, TokenRequestError,
    TokenResponse,
};

use crate::world::examples;

const ISSUER: &str = "https://credential-issuer.example.com";

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn metadata(example: &str) -> Value {
    let mut document = examples("openid4vci_examples.json")[example].clone();
    document["credential_issuer"] = json!(ISSUER);
    document["credential_endpoint"] = json!("https://credential-issuer.example.com/credential");
    document
}

#[test]
fn vci_04_the_specifications_metadata_reads_and_writes_back() {
    for example in ["metadata_jwt_vc_json", "metadata_sd_jwt_vc"] {
        let document = metadata(example);
        let read = IssuerMetadata::parse(&bytes(&document), ISSUER).unwrap();
        assert_eq!(read.to_value(), document, "{example}");
        assert_eq!(read.authorization_server(), ISSUER);
    }
    let read = IssuerMetadata::parse(&bytes(&metadata("metadata_sd_jwt_vc")), ISSUER).unwrap();
    let configuration =
        &read.credential_configurations_supported["SD_JWT_VC_example_in_OpenID4VCI"];
    assert_eq!(
        configuration.display_name("en-GB"),
        Some("IdentityCredential")
    );
    let claims = configuration
        .credential_metadata
        .as_ref()
        .unwrap()
        .claims
        .as_ref()
        .unwrap();
    assert_eq!(claims[6].path.to_string(), "address.locality");
}

#[test]
fn vci_03_the_long_metadata_example_reads_and_writes_back() {
    let document = examples("openid4vci_examples.json")["metadata_long"].clone();
    let issuer = document["credential_issuer"].as_str().unwrap().to_owned();
    let read = IssuerMetadata::parse(&bytes(&document), &issuer).unwrap();
    assert_eq!(read.to_value(), document);
    assert!(read.credential_response_encryption.is_some());
}

#[test]
fn vci_02_metadata_of_another_issuer_is_refused_even_when_only_a_slash_differs() {
    let document = bytes(&metadata("metadata_jwt_vc_json"));
    for other in [
        "https://credential-issuer.example.com/",
        "https://evil.example",
        "",
    ] {
        assert_eq!(
            IssuerMetadata::parse(&document, other),
            Err(MetadataError::Issuer),
            "{other}"
        );
    }
}

#[test]
fn vci_04_metadata_that_breaks_a_rule_is_refused() {
    let broken = |pointer: &str, value: Value| {
        let mut document = metadata("metadata_jwt_vc_json");
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap();
        if value.is_null() {
            parent.as_object_mut().unwrap().remove(name);
        } else {
            parent[name] = value;
        }
        IssuerMetadata::parse(&bytes(&document), ISSUER).unwrap_err()
    };
    let one = "/credential_configurations_supported/UniversityDegreeCredential";
    for (pointer, value) in [
        (format!("{one}/proof_types_supported"), Value::Null),
        (
            format!("{one}/cryptographic_binding_methods_supported"),
            Value::Null,
        ),
        (format!("{one}/proof_types_supported"), json!({})),
        (
            format!("{one}/proof_types_supported/jwt"),
            json!({"proof_signing_alg_values_supported": []}),
        ),
        (format!("{one}/credential_definition"), Value::Null),
        (
            format!("{one}/credential_definition"),
            json!({"type": ["UniversityDegreeCredential"]}),
        ),
        (format!("{one}/format"), json!("dc+sd-jwt")),
        (
            "/batch_credential_issuance".into(),
            json!({"batch_size": 1}),
        ),
        ("/authorization_servers".into(), json!([])),
    ] {
        assert!(
            matches!(broken(&pointer, value), MetadataError::Rule(_)),
            "{pointer}"
        );
    }
    assert!(matches!(
        broken("/credential_endpoint", Value::Null),
        MetadataError::Shape(_)
    ));
}

/// VCI-06.
#[test]
fn vci_05_the_specifications_offers_read_and_travel_by_value_and_by_reference() {
    for example in [
        "offer_pre_authorized",
        "offer_multiple",
        "offer_by_reference",
    ] {
        let value = examples("openid4vci_examples.json")[example].clone();
        let offer = CredentialOffer::parse(&bytes(&value)).unwrap();
        assert_eq!(offer.to_value(), value, "{example}");
        assert!(
            offer.pre_authorized_code().unwrap().tx_code.is_some(),
            "{example}"
        );
        let link = offer.link();
        assert!(
            !link.contains('+')
                && link.starts_with("openid-credential-offer://?credential_offer=%7B")
        );
        assert_eq!(
            OfferLink::parse(&link).unwrap(),
            OfferLink::ByValue(offer),
            "{example}"
        );
    }
    let uri =
        "https://server.example.com/credential-offer/GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM";
    let link = OfferLink::by_reference(uri);
    assert_eq!(
        link,
        "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fserver.example.com%2Fcredential-offer%2F\
         GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM"
    );
    for text in [
        link.clone(),
        format!(" {link}\n"),
        link.replace("openid-credential-offer:/", "HTTPS://wallet.example"),
    ] {
        assert!(
            matches!(OfferLink::parse(&text).unwrap(), OfferLink::ByReference(read) if read.as_str() == uri)
        );
    }
}

#[test]
fn links_and_offers_that_are_none_are_refused() {
    for (text, error) in [
        ("openid-credential-offer://?a=b", OfferError::Link),
        ("openid-credential-offer://", OfferError::Link),
        (
            "javascript:alert(1)?credential_offer_uri=https://a.example",
            OfferError::Link,
        ),
        (
            "openid-credential-offer://?credential_offer_uri=file:///etc/passwd",
            OfferError::Reference,
        ),
        (
            "openid-credential-offer://?credential_offer_uri=https://u@a.example",
            OfferError::Reference,
        ),
        (
            "openid-credential-offer://?credential_offer_uri=https://:p@a.example",
            OfferError::Reference,
        ),
        (
            "openid-credential-offer://?credential_offer_uri=https://a&credential_offer=%7B%7D",
            OfferError::ExactlyOne,
        ),
        ("plain words", OfferError::Link),
    ] {
        assert_eq!(OfferLink::parse(text), Err(error), "{text}");
    }
    let offer = |ids: Value, issuer: &str| {
        CredentialOffer::parse(&bytes(
            &json!({"credential_issuer": issuer, "credential_configuration_ids": ids}),
        ))
    };
    assert!(offer(json!(["a"]), ISSUER).is_ok());
    assert_eq!(offer(json!([]), ISSUER), Err(OfferError::Configurations));
    assert_eq!(
        offer(json!(["a", "a"]), ISSUER),
        Err(OfferError::Configurations)
    );
    assert_eq!(
        offer(json!(["a"]), "https://a.example?x=1"),
        Err(OfferError::Issuer)
    );
    assert!(matches!(
        offer(json!("a"), ISSUER),
        Err(OfferError::Shape(_))
    ));
}

#[test]
fn a_pre_authorized_code_is_not_printed() {
    let offer = CredentialOffer::pre_authorized(ISSUER, "Identity", "topsecret".to_owned().into());
    assert!(!format!("{offer:?}").contains("topsecret"));
    assert!(offer.to_value().to_string().contains("topsecret"));
}

#[test]
fn vci_09_the_specifications_token_request_reads_and_writes_back() {
    let text = "grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code&pre-authorized_code=SplxlOBeZQQYbYS6WxSbIA\
                &tx_code=493536&authorization_details=%5B%7B%22type%22%3A%20%22openid_credential%22%2C%20%22\
                credential_configuration_id%22%3A%20%22UniversityDegreeCredential%22%7D%5D";
    let request = TokenRequest::parse(&Form::parse(text.as_bytes()).unwrap()).unwrap();
    assert_eq!(
        request.pre_authorized_code.reveal(),
        "SplxlOBeZQQYbYS6WxSbIA"
    );
    assert_eq!(request.tx_code.as_ref().unwrap().reveal(), "493536");
    assert!(!format!("{request:?}").contains("Splx") && !format!("{request:?}").contains("493536"));
    let again = TokenRequest::parse(&Form::parse(request.to_form().as_bytes()).unwrap()).unwrap();
    assert_eq!(again, request);
}

#[test]
fn vci_09_a_token_request_that_lacks_something_says_what() {
    let parse =
        |text: &str| TokenRequest::parse(&Form::parse(text.as_bytes()).unwrap()).unwrap_err();
    let grant = "grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code";
    assert_eq!(
        parse("pre-authorized_code=x"),
        TokenRequestError::Missing("grant_type")
    );
    assert_eq!(
        parse(grant),
        TokenRequestError::Missing("pre-authorized_code")
    );
    assert_eq!(
        parse("grant_type=password").code(),
        ErrorCode::UnsupportedGrantType
    );
    for details in [
        "{}",
        "[]",
        "[{\"type\":\"other\",\"credential_configuration_id\":\"a\"}]",
        "nonsense",
    ] {
        let text = format!("{grant}&pre-authorized_code=x&authorization_details={details}");
        assert_eq!(
            parse(&text),
            TokenRequestError::AuthorizationDetails,
            "{details}"
        );
        // RFC 9396, 5.
        assert_eq!(
            parse(&text).code().as_str(),
            "invalid_authorization_details"
        );
    }
}

#[test]
fn vci_10_the_specifications_token_response_gives_its_identifiers() {
    let body = json!({"access_token": "eyJhbGciOiJSUzI1NiIsInR5cCI6Ikp..sHQ", "token_type": "Bearer",
        "expires_in": 86400, "authorization_details": [{"type": "openid_credential",
        "credential_configuration_id": "UniversityDegreeCredential",
        "credential_identifiers": ["CivilEngineeringDegree-2023", "ElectricalEngineeringDegree-2023"]}]});
    let response = TokenResponse::parse(&bytes(&body)).unwrap();
    assert_eq!(
        response
            .credential_identifiers("UniversityDegreeCredential")
            .len(),
        2
    );
    assert!(response.credential_identifiers("Other").is_empty());
    assert_eq!(response.to_value(), body);
    assert!(!format!("{response:?}").contains("sHQ"));
}

#[test]
fn vci_13_a_credential_request_names_exactly_one_thing_and_one_kind_of_proof() {
    let body = json!({"credential_configuration_id": "org.iso.18013.5.1.mDL", "proofs": {"jwt": ["eyJ"]}, "x": 1});
    let request = CredentialRequest::parse(&bytes(&body)).unwrap();
    assert_eq!(
        request.requested,
        Requested::ConfigurationId("org.iso.18013.5.1.mDL".into())
    );
    assert_eq!(request.proofs, Some(Proofs::Jwt(vec!["eyJ".into()])));
    assert_eq!(
        CredentialRequest::parse(&bytes(&request.to_value())).unwrap(),
        request
    );
    let code = |value: Value| CredentialRequest::parse(&bytes(&value)).unwrap_err().code();
    let invalid = CredentialErrorCode::InvalidCredentialRequest;
    assert_eq!(code(json!({})), invalid);
    assert_eq!(
        code(json!({"credential_identifier": "a", "credential_configuration_id": "a"})),
        invalid
    );
    assert_eq!(code(json!({"credential_identifier": 7})), invalid);
    assert_eq!(code(json!({"credential_identifier": ""})), invalid);
    assert_eq!(code(json!([])), invalid);
    for proofs in [
        json!({}),
        json!({"jwt": []}),
        json!({"jwt": "eyJ"}),
        json!({"jwt": [1]}),
        json!({"jwt": ["a"], "attestation": ["b"]}),
        json!({"attestation": ["a", "b"]}),
        json!({"cwt": ["a"]}),
        json!(["a"]),
        json!(null),
    ] {
        let body = json!({"credential_identifier": "a", "proofs": proofs});
        assert_eq!(code(body), CredentialErrorCode::InvalidProof, "{proofs}");
    }
    let twice = br#"{"credential_identifier":"a","credential_identifier":"b"}"#;
    assert!(matches!(
        CredentialRequest::parse(twice),
        Err(CredentialRequestError::Shape(_))
    ));
}

#[test]
fn vci_16_a_credential_response_has_credentials_or_a_transaction() {
    let issued = CredentialResponse::issued("eyJ", Some("n1".into()));
    assert_eq!(
        issued.to_value(),
        json!({"credentials": [{"credential": "eyJ"}], "notification_id": "n1"})
    );
    assert_eq!(
        CredentialResponse::parse(&bytes(&issued.to_value())).unwrap(),
        issued
    );
    assert!(CredentialResponse::parse(br#"{"transaction_id":"t","interval":5}"#).is_ok());
    for body in [
        "{}",
        r#"{"credentials":[]}"#,
        r#"{"credentials":[{"credential":"a"}],"transaction_id":"t"}"#,
    ] {
        assert!(
            CredentialResponse::parse(body.as_bytes()).is_err(),
            "{body}"
        );
    }
}

#[test]
fn vci_17_the_codes_are_spelt_as_in_the_specification() {
    for (code, text) in [
        (
            CredentialErrorCode::InvalidCredentialRequest,
            "invalid_credential_request",
        ),
        (
            CredentialErrorCode::UnknownCredentialConfiguration,
            "unknown_credential_configuration",
        ),
        (
            CredentialErrorCode::UnknownCredentialIdentifier,
            "unknown_credential_identifier",
        ),
        (CredentialErrorCode::InvalidProof, "invalid_proof"),
        (CredentialErrorCode::InvalidNonce, "invalid_nonce"),
        (
            CredentialErrorCode::InvalidEncryptionParameters,
            "invalid_encryption_parameters",
        ),
        (
            CredentialErrorCode::CredentialRequestDenied,
            "credential_request_denied",
        ),
    ] {
        assert_eq!(code.as_str(), text);
        assert_eq!(serde_json::to_value(code).unwrap(), text);
    }
}

#[test]
fn vci_19_a_notification_has_an_id_and_one_of_three_events() {
    let body = json!({"notification_id": "3fwe98js", "event": "credential_accepted"});
    let request = NotificationRequest::parse(&bytes(&body)).unwrap();
    assert_eq!(request.event, NotificationEvent::CredentialAccepted);
    assert_eq!(request.to_value(), body);
    for body in [
        json!({"notification_id": "a"}),
        json!({"event": "credential_accepted"}),
        json!({"notification_id": "a", "event": "credential_stolen"}),
        json!({"notification_id": "", "event": "credential_deleted"}),
        json!({"notification_id": "a", "event": "credential_failure", "event_description": 1}),
        json!("x"),
    ] {
        let refused = NotificationRequest::parse(&bytes(&body));
        assert_eq!(
            refused,
            Err(NotificationErrorCode::InvalidNotificationRequest),
            "{body}"
        );
    }
}
