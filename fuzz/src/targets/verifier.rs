//! What a verifier sends to a wallet, and the query language of both.

use std::collections::BTreeMap;

use serde_json::json;
use standards::dcql::{Candidate, Format, Query};
use standards::jose::Signer;
use standards::oauth::Form;
use standards::openid4vp::link::RequestSource;
use standards::openid4vp::{
    ClientId, REQUEST_OBJECT_TYP, RequestLink, RequestUriPost, SELF_ISSUED, SignedRequestObject,
    WalletExpectation,
};

use crate::scene::{
    ASYMMETRIC, ISSUER, KEYS, NONCE, NOW, SKEW, completed, fields, now, object, signed, wait,
};

/// Fields: a query, a credential's claims. A query that is accepted comes back when it is written again; a credential
/// that answers it is of the format asked for, and what is taken of it is there.
pub(super) fn dcql(data: &[u8]) {
    let Some([query, claims]) = fields(data) else {
        return;
    };
    let Ok(value) = standards::json::parse(query.as_bytes()) else {
        return;
    };
    let Ok(query) = Query::parse(&value) else {
        return;
    };
    assert_eq!(Query::parse(&query.to_value()).as_ref(), Ok(&query));
    let Ok(claims) = standards::json::parse(claims.as_bytes()) else {
        return;
    };
    for format in [Format::DcSdJwt, Format::JwtVcJson] {
        let bound = Candidate {
            format: &format,
            claims: &claims,
            holder_binding: true,
        };
        let unbound = Candidate {
            holder_binding: false,
            ..bound
        };
        let choice = query.choose(&[bound, unbound]);
        for wanted in &query.credentials {
            if let Ok(matched) = wanted.check(bound) {
                assert_eq!(wanted.format, format, "a credential of another format");
                for path in &matched.paths {
                    let places = path
                        .select(&claims)
                        .expect("a claim that was matched is there");
                    assert!(
                        places
                            .iter()
                            .all(|(place, _)| matched.locations.contains(place))
                    );
                }
            }
            if wanted.require_cryptographic_holder_binding {
                assert!(
                    wanted.check(unbound).is_err(),
                    "a copy answers a query for the holder"
                );
            }
            let answer = BTreeMap::from([(wanted.id.clone(), vec![bound])]);
            if query.check(&answer).is_ok() {
                assert!(
                    choice.is_ok(),
                    "a verifier accepts what a wallet could not choose"
                );
            }
        }
        let nobody = BTreeMap::from([("unasked-for".repeat(20), vec![bound])]);
        assert!(query.check(&nobody).is_err());
    }
}

/// SEC-14. Fields: the header, the claims of a signed request object. A wallet that accepts it answers that verifier.
pub(super) fn request_object(data: &[u8]) {
    let client_id = ClientId::parse(&format!("decentralized_identifier:{ISSUER}"))
        .expect("a client id that the targets chose");
    let expected = WalletExpectation {
        client_id: &client_id,
        wallet_nonce: None,
        algorithms: ASYMMETRIC,
        now: now(),
        skew: SKEW,
    };
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(request) = SignedRequestObject::parse(text)
    {
        assert!(request.check(KEYS.es256.public_jwk(), &expected).is_err());
    }
    let Some([header, claims]) = fields(data) else {
        return;
    };
    let (Some(header), Some(claims)) = (object(header), object(claims)) else {
        return;
    };
    let header = completed(header, json!({ "typ": REQUEST_OBJECT_TYP }));
    let usual = json!({
        "client_id": client_id.to_string(), "aud": SELF_ISSUED, "response_type": "vp_token",
        "response_mode": "direct_post", "response_uri": "https://gateway.example/r/1/response", "nonce": NONCE,
        "iat": NOW, "exp": NOW + 300,
        "dcql_query": { "credentials": [
            { "id": "a", "format": "dc+sd-jwt", "meta": { "vct_values": ["https://gateway.example/vct/Identity"] } }
        ] },
    });
    let Some(token) = signed(&KEYS.es256, header, &completed(claims, usual)) else {
        return;
    };
    let Ok(request) = SignedRequestObject::parse(&token) else {
        return;
    };
    assert!(request.check(KEYS.foreign.public_jwk(), &expected).is_err());
    let Ok(read) = request.check(KEYS.es256.public_jwk(), &expected) else {
        return;
    };
    assert_eq!(read.client_id, client_id, "a request of another verifier");
    assert!(matches!(read.response_uri.scheme(), "https" | "http"));
    let again = wait(read.sign(&KEYS.es256, "key")).expect("a request can be signed");
    let again = SignedRequestObject::parse(&again)
        .and_then(|request| request.check(KEYS.es256.public_jwk(), &expected));
    assert_eq!(again.as_ref(), Ok(&read));
}

/// A link that a wallet scans, and a client id.
pub(super) fn links(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(client_id) = ClientId::parse(text) {
        assert_eq!(client_id.to_string(), text);
    }
    if let Ok(form) = Form::parse(data)
        && let Ok(post) = RequestUriPost::parse(&form)
    {
        let again = Form::parse(post.to_form().as_bytes()).expect("a posted request is a form");
        assert_eq!(RequestUriPost::parse(&again).as_ref(), Ok(&post));
    }
    let Ok(link) = RequestLink::parse(text) else {
        return;
    };
    if let RequestSource::Reference { uri, .. } = &link.source {
        assert!(matches!(uri.scheme(), "https" | "http"));
        assert!(uri.username().is_empty() && uri.password().is_none());
    }
    let again = RequestLink::parse(&link.to_string()).expect("a link can be read again");
    assert_eq!(again.client_id, link.client_id);
    assert_eq!(again.to_string(), link.to_string());
}
