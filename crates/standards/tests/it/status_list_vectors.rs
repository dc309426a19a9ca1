//! The vectors that both specifications publish for their lists, one codec for both, and the W3C's credential around its
//! list [TS-03, TS-04, BS-01].
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use standards::claims::ClaimError;
use standards::jose::jws::{self, ProtectedHeader};
use standards::status_list::{
    BITSTRING_TYP, Bits, BitstringCredential, BitstringError, Entry, ExpectedBitstring, Layout,
    ListError, ParsedBitstringCredential, Purpose, Status, StatusList,
};
use standards::vc::jwt_vc_json::ParsedCredential;

use crate::world::{ES256, SKEW, key, later, now, public, wait};

const URI: &str = "https://gateway.example/status/1/revocation";
const ISSUER: &str = "did:web:gateway.example:trust";
const KID: &str = "did:web:gateway.example:trust#key-1";
/// `encodedList` of the examples in Bitstring Status List 1.0, 2.2 and A.1: nothing is set.
const W3C_EMPTY: &str = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA";
const ALL_BITS: [Bits; 4] = [Bits::One, Bits::Two, Bits::Four, Bits::Eight];

#[test]
fn ts_03_the_drafts_lists_of_2_20_entries_say_what_the_draft_says() {
    let vectors = include_str!("../vectors/token-status-list.txt");
    let mut lists = 0;
    for vector in vectors.split("bits ").skip(1) {
        let mut lines = vector.lines();
        let bits = Bits::from_number(lines.next().unwrap().parse().unwrap()).unwrap();
        let lst = lines.next().unwrap().strip_prefix("lst ").unwrap();
        let mut expected = StatusList::new(bits, 1 << 20);
        for line in lines {
            let (index, status) = line.split_once(' ').unwrap();
            let status = Status::from_number(status.parse().unwrap());
            expected.set(index.parse().unwrap(), status).unwrap();
        }
        let read = StatusList::decode(bits, lst, 1 << 20).unwrap();
        assert_eq!(read, expected, "{bits:?}");
        // Compressors differ; what they wrap does not.
        let written = StatusList::decode(bits, &read.encode(), 1 << 20).unwrap();
        assert_eq!(written, expected, "{bits:?}");
        lists += 1;
    }
    assert_eq!(lists, 4);
}

#[test]
fn bs_01_the_specifications_list_is_16_kib_and_empty() {
    let read = StatusList::decode_in(Layout::BITSTRING, Bits::One, W3C_EMPTY, 1 << 20).unwrap();
    assert_eq!(read, StatusList::new_in(Layout::BITSTRING, Bits::One, 1));
    assert_eq!(
        (read.as_bytes().len(), read.entries()),
        (16 * 1024, 131_072)
    );
    assert_eq!(read.find(131_071), Ok(Status::Valid));
    assert!(read.find(131_072).is_err());
}

/// Bitstring Status List 1.0, 5.1: the first index is the left-most bit, the last the right-most.
#[test]
fn bs_01_the_first_index_is_the_left_most_bit() {
    let mut list = StatusList::new_in(Layout::BITSTRING, Bits::One, 131_072);
    list.set(0, Status::Invalid).unwrap();
    list.set(131_071, Status::Invalid).unwrap();
    let bytes = list.as_bytes();
    assert_eq!((bytes[0], bytes[16_383]), (0b1000_0000, 0b0000_0001));
    let mut two = StatusList::new_in(Layout::BITSTRING, Bits::Two, 1);
    two.set(1, Status::Suspended).unwrap();
    assert_eq!(two.as_bytes()[0], 0b0010_0000);
}

#[test]
fn every_layout_and_size_reads_what_it_wrote() {
    for layout in [Layout::TOKEN, Layout::BITSTRING] {
        for bits in ALL_BITS {
            let mut list = StatusList::new_in(layout, bits, 200_000);
            for index in (0..200_000).step_by(7) {
                let most = u64::from(u8::MAX >> (8 - bits.number()));
                let status = u8::try_from(index / 7 % (most + 1)).unwrap();
                list.set(index, Status::from_number(status)).unwrap();
            }
            let read = StatusList::decode_in(layout, bits, &list.encode(), 1 << 20).unwrap();
            assert_eq!(read, list, "{layout:?} {bits:?}");
        }
    }
}

#[test]
fn bs_01_a_list_shorter_than_the_least_or_larger_than_the_cap_is_refused() {
    // A list that is written as the other standard says, then one that is too short, then one that bursts.
    let decode = |text: &str| StatusList::decode_in(Layout::BITSTRING, Bits::One, text, 20_000);
    let token = StatusList::new(Bits::One, 131_072).encode();
    assert_eq!(decode(&token), Err(ListError::Encoding));
    assert_eq!(decode(&format!("u{token}")), Err(ListError::Encoding));
    let short = Layout {
        fewest_bytes: 0,
        ..Layout::BITSTRING
    };
    let short = StatusList::new_in(short, Bits::One, 131_064).encode();
    assert_eq!(decode(&short), Err(ListError::TooShort { least: 16_384 }));
    let large = StatusList::new_in(Layout::BITSTRING, Bits::One, 200_000).encode();
    assert_eq!(decode(&large), Err(ListError::TooLarge { limit: 20_000 }));
}

#[test]
fn a_bitstring_of_one_status_has_a_bit_for_each_entry_with_it() {
    let mut list = StatusList::new(Bits::Two, 131_072);
    for (index, status) in [(0, 1), (1, 2), (5, 3), (131_071, 2)] {
        list.set(index, Status::from_number(status)).unwrap();
    }
    let set = |status| {
        let bitstring = list.bitstring_of(status);
        let set = (0..131_072).filter(|index| bitstring.find(*index) == Ok(Status::Invalid));
        set.collect::<Vec<_>>()
    };
    assert_eq!(set(Status::Invalid), [0]);
    assert_eq!(set(Status::Suspended), [1, 131_071]);
}

fn credential() -> BitstringCredential {
    let mut list = StatusList::new_in(Layout::BITSTRING, Bits::One, 131_072);
    list.set(94_567, Status::Invalid).unwrap();
    BitstringCredential {
        uri: URI.into(),
        issuer: ISSUER.into(),
        purpose: Purpose::Revocation,
        valid_from: now(),
        valid_until: Some(later(600)),
        ttl: Some(30_000),
        list,
    }
}

const EXPECTED: ExpectedBitstring<'_> = ExpectedBitstring {
    uri: URI,
    issuer: ISSUER,
    purpose: Purpose::Revocation,
};

fn changed(change: impl Fn(&mut Value)) -> Result<BitstringCredential, BitstringError> {
    signed_as(BITSTRING_TYP, change)
}

fn signed_as(
    typ: &'static str,
    change: impl Fn(&mut Value),
) -> Result<BitstringCredential, BitstringError> {
    let issuer = key();
    let mut document = credential().to_value();
    change(&mut document);
    let text = jws::sign_now(&issuer, ProtectedHeader::typ(typ).kid(KID), &document).unwrap();
    let parsed = ParsedBitstringCredential::parse(&text)?;
    parsed.verify(&public(&issuer), ES256, &EXPECTED, now(), SKEW)
}

#[test]
fn bs_01_jc_01_a_signed_bitstring_reads_back_and_is_its_own_payload() {
    let issuer = key();
    let text = wait(credential().sign(&issuer, KID)).unwrap();
    let parsed = ParsedBitstringCredential::parse(&text).unwrap();
    assert_eq!(parsed.header().typ(), Some("vc+jwt"));
    let read = parsed.verify(&public(&issuer), ES256, &EXPECTED, now(), SKEW);
    let read = read.unwrap();
    assert_eq!(read, credential());
    assert_eq!(
        (read.is_set(94_567), read.is_set(94_566)),
        (Ok(true), Ok(false))
    );
    assert!(read.is_set(131_072).is_err());
    let document = credential().to_value();
    assert_eq!(
        document["@context"][0],
        "https://www.w3.org/ns/credentials/v2"
    );
    assert!(document.get("vc").is_none() && document.get("iss").is_none());
    // It is no credential of anybody's.
    assert!(ParsedCredential::parse(&text).is_err());
}

/// SEC-25: whatever is not this issuer's word about this list, purpose and time is no answer.
#[test]
fn sec_25_a_bitstring_that_is_about_something_else_is_refused() {
    let set = |path: &'static str, value: Value| {
        changed(move |document| *document.pointer_mut(path).unwrap() = value.clone())
    };
    assert_eq!(
        set("/id", json!("https://x.example")),
        Err(BitstringError::Another("address"))
    );
    assert_eq!(
        set("/issuer", json!("did:web:x")),
        Err(BitstringError::Another("issuer"))
    );
    assert!(set("/issuer", json!({ "id": ISSUER, "name": "Trust" })).is_ok());
    let purpose = "/credentialSubject/statusPurpose";
    assert_eq!(
        set(purpose, json!("suspension")),
        Err(BitstringError::Another("purpose"))
    );
    assert_eq!(
        set(purpose, json!(["message", "suspension"])),
        Err(BitstringError::Another("purpose"))
    );
    assert!(set(purpose, json!(["message", "revocation"])).is_ok());
    assert_eq!(
        set("/validUntil", json!(now().to_string())),
        Err(BitstringError::Expired)
    );
    let future = json!(later(61).to_string());
    assert_eq!(
        set("/validFrom", future),
        Err(BitstringError::FromTheFuture)
    );
    for (path, name) in [
        ("/@context/0", "@context"),
        ("/type/0", "type"),
        ("/type/1", "type"),
        ("/validUntil", "validUntil"),
        ("/credentialSubject/type", "credentialSubject"),
        ("/credentialSubject/ttl", "ttl"),
    ] {
        let malformed = Err(BitstringError::Claim(ClaimError::Malformed(name)));
        assert_eq!(set(path, json!("wrong")), malformed, "{path}");
    }
    let encoded = "/credentialSubject/encodedList";
    let broken = Err(BitstringError::List(ListError::Encoding));
    assert_eq!(set(encoded, json!("uAAAA")), broken);
    assert!(matches!(
        signed_as("JWT", |_| ()),
        Err(BitstringError::Verify(_))
    ));
    let stranger = ParsedBitstringCredential::parse(&wait(credential().sign(&key(), KID)).unwrap());
    let read = stranger
        .unwrap()
        .verify(&public(&key()), ES256, &EXPECTED, now(), SKEW);
    assert!(matches!(read, Err(BitstringError::Verify(_))));
}

#[test]
fn an_entry_names_its_place_as_text() {
    let entry = Entry {
        purpose: Purpose::Suspension,
        index: 7,
        credential: URI.into(),
    };
    assert_eq!(entry.to_value()["statusListIndex"], "7");
    assert_eq!(entry.to_value()["id"], format!("{URI}#7"));
}
