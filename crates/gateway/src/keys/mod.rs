//! Private signing keys, each in a file of its own.
//!
//! The form is the standard one, so that an operator's own tools read and write it: PKCS #8 encrypted under a
//! passphrase (PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC), in PEM. [RFC 5958, RFC 8018] For example
//! `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes-256-cbc -out NAME.pem`.
//!
//! Only the owner may read or write a key file; a file that others can read is refused, not repaired: the key in it
//! may have been read already. (SEC-37)
//!
//! [`KeyStore`] is one [`KeyHolder`], [`TokenStore`] another. Which keys there are and what each may do says the database ([`rows`]); a [`Ring`] is
//! what a request sees of both, and [`acts`] is what an operator does with them.

pub mod acts;
mod derived;
mod ended;
mod file;
mod holder;
mod passphrase;
mod place;
mod ring;
pub mod rows;
pub mod signed;
mod token;

pub(crate) use ended::destroy_ended;
pub(crate) use file::create as create_file;
pub use holder::KeyHolder;
pub use passphrase::{Changed, Unchanged};
pub use place::{GATEWAY, KeyPurpose, Place, State};
pub use ring::{NoKey, Ring, RingError, adopt, find_unadopted};
pub use token::TokenStore;

use std::path::{Path, PathBuf};

use pkcs8::der::asn1::OctetStringRef;
use pkcs8::pkcs5::pbes2;
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument};
use standards::jose::{Algorithm, SignError, SoftwareKey};
use zeroize::Zeroizing;

/// The passphrase of every sandbox key. It is printed here, so a key that opens with it protects nothing.
pub const SANDBOX_PASSPHRASE: &str = "sandbox-keys-protect-nothing";

const LABEL: &str = "ENCRYPTED PRIVATE KEY";
/// OWASP's advice of 2023 for PBKDF2-HMAC-SHA-256. A generated passphrase needs none of them, a chosen one does.
const ROUNDS: u32 = 600_000;
/// A passphrase that everybody knows gains nothing from more, and a sandbox starts sooner.
const SANDBOX_ROUNDS: u32 = 1_000;

/// A folder of encrypted private keys and the passphrase that opens them.
#[derive(Debug)]
pub struct KeyStore {
    folder: PathBuf,
    passphrase: Passphrase,
    /// Those from before: a file may still be closed with one.
    earlier: Vec<Passphrase>,
    refuse_sandbox_keys: bool,
}

/// A key in the clear, and whether an earlier passphrase closed it.
struct Opened {
    key: Zeroizing<Vec<u8>>,
    early: bool,
}

/// Its Debug shows nothing.
struct Passphrase(Zeroizing<String>);

impl Passphrase {
    fn parse(text: Zeroizing<String>, refuse_the_sandbox: bool) -> Result<Self, KeyError> {
        if text.is_empty() {
            return Err(KeyError::EmptyPassphrase);
        }
        if refuse_the_sandbox && text.as_str() == SANDBOX_PASSPHRASE {
            return Err(KeyError::SandboxPassphrase);
        }
        Ok(Self(text))
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Why a key cannot be used, read or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The passphrase is the sandbox's.
    #[error("the key passphrase is the sandbox's, which everybody knows: choose one of your own")]
    SandboxPassphrase,
    /// The key was made by a sandbox.
    #[error("{} is a sandbox key: it opens with the sandbox's passphrase, which everybody knows", .0.display())]
    SandboxKey(PathBuf),
    /// A passphrase of nothing.
    #[error("the key passphrase is empty")]
    EmptyPassphrase,
    /// Not a name, but perhaps a path.
    #[error(
        "`{0}` is no name of a key: lower-case letters, digits, `-`, `_` and `.` only, a letter or digit first"
    )]
    Name(String),
    /// There is no such key.
    #[error("the key {} does not exist: make it with --create-keys, once for all processes, or put it back", .0.display())]
    Missing(PathBuf),
    /// Others than the owner can read or write the file.
    #[error("{} can be read by others (mode {mode:03o}): make a new key, or set mode 600 if nobody has", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The user who runs the gateway could not read it.
    #[error(
        "the keys in {} are another user's, who could not read a key of yours: do this as that user, or as root",
        .0.display()
    )]
    Owner(PathBuf),
    /// It is no encrypted PKCS #8 key.
    #[error("{} is no encrypted private key in PEM (`-----BEGIN ENCRYPTED PRIVATE KEY-----`)", .0.display())]
    Format(PathBuf),
    /// The passphrase does not open it.
    #[error("{} does not open with the key passphrase, nor with an earlier one that is named", .0.display())]
    Passphrase(PathBuf),
    /// It opens, and what is in it is no key that can be used.
    #[error("the key in {} cannot be used: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SignError,
    },
    /// The module that keeps the keys.
    #[error("the PKCS #11 token: {0}")]
    Token(String),
    /// It is another key than the table says.
    #[error(
        "the key {0} is another than the database knows ({1}): put the right one back; if it is lost, `lanyard key \
         compromised {1}` has another take its place"
    )]
    Another(String, String),
    /// It was removed, and is there again.
    #[error(
        "the key {0} was removed or found compromised, and does not come back; make another with `lanyard key create {0}`"
    )]
    Ended(String),
    /// It signs with what its purpose does not allow.
    #[error("the key {0} signs with {1}, which a key of this purpose must not")]
    Algorithm(String, Algorithm),
    /// It could not be encrypted.
    #[error("a key could not be made: {0}")]
    Unmade(String),
    /// The file system.
    #[error("{} cannot be read or written: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl KeyStore {
    /// The keys in this folder, which is made if it is not there. In real use sandbox keys are refused.
    pub fn open(
        folder: &Path,
        passphrase: Zeroizing<String>,
        refuse_sandbox_keys: bool,
    ) -> Result<Self, KeyError> {
        let passphrase = Passphrase::parse(passphrase, refuse_sandbox_keys)?;
        file::create_folder(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            passphrase,
            earlier: Vec::new(),
            refuse_sandbox_keys,
        })
    }

    /// The same keys while their passphrase is being changed: what one of these closed is opened, too. A key that is made is
    /// closed with the passphrase in use.
    pub fn opening_with(
        self,
        earlier: impl IntoIterator<Item = Zeroizing<String>>,
    ) -> Result<Self, KeyError> {
        let refuse = self.refuse_sandbox_keys;
        let earlier = earlier.into_iter();
        let earlier = earlier.map(|one| Passphrase::parse(one, refuse));
        Ok(Self {
            earlier: earlier.collect::<Result<_, _>>()?,
            ..self
        })
    }

    /// Reads a key. Its `kid` is its thumbprint. [RFC 7638]
    pub fn signing_key(&self, name: &str) -> Result<SoftwareKey, KeyError> {
        let path = self.path(name)?;
        let key = self.opened(&path, &file::read(&path)?)?.key;
        SoftwareKey::from_pkcs8_der(&key).map_err(|source| KeyError::Key { path, source })
    }

    /// What is in a key file that was read.
    fn opened(&self, path: &Path, text: &str) -> Result<Opened, KeyError> {
        let format = || KeyError::Format(path.to_owned());
        let (label, document) = SecretDocument::from_pem(text).map_err(|_| format())?;
        if label != LABEL {
            return Err(format());
        }
        let encrypted =
            EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| format())?;
        let opens = |passphrase: &str| {
            let scheme = &encrypted.encryption_algorithm;
            let data = encrypted.encrypted_data.as_bytes();
            let opened = derived::open(scheme, passphrase.as_bytes(), data)?;
            // With a wrong passphrase one in some hundred seems to open.
            PrivateKeyInfoRef::try_from(opened.as_slice()).ok()?;
            Some(opened)
        };
        if let Some(key) = opens(&self.passphrase.0) {
            return Ok(Opened { key, early: false });
        }
        if let Some(key) = self.earlier.iter().find_map(|one| opens(&one.0)) {
            return Ok(Opened { key, early: true });
        }
        // Told apart only when none of ours opens it: one that does is not the sandbox's.
        let sandbox = self.refuse_sandbox_keys && opens(SANDBOX_PASSPHRASE).is_some();
        Err(if sandbox {
            KeyError::SandboxKey(path.to_owned())
        } else {
            KeyError::Passphrase(path.to_owned())
        })
    }

    /// Makes a key unless there is one of this name; tells whether it did. Of two processes that do this at once
    /// one makes it and the other finds it.
    pub fn create_missing(&self, name: &str, algorithm: Algorithm) -> Result<bool, KeyError> {
        let path = self.path(name)?;
        if path.exists() {
            return Ok(false);
        }
        let key = SoftwareKey::generate(algorithm)
            .map_err(|error| KeyError::Unmade(error.to_string()))?;
        let der = key
            .to_pkcs8_der()
            .map_err(|error| KeyError::Unmade(error.to_string()))?;
        let text = self.closed(der.as_slice())?;
        file::create(&path, text.as_bytes())
    }

    /// Destroys a key; one that is not there is destroyed already.
    pub fn remove(&self, name: &str) -> Result<(), KeyError> {
        file::remove(&self.path(name)?)
    }

    /// Whether there is a key of this name.
    pub(super) fn exists(&self, name: &str) -> Result<bool, KeyError> {
        Ok(self.path(name)?.exists())
    }

    /// The names of the keys that are there, in order.
    pub fn names(&self) -> Result<Vec<String>, KeyError> {
        file::names(&self.folder)
    }

    fn path(&self, name: &str) -> Result<PathBuf, KeyError> {
        let starts =
            name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit());
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
        };
        if !starts || name.len() > 128 || !name.bytes().all(allowed) {
            return Err(KeyError::Name(name.to_owned()));
        }
        Ok(self.folder.join(format!("{name}.{}", file::EXTENSION)))
    }

    /// A key file's text, closed with the passphrase in use.
    fn closed(&self, key: &[u8]) -> Result<Zeroizing<String>, KeyError> {
        let unmade = |error: &dyn std::fmt::Display| KeyError::Unmade(error.to_string());
        let sandbox = self.passphrase.0.as_str() == SANDBOX_PASSPHRASE;
        let rounds = if sandbox { SANDBOX_ROUNDS } else { ROUNDS };
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        match self.shared_salt(rounds) {
            Some(shared) => salt = shared,
            None => aws_lc_rs::rand::fill(&mut salt).map_err(|error| unmade(&error))?,
        }
        aws_lc_rs::rand::fill(&mut iv).map_err(|error| unmade(&error))?;
        let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(rounds, &salt, iv)
            .map_err(|error| unmade(&error))?;
        let closed = derived::close(&parameters, self.passphrase.0.as_bytes(), key)
            .ok_or_else(|| unmade(&"it could not be encrypted"))?;
        let data = OctetStringRef::new(&closed).map_err(|error| unmade(&error))?;
        let closed = EncryptedPrivateKeyInfoRef {
            encryption_algorithm: parameters.into(),
            encrypted_data: data,
        };
        SecretDocument::encode_msg(&closed)
            .map_err(|error| unmade(&error))?
            .to_pem(LABEL, LineEnding::LF)
            .map_err(|error| unmade(&error))
    }

    /// The salt of a key that is in the folder already. None where there is no such key, or it cannot be read.
    fn shared_salt(&self, rounds: u32) -> Option<[u8; 16]> {
        let names = self.names().unwrap_or_default();
        names.iter().find_map(|name| {
            let text = file::read(&self.path(name).ok()?).ok()?;
            let (_, document) = SecretDocument::from_pem(&text).ok()?;
            let closed = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).ok()?;
            derived::salt_of(&closed.encryption_algorithm, rounds)
        })
    }
}

#[cfg(test)]
mod passphrase_tests;
#[cfg(test)]
mod tests;
