//! Encrypted answers: the compact form, ECDH-ES direct on P-256 with AES-GCM. [RFC 7516, RFC 7518 4.6]

use std::fmt;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::{kdf, rand};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::Jwk;
use super::jwk::{JwkError, KeyType};
use crate::base64url;
use crate::json::{self, JsonError};

/// The longest message that [`decrypt`] reads.
pub const MAX_LENGTH: usize = 512 * 1024;

const KEY_AGREEMENT: &str = "ECDH-ES";
const TAG_LENGTH: usize = 16;

/// Why a message was refused or not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JweError {
    /// Too long.
    #[error("the encrypted message is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// Not five parts of base64url.
    #[error("an encrypted message has five parts in unpadded base64url")]
    Form,
    /// The header is not JSON as it should be.
    #[error("the message's header: {0}")]
    Header(JsonError),
    /// A header parameter is missing, malformed or not accepted.
    #[error("the header parameter {0:?} is missing or malformed")]
    Parameter(&'static str),
    /// Another key management than `ECDH-ES`.
    #[error("the key management algorithm has to be ECDH-ES")]
    UnsupportedAlgorithm,
    /// A content encryption not accepted here.
    #[error("the content encryption is not accepted here")]
    UnsupportedEncryption,
    /// `crit` or `zip`.
    #[error("the header asks for the extension {0:?}, which is not supported")]
    Extension(&'static str),
    /// The ephemeral key is not acceptable.
    #[error("the ephemeral key: {0}")]
    EphemeralKey(JwkError),
    /// The recipient's key is not for this.
    #[error("the recipient's key is not a P-256 key for ECDH-ES")]
    RecipientKey,
    /// No valid private key.
    #[error("this is no private key of P-256")]
    PrivateKey,
    /// Wrong key, or a changed message.
    #[error("the message cannot be decrypted")]
    Decryption,
    /// The library could not encrypt.
    #[error("the message cannot be encrypted")]
    Encryption,
}

impl JweError {
    /// The stable code of the refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "encrypted-message-too-long",
            Self::UnsupportedAlgorithm | Self::UnsupportedEncryption => {
                "encrypted-message-algorithm"
            }
            Self::Extension(_) => "encrypted-message-extension",
            Self::EphemeralKey(_) | Self::RecipientKey | Self::PrivateKey => {
                "encrypted-message-key"
            }
            Self::Form | Self::Header(_) | Self::Parameter(_) => "encrypted-message-malformed",
            Self::Decryption | Self::Encryption => "encrypted-message-undecryptable",
        }
    }
}

/// How the content is encrypted. [RFC 7518 5.3]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentEncryption {
    /// AES-GCM with a key of 128 bits.
    A128GCM,
    /// AES-GCM with a key of 256 bits.
    A256GCM,
}

impl ContentEncryption {
    /// Both, in the order of preference that OpenID4VP takes as its default.
    pub const ALL: &[Self] = &[Self::A128GCM, Self::A256GCM];

    /// The content encryption of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == name)
    }

    /// The registered name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A128GCM => "A128GCM",
            Self::A256GCM => "A256GCM",
        }
    }

    fn key_length(self) -> usize {
        match self {
            Self::A128GCM => 16,
            Self::A256GCM => 32,
        }
    }

    fn key(self, bytes: &[u8]) -> Result<LessSafeKey, JweError> {
        let algorithm = match self {
            Self::A128GCM => &AES_128_GCM,
            Self::A256GCM => &AES_256_GCM,
        };
        UnboundKey::new(algorithm, bytes)
            .map(LessSafeKey::new)
            .map_err(|_| JweError::Encryption)
    }
}

/// The private key that one encrypted answer is awaited with.
pub struct DecryptionKey {
    private: PrivateKey,
    public: Jwk,
}

impl DecryptionKey {
    /// A new key, for one request.
    pub fn generate() -> Result<Self, JweError> {
        Self::new(PrivateKey::generate(&ECDH_P256).map_err(|_| JweError::PrivateKey)?)
    }

    /// A key from its 32 bytes, big-endian.
    pub fn from_scalar(scalar: &[u8]) -> Result<Self, JweError> {
        Self::new(
            PrivateKey::from_private_key(&ECDH_P256, scalar).map_err(|_| JweError::PrivateKey)?,
        )
    }

    /// The 32 bytes of the key, for storage; wiped from memory when dropped.
    pub fn to_scalar(&self) -> Result<Zeroizing<Vec<u8>>, JweError> {
        let scalar: EcPrivateKeyBin<'_> = self
            .private
            .as_be_bytes()
            .map_err(|_| JweError::PrivateKey)?;
        Ok(Zeroizing::new(scalar.as_ref().to_vec()))
    }

    /// The public half, as `client_metadata` carries it. [OpenID4VP 8.3]
    pub fn public_jwk(&self, kid: &str) -> Jwk {
        self.public
            .clone()
            .with_kid(kid)
            .with_alg(KEY_AGREEMENT)
            .with_use("enc")
    }

    fn new(private: PrivateKey) -> Result<Self, JweError> {
        let point = private
            .compute_public_key()
            .map_err(|_| JweError::PrivateKey)?;
        let public =
            Jwk::from_point(KeyType::P256, point.as_ref()).map_err(|_| JweError::PrivateKey)?;
        Ok(Self { private, public })
    }

    /// The content key that both sides arrive at. [RFC 7518 4.6.2]
    ///
    /// The Concat KDF is the single-step KDF of NIST SP 800-56C with a plain hash.
    fn agree(
        &self,
        peer: &[u8],
        enc: ContentEncryption,
        info: &PartyInfo,
    ) -> Result<Zeroizing<Vec<u8>>, JweError> {
        let peer = UnparsedPublicKey::new(&ECDH_P256, peer);
        agreement::agree(&self.private, peer, JweError::Decryption, |shared| {
            let mut key = Zeroizing::new(vec![0; enc.key_length()]);
            let sha256 = kdf::get_sskdf_digest_algorithm(kdf::SskdfDigestAlgorithmId::Sha256)
                .ok_or(JweError::Decryption)?;
            kdf::sskdf_digest(sha256, shared, &info.other_info(enc), &mut key)
                .map_err(|_| JweError::Decryption)?;
            Ok(key)
        })
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecryptionKey(…)")
    }
}

/// What both sides mix into the key: `apu` and `apv`, decoded.
#[derive(Clone, Debug, Default)]
struct PartyInfo {
    apu: Vec<u8>,
    apv: Vec<u8>,
}

impl PartyInfo {
    /// The bytes that follow the shared secret into the hash. [RFC 7518 4.6.2]
    fn other_info(&self, enc: ContentEncryption) -> Vec<u8> {
        let mut info = Vec::new();
        for field in [enc.as_str().as_bytes(), &self.apu, &self.apv] {
            // The whole message is capped far below 4 GiB.
            info.extend(u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
            info.extend(field);
        }
        let bits = if enc == ContentEncryption::A128GCM {
            128_u32
        } else {
            256
        };
        info.extend(bits.to_be_bytes());
        info
    }
}

/// What a sender may add to the header.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// About the sender, mixed into the key.
    pub apu: Option<Vec<u8>>,
    /// About the recipient, mixed into the key.
    pub apv: Option<Vec<u8>>,
    /// Any other parameter, `cty` for example.
    pub members: Map<String, Value>,
}

/// The `kid` of a message: which of our keys it was encrypted to.
pub fn peek_kid(text: &str) -> Result<Option<String>, JweError> {
    let header = Message::parse(text)?.header;
    text_of(&header, "kid")
}

/// Decrypts a message, if its content encryption is on the list for this place.
pub fn decrypt(
    text: &str,
    key: &DecryptionKey,
    allowed: &[ContentEncryption],
) -> Result<Vec<u8>, JweError> {
    let message = Message::parse(text)?;
    let header = &message.header;
    for extension in ["crit", "zip"] {
        // [RFC 7516 4.1.13] No extension is known here; compression tells lengths and swells.
        if header.contains_key(extension) {
            return Err(JweError::Extension(extension));
        }
    }
    if text_of(header, "alg")?.as_deref() != Some(KEY_AGREEMENT) {
        return Err(JweError::UnsupportedAlgorithm);
    }
    let enc = text_of(header, "enc")?
        .and_then(|name| ContentEncryption::parse(&name))
        .filter(|enc| allowed.contains(enc))
        .ok_or(JweError::UnsupportedEncryption)?;
    // Being a Jwk, the ephemeral key is on its curve: no invalid curve attack.
    let ephemeral = Jwk::parse(header.get("epk").ok_or(JweError::Parameter("epk"))?)
        .map_err(JweError::EphemeralKey)?;
    let point = ephemeral
        .point_on(KeyType::P256)
        .ok_or(JweError::EphemeralKey(JwkError::Unsupported))?;
    let info = PartyInfo {
        apu: bytes_of(header, "apu")?,
        apv: bytes_of(header, "apv")?,
    };
    if !message.encrypted_key.is_empty() || message.tag.len() != TAG_LENGTH {
        // [RFC 7518 4.6] Agreed directly, so there is no encrypted key. [RFC 7518 5.3] The tag is whole.
        return Err(JweError::Form);
    }
    let nonce = Nonce::try_assume_unique_for_key(&message.iv).map_err(|_| JweError::Form)?;
    let content_key = enc.key(&key.agree(point, enc, &info)?)?;
    let mut content = [message.ciphertext, message.tag].concat();
    let length = content_key
        .open_in_place(nonce, Aad::from(message.protected.as_bytes()), &mut content)
        .map_err(|_| JweError::Decryption)?
        .len();
    content.truncate(length);
    Ok(content)
}

/// Encrypts to the recipient's key; the header carries that key's `kid`.
pub fn encrypt(
    plaintext: &[u8],
    recipient: &Jwk,
    enc: ContentEncryption,
    options: &Options,
) -> Result<String, JweError> {
    let mut iv = [0; NONCE_LEN];
    rand::fill(&mut iv).map_err(|_| JweError::Encryption)?;
    encrypt_with(
        &DecryptionKey::generate()?,
        iv,
        plaintext,
        recipient,
        enc,
        options,
    )
}

fn encrypt_with(
    ephemeral: &DecryptionKey,
    iv: [u8; NONCE_LEN],
    plaintext: &[u8],
    recipient: &Jwk,
    enc: ContentEncryption,
    options: &Options,
) -> Result<String, JweError> {
    let point = recipient
        .point_on(KeyType::P256)
        .ok_or(JweError::RecipientKey)?;
    if recipient.alg().is_some_and(|alg| alg != KEY_AGREEMENT) || !recipient.may_derive() {
        return Err(JweError::RecipientKey);
    }
    let mut header = options.members.clone();
    header.insert("alg".to_owned(), json!(KEY_AGREEMENT));
    header.insert("enc".to_owned(), json!(enc.as_str()));
    header.insert("epk".to_owned(), ephemeral.public.to_value());
    if let Some(kid) = recipient.kid() {
        header.insert("kid".to_owned(), json!(kid));
    }
    for (name, value) in [("apu", &options.apu), ("apv", &options.apv)] {
        if let Some(value) = value {
            header.insert(name.to_owned(), json!(base64url::encode(value)));
        }
    }
    let info = PartyInfo {
        apu: options.apu.clone().unwrap_or_default(),
        apv: options.apv.clone().unwrap_or_default(),
    };
    let protected = base64url::encode(Value::Object(header).to_string());
    let key = enc.key(&ephemeral.agree(point, enc, &info)?)?;
    let mut content = plaintext.to_vec();
    let tag = key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(iv),
            Aad::from(protected.as_bytes()),
            &mut content,
        )
        .map_err(|_| JweError::Encryption)?;
    let [iv, content, tag] = [
        base64url::encode(iv),
        base64url::encode(content),
        base64url::encode(tag),
    ];
    Ok(format!("{protected}..{iv}.{content}.{tag}"))
}

/// The five parts.
struct Message<'a> {
    protected: &'a str,
    header: Map<String, Value>,
    encrypted_key: Vec<u8>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl<'a> Message<'a> {
    fn parse(text: &'a str) -> Result<Self, JweError> {
        if text.len() > MAX_LENGTH {
            return Err(JweError::TooLong);
        }
        let parts: Vec<&str> = text.splitn(6, '.').collect();
        let [protected, encrypted_key, iv, ciphertext, tag] = parts[..] else {
            return Err(JweError::Form);
        };
        let decoded = |part| base64url::decode(part).map_err(|_| JweError::Form);
        Ok(Self {
            protected,
            header: json::parse_object(&decoded(protected)?).map_err(JweError::Header)?,
            encrypted_key: decoded(encrypted_key)?,
            iv: decoded(iv)?,
            ciphertext: decoded(ciphertext)?,
            tag: decoded(tag)?,
        })
    }
}

fn text_of(header: &Map<String, Value>, name: &'static str) -> Result<Option<String>, JweError> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JweError::Parameter(name)),
    }
}

fn bytes_of(header: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, JweError> {
    let text = text_of(header, name)?.unwrap_or_default();
    base64url::decode(&text).map_err(|_| JweError::Parameter(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    // The keys of RFC 7518, appendix C.
    const ALICE: &str = "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo";
    const BOB: &str = "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw";

    fn key(scalar: &str) -> DecryptionKey {
        DecryptionKey::from_scalar(&base64url::decode(scalar).unwrap()).unwrap()
    }

    #[test]
    fn both_sides_of_rfc_7518_appendix_c_arrive_at_its_key() {
        let info = PartyInfo {
            apu: b"Alice".to_vec(),
            apv: b"Bob".to_vec(),
        };
        let (alice, bob) = (key(ALICE), key(BOB));
        for (own, peer) in [(&alice, &bob), (&bob, &alice)] {
            let point = peer.public.point_on(KeyType::P256).unwrap();
            let derived = own.agree(point, ContentEncryption::A128GCM, &info).unwrap();
            assert_eq!(base64url::encode(&*derived), "VqqN6vgjbSBcIijNcacQGg");
            let longer = own.agree(point, ContentEncryption::A256GCM, &info).unwrap();
            assert_ne!(
                longer[..16],
                derived[..],
                "the length of the key is part of what it is made of"
            );
        }
    }

    #[test]
    fn a_message_with_a_fixed_ephemeral_key_is_the_same_each_time() {
        let recipient = key(BOB).public_jwk("bob");
        let options = Options {
            apu: Some(b"Alice".to_vec()),
            ..Options::default()
        };
        let write = || {
            encrypt_with(
                &key(ALICE),
                [7; NONCE_LEN],
                b"text",
                &recipient,
                ContentEncryption::A256GCM,
                &options,
            )
        };
        let message = write().unwrap();
        assert_eq!(message, write().unwrap());
        assert_eq!(
            decrypt(&message, &key(BOB), ContentEncryption::ALL).unwrap(),
            b"text"
        );
        assert_ne!(
            encrypt(b"text", &recipient, ContentEncryption::A256GCM, &options).unwrap(),
            message
        );
    }

    #[test]
    fn a_private_key_survives_storage_and_cannot_be_printed() {
        let made = DecryptionKey::generate().unwrap();
        let stored = DecryptionKey::from_scalar(&made.to_scalar().unwrap()).unwrap();
        assert_eq!(stored.public_jwk("a"), made.public_jwk("a"));
        assert_eq!(format!("{made:?}"), "DecryptionKey(…)");
    }

    #[test]
    fn a_scalar_out_of_range_or_of_another_length_is_no_key() {
        for scalar in [&[0; 32][..], &[0xff; 32], &[1; 31], &[1; 33], &[]] {
            assert_eq!(
                DecryptionKey::from_scalar(scalar).unwrap_err(),
                JweError::PrivateKey
            );
        }
    }
}
