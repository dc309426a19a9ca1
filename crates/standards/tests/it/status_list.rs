//! Status list tokens: whose list it is, how long it holds, and what is no answer [TS-02, SEC-25].
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use standards::claims::ClaimError;
use standards::jose::jws::{self, ProtectedHeader, VerifyError};
use standards::status_list::{
    self, Bits, ListError, ParsedStatusListToken, Status, StatusList, StatusListToken, TokenError,
};

use crate::world::{ES256, SKEW, key, later, now, public, wait};

const URI: &str = "https://gateway.example/status/1";
const KID: &str = "did:web:gateway.example:trust#key-1";

fn token() -> StatusListToken {
    let mut list = StatusList::new(Bits::Two, 1 << 12);
    list.set(7, Status::Invalid).unwrap();
    list.set(8, Status::Suspended).unwrap();
    StatusListToken {
        uri: URI.into(),
        issuer: Some("did:web:gateway.example:trust".into()),
        issued_at: now(),
        expires_at: Some(later(3600)),
        ttl: Some(60),
        list,
    }
}

fn changed(change: impl Fn(&mut Value)) -> Result<StatusListToken, TokenError> {
    let issuer = key();
    let mut claims = token().to_claims();
    change(&mut claims);
    let text = jws::sign_now(
        &issuer,
        ProtectedHeader::typ(status_list::TYP).kid(KID),
        &claims,
    )
    .unwrap();
    ParsedStatusListToken::parse(&text)?.verify(&public(&issuer), ES256, URI, now(), SKEW)
}

#[test]
fn ts_02_a_signed_list_reads_back_and_answers() {
    let issuer = key();
    let text = wait(status_list::sign(&issuer, KID, &token())).unwrap();
    let parsed = ParsedStatusListToken::parse(&text).unwrap();
    assert_eq!(
        parsed.unverified_issuer(),
        Some("did:web:gateway.example:trust")
    );
    let read = parsed
        .verify(&public(&issuer), ES256, URI, now(), SKEW)
        .unwrap();
    assert_eq!(read, token());
    let answers = [6, 7, 8].map(|index| read.find(index).unwrap());
    assert_eq!(answers, [Status::Valid, Status::Invalid, Status::Suspended]);
    assert_eq!(
        read.find(1 << 12),
        Err(ListError::OutOfRange { index: 1 << 12 })
    );
}

#[test]
fn sec_25_a_list_of_another_issuer_address_or_type_is_refused() {
    let (issuer, other) = (key(), key());
    let text = wait(status_list::sign(&issuer, KID, &token())).unwrap();
    let parsed = ParsedStatusListToken::parse(&text).unwrap();
    let refused = parsed.verify(&public(&other), ES256, URI, now(), SKEW);
    assert_eq!(refused, Err(VerifyError::Signature.into()));
    let refused = parsed.verify(
        &public(&issuer),
        ES256,
        "https://gateway.example/status/2",
        now(),
        SKEW,
    );
    assert_eq!(refused, Err(TokenError::Subject));
    let untyped =
        jws::sign_now(&issuer, ProtectedHeader::typ("JWT"), &token().to_claims()).unwrap();
    let refused = ParsedStatusListToken::parse(&untyped).unwrap().verify(
        &public(&issuer),
        ES256,
        URI,
        now(),
        SKEW,
    );
    assert_eq!(refused, Err(VerifyError::WrongType.into()));
}

#[test]
fn sec_25_an_expired_list_and_one_from_the_future_are_refused() {
    assert_eq!(
        changed(|claims| claims["exp"] = json!(now().as_second())),
        Err(TokenError::Expired)
    );
    assert_eq!(
        changed(|claims| claims["iat"] = json!(later(61).as_second())),
        Err(TokenError::FromTheFuture)
    );
}

#[test]
fn ts_02_a_malformed_list_is_refused() {
    let wrong = |pointer: &str, value: Value| {
        changed(|claims| *claims.pointer_mut(pointer).unwrap() = value.clone()).unwrap_err()
    };
    let malformed = || TokenError::Claim(ClaimError::Malformed("status_list"));
    for bits in [json!(3), json!(16), json!("1"), json!(0)] {
        assert_eq!(wrong("/status_list/bits", bits), malformed());
    }
    assert_eq!(wrong("/status_list/lst", json!(7)), malformed());
    assert_eq!(
        wrong("/status_list/lst", json!("AAAA")),
        ListError::Encoding.into()
    );
    assert_eq!(wrong("/ttl", json!(0)), ClaimError::Malformed("ttl").into());
    assert_eq!(
        wrong("/iat", json!("x")),
        ClaimError::Malformed("iat").into()
    );
    let bomb = StatusList::new(Bits::Eight, 8 << 20).encode();
    assert!(matches!(
        wrong("/status_list/lst", json!(bomb)),
        TokenError::List(ListError::TooLarge { .. })
    ));
}

#[test]
fn a_copy_is_kept_no_longer_than_ttl_and_never_beyond_the_expiry() {
    let mut token = token();
    assert_eq!(token.usable_until(now()), Some(later(60)));
    assert_eq!(token.usable_until(later(3590)), Some(later(3600)));
    token.ttl = None;
    assert_eq!(token.usable_until(now()), Some(later(3600)));
    token.expires_at = None;
    assert_eq!(token.usable_until(now()), None);
    token.ttl = Some(u64::MAX);
    assert_eq!(token.usable_until(now()), None);
}
