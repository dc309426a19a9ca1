//! Who may open a file: holders of a key, or of a passphrase.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use zeroize::Zeroizing;

use super::{Random, SealError, aead, bech32, decrypt, derived, encrypt};

/// The bytes of a file's key.
pub(super) const FILE_KEY: usize = 16;
/// 2^17 rounds over 8 blocks: 128 MiB and under a second. A file may ask for 16 times as much.
const WORK: u8 = 17;
const MOST_WORK: u8 = 21;
const SCRYPT: &str = "age-encryption.org/v1/scrypt";
const AGREED: &str = "age-encryption.org/v1/X25519";
const PUBLIC: &str = "age";
const PRIVATE: &str = "age-secret-key-";

/// A public key: `age1…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient([u8; 32]);

impl FromStr for Recipient {
    type Err = SealError;

    fn from_str(text: &str) -> Result<Self, SealError> {
        let bytes = bech32::decode(PUBLIC, text.trim()).ok_or(SealError::NotAKey)?;
        bytes.try_into().map(Self).map_err(|_| SealError::NotAKey)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bech32::encode(PUBLIC, &self.0))
    }
}

/// A private key: `AGE-SECRET-KEY-1…`. Its Debug shows nothing.
pub struct Identity(Zeroizing<[u8; 32]>);

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

impl Identity {
    /// A new one.
    pub(in crate::backup) fn generate(random: Random<'_>) -> Result<Self, SealError> {
        let mut bytes = Zeroizing::new([0; 32]);
        random(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// The keys in a file of `age-keygen`, one a line; lines with `#` are remarks.
    pub(in crate::backup) fn parse_file(text: &str) -> Result<Vec<Self>, SealError> {
        let lines = text.lines().map(str::trim);
        let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Vec<Self> = keys.map(Self::parse).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(SealError::NotAKey);
        }
        Ok(keys)
    }

    fn parse(text: &str) -> Result<Self, SealError> {
        let bytes = bech32::decode(PRIVATE, text).map(Zeroizing::new);
        let bytes = bytes.ok_or(SealError::NotAKey)?;
        let array = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| SealError::NotAKey)?;
        Ok(Self(Zeroizing::new(array)))
    }

    /// As `age-keygen` writes it.
    pub(in crate::backup) fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(bech32::encode(PRIVATE, self.0.as_slice()).to_ascii_uppercase())
    }

    /// Its public half.
    pub(in crate::backup) fn recipient(&self) -> Result<Recipient, SealError> {
        let public = self.private()?.compute_public_key();
        let public = public.map_err(|_| SealError::Crypto)?;
        let bytes = public.as_ref().try_into().map_err(|_| SealError::Crypto)?;
        Ok(Recipient(bytes))
    }

    fn private(&self) -> Result<PrivateKey, SealError> {
        PrivateKey::from_private_key(&X25519, self.0.as_slice()).map_err(|_| SealError::Crypto)
    }

    /// The key of both, and of nobody else [RFC 7748].
    fn wrapping_key(
        &self,
        other: &[u8; 32],
        share: &[u8],
        recipient: &[u8],
    ) -> Result<[u8; 32], SealError> {
        let salt = [share, recipient].concat();
        let other = UnparsedPublicKey::new(&X25519, other);
        agree(&self.private()?, other, SealError::Crypto, |shared| {
            derived(shared, &salt, AGREED)
        })
    }
}

/// For whom a file is sealed.
pub(in crate::backup) enum Sealer {
    /// For whoever has one of the private keys.
    Recipients(Vec<Recipient>),
    /// For whoever knows it.
    Passphrase(Zeroizing<String>),
}

/// With what a file is opened.
pub(in crate::backup) enum Opener {
    /// One of these keys.
    Identities(Vec<Identity>),
    /// This passphrase.
    Passphrase(Passphrase),
}

/// A passphrase and what was last made of it: a file that is read twice is waited for once.
pub(in crate::backup) struct Passphrase {
    text: Zeroizing<String>,
    stretched: Mutex<Option<Stretched>>,
}

/// Salt and work, and the key that they make of a passphrase.
type Stretched = (Vec<u8>, u8, Zeroizing<[u8; 32]>);

impl Passphrase {
    pub(in crate::backup) fn new(text: Zeroizing<String>) -> Self {
        Self {
            text,
            stretched: Mutex::default(),
        }
    }

    fn stretched(&self, salt: &[u8], work: u8) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let mut last = self.stretched.lock().map_err(|_| SealError::Crypto)?;
        if let Some((of, at, key)) = &*last
            && (of.as_slice(), *at) == (salt, work)
        {
            return Ok(key.clone());
        }
        let key = Zeroizing::new(stretched(&self.text, salt, work)?);
        *last = Some((salt.to_vec(), work, key.clone()));
        Ok(key)
    }
}

/// One way to the file's key: `-> kind argument …` and a body.
pub(super) struct Stanza {
    pub(super) arguments: Vec<String>,
    pub(super) body: Vec<u8>,
}

impl Sealer {
    pub(super) fn wrap(
        &self,
        file_key: &[u8; FILE_KEY],
        random: Random<'_>,
    ) -> Result<Vec<Stanza>, SealError> {
        match self {
            Self::Recipients(recipients) => {
                let wrap = |recipient: &Recipient| {
                    let ephemeral = Identity::generate(random)?;
                    let share = ephemeral.recipient()?.0;
                    let key = ephemeral.wrapping_key(&recipient.0, &share, &recipient.0)?;
                    stanza(vec!["X25519".into(), base64(&share)], &key, file_key)
                };
                recipients.iter().map(wrap).collect()
            }
            Self::Passphrase(passphrase) => {
                let mut salt = [0; 16];
                random(&mut salt)?;
                let key = stretched(passphrase, &salt, WORK)?;
                let arguments = vec!["scrypt".into(), base64(&salt), WORK.to_string()];
                Ok(vec![stanza(arguments, &key, file_key)?])
            }
        }
    }
}

fn stanza(
    arguments: Vec<String>,
    key: &[u8; 32],
    file_key: &[u8; FILE_KEY],
) -> Result<Stanza, SealError> {
    let mut body = file_key.to_vec();
    encrypt(&aead(key)?, [0; 12], &mut body)?;
    Ok(Stanza { arguments, body })
}

impl Opener {
    /// `None` if this stanza is not for us.
    pub(super) fn unwrap(&self, stanza: &Stanza) -> Result<Option<[u8; FILE_KEY]>, SealError> {
        let arguments: Vec<&str> = stanza.arguments.iter().map(String::as_str).collect();
        match (self, arguments.as_slice()) {
            (Self::Identities(identities), ["X25519", share]) => {
                let share = unbase64(share).ok_or(SealError::NotSealed)?;
                let share = <[u8; 32]>::try_from(share).map_err(|_| SealError::NotSealed)?;
                for identity in identities {
                    let recipient = identity.recipient()?.0;
                    let key = identity.wrapping_key(&share, &share, &recipient)?;
                    if let Some(file_key) = unwrap_with(&key, stanza)? {
                        return Ok(Some(file_key));
                    }
                }
                Ok(None)
            }
            (Self::Passphrase(passphrase), ["scrypt", salt, work]) => {
                let salt = unbase64(salt).ok_or(SealError::NotSealed)?;
                let work: u8 = work.parse().map_err(|_| SealError::NotSealed)?;
                if work > MOST_WORK {
                    return Err(SealError::TooMuchWork);
                }
                unwrap_with(&*passphrase.stretched(&salt, work)?, stanza)
            }
            _ => Ok(None),
        }
    }
}

fn unwrap_with(key: &[u8; 32], stanza: &Stanza) -> Result<Option<[u8; FILE_KEY]>, SealError> {
    let mut body = stanza.body.clone();
    // Longer bodies are refused, or one could be made that opens with several keys.
    if body.len() != FILE_KEY + 16 || decrypt(&aead(key)?, [0; 12], &mut body).is_none() {
        return Ok(None);
    }
    Ok(body.try_into().ok())
}

fn stretched(passphrase: &str, salt: &[u8], work: u8) -> Result<[u8; 32], SealError> {
    let salt = [SCRYPT.as_bytes(), salt].concat();
    let parameters = scrypt::Params::new(work, 8, 1).map_err(|_| SealError::NotSealed)?;
    let mut key = [0; 32];
    let stretched = scrypt::scrypt(passphrase.as_bytes(), &salt, &parameters, &mut key);
    stretched.map_err(|_| SealError::Crypto)?;
    Ok(key)
}

pub(super) fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes)
}

pub(super) fn unbase64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(text)
        .ok()
}
