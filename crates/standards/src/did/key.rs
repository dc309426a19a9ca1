//! `did:key`: an identifier that is a public key in multibase. [did:key method specification]

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};

use super::document::{Document, Relationship};
use super::{Did, DidError, DidUrl};
use crate::jose::Jwk;
use crate::jose::jwk::{JwkError, KeyType};

/// Multicodec `ed25519-pub` and `p256-pub`, as varints.
const ED25519: [u8; 2] = [0xed, 0x01];
const P256: [u8; 2] = [0x80, 0x24];

/// An uncompressed P-256 point, and its compressed form.
const POINT: usize = 65;
const COMPRESSED: usize = 33;

/// The longest multibase text of a key supported here; longer ones are not worth decoding.
const MAX_MULTIBASE: usize = 64;

/// The DID of a P-256 or Ed25519 key.
pub fn encode(key: &Jwk) -> Result<Did, DidError> {
    Ok(Did(format!("did:key:{}", multibase(key)?)))
}

/// The key of a DID. Its `kid` is the DID URL that tokens name it by.
pub fn decode(did: &Did) -> Result<Jwk, DidError> {
    let key = from_multibase(did.of_method("key")?)?;
    Ok(key.with_kid(verification_method(did).to_string()))
}

/// The DID URL of the only signing key: the fragment repeats the id.
pub fn verification_method(did: &Did) -> DidUrl {
    DidUrl {
        did: did.clone(),
        fragment: did.method_specific_id().to_owned(),
    }
}

/// The document that the DID stands for.
pub fn document(did: &Did) -> Result<Document, DidError> {
    Ok(Document::of_one_key(
        verification_method(did),
        decode(did)?,
        Relationship::ALL,
    ))
}

/// The key as a `Multikey` writes it: `z`, and base58 of codec and key.
fn multibase(key: &Jwk) -> Result<String, DidError> {
    let bytes = if let Some(x) = key.ed25519() {
        [&ED25519[..], x].concat()
    } else if let Some(point) = key.point_on(KeyType::P256) {
        // [SEC 1 2.3.3] The sign of y, and x.
        let sign = 2 + (point[POINT - 1] & 1);
        [&P256[..], &[sign], &point[1..COMPRESSED]].concat()
    } else {
        return Err(DidError::KeyType);
    };
    Ok(format!("z{}", bs58::encode(bytes).into_string()))
}

/// Reads a key in multibase, as `did:key` and `publicKeyMultibase` carry it.
pub(super) fn from_multibase(text: &str) -> Result<Jwk, DidError> {
    let base58 = text
        .strip_prefix('z')
        .filter(|_| text.len() <= MAX_MULTIBASE)
        .ok_or(DidError::Encoding)?;
    let bytes = bs58::decode(base58)
        .into_vec()
        .map_err(|_| DidError::Encoding)?;
    if let Some(x) = bytes.strip_prefix(&ED25519) {
        Jwk::from_ed25519(x).map_err(DidError::Key)
    } else if let Some(point) = bytes.strip_prefix(&P256) {
        Jwk::from_point(KeyType::P256, &uncompressed(point)?).map_err(DidError::Key)
    } else {
        Err(DidError::KeyType)
    }
}

/// Finds y for a compressed point. The library does, and gives it back at the end of its
/// `SubjectPublicKeyInfo`, where the uncompressed point is the last thing.
fn uncompressed(point: &[u8]) -> Result<Vec<u8>, DidError> {
    let unsound = || DidError::Key(JwkError::Point);
    if point.len() != COMPRESSED {
        return Err(DidError::Encoding);
    }
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| unsound())?;
    let der: PublicKeyX509Der<'_> = key.as_der().map_err(|_| unsound())?;
    let der = der.as_ref();
    der.len()
        .checked_sub(POINT)
        .map(|start| der[start..].to_vec())
        .ok_or_else(unsound)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::jose::{Algorithm, Signer, SoftwareKey};

    fn parse(did: &str) -> Result<Jwk, DidError> {
        decode(&Did::parse(did).unwrap())
    }

    #[test]
    fn the_examples_of_the_method_specification_are_read_and_written() {
        let ed25519 = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
        let p256 = "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169";
        let other_p256 = "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv";
        for (did, key_type) in [
            (ed25519, KeyType::Ed25519),
            (p256, KeyType::P256),
            (other_p256, KeyType::P256),
        ] {
            let key = parse(did).unwrap();
            assert_eq!(key.key_type(), key_type);
            assert_eq!(encode(&key).unwrap().as_str(), did);
            assert_eq!(key.kid().unwrap(), format!("{did}#{}", &did[8..]));
        }
        assert_eq!(
            parse(p256).unwrap().to_value()["x"],
            "fyNYMN0976ci7xqiSdag3buk-ZCwgXU4kz9XNkBlNUI"
        );
        assert_eq!(
            parse(p256).unwrap().to_value()["y"],
            "hW2ojTNfH7Jbi8--CJUo3OCbH3y5n91g-IMA9MLMbTU"
        );
    }

    #[test]
    fn keys_of_our_own_come_back_whole_whatever_the_sign_of_y() {
        for _ in 0..16 {
            let key = SoftwareKey::generate(Algorithm::ES256).unwrap();
            let did = encode(key.public_jwk()).unwrap();
            assert!(decode(&did).unwrap().same_key(key.public_jwk()));
            let document = document(&did).unwrap();
            assert!(
                document
                    .find(
                        &verification_method(&did).to_string(),
                        Relationship::AssertionMethod
                    )
                    .is_ok()
            );
        }
    }

    #[test]
    fn other_keys_encodings_and_points_are_refused() {
        // secp256k1 and X25519, from the method specification.
        assert_eq!(
            parse("did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"),
            Err(DidError::KeyType)
        );
        assert_eq!(
            parse("did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc"),
            Err(DidError::KeyType)
        );
        let multibase = |bytes: &[u8]| format!("did:key:z{}", bs58::encode(bytes).into_string());
        // x = 5 has no y on P-256 for this sign alone: both signs are refused when x is off the curve.
        let off_curve = [&P256[..], &[2], &[0; 31], &[4]].concat();
        let refused = [
            multibase(&off_curve),
            multibase(&[&P256[..], &[4], &[0; 64]].concat()),
        ];
        assert!(refused.iter().all(|did| parse(did).is_err()));
        assert_eq!(
            parse(&multibase(&[&ED25519[..], &[0; 32]].concat())),
            Err(DidError::Key(JwkError::Point))
        );
        assert_eq!(
            parse("did:key:6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"),
            Err(DidError::Encoding)
        );
        assert_eq!(parse("did:key:z0OIl"), Err(DidError::Encoding));
        let rsa = SoftwareKey::generate(Algorithm::RS256).unwrap();
        assert_eq!(encode(rsa.public_jwk()), Err(DidError::KeyType));
    }
}
