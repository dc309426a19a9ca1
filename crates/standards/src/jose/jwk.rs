//! Public keys as JSON. [RFC 7517, RFC 7518 6, RFC 8037]
//!
//! Holding a [`Jwk`] proves that the key is public, of a kind this house verifies with, and sound:
//! on its curve, long enough, not of low order.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ParsedPublicKey};
use serde_json::{Map, Value, json};

use super::{Algorithm, roca};
use crate::base64url;

/// Members that only a private or a shared key has. [RFC 7518 6.2.2, 6.3.2, 6.4.1]
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The kinds of key this house verifies with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// `EC` on P-256.
    P256,
    /// `EC` on P-384.
    P384,
    /// `OKP` Ed25519.
    Ed25519,
    /// `RSA` of at least 2048 bits.
    Rsa,
}

impl KeyType {
    /// Whether a key of this kind makes signatures of that algorithm; the tie that stops algorithm
    /// confusion (SEC-15).
    pub fn fits(self, alg: Algorithm) -> bool {
        match self {
            Self::P256 => alg == Algorithm::ES256,
            Self::P384 => alg == Algorithm::ES384,
            Self::Ed25519 => alg == Algorithm::EdDSA,
            Self::Rsa => matches!(alg, Algorithm::RS256 | Algorithm::PS256),
        }
    }

    fn coordinate_length(self) -> usize {
        if self == Self::P384 { 48 } else { 32 }
    }
}

/// Why a key was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// Not a JSON object.
    #[error("a JWK is a JSON object")]
    NotAnObject,
    /// Private or symmetric members: the sender gave its secret away.
    #[error("the JWK carries the secret member {0:?}; only public keys are accepted")]
    Secret(&'static str),
    /// A kind of key or a curve this house has no use for.
    #[error("the key type or curve of the JWK is not supported")]
    Unsupported,
    /// A member is missing or has the wrong form.
    #[error("the JWK member {0:?} is missing or malformed")]
    Member(&'static str),
    /// The point is not on the curve, or is of low order.
    #[error("the JWK is no valid point of its curve")]
    Point,
    /// An RSA key that is too short, too long, or has a bad exponent.
    #[error("the RSA modulus has to be of 2048 to 8192 bits, with an odd exponent of 3 to 33 bits")]
    RsaSize,
    /// An RSA key made by the faulty generator of CVE-2017-15361.
    #[error("the RSA key comes from a generator known to be broken (ROCA)")]
    Roca,
}

#[derive(Clone, PartialEq, Eq)]
enum Material {
    /// SEC 1 uncompressed point.
    Ec {
        point: Vec<u8>,
    },
    Ed25519([u8; 32]),
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

/// A public key, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Jwk {
    key_type: KeyType,
    material: Material,
    kid: Option<String>,
    alg: Option<String>,
    key_use: Option<String>,
    key_ops: Option<Vec<String>>,
}

impl Jwk {
    /// Reads a public key.
    pub fn parse(value: &Value) -> Result<Self, JwkError> {
        let members = value.as_object().ok_or(JwkError::NotAnObject)?;
        if members.get("kty").and_then(Value::as_str) == Some("oct") {
            return Err(JwkError::Secret("k"));
        }
        if let Some(secret) = SECRET_MEMBERS
            .iter()
            .find(|name| members.contains_key(**name))
        {
            return Err(JwkError::Secret(secret));
        }
        let mut jwk = match (
            required(members, "kty")?,
            members.get("crv").and_then(Value::as_str),
        ) {
            ("EC", Some("P-256")) => Self::parse_ec(KeyType::P256, members)?,
            ("EC", Some("P-384")) => Self::parse_ec(KeyType::P384, members)?,
            ("OKP", Some("Ed25519")) => Self::from_ed25519(&bytes(members, "x")?)?,
            ("RSA", _) => Self::from_rsa(&bytes(members, "n")?, &bytes(members, "e")?)?,
            _ => return Err(JwkError::Unsupported),
        };
        jwk.kid = optional(members, "kid")?;
        jwk.alg = optional(members, "alg")?;
        jwk.key_use = optional(members, "use")?;
        jwk.key_ops = operations(members)?;
        Ok(jwk)
    }

    fn parse_ec(key_type: KeyType, members: &Map<String, Value>) -> Result<Self, JwkError> {
        let mut point = vec![0x04];
        for name in ["x", "y"] {
            // [RFC 7518 6.2.1.2] Coordinates keep their leading zeros: the length is fixed.
            let coordinate = bytes(members, name)?;
            if coordinate.len() != key_type.coordinate_length() {
                return Err(JwkError::Member(name));
            }
            point.extend(coordinate);
        }
        Self::from_point(key_type, &point)
    }

    /// A key from an uncompressed point of P-256 or P-384. [SEC 1 2.3.3]
    pub(crate) fn from_point(key_type: KeyType, point: &[u8]) -> Result<Self, JwkError> {
        let curve = match key_type {
            KeyType::P256 => &ECDSA_P256_SHA256_FIXED,
            KeyType::P384 => &ECDSA_P384_SHA384_FIXED,
            KeyType::Ed25519 | KeyType::Rsa => return Err(JwkError::Unsupported),
        };
        if point.len() != 1 + 2 * key_type.coordinate_length() || point.first() != Some(&0x04) {
            return Err(JwkError::Point);
        }
        ParsedPublicKey::new(curve, point).map_err(|_| JwkError::Point)?;
        Ok(Self::bare(
            key_type,
            Material::Ec {
                point: point.to_vec(),
            },
        ))
    }

    /// A key from the 32 bytes of an Ed25519 public key.
    pub(crate) fn from_ed25519(x: &[u8]) -> Result<Self, JwkError> {
        let x: [u8; 32] = x.try_into().map_err(|_| JwkError::Member("x"))?;
        if has_low_order_or_is_not_reduced(&x) {
            return Err(JwkError::Point);
        }
        Ok(Self::bare(KeyType::Ed25519, Material::Ed25519(x)))
    }

    /// A key from modulus and exponent, both big-endian without leading zeros.
    pub(crate) fn from_rsa(n: &[u8], e: &[u8]) -> Result<Self, JwkError> {
        // [RFC 7518 6.3.1] Base64urlUInt has the fewest octets that hold the number.
        let bits = match n.first() {
            None | Some(0) => return Err(JwkError::Member("n")),
            Some(first) => n.len() * 8 - first.leading_zeros() as usize,
        };
        if e.first().is_none_or(|first| *first == 0) {
            return Err(JwkError::Member("e"));
        }
        let exponent = e
            .iter()
            .take(8)
            .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        if !(2048..=8192).contains(&bits)
            || e.len() > 5
            || exponent < 3
            || exponent % 2 == 0
            || exponent >> 33 != 0
        {
            return Err(JwkError::RsaSize);
        }
        if roca::fingerprint_matches(n) {
            return Err(JwkError::Roca);
        }
        Ok(Self::bare(
            KeyType::Rsa,
            Material::Rsa {
                n: n.to_vec(),
                e: e.to_vec(),
            },
        ))
    }

    fn bare(key_type: KeyType, material: Material) -> Self {
        Self {
            key_type,
            material,
            kid: None,
            alg: None,
            key_use: None,
            key_ops: None,
        }
    }

    /// The key as JSON: its required members, and `kid`, `alg`, `use`, `key_ops` where it has them.
    pub fn to_value(&self) -> Value {
        let mut members = self.required_members();
        let texts = [
            ("kid", &self.kid),
            ("alg", &self.alg),
            ("use", &self.key_use),
        ];
        members.extend(
            texts
                .into_iter()
                .filter_map(|(name, text)| Some((name, text.clone()?))),
        );
        let mut value: Map<_, _> = members
            .into_iter()
            .map(|(name, text)| (name.to_owned(), json!(text)))
            .collect();
        if let Some(operations) = &self.key_ops {
            value.insert("key_ops".to_owned(), json!(operations));
        }
        Value::Object(value)
    }

    /// Only the members that make the key, in the order of their names. [RFC 7638 3.2, RFC 8037 2]
    fn required_members(&self) -> Vec<(&'static str, String)> {
        match &self.material {
            Material::Ec { point } => {
                let (x, y) = point[1..].split_at(self.key_type.coordinate_length());
                let crv = if self.key_type == KeyType::P384 {
                    "P-384"
                } else {
                    "P-256"
                };
                let [x, y] = [x, y].map(base64url::encode);
                vec![
                    ("crv", crv.to_owned()),
                    ("kty", "EC".to_owned()),
                    ("x", x),
                    ("y", y),
                ]
            }
            Material::Ed25519(x) => {
                vec![
                    ("crv", "Ed25519".to_owned()),
                    ("kty", "OKP".to_owned()),
                    ("x", base64url::encode(x)),
                ]
            }
            Material::Rsa { n, e } => {
                vec![
                    ("e", base64url::encode(e)),
                    ("kty", "RSA".to_owned()),
                    ("n", base64url::encode(n)),
                ]
            }
        }
    }

    /// The key as the one JSON text that everyone who holds it would write. [RFC 7638 3.3]
    pub(crate) fn canonical_json(&self) -> String {
        // Names and values are of base64url and registered names: nothing needs escaping.
        let members: Vec<_> = self
            .required_members()
            .iter()
            .map(|(name, text)| format!("\"{name}\":\"{text}\""))
            .collect();
        format!("{{{}}}", members.join(","))
    }

    /// The key's SHA-256 thumbprint, in base64url: the same for everyone who holds the key. [RFC 7638]
    pub fn thumbprint(&self) -> String {
        base64url::encode(digest::digest(
            &digest::SHA256,
            self.canonical_json().as_bytes(),
        ))
    }

    /// The kind of key.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The key id, if the key has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithm the key says it is for: a signature algorithm, or `ECDH-ES`.
    pub fn alg(&self) -> Option<&str> {
        self.alg.as_deref()
    }

    /// `sig` or `enc`, if the key says.
    pub fn key_use(&self) -> Option<&str> {
        self.key_use.as_deref()
    }

    /// The same key under this id.
    #[must_use]
    pub fn with_kid(self, kid: impl Into<String>) -> Self {
        Self {
            kid: Some(kid.into()),
            ..self
        }
    }

    /// The same key, for this algorithm alone.
    #[must_use]
    pub fn with_alg(self, alg: impl Into<String>) -> Self {
        Self {
            alg: Some(alg.into()),
            ..self
        }
    }

    /// The same key, for this `use` alone.
    #[must_use]
    pub fn with_use(self, key_use: impl Into<String>) -> Self {
        Self {
            key_use: Some(key_use.into()),
            ..self
        }
    }

    /// The same key without id, algorithm or use: what a key proof or `cnf` carries.
    #[must_use]
    pub fn bare_key(&self) -> Self {
        Self::bare(self.key_type, self.material.clone())
    }

    /// Whether both are the same key, whatever they are called.
    pub fn same_key(&self, other: &Self) -> bool {
        self.key_type == other.key_type && self.material == other.material
    }

    /// Whether the key's own `use` and `key_ops` let it verify signatures. [RFC 7517 4.2, 4.3]
    pub fn may_verify(&self) -> bool {
        self.may("sig", &["verify"])
    }

    /// Whether the key's own `use` and `key_ops` let someone agree on a key with it.
    pub(crate) fn may_derive(&self) -> bool {
        self.may("enc", &["deriveKey", "deriveBits"])
    }

    fn may(&self, wanted_use: &str, wanted_operations: &[&str]) -> bool {
        self.key_use
            .as_deref()
            .is_none_or(|key_use| key_use == wanted_use)
            && self.key_ops.as_ref().is_none_or(|listed| {
                listed
                    .iter()
                    .any(|operation| wanted_operations.contains(&operation.as_str()))
            })
    }

    /// The uncompressed point, if the key is of this curve.
    pub(crate) fn point_on(&self, curve: KeyType) -> Option<&[u8]> {
        match &self.material {
            Material::Ec { point } if self.key_type == curve => Some(point),
            _ => None,
        }
    }

    /// The 32 bytes of an Ed25519 key.
    pub(crate) fn ed25519(&self) -> Option<&[u8; 32]> {
        match &self.material {
            Material::Ed25519(x) => Some(x),
            _ => None,
        }
    }

    /// The key in the form the verifying library takes.
    pub(crate) fn in_library(&self) -> jsonwebtoken::DecodingKey {
        match &self.material {
            Material::Ec { point } => jsonwebtoken::DecodingKey::from_ec_der(point),
            Material::Ed25519(x) => jsonwebtoken::DecodingKey::from_ed_der(x),
            Material::Rsa { n, e } => jsonwebtoken::DecodingKey::from_rsa_raw_components(n, e),
        }
    }
}

/// Points that would let one signature hold for many messages, and spellings of `y` beyond the prime.
fn has_low_order_or_is_not_reduced(x: &[u8; 32]) -> bool {
    // The y of the points of order 1, 2, 4 and 8 (two), little-endian, sign bit cleared. [RFC 7748 4.1 maps them]
    const ONE: [u8; 32] = {
        let mut y = [0; 32];
        y[0] = 1;
        y
    };
    const MINUS_ONE: [u8; 32] = {
        let mut y = [0xff; 32];
        y[0] = 0xec;
        y[31] = 0x7f;
        y
    };
    const EIGHT: [[u8; 32]; 2] = [
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
    ];
    let mut y = *x;
    y[31] &= 0x7f;
    let not_reduced = y[31] == 0x7f && y[1..31].iter().all(|byte| *byte == 0xff) && y[0] >= 0xed;
    not_reduced || y == [0; 32] || y == ONE || y == MINUS_ONE || EIGHT.contains(&y)
}

fn required<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, JwkError> {
    members
        .get(name)
        .and_then(Value::as_str)
        .ok_or(JwkError::Member(name))
}

fn optional(members: &Map<String, Value>, name: &'static str) -> Result<Option<String>, JwkError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JwkError::Member(name)),
    }
}

fn operations(members: &Map<String, Value>) -> Result<Option<Vec<String>>, JwkError> {
    let Some(value) = members.get("key_ops") else {
        return Ok(None);
    };
    let listed = value.as_array().ok_or(JwkError::Member("key_ops"))?;
    let texts: Option<Vec<String>> = listed
        .iter()
        .map(|item| item.as_str().map(str::to_owned))
        .collect();
    texts.map(Some).ok_or(JwkError::Member("key_ops"))
}

fn bytes(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, JwkError> {
    base64url::decode(required(members, name)?).map_err(|_| JwkError::Member(name))
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk")
            .field("key_type", &self.key_type)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl serde::Serialize for Jwk {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Jwk {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::parse(&value).map_err(serde::de::Error::custom)
    }
}
