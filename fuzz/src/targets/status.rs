//! Status lists: what a verifier fetches from wherever a credential points.

use serde_json::{Map, json};
use standards::jose::Signer;

use standards::status_list::{
    Bits, ParsedStatusListToken, Status, StatusList, StatusReference, TYP,
};

use crate::scene::{
    ASYMMETRIC, KEYS, NOW, SKEW, base64url, completed, fields, now, object, signed,
};

const URI: &str = "https://gateway.example/status/1";
/// The cap under which the targets inflate.
const LIMIT: usize = 64 * 1024;

/// SEC-25. The first byte says how many bits an entry has, the others are the compressed list: it inflates to no more
/// than the cap, and answers for the indexes that it has and for no other.
pub(super) fn status_list(data: &[u8]) {
    let Some((bits, compressed)) = data.split_first() else {
        return;
    };
    let Some(bits) = Bits::from_number(u64::from(*bits)) else {
        return;
    };
    let Ok(list) = StatusList::decode(bits, &base64url(compressed), LIMIT) else {
        return;
    };
    assert!(list.as_bytes().len() <= LIMIT, "inflated beyond the cap");
    assert_eq!(
        StatusList::decode(bits, &list.encode(), LIMIT).as_ref(),
        Ok(&list)
    );
    assert!(list.find(list.entries()).is_err() && list.find(u64::MAX).is_err());
    let mut changed = list.clone();
    for index in [0, 1, list.entries() / 2, list.entries().saturating_sub(1)] {
        let Ok(before) = list.find(index) else {
            continue;
        };
        changed
            .set(index, Status::Invalid)
            .expect("one bit is always there");
        assert_eq!(changed.find(index), Ok(Status::Invalid));
        changed
            .set(index, before)
            .expect("the status fitted before");
    }
    assert_eq!(changed, list, "setting an entry changed its neighbour");
}

/// SEC-25. Fields: the header, the claims. A token is believed from the key of its issuer and for its address alone.
pub(super) fn status_token(data: &[u8]) {
    let key = KEYS.es256.public_jwk();
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(token) = ParsedStatusListToken::parse(text)
    {
        assert!(token.verify(key, ASYMMETRIC, URI, now(), SKEW).is_err());
    }
    let Some([header, claims]) = fields(data) else {
        return;
    };
    let (Some(header), Some(claims)) = (object(header), object(claims)) else {
        return;
    };
    if let Ok(Some(reference)) = StatusReference::parse(&claims) {
        let again = Map::from_iter([("status".to_owned(), reference.to_value())]);
        assert_eq!(StatusReference::parse(&again), Ok(Some(reference)));
    }
    let header = completed(header, json!({ "typ": TYP }));
    let list = StatusList::new(Bits::One, 64).encode();
    let usual = json!({ "sub": URI, "iat": NOW, "exp": NOW + 60, "ttl": 60,
                        "status_list": { "bits": 1, "lst": list } });
    let claims = completed(claims, usual);
    let Some(token) = signed(&KEYS.es256, header, &claims) else {
        return;
    };
    let Ok(token) = ParsedStatusListToken::parse(&token) else {
        return;
    };
    assert!(
        token
            .verify(KEYS.foreign.public_jwk(), ASYMMETRIC, URI, now(), SKEW)
            .is_err()
    );
    let Ok(read) = token.verify(key, ASYMMETRIC, URI, now(), SKEW) else {
        return;
    };
    assert_eq!(claims["sub"], URI, "the list of another address");
    assert!(
        read.expires_at.is_none_or(|at| at > now()),
        "an expired list"
    );
    assert!(
        read.usable_until(now())
            .is_none_or(|until| read.expires_at.is_none_or(|at| until <= at))
    );
    assert!(read.find(read.list.entries()).is_err());
}
