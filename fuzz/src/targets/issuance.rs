//! What a wallet sends to have a credential issued, and what it reads.

use serde_json::json;
use standards::jose::Signer;
use standards::oauth::Form;
use standards::oauth::metadata::AuthorizationServerMetadata;
use standards::openid4vci::proof::{Expected, TYP};
use standards::openid4vci::token::{TokenRequest, TokenResponse};
use standards::openid4vci::{
    CredentialOffer, CredentialRequest, CredentialResponse, IssuerMetadata, KeyProof,
    NotificationRequest, OfferLink,
};

use crate::scene::{
    ASYMMETRIC, AUDIENCE, KEYS, MAX_AGE, NONCE, NOW, SKEW, completed, did_of, fields, now, object,
    signed,
};

/// SEC-19, SEC-15. Fields: the header, the claims. `"$JWK"` and `$DID` stand for the holder's key. A proof that holds
/// is for this issuer, of now, of the key that signed it.
pub(super) fn key_proof(data: &[u8]) {
    let expected = Expected {
        credential_issuer: AUDIENCE,
        algorithms: ASYMMETRIC,
        client_id: None,
        nonce_required: true,
        now: now(),
        max_age: MAX_AGE,
        skew: SKEW,
    };
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(proof) = KeyProof::parse(text)
        && let Ok(held) = proof.check(&expected)
    {
        // Anybody can make a proof with a key of his own; it says so.
        assert!(!held.holder.same_key(KEYS.holder.public_jwk()));
    }
    let Some([header, claims]) = fields(data) else {
        return;
    };
    let jwk = KEYS.holder.public_jwk().bare_key().to_value().to_string();
    let header = header
        .replace("\"$JWK\"", &jwk)
        .replace("$DID", &did_of(&KEYS.holder));
    let (Some(header), Some(claims)) = (object(&header), object(claims)) else {
        return;
    };
    let header = completed(header, json!({ "typ": TYP }));
    let claims = completed(
        claims,
        json!({ "aud": AUDIENCE, "iat": NOW, "nonce": NONCE }),
    );
    let Some(token) = signed(&KEYS.holder, header.clone(), &claims) else {
        return;
    };
    let Ok(proof) = KeyProof::parse(&token) else {
        return;
    };
    let Ok(held) = proof.check(&expected) else {
        return;
    };
    assert!(
        held.holder.same_key(KEYS.holder.public_jwk()),
        "bound to another key"
    );
    assert!(claims["aud"] == AUDIENCE || claims["aud"] == json!([AUDIENCE]));
    assert!(
        claims.get("iss").is_none(),
        "an anonymous wallet names a client"
    );
    assert_eq!(held.nonce.as_deref(), claims["nonce"].as_str());
    assert!(held.nonce.is_some_and(|nonce| !nonce.is_empty()));
    assert!(held.issued_at >= now() - MAX_AGE && held.issued_at <= now() + SKEW);
    let named = ["kid", "jwk", "x5c"];
    assert_eq!(
        named
            .iter()
            .filter(|name| header.contains_key(**name))
            .count(),
        1
    );
}

/// SEC-21. What a wallet posts to an issuer: what is accepted comes back when it is written again.
pub(super) fn issuance_requests(data: &[u8]) {
    if let Ok(request) = CredentialRequest::parse(data) {
        let again = request.to_value().to_string();
        assert_eq!(
            CredentialRequest::parse(again.as_bytes()).as_ref(),
            Ok(&request)
        );
    }
    if let Ok(notification) = NotificationRequest::parse(data) {
        let again = notification.to_value().to_string();
        assert_eq!(
            NotificationRequest::parse(again.as_bytes()).as_ref(),
            Ok(&notification)
        );
    }
    if let Ok(form) = Form::parse(data)
        && let Ok(request) = TokenRequest::parse(&form)
    {
        let again = request.to_form();
        let again = Form::parse(again.as_bytes()).expect("a token request is a form");
        assert!(TokenRequest::parse(&again).is_ok_and(|again| again == request));
    }
}

/// Fields: the issuer's identifier, a document. What a wallet fetches from an issuer.
pub(super) fn issuance_answers(data: &[u8]) {
    let Some([issuer, document]) = fields(data) else {
        return;
    };
    let document = document.as_bytes();
    if let Ok(metadata) = IssuerMetadata::parse(document, issuer) {
        assert_eq!(
            metadata.credential_issuer, issuer,
            "the metadata of another issuer"
        );
        let again = metadata.to_value().to_string();
        assert!(IssuerMetadata::parse(again.as_bytes(), issuer).is_ok());
    }
    if let Ok(metadata) = AuthorizationServerMetadata::parse(document, issuer) {
        assert_eq!(metadata.issuer, issuer, "the metadata of another server");
    }
    if let Ok(response) = CredentialResponse::parse(document) {
        let again = response.to_value().to_string();
        assert_eq!(
            CredentialResponse::parse(again.as_bytes()).as_ref(),
            Ok(&response)
        );
    }
    if let Ok(response) = TokenResponse::parse(document) {
        let again = response.to_value().to_string();
        assert!(TokenResponse::parse(again.as_bytes()).is_ok());
        let _ = response.credential_identifiers(issuer);
    }
}

/// A credential offer, by itself and in a link.
pub(super) fn offers(data: &[u8]) {
    if let Ok(offer) = CredentialOffer::parse(data) {
        let link = OfferLink::parse(&offer.link());
        assert_eq!(
            link,
            Ok(OfferLink::ByValue(offer)),
            "an offer does not survive its link"
        );
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(link) = OfferLink::parse(text) else {
        return;
    };
    if let OfferLink::ByReference(uri) = &link {
        assert!(matches!(uri.scheme(), "https" | "http"));
        assert!(uri.username().is_empty() && uri.password().is_none());
    }
    let again = link.to_string();
    assert!(again.bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(OfferLink::parse(&again), Ok(link));
}
