//! OpenID4VP: the request object as a wallet checks it, and the answer as a verifier reads it.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use standards::base64url;
use standards::dcql::{CredentialQuery, Query};
use standards::jose::jwe::{ContentEncryption, DecryptionKey};
use standards::jose::jws::{self, ProtectedHeader, VerifyError};
use standards::jose::{Algorithm, JwkSet, SoftwareKey};
use standards::oauth::Form;
use standards::openid4vp::{
    AuthorizationResponse, ClientId, ClientMetadata, ClientMetadataError, ErrorAnswer,
    REQUEST_OBJECT_TYP, RequestError, RequestObject, RequestUriPost, ResponseBody, ResponseError,
    ResponseMode, SignedRequestObject, VerifierAnswer, VpToken, WalletErrorCode, WalletExpectation,
};
use url::Url;

use crate::world::{ES256, SKEW, examples, key, later, now, public, wait};

const KID: &str = "did:web:gateway.example#key-1";

fn client_id() -> ClientId {
    ClientId::parse("decentralized_identifier:did:web:gateway.example").unwrap()
}

fn request(mode: ResponseMode, encryption: Option<&DecryptionKey>) -> RequestObject {
    RequestObject {
        client_id: client_id(),
        response_uri: Url::parse("https://gateway.example/presentations/1").unwrap(),
        response_mode: mode,
        nonce: "n-0S6_WzA2Mj".into(),
        state: Some("eyJhb".into()),
        dcql_query: Query::new(vec![CredentialQuery::jwt_vc_json(
            "identity",
            "Identity",
            vec![],
        )])
        .unwrap(),
        client_metadata: Some(ClientMetadata::new(
            encryption.map(|key| key.public_jwk("e1")),
            ES256,
        )),
        wallet_nonce: None,
        issued_at: Some(now()),
        expires_at: Some(later(300)),
    }
}

fn check_as(
    text: &str,
    key: &SoftwareKey,
    expected: &WalletExpectation<'_>,
) -> Result<RequestObject, RequestError> {
    SignedRequestObject::parse(text)?.check(&public(key), expected)
}

fn check(text: &str, key: &SoftwareKey) -> Result<RequestObject, RequestError> {
    let client_id = client_id();
    let expected = WalletExpectation {
        client_id: &client_id,
        wallet_nonce: None,
        algorithms: ES256,
        now: now(),
        skew: SKEW,
    };
    check_as(text, key, &expected)
}

/// The request as signed, with one change to its claims.
fn changed(change: impl Fn(&mut Value)) -> Result<RequestObject, RequestError> {
    let verifier = key();
    let mut claims = request(ResponseMode::DirectPost, None).to_claims();
    change(&mut claims);
    let header = ProtectedHeader::typ(REQUEST_OBJECT_TYP).kid(KID);
    check(
        &jws::sign_now(&verifier, header, &claims).unwrap(),
        &verifier,
    )
}

#[test]
fn vp_01_a_signed_request_reads_back_as_it_was_meant() {
    let (verifier, encryption) = (key(), DecryptionKey::generate().unwrap());
    for request in [
        request(ResponseMode::DirectPost, None),
        request(ResponseMode::DirectPostJwt, Some(&encryption)),
    ] {
        let text = wait(request.sign(&verifier, KID)).unwrap();
        let parsed = SignedRequestObject::parse(&text).unwrap();
        assert_eq!(
            (parsed.client_id(), parsed.kid()),
            (&request.client_id, Some(KID))
        );
        assert_eq!(check(&text, &verifier).unwrap(), request);
        let claims = request.to_claims();
        assert_eq!(claims["aud"], "https://self-issued.me/v2");
        assert_eq!(
            claims["client_id"],
            "decentralized_identifier:did:web:gateway.example"
        );
    }
}

#[test]
fn vp_01_another_typ_audience_or_signature_is_refused() {
    let verifier = key();
    let claims = request(ResponseMode::DirectPost, None).to_claims();
    let text = jws::sign_now(&verifier, ProtectedHeader::typ("JWT").kid(KID), &claims).unwrap();
    assert_eq!(check(&text, &verifier), Err(VerifyError::WrongType.into()));
    let good = wait(request(ResponseMode::DirectPost, None).sign(&verifier, KID)).unwrap();
    assert_eq!(check(&good, &key()), Err(VerifyError::Signature.into()));
    assert_eq!(
        changed(|claims| claims["aud"] = json!("https://other.example")),
        Err(RequestError::Audience)
    );
}

#[test]
fn vp_04_the_request_object_must_name_the_links_client() {
    let (verifier, other) = (
        key(),
        ClientId::parse("x509_san_dns:gateway.example").unwrap(),
    );
    let text = wait(request(ResponseMode::DirectPost, None).sign(&verifier, KID)).unwrap();
    let expected = WalletExpectation {
        client_id: &other,
        wallet_nonce: None,
        algorithms: ES256,
        now: now(),
        skew: SKEW,
    };
    assert_eq!(
        check_as(&text, &verifier, &expected),
        Err(RequestError::OtherClient)
    );
    let unsignable = "redirect_uri:https://gateway.example/cb";
    assert_eq!(
        changed(|claims| claims["client_id"] = json!(unsignable)),
        Err(RequestError::MustNotBeSigned)
    );
    let origin = "origin:https://gateway.example";
    assert!(matches!(
        changed(|claims| claims["client_id"] = json!(origin)),
        Err(RequestError::ClientId(_))
    ));
}

#[test]
fn vp_06_the_wallets_nonce_must_come_back() {
    let (verifier, client_id) = (key(), client_id());
    let mut request = request(ResponseMode::DirectPost, None);
    let expected = WalletExpectation {
        client_id: &client_id,
        wallet_nonce: Some("qPmxiNFCR3QTm19POc8u"),
        algorithms: ES256,
        now: now(),
        skew: SKEW,
    };
    for wrong in [None, Some("other".to_owned())] {
        request.wallet_nonce = wrong;
        let text = wait(request.sign(&verifier, KID)).unwrap();
        assert_eq!(
            check_as(&text, &verifier, &expected),
            Err(RequestError::WalletNonce)
        );
    }
    request.wallet_nonce = Some("qPmxiNFCR3QTm19POc8u".into());
    let text = wait(request.sign(&verifier, KID)).unwrap();
    assert!(check_as(&text, &verifier, &expected).is_ok());
}

#[test]
fn an_expired_request_and_one_from_the_future_are_refused() {
    let past = later(-60).as_second();
    assert_eq!(
        changed(|claims| claims["exp"] = json!(past)),
        Err(RequestError::Expired)
    );
    let future = later(61).as_second();
    assert_eq!(
        changed(|claims| claims["iat"] = json!(future)),
        Err(RequestError::FromTheFuture)
    );
}

#[test]
fn a_request_that_breaks_the_specifications_rules_is_refused_by_name() {
    let with =
        |name: &str, value: Value| changed(|claims| claims[name] = value.clone()).unwrap_err();
    let without = |name: &str| {
        changed(|claims| {
            claims.as_object_mut().unwrap().remove(name);
        })
        .unwrap_err()
    };
    assert_eq!(
        with("scope", json!("identity")),
        RequestError::Query,
        "VP-03"
    );
    assert_eq!(without("dcql_query"), RequestError::Query, "VP-03");
    assert_eq!(
        with("response_type", json!("code")),
        RequestError::ResponseType
    );
    assert_eq!(
        with("response_mode", json!("fragment")),
        RequestError::ResponseMode
    );
    assert_eq!(without("response_mode"), RequestError::ResponseMode);
    assert_eq!(
        with("redirect_uri", json!("https://a.example")),
        RequestError::RedirectUri,
        "VP-07"
    );
    assert_eq!(
        with("response_uri", json!("openid4vp://x")),
        RequestError::ResponseUri
    );
    assert_eq!(with("nonce", json!("a b")), RequestError::Nonce, "VP-02");
    let error = with("transaction_data", json!(["e30"]));
    assert_eq!(
        (error.code(), error),
        (
            WalletErrorCode::InvalidTransactionData,
            RequestError::TransactionData
        )
    );
    // Encryption asked for without a key to encrypt to.
    assert_eq!(
        with("response_mode", json!("direct_post.jwt")),
        ClientMetadataError::NoEncryptionKey.into()
    );
    assert!(matches!(
        with("client_metadata", json!("x")),
        RequestError::ClientMetadata(_)
    ));
    assert!(matches!(without("nonce"), RequestError::Claim(_)));
}

#[test]
fn vp_05_the_specifications_client_metadata_reads_and_the_wallet_picks_a_key_it_can_use() {
    let examples = examples("openid4vp_examples.json");
    for (name, value) in examples["client_metadata"].as_object().unwrap() {
        assert_eq!(
            &ClientMetadata::parse(value).unwrap().to_value(),
            value,
            "{name}"
        );
    }
    // OpenID4VP 8.3: four keys, of which we speak one.
    let metadata = ClientMetadata::parse(&json!({
        "jwks": {"keys": [
            {"kty": "OKP", "kid": "jc", "use": "enc", "crv": "X25519", "alg": "ECDH-ES",
             "x": "WPX7wnwq10hFNK9aDSyG1QlLswE_CJY14LdhcFUIVVc"},
            {"kty": "EC", "kid": "ac", "use": "enc", "crv": "P-256", "alg": "ECDH-ES",
             "x": "YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk", "y": "Hekpm0zfK7C-YccH5iBjcIXgf6YdUvNUac_0At55Okk"}]},
        "encrypted_response_enc_values_supported": ["A128GCM", "A128CBC-HS256"]}))
    .unwrap();
    let (key, enc) = metadata.encryption().unwrap();
    assert_eq!((key.kid(), enc), (Some("ac"), ContentEncryption::A128GCM));
    let signing_only = ClientMetadata {
        jwks: Some(JwkSet::new([public(&crate::world::key())])),
        ..metadata.clone()
    };
    assert_eq!(
        signing_only.encryption(),
        Err(ClientMetadataError::NoEncryptionKey)
    );
    let names = Some(vec!["A128CBC-HS256".to_owned()]);
    let foreign = ClientMetadata {
        encrypted_response_enc_values_supported: names,
        ..metadata
    };
    assert_eq!(
        foreign.encryption(),
        Err(ClientMetadataError::NoContentEncryption)
    );
}

#[test]
fn vp_08_the_specifications_encrypted_response_opens_with_its_key() {
    let scalar = base64url::decode("Et-3ce0omz8_TuZ96Df9lp0GAaaDoUnDe6X-CRO7Aww").unwrap();
    let key = DecryptionKey::from_scalar(&scalar).unwrap();
    let jwe = examples("openid4vp_examples.json")["encrypted_response"]
        .as_str()
        .unwrap()
        .to_owned();
    let form = Form::parse(format!("response={jwe}").as_bytes()).unwrap();
    let body = ResponseBody::parse(&form).unwrap();
    assert_eq!(body.kid().unwrap().as_deref(), Some("ac"));
    let AuthorizationResponse::Presented { vp_token, state } =
        body.open(ResponseMode::DirectPostJwt, Some(&key)).unwrap()
    else {
        panic!("no presentation");
    };
    assert_eq!(
        (vp_token, state),
        (
            VpToken::one("example_credential_id", "eyJhb...YMetA".into()),
            None
        )
    );
}

fn presented() -> AuthorizationResponse {
    AuthorizationResponse::Presented {
        vp_token: VpToken::one("identity", "eyJ.a.b".into()),
        state: Some("s/1".into()),
    }
}

#[test]
fn vp_10_an_answer_reads_back_in_either_mode_and_in_no_other_than_asked() {
    let plain =
        ResponseBody::parse(&Form::parse(presented().to_form().as_bytes()).unwrap()).unwrap();
    assert_eq!(
        plain.clone().open(ResponseMode::DirectPost, None).unwrap(),
        presented()
    );
    let key = DecryptionKey::generate().unwrap();
    let mode = ResponseError::Mode(ResponseMode::DirectPostJwt);
    assert_eq!(
        plain.open(ResponseMode::DirectPostJwt, Some(&key)),
        Err(mode)
    );

    let metadata = ClientMetadata::new(Some(key.public_jwk("e1")), ES256);
    let form = presented().to_encrypted_form(&metadata).unwrap();
    let body = || ResponseBody::parse(&Form::parse(form.as_bytes()).unwrap()).unwrap();
    assert_eq!(body().kid().unwrap().as_deref(), Some("e1"));
    assert_eq!(
        body()
            .open(ResponseMode::DirectPostJwt, Some(&key))
            .unwrap(),
        presented()
    );
    let other = DecryptionKey::generate().unwrap();
    assert!(matches!(
        body().open(ResponseMode::DirectPostJwt, Some(&other)),
        Err(ResponseError::Jwe(_))
    ));
    let mode = ResponseError::Mode(ResponseMode::DirectPost);
    assert_eq!(body().open(ResponseMode::DirectPost, Some(&key)), Err(mode));
    assert!(!format!("{:?}", presented()).contains("eyJ"));
}

#[test]
fn vp_14_a_wallets_error_may_come_in_the_clear_in_either_mode() {
    let answer = ErrorAnswer {
        error: WalletErrorCode::AccessDenied,
        error_description: Some("the person declined".into()),
        state: Some("s".into()),
    };
    let refused = AuthorizationResponse::Refused(answer.clone());
    for mode in [ResponseMode::DirectPost, ResponseMode::DirectPostJwt] {
        let body =
            ResponseBody::parse(&Form::parse(refused.to_form().as_bytes()).unwrap()).unwrap();
        assert_eq!(body.open(mode, None).unwrap(), refused);
    }
    let unknown = ResponseBody::parse(&Form::parse(b"error=teapot").unwrap()).unwrap();
    let ResponseBody::Plain(AuthorizationResponse::Refused(unknown)) = unknown else {
        panic!("no error")
    };
    assert_eq!(unknown.error, WalletErrorCode::Unknown);
}

#[test]
fn answers_that_are_none_or_several_are_refused() {
    let parse =
        |text: &str| ResponseBody::parse(&Form::parse(text.as_bytes()).unwrap()).unwrap_err();
    assert_eq!(parse("state=x"), ResponseError::ExactlyOne);
    assert_eq!(
        parse("vp_token={\"a\":[\"b\"]}&error=access_denied"),
        ResponseError::ExactlyOne
    );
    assert_eq!(
        parse("vp_token={\"a\":[\"b\"]}&response=x"),
        ResponseError::ExactlyOne
    );
    for token in [
        "eyJ.a.b",
        "[\"a\"]",
        "{}",
        "{\"a\":\"b\"}",
        "{\"a\":[]}",
        "{\"a\":[\"b\"],\"a\":[\"c\"]}",
        "null",
    ] {
        assert_eq!(
            parse(&format!("vp_token={token}")),
            ResponseError::VpToken,
            "{token}"
        );
    }
    assert_eq!(
        parse("vp_token={\"a\":[{\"type\":\"x\"}]}"),
        ResponseError::Presentation
    );
    for payload in ["{}", "{\"vp_token\":{\"a\":[\"b\"]},\"error\":\"x\"}"] {
        let refused = AuthorizationResponse::parse_payload(payload.as_bytes());
        assert_eq!(refused, Err(ResponseError::ExactlyOne), "{payload}");
    }
    let refused =
        AuthorizationResponse::parse_payload(b"{\"vp_token\":{\"a\":[\"b\"]},\"state\":1}");
    assert_eq!(refused, Err(ResponseError::Malformed("state")));
}

#[test]
fn vp_06_the_specifications_request_uri_post_reads() {
    let form = Form::parse(
        b"wallet_metadata=%7B%22vp_formats_supported%22%3A%7B%22dc%2Bsd-jwt%22%3A%7B%22sd-jwt_alg_values%22%3A%20\
          %5B%22ES256%22%5D%2C%22kb-jwt_alg_values%22%3A%20%5B%22ES256%22%5D%7D%7D%7D&\
          wallet_nonce=qPmxiNFCR3QTm19POc8u&future=1",
    )
    .unwrap();
    let post = RequestUriPost::parse(&form).unwrap();
    assert_eq!(post.wallet_nonce.as_deref(), Some("qPmxiNFCR3QTm19POc8u"));
    assert!(
        post.wallet_metadata
            .as_ref()
            .unwrap()
            .contains_key("vp_formats_supported")
    );
    let again = RequestUriPost::parse(&Form::parse(post.to_form().as_bytes()).unwrap()).unwrap();
    assert_eq!(again, post);
    for text in [
        "wallet_metadata=[]",
        "wallet_metadata=x",
        &format!("wallet_nonce={}", "a".repeat(513)),
    ] {
        assert!(
            RequestUriPost::parse(&Form::parse(text.as_bytes()).unwrap()).is_err(),
            "{text}"
        );
    }
}

#[test]
fn vp_07_the_verifiers_answer_may_send_the_browser_back() {
    let answer = br#"{"redirect_uri":"https://client.example.org/cb#response_code=091535f699ea575c7937fa5f0f454aee","x":1}"#;
    assert!(
        VerifierAnswer::parse(answer)
            .unwrap()
            .redirect_uri
            .unwrap()
            .ends_with("454aee")
    );
    for empty in ["", " ", "{}"] {
        assert_eq!(
            VerifierAnswer::parse(empty.as_bytes()),
            Ok(VerifierAnswer::default())
        );
    }
    assert!(VerifierAnswer::parse(b"<html>").is_err());
    assert!(VerifierAnswer::parse(b"{\"redirect_uri\":7}").is_err());
    assert_eq!(
        serde_json::to_value(VerifierAnswer::default()).unwrap(),
        json!({})
    );
}

#[test]
fn formats_are_announced_with_their_algorithms() {
    let metadata = ClientMetadata::new(None, &[Algorithm::ES256, Algorithm::EdDSA]).to_value();
    let names = json!(["ES256", "EdDSA"]);
    assert_eq!(
        metadata["vp_formats_supported"]["jwt_vc_json"]["alg_values"],
        names
    );
    assert_eq!(
        metadata["vp_formats_supported"]["dc+sd-jwt"]["kb-jwt_alg_values"],
        names
    );
    assert!(
        metadata
            .get("encrypted_response_enc_values_supported")
            .is_none()
    );
}
